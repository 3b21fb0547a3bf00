/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads: what pthread_create() and the end of a thread need of the machine. muslc's own versions of these functions
 * are system calls of Linux, written as instructions; with these in the image its linker never looks for those.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <sched.h>
#include <bits/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4runtime.h>
#include <utils/util.h>
#include <sel4std.h>

/* The ticker's, which calls the application's alarm. */
#define TICKER_STACK 16384

/* The first thread, those of pthread_create(), and the ticker. */
#define THREADS (MAX_THREADS + 2)
static thread_t threads[THREADS] = {
    {
        .taken = true,
        .scheduled = true,
        .tcb = seL4_CapInitThreadTCB,
        .priority = seL4_MaxPrio,
        .allowed = ~0ull,
#ifdef CONFIG_KERNEL_MCS
        .context = seL4_CapInitThreadSC,
#endif
    },
};
static thread_t *const ticker = &threads[THREADS - 1];
static char pages[THREADS][BIT(seL4_PageBits)] __attribute__((aligned(BIT(seL4_PageBits))));

/* Zero in the first thread. */
static __thread thread_t *self;

thread_t *thread_self(void)
{
    return self != NULL ? self : &threads[0];
}

int thread_number(const thread_t *thread)
{
    return thread == ticker ? 0 : thread - threads + 1;
}

thread_t *thread_of(int number)
{
    if (number == 0) {
        return thread_self();
    }
    thread_t *thread = number > 0 && number < THREADS ? &threads[number - 1] : NULL;
    return thread != NULL && thread->taken ? thread : NULL;
}

bool thread_can_wait(thread_t *thread)
{
    if (thread->notification == seL4_CapNull) {
        thread->notification = new_object(seL4_NotificationObject, seL4_NotificationBits);
    }
    return thread->notification != seL4_CapNull;
}

static bool make(thread_t *thread)
{
    if (thread->made) {
        return true;
    }
    void *page = pages[thread - threads];
    seL4_CPtr frame = image_frame(page);
    seL4_CPtr faults = sel4std_fault_endpoint(thread_number(thread));
    if (thread->tcb == seL4_CapNull) {
        thread->tcb = new_object(seL4_TCBObject, seL4_TCBBits);
    }
    if (frame == seL4_CapNull || thread->tcb == seL4_CapNull || !thread_can_wait(thread)) {
        return false;
    }
#ifdef CONFIG_KERNEL_MCS
    if (thread->context == seL4_CapNull) {
        thread->context = new_object(seL4_SchedContextObject, seL4_MinSchedContextBits);
    }
    thread->priority = sel4std_priority(thread_number(thread));
    if (thread->context == seL4_CapNull
        || seL4_TCB_Configure(thread->tcb, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0, (seL4_Word)page,
                              frame)
        || seL4_TCB_SetSchedParams(thread->tcb, seL4_CapInitThreadTCB, 0, thread->priority, thread->context, faults)) {
        return false;
    }
#else
    if (seL4_TCB_Configure(thread->tcb, faults, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0,
                           (seL4_Word)page, frame)) {
        return false;
    }
#endif
    thread->page = page;
    thread->made = true;
    return true;
}

seL4_CPtr __attribute__((weak)) sel4std_fault_endpoint(int thread)
{
    (void)thread;
    return seL4_CapNull;
}

/* The first code of every thread, with a stack and thread-local storage of its own. */
static void begin(thread_t *thread)
{
    __sel4_ipc_buffer = thread->page;
    self = thread;
    thread->function(thread->argument);
    /* muslc's function does not return. */
    for (;;) {
        seL4_Yield();
    }
}

static bool resume(thread_t *thread, uintptr_t stack, uintptr_t tls)
{
    stack &= -16ul;
    seL4_UserContext registers = { 0 };
#ifdef CONFIG_ARCH_AARCH64
    registers.pc = (seL4_Word)begin;
    registers.sp = stack;
    registers.x0 = (seL4_Word)thread;
    registers.tpidr_el0 = tls;
#else
    registers.rip = (seL4_Word)begin;
    registers.rsp = stack - sizeof(seL4_Word);
    registers.rdi = (seL4_Word)thread;
    registers.fs_base = tls;
#endif
    return seL4_TCB_WriteRegisters(thread->tcb, true, 0, sizeof(registers) / sizeof(seL4_Word), &registers)
           == seL4_NoError;
}

/* Who had the slot before may not have come to suspend itself. */
static bool stop(const thread_t *thread)
{
    return seL4_TCB_Suspend(thread->tcb) == seL4_NoError;
}

/* A place that nobody has, or NULL. */
static thread_t *take(void)
{
    futex_lock();
    thread_t *thread = &threads[1];
    while (thread < ticker && thread->taken) {
        thread++;
    }
    if (thread < ticker) {
        thread->taken = true;
    }
    futex_unlock();
    return thread < ticker ? thread : NULL;
}

