/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Before muslc starts: corrects what the root server's start code says of thread-local storage, and puts libsel4std's
 * functions into the table of system calls.
 */
#include "internal.h"

#include <elf.h>
#include <stdlib.h>
#include <sel4runtime.h>
#include <sel4runtime/auxv.h>
#include <sel4std.h>

/* Around muslc's own constructor (121), after the one that fills the table of system calls (101). */
#define BEFORE_MUSLC 105
#define AFTER_MUSLC 122

/* Where this image begins. */
extern const Elf64_Ehdr __ehdr_start;

/* sel4runtime describes thread-local storage by symbols of the linker, which do not tell its alignment. muslc then lays
 * out statics aligned above 16 bytes otherwise than the compiled code expects them. The image's own header tells it. */
static void correct_tls(void)
{
    const Elf64_Phdr *headers = (const void *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    Elf64_Phdr *told = NULL;
    for (const auxv_t *entry = sel4runtime_auxv(); entry->a_type != AT_NULL; entry++) {
        if (entry->a_type == AT_PHDR) {
            told = entry->a_un.a_ptr;
        }
    }
    for (int i = 0; told != NULL && i < __ehdr_start.e_phnum; i++) {
        if (headers[i].p_type == PT_TLS) {
            told->p_vaddr = headers[i].p_vaddr;
            told->p_filesz = headers[i].p_filesz;
            told->p_memsz = headers[i].p_memsz;
            told->p_align = headers[i].p_align;
        }
    }
}

__attribute__((constructor(BEFORE_MUSLC))) static void boot(void)
{
    correct_tls();
    clock_install();
    clone_install();
    files_install();
    futex_install();
    memory_install();
    process_install();
    random_install();
    schedule_install();
    thread_install();
    if (sel4std_new_object == object_from_reservation) {
        objects_reserve();
    }
}

/* What std reads in the environment. */
__attribute__((constructor(AFTER_MUSLC))) static void set_environment(void)
{
    /* It would take 2 MiB. */
    setenv("RUST_MIN_STACK", STACK_BYTES, 0);
    if (BACKTRACE) {
        /* Names it does not find here, and with less than this it tells nothing else. */
        setenv("RUST_BACKTRACE", "full", 0);
    }
}

/* muslc's own reads a vector that is not there yet when the compilers' constructors ask which instructions the processor
 * has (priority 90). None is told: code with a choice takes what every processor can do. */
unsigned long __getauxval(unsigned long type)
{
    return type == AT_PAGESZ ? 4096 : 0;
}

unsigned long getauxval(unsigned long type)
{
    return __getauxval(type);
}

#ifdef CONFIG_ARCH_X86_64
/* muslcsys' way does nothing where the kernel alone can set the register (KernelFSGSBase=msr). */
int __set_thread_area(void *base)
{
    sel4runtime_set_tls_base((sel4runtime_uintptr_t)base);
    return 0;
}
#endif
