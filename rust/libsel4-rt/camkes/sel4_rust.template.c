/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The runtime's part of an instance of a CAmkES component: a notification, on which threads wait for the heap's lock.
 * Interfaces often have a higher priority than the control thread, and would spin for ever while that holds the lock.
 */
#include <camkes/tls.h>
#include <sel4/sel4.h>

/*- set notification = alloc('sel4_rust_heap', seL4_NotificationObject, read=True, write=True) -*/

seL4_CPtr sel4_rust_heap_notification(void)
{
    return /*? notification ?*/;
}

/* Keeps the capability by which this thread replies to its caller, for libsel4-camkes. */
void sel4_rust_protect_reply(void)
{
#ifndef CONFIG_KERNEL_MCS
    camkes_protect_reply_cap();
#endif
}