static void give_back(thread_t *thread)
{
    futex_lock();
    thread->taken = false;
    futex_unlock();
}

/* A new thread that calls `function`. Linux' way of saying what is wanted, as far as pthread_create() uses it: `parent`
 * receives the thread's number, and when it ends the word `child` becomes zero and one who waits for that is woken. */
int __clone(int (*function)(void *), void *stack, int flags, void *argument, int *parent, void *tls, int *child)
{
    const int thread_flags = CLONE_VM | CLONE_THREAD | CLONE_SETTLS;
    /* A process of its own is not to be had: fork(), posix_spawn(). */
    if ((flags & thread_flags) != thread_flags) {
        return -ENOSYS;
    }
    if (!memory_prepare() || !futex_prepare() || !files_prepare() || !thread_can_wait(thread_self())) {
        return -EAGAIN;
    }
    thread_t *thread = take();
    if (thread == NULL) {
        return -EAGAIN;
    }
    thread->function = function;
    thread->argument = argument;
    thread->clear_at_exit = child;
    thread->unmap_length = 0;
    int number = thread_number(thread);
    *parent = number;
    if (make(thread) && stop(thread) && schedule(thread) && resume(thread, (uintptr_t)stack, (uintptr_t)tls)) {
        return number;
    }
    give_back(thread);
    return -EAGAIN;
}

/* The end of a thread, on a stack that belongs to its place. Its own stack and thread-local storage may be gone as soon as
 * the word is clear. Whoever has the place next gets it with the lock, and so when this one has given that back. */
static _Noreturn void finish(thread_t *thread)
{
    if (thread->unmap_length != 0) {
        memory_unmap(thread->unmap_at_exit, thread->unmap_length);
    }
    volatile int *word = thread->clear_at_exit;
    futex_lock();
    if (word != NULL) {
        __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
        futex_wake_one(word);
    }
    thread->taken = false;
    futex_unlock();
    for (;;) {
        stop(thread);
    }
}

static _Noreturn void leave(thread_t *thread)
{
    uintptr_t stack = (uintptr_t)thread->page + BIT(seL4_PageBits);
#ifdef CONFIG_ARCH_AARCH64
    register thread_t *x0 asm("x0") = thread;
    asm volatile("mov sp, %1; br %2" ::"r"(x0), "r"(stack), "r"(finish) : "memory");
#else
    asm volatile("mov %1, %%rsp; call *%2" ::"D"(thread), "r"(stack), "r"(finish) : "memory");
#endif
    __builtin_unreachable();
}

static _Noreturn void stop_self(void)
{
    for (;;) {
        stop(thread_self());
    }
}

_Noreturn void threads_stop(void)
{
    thread_t *mine = thread_self();
    for (thread_t *thread = threads; thread < threads + THREADS; thread++) {
        if (thread != mine && thread->tcb != seL4_CapNull) {
            stop(thread);
        }
    }
    stop_self();
}

static long sys_exit(va_list arguments)
{
    (void)arguments;
    thread_t *thread = thread_self();
    if (thread == &threads[0]) {
        /* The first thread may end before the others. */
        stop_self();
    }
    leave(thread);
}

/* The end of a thread that nobody waits for, and of its stack. */
_Noreturn void __unmapself(void *start, size_t length)
{
    thread_t *thread = thread_self();
    thread->unmap_at_exit = start;
    thread->unmap_length = length;
    leave(thread);
}

static long sys_set_tid_address(va_list arguments)
{
    thread_t *thread = thread_self();
    thread->clear_at_exit = va_arg(arguments, volatile int *);
    return thread_number(thread);
}

static long sys_gettid(va_list arguments)
{
    (void)arguments;
    return thread_number(thread_self());
}

static void (*ticker_function)(thread_t *);

static int begin_ticker(void *argument)
{
    ticker_function(argument);
    return 0;
}

thread_t *thread_start_ticker(void (*tick)(thread_t *))
{
    /* A stack and thread-local storage for the application's timer, too; muslc knows nothing of this thread. */
    size_t length = ROUND_UP(sel4runtime_get_tls_size(), BIT(seL4_PageBits)) + TICKER_STACK;
    char *tls = memory_map(length);
    if (tls == NULL || !make(ticker) || !schedule(ticker)) {
        return NULL;
    }
    ticker_function = tick;
    ticker->function = begin_ticker;
    ticker->argument = ticker;
    return resume(ticker, (uintptr_t)tls + length, sel4runtime_write_tls_image(tls)) ? ticker : NULL;
}

void thread_install(void)
{
    muslcsys_install_syscall(__NR_exit, sys_exit);
    muslcsys_install_syscall(__NR_gettid, sys_gettid);
    muslcsys_install_syscall(__NR_set_tid_address, sys_set_tid_address);
}
