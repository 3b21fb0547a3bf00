/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The hook of the heap's lock.
 */
#include <sel4/sel4.h>

static seL4_CPtr notification;
static unsigned long calls;

seL4_CPtr sel4_rust_heap_notification(void)
{
    calls++;
    return notification;
}

void kernel_tests_set_heap_notification(seL4_CPtr value)
{
    notification = value;
}

unsigned long kernel_tests_hook_calls(void)
{
    return calls;
}
