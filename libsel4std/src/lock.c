/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A lock of one atomic and one notification. Taking a free lock does not enter the kernel; waiters sleep in it.
 */
#include "internal.h"

bool lock_prepare(lock_t *lock)
{
    if (lock->notification == seL4_CapNull) {
        lock->notification = new_object(seL4_NotificationObject, seL4_NotificationBits);
    }
    return lock->notification != seL4_CapNull;
}

void lock_take(lock_t *lock)
{
    if (__atomic_fetch_add(&lock->holders, 1, __ATOMIC_SEQ_CST) > 0) {
        wait_for(lock->notification);
    }
}

/* Each signal lets one waiter in, and only that one sends the next signal, so none is lost. */
void lock_give(lock_t *lock)
{
    if (__atomic_fetch_sub(&lock->holders, 1, __ATOMIC_SEQ_CST) > 1) {
        seL4_Signal(lock->notification);
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
