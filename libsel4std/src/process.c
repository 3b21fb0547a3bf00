/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * System calls for the identity, signals and exit of a process.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4std.h>

/* Added to the number of the signal that ended the program, as shells do. */
#define SIGNALLED 128

static long sys_exit_group(va_list arguments)
{
    sel4std_exit(va_arg(arguments, int));
}

static long sys_getpid(va_list arguments)
{
    (void)arguments;
    return 1;
}

static long sys_prctl(va_list arguments)
{
    int what = va_arg(arguments, int);
    const char *name = va_arg(arguments, const char *);
    if (what != PR_SET_NAME) {
        return -EINVAL;
    }
    (void)name;
#ifdef CONFIG_DEBUG_BUILD
    seL4_DebugNameThread(thread_self()->tcb, name);
#endif
    return 0;
}

/* Return from a signal handler, which never happens. muslc's versions contain a system call instruction of Linux. */
void __restore(void)
{
    abort();
}

void __restore_rt(void)
{
    abort();
}

/* There are no signals, so installing a handler has no effect. */
static long nothing(va_list arguments)
{
    (void)arguments;
    return 0;
}

/* System calls without a handler fail, without a line on the console. */
static long absent(va_list arguments)
{
    (void)arguments;
    return -ENOSYS;
}

/* abort() sends a signal to itself. */
static long sys_tkill(va_list arguments)
{
    (void)va_arg(arguments, int);
    sel4std_exit(SIGNALLED + va_arg(arguments, int));
}

void process_install(void)
{
    /* The highest number that muslc knows. */
    for (int number = 0; number <= __NR_fchmodat2; number++) {
        muslcsys_syscall_t old = muslcsys_install_syscall(number, absent);
        if (old != NULL) {
            muslcsys_install_syscall(number, old);
        }
    }
    muslcsys_install_syscall(__NR_exit_group, sys_exit_group);
    muslcsys_install_syscall(__NR_getpid, sys_getpid);
    muslcsys_install_syscall(__NR_prctl, sys_prctl);
    muslcsys_install_syscall(__NR_rt_sigaction, nothing);
    muslcsys_install_syscall(__NR_sigaltstack, nothing);
    muslcsys_install_syscall(__NR_fsync, nothing);
    muslcsys_install_syscall(__NR_fdatasync, nothing);
    muslcsys_install_syscall(__NR_tkill, sys_tkill);
}
