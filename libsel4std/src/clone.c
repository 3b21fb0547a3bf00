/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Functions that pthread_create() and the end of a thread need. muslc's versions contain Linux' system call instructions;
 * with these in the image, the linker never takes them.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>

/* Starts a thread that calls `function`. The parameters are those of Linux' clone(), as far as pthread_create() uses them:
 * `*parent` receives the thread's number; at its end, the word `child` becomes zero and one waiter for it is woken. */
int __clone(int (*function)(void *), void *stack, int flags, void *argument, int *parent, void *tls, int *child)
{
    const int thread_flags = CLONE_VM | CLONE_THREAD | CLONE_SETTLS;
    /* fork() and posix_spawn() ask for a new process. */
    if ((flags & thread_flags) != thread_flags) {
        return -ENOSYS;
    }
    if (!memory_prepare() || !futex_prepare() || !files_prepare() || !thread_can_wait(thread_self())) {
        return -EAGAIN;
    }
    thread_t *thread = thread_take();
    if (thread == NULL) {
        return -EAGAIN;
    }
    thread->function = function;
    thread->argument = argument;
    thread->clear_at_exit = child;
    thread->unmap_length = 0;
    int number = thread_number(thread);
    *parent = number;
    if (thread_start(thread, stack, tls)) {
        return number;
    }
    thread_give_back(thread);
    return -EAGAIN;
}

/* Ends a thread, also the first, on a stack that belongs to its slot. For the first, muslc names the lock of its list of
 * threads as the word, and leaves that locked. The thread's own stack and storage may be gone as soon as the word is
 * clear. The next thread takes the slot under the lock, and so after this one has released that. */
static _Noreturn void finish(thread_t *thread)
{
    if (thread->unmap_length != 0) {
        memory_unmap_last(thread->unmap_at_exit, thread->unmap_length);
    }
    volatile int *word = thread->clear_at_exit;
    futex_lock_last();
    if (word != NULL) {
        __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
        futex_wake_one(word);
    }
    thread->taken = false;
    futex_unlock_last();
    for (;;) {
        thread_stop(thread);
    }
}

static _Noreturn void leave(thread_t *thread)
{
    schedule_raise(thread);
    /* Nobody reuses the first thread's stack. */
    if (thread->page == NULL) {
        finish(thread);
    }
    uintptr_t stack = (uintptr_t)thread->page + BIT(seL4_PageBits);
#ifdef CONFIG_ARCH_AARCH64
    register thread_t *x0 asm("x0") = thread;
    asm volatile("mov sp, %1; br %2" ::"r"(x0), "r"(stack), "r"(finish) : "memory");
#else
    asm volatile("mov %1, %%rsp; call *%2" ::"D"(thread), "r"(stack), "r"(finish) : "memory");
#endif
    __builtin_unreachable();
}

static long sys_exit(va_list arguments)
{
    (void)arguments;
    leave(thread_known());
}

/* Ends a detached thread and unmaps its stack. */
_Noreturn void __unmapself(void *start, size_t length)
{
    thread_t *thread = thread_known();
    thread->unmap_at_exit = start;
    thread->unmap_length = length;
    leave(thread);
}

static long sys_set_tid_address(va_list arguments)
{
    thread_t *thread = thread_known();
    thread->clear_at_exit = va_arg(arguments, volatile int *);
    return thread_number(thread);
}

void clone_install(void)
{
    muslcsys_install_syscall(__NR_exit, sys_exit);
    muslcsys_install_syscall(__NR_set_tid_address, sys_set_tid_address);
}
