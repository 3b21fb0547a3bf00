/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * System calls for the identity, signals and exit of a process.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
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

/* muslc and Linux have the same structure. */
static long sys_uname(va_list arguments)
{
    struct utsname *name = va_arg(arguments, struct utsname *);
    *name = (struct utsname) { .sysname = "seL4", .nodename = "seL4", .release = "0", .version = "0" };
#ifdef CONFIG_ARCH_AARCH64
    strcpy(name->machine, "aarch64");
#else
    strcpy(name->machine, "x86_64");
#endif
    return 0;
}

/* Memory that mmap() can give out in all; how much of it is free is not told. */
static long sys_sysinfo(va_list arguments)
{
    struct sysinfo *info = va_arg(arguments, struct sysinfo *);
    *info = (struct sysinfo) {
        .uptime = clock_now() / 1000000000,
        .totalram = MEMORY_BYTES + GROWTH_BYTES,
        .procs = 1,
        .mem_unit = 1,
    };
    return 0;
}

static long sys_getcpu(va_list arguments)
{
    unsigned *core = va_arg(arguments, unsigned *);
    unsigned *node = va_arg(arguments, unsigned *);
    if (core != NULL) {
        *core = thread_known()->core;
    }
    if (node != NULL) {
        *node = 0;
    }
    return 0;
}

static long sys_prctl(va_list arguments)
{
    int what = va_arg(arguments, int);
    const char *name = va_arg(arguments, const char *);
    if (what != PR_SET_NAME) {
        return -EINVAL;
    }
#ifdef CONFIG_DEBUG_BUILD
    /* Linux' limit. The kernel halts at a name that does not fit into the IPC buffer. */
    char short_name[16] = { 0 };
    strncpy(short_name, name, sizeof(short_name) - 1);
    message_t message;
    message_keep(&message, FEW_WORDS);
    seL4_DebugNameThread(thread_known()->tcb, short_name);
    message_restore(&message);
#else
    (void)name;
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

/* Answers 0 for calls that have no effect here. */
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

static long sys_sigaltstack(va_list arguments)
{
    const stack_t *wanted = va_arg(arguments, const stack_t *);
    stack_t *old = va_arg(arguments, stack_t *);
    thread_t *thread = thread_known();
    stack_t before = { .ss_sp = thread->signal_stack, .ss_size = thread->signal_stack_size };
    if (wanted != NULL) {
        if (wanted->ss_flags & ~SS_DISABLE) {
            return -EINVAL;
        }
        bool none = wanted->ss_flags & SS_DISABLE;
        if (!none && wanted->ss_size < MINSIGSTKSZ) {
            return -ENOMEM;
        }
        thread->signal_stack = wanted->ss_sp;
        thread->signal_stack_size = none ? 0 : wanted->ss_size;
    }
    if (old != NULL) {
        *old = before.ss_size > 0 ? before : (stack_t) { .ss_flags = SS_DISABLE };
    }
    return 0;
}

const signals_t *signals;

/* Handlers run for faults; that of SIGCHLD never does, as there are no children. Other signals than those of abort() do nothing, so ignoring one, or not, is what happens. */
static long sys_rt_sigaction(va_list arguments)
{
    int signal = va_arg(arguments, int);
    const signal_action_t *action = va_arg(arguments, const signal_action_t *);
    signal_action_t *old = va_arg(arguments, signal_action_t *);
    if (signal < 1 || signal >= NSIG) {
        return -EINVAL;
    }
    if (__atomic_load_n(&signals, __ATOMIC_SEQ_CST) != NULL) {
        return signals->set_action(signal, action, old);
    }
    if (action != NULL && action->handler != SIG_DFL && action->handler != SIG_IGN) {
        return -ENOSYS;
    }
    if (old != NULL) {
        *old = (signal_action_t) { .handler = SIG_DFL };
    }
    return 0;
}

/* abort() and a breakpoint send a signal to themselves, which ends the program. Signal 0 asks whether a thread exists. */
static long sys_tkill(va_list arguments)
{
    int number = va_arg(arguments, int), signal = va_arg(arguments, int);
    if (number < 1 || signal < 0 || signal >= NSIG) {
        return -EINVAL;
    }
    const thread_t *thread = thread_of(number);
    if (thread == NULL) {
        return -ESRCH;
    }
    if (thread == thread_self() && (signal == SIGABRT || signal == SIGKILL || signal == SIGTRAP)) {
        assert_no_lock();
        sel4std_exit(SIGNALLED + signal);
    }
    return signal == 0 ? 0 : -ENOSYS;
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
    muslcsys_install_syscall(__NR_rt_sigaction, sys_rt_sigaction);
    muslcsys_install_syscall(__NR_sigaltstack, sys_sigaltstack);
    muslcsys_install_syscall(__NR_uname, sys_uname);
    muslcsys_install_syscall(__NR_sysinfo, sys_sysinfo);
    muslcsys_install_syscall(__NR_getcpu, sys_getcpu);
    /* muslc passes on what calls return that cannot fail. */
    muslcsys_install_syscall(__NR_getuid, nothing);
    muslcsys_install_syscall(__NR_geteuid, nothing);
    muslcsys_install_syscall(__NR_getgid, nothing);
    muslcsys_install_syscall(__NR_getegid, nothing);
    muslcsys_install_syscall(__NR_getppid, nothing);
    muslcsys_install_syscall(__NR_fsync, nothing);
    muslcsys_install_syscall(__NR_fdatasync, nothing);
    muslcsys_install_syscall(__NR_tkill, sys_tkill);
}
