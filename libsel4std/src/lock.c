/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A lock of one atomic and one notification. Taking a free lock does not enter the kernel; waiters sleep in it.
 */
#include "internal.h"

#include <sel4std.h>

bool lock_prepare(lock_t *lock)
{
    if (lock->notification == seL4_CapNull) {
        lock->notification = new_object(seL4_NotificationObject, seL4_NotificationBits);
    }
    return lock->notification != seL4_CapNull;
}

void lock_take_last(lock_t *lock)
{
    if (__atomic_fetch_add(&lock->holders, 1, __ATOMIC_SEQ_CST) > 0) {
        wait_for(lock->notification);
    }
}

/* Each signal lets one waiter in, and only that one sends the next signal, so none is lost. */
void lock_give_last(lock_t *lock)
{
    if (__atomic_fetch_sub(&lock->holders, 1, __ATOMIC_SEQ_CST) > 1) {
        seL4_Signal(lock->notification);
    }
}

/* Notes in debug builds whether the calling thread holds a lock. */
static void note(bool holds)
{
#ifdef CONFIG_DEBUG_BUILD
    thread_t *thread = thread_self();
    if (thread != NULL) {
        thread->holds = holds;
    }
#else
    (void)holds;
#endif
}

void assert_no_lock(void)
{
#ifdef CONFIG_DEBUG_BUILD
    const thread_t *thread = thread_self();
    if (thread != NULL && thread->holds) {
        note(false);
        say("sel4std: a thread that holds a lock of libsel4std takes another, or calls a function of sel4std.h\n");
        sel4std_exit(134);
    }
#endif
}

void lock_take(lock_t *lock)
{
    assert_no_lock();
    bool raised = __atomic_load_n(&schedule_differs, __ATOMIC_RELAXED) && schedule_raise(thread_self());
    lock_take_last(lock);
    lock->raised = raised;
    note(true);
}

void lock_give(lock_t *lock)
{
    note(false);
    bool raised = lock->raised;
    lock->raised = false;
    lock_give_last(lock);
    if (raised) {
        schedule_lower(thread_self());
    }
}

/* seL4_Wait() would write message registers. */
void wait_for(seL4_CPtr notification)
{
#ifdef CONFIG_KERNEL_MCS
    seL4_WaitWithMRs(notification, NULL, NULL, NULL, NULL, NULL);
#else
    seL4_RecvWithMRs(notification, NULL, NULL, NULL, NULL, NULL);
#endif
}
