/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What Linux tells a process about itself, and how it ends.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <bits/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4std.h>

void say(const char *line)
{
    write(STDERR_FILENO, line, strlen(line));
}

void say_once(bool *said, const char *line)
{
    if (!__atomic_exchange_n(said, true, __ATOMIC_SEQ_CST)) {
        say(line);
    }
}

_Noreturn void __attribute__((weak)) sel4std_exit(int code)
{
    if (code != 0) {
        char line[48];
        snprintf(line, sizeof(line), "The program ended with exit code %d\n", code);
        say(line);
    }
    thread_t *thread = thread_self();
    for (;;) {
        seL4_TCB_Suspend(thread->tcb != seL4_CapNull ? thread->tcb : seL4_CapInitThreadTCB);
    }
}

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
    seL4_CPtr tcb = thread_self()->tcb;
    seL4_DebugNameThread(tcb != seL4_CapNull ? tcb : seL4_CapInitThreadTCB, name);
#endif
    return 0;
}

/* All threads run on one core. */
static long sys_sched_getaffinity(va_list arguments)
{
    (void)va_arg(arguments, int);
    size_t length = va_arg(arguments, size_t);
    unsigned char *cores = va_arg(arguments, unsigned char *);
    if (length < sizeof(long)) {
        return -EINVAL;
    }
    memset(cores, 0, sizeof(long));
    cores[0] = 1;
    return sizeof(long);
}

/* The way back from a signal. Nobody takes it; muslc's own is an instruction that Linux would know. */
void __restore(void)
{
    abort();
}

void __restore_rt(void)
{
    abort();
}

/* There are no signals, so none need be handled. */
static long nothing(va_list arguments)
{
    (void)arguments;
    return 0;
}

/* muslc asks, and goes on without. */
static long absent(va_list arguments)
{
    (void)arguments;
    return -ENOSYS;
}

void process_install(void)
{
    muslcsys_install_syscall(__NR_exit_group, sys_exit_group);
    muslcsys_install_syscall(__NR_getpid, sys_getpid);
    muslcsys_install_syscall(__NR_prctl, sys_prctl);
    muslcsys_install_syscall(__NR_sched_getaffinity, sys_sched_getaffinity);
    muslcsys_install_syscall(__NR_rt_sigaction, nothing);
    muslcsys_install_syscall(__NR_sigaltstack, nothing);
    muslcsys_install_syscall(__NR_membarrier, absent);
    muslcsys_install_syscall(__NR_statx, absent);
    muslcsys_install_syscall(__NR_set_robust_list, absent);
}
