/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How a thread sleeps that waits for the heap's lock.
 */
#include "runtime.h"

#ifdef SEL4_RUST_ON_SEL4

/* The hook: an application that defines this function provides the notification. */
__attribute__((weak)) seL4_CPtr sel4_rust_heap_notification(void)
{
    return seL4_CapNull;
}

/* Message registers that libsel4 overwrites when it receives. */
#define RECEIVED 4

bool sel4_rust_rt_wait(void)
{
    seL4_CPtr notification = sel4_rust_heap_notification();
    if (notification == seL4_CapNull) {
        return false;
    }
    /* The thread may allocate between writing a message and sending it. */
    seL4_Word kept[RECEIVED];
    for (int i = 0; i < RECEIVED; i++) {
        kept[i] = seL4_GetMR(i);
    }
    seL4_Wait(notification, NULL);
    for (int i = 0; i < RECEIVED; i++) {
        seL4_SetMR(i, kept[i]);
    }
    return true;
}

void sel4_rust_rt_wake(void)
{
    seL4_CPtr notification = sel4_rust_heap_notification();
    if (notification != seL4_CapNull) {
        seL4_Signal(notification);
    }
}

#else

bool sel4_rust_rt_wait(void)
{
    return false;
}

void sel4_rust_rt_wake(void)
{
}

#endif
