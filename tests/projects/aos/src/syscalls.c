/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * System calls of muslc, in the place of sel4muslcsys: those of a start, memory and `writev`. There is no `write`, no
 * `sched_yield`, and nothing that ends a thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>
#include <bits/syscall.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>

#define MEMORY (1024 * 1024)
#define PAGE 4096

typedef struct {
    long number;
    long (*call)(va_list arguments);
} syscall_t;

#define SYSCALL(name) \
    static const syscall_t entry_##name __attribute__((used, section(".syscalls"))) = { __NR_##name, sys_##name }

/* The table, which the linker script collects. */
extern const syscall_t syscalls[], syscalls_end[];

static long sys_writev(va_list arguments)
{
    int descriptor = va_arg(arguments, int);
    const struct iovec *pieces = va_arg(arguments, const struct iovec *);
    int count = va_arg(arguments, int);
    long written = 0;
    if (descriptor != 1 && descriptor != 2) {
        return -EBADF;
    }
    for (int i = 0; i < count; i++) {
        for (size_t at = 0; at < pieces[i].iov_len; at++) {
            seL4_DebugPutChar(((const char *)pieces[i].iov_base)[at]);
        }
        written += pieces[i].iov_len;
    }
    return written;
}
SYSCALL(writev);

/* What is unmapped is lost. */
static long sys_mmap(va_list arguments)
{
    static char memory[MEMORY] __attribute__((aligned(PAGE)));
    static size_t used;
    (void)va_arg(arguments, void *);
    size_t bytes = (va_arg(arguments, size_t) + PAGE - 1) / PAGE * PAGE;
    if (bytes > MEMORY - used) {
        return -ENOMEM;
    }
    used += bytes;
    return (long)&memory[used - bytes];
}
SYSCALL(mmap);

static long sys_munmap(va_list arguments)
{
    (void)arguments;
    return 0;
}
SYSCALL(munmap);

static long sys_set_tid_address(va_list arguments)
{
    (void)arguments;
    return 1;
}
SYSCALL(set_tid_address);

/* The terminal: C's output is then sent at the end of each line. */
static long sys_ioctl(va_list arguments)
{
    (void)arguments;
    return 0;
}
SYSCALL(ioctl);

/* sel4runtime gives a root server's muslc the function of this name. */
long sel4_vsyscall(long number, ...)
{
    for (const syscall_t *one = syscalls; one < syscalls_end; one++) {
        if (one->number == number) {
            va_list arguments;
            va_start(arguments, number);
            long result = one->call(arguments);
            va_end(arguments);
            return result;
        }
    }
    return -ENOSYS;
}

extern uintptr_t __sysinfo;
extern void __init_libc(const char *const *environment, const char *name);

static __attribute__((noinline)) void set_ipc_buffer(seL4_IPCBuffer *buffer)
{
    seL4_SetIPCBuffer(buffer);
}

static __attribute__((constructor(201))) void start_muslc(void)
{
    seL4_IPCBuffer *buffer = seL4_GetIPCBuffer();
    __sysinfo = (uintptr_t)sel4_vsyscall;
    /* It moves the thread-local storage. */
    __init_libc(sel4runtime_envp(), sel4runtime_argv()[0]);
    set_ipc_buffer(buffer);
}
