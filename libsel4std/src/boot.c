/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Start, before muslc's: corrects the description of thread-local storage that sel4runtime passes on, and installs
 * libsel4std's functions in the table of system calls.
 */
#include "internal.h"

#include <elf.h>
#include <stdlib.h>
#include <sel4runtime.h>
#include <sel4runtime/auxv.h>
#include <sel4std.h>

/* Priorities around that of muslc's constructor (121), after that of the table of system calls (101). */
#define BEFORE_MUSLC 105
#define AFTER_MUSLC 122

/* ELF header of this image. */
extern const Elf64_Ehdr __ehdr_start;

/* sel4runtime describes thread-local storage by linker symbols, which lack its alignment. muslc then places variables aligned
 * above 16 bytes where the compiled code does not expect them. The image's program header has the alignment. */
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

/* Does what needs muslc: sets the environment variables that std reads. */
__attribute__((constructor(AFTER_MUSLC))) static void boot_with_muslc(void)
{
    objects_report();
    /* std's default is 2 MiB. */
    setenv("RUST_MIN_STACK", STACK_BYTES, 0);
    if (BACKTRACE) {
        /* std finds no names in an image, and prints addresses only with `full`. */
        setenv("RUST_BACKTRACE", "full", 0);
    }
}

/* muslc's version reads a vector that does not exist yet when the compilers' constructors ask for the processor's features
 * (priority 90). This one reports none, so that such code uses instructions that every processor has. */
unsigned long __getauxval(unsigned long type)
{
    return type == AT_PAGESZ ? 4096 : 0;
}

unsigned long getauxval(unsigned long type)
{
    return __getauxval(type);
}

#ifdef CONFIG_ARCH_X86_64
/* muslcsys' version does nothing if only the kernel can set the register (KernelFSGSBase=msr). */
int __set_thread_area(void *base)
{
    sel4runtime_set_tls_base((sel4runtime_uintptr_t)base);
    return 0;
}
#endif
