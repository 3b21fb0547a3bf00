/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Start, before muslc's: corrects the description of thread-local storage that sel4runtime passes on, and installs
 * libsel4std's functions in the table of system calls.
 */
#include "internal.h"

#include <elf.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sel4runtime.h>
#include <sel4runtime/auxv.h>
#include <sel4std.h>

/* Priorities around that of muslc's constructor (121), after that of the table of system calls (101). In a CAmkES component
 * these are 201 and 111. */
#ifdef SEL4STD_COMPONENT
#define BEFORE_MUSLC 150
#define AFTER_MUSLC 202
#else
#define BEFORE_MUSLC 105
#define AFTER_MUSLC 122
#endif

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
#ifdef SEL4STD_COMPONENT
    component_install();
    threads_prepare();
#endif
    clock_install();
    clone_install();
    files_install();
    futex_install();
    memory_install();
    process_install();
    random_install();
    schedule_install();
    thread_install();
#ifndef SEL4STD_COMPONENT
    if (sel4std_new_object == object_from_reservation) {
        objects_reserve();
    }
#endif
}

/* Does what needs muslc: sets the environment variables that std reads. */
__attribute__((constructor(AFTER_MUSLC))) static void boot_with_muslc(void)
{
    thread_begin_first();
#ifdef SEL4STD_COMPONENT
    component_begin();
#else
    objects_report();
    if (WATCH && !faults_watch()) {
        say("sel4std: there is no object for the thread that watches for faults; they stop their threads\n");
    }
#endif
    /* std's default is 2 MiB. */
    setenv("RUST_MIN_STACK", STACK_BYTES, 0);
    if (BACKTRACE) {
        /* std finds no names in an image, and prints addresses only with `full`. */
        setenv("RUST_BACKTRACE", "full", 0);
    }
}

/* Features of the processor, as Linux tells them: on aarch64, those that the image is compiled for, as only the kernel can read
 * the others; on x86_64, what the processor says. */
static unsigned long features(void)
{
#ifdef CONFIG_ARCH_AARCH64
    unsigned long known = HWCAP_FP | HWCAP_ASIMD;
#ifdef __ARM_FEATURE_CRC32
    known |= HWCAP_CRC32;
#endif
#ifdef __ARM_FEATURE_ATOMICS
    known |= HWCAP_ATOMICS;
#endif
#if defined(__ARM_FEATURE_AES) || defined(__ARM_FEATURE_CRYPTO)
    known |= HWCAP_AES | HWCAP_PMULL;
#endif
#if defined(__ARM_FEATURE_SHA2) || defined(__ARM_FEATURE_CRYPTO)
    known |= HWCAP_SHA1 | HWCAP_SHA2;
#endif
    return known;
#else
    unsigned a = 1, b, c = 0, d;
    asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return d;
#endif
}

/* muslc's version reads a vector that does not exist yet when the compilers' constructors ask for the processor's features
 * (priority 90). */
unsigned long __getauxval(unsigned long type)
{
    return type == AT_PAGESZ ? 4096 : type == AT_HWCAP ? features() : 0;
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
