/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The child: has its parent start two threads, of lower and of higher priority.
 */
#include "child.h"

#include <stdlib.h>
#include <sel4runtime.h>
#include <kernel_child.h>

static unsigned long calls;

#ifdef HOOK
seL4_CPtr sel4_rust_heap_notification(void)
{
    calls++;
    return SLEEPERS;
}
#endif

static void low(seL4_IPCBuffer *buffer)
{
    seL4_SetIPCBuffer(buffer);
    kernel_child_low();
    for (;;) {
        seL4_Yield();
    }
}

static void high(seL4_IPCBuffer *buffer)
{
    seL4_SetIPCBuffer(buffer);
    kernel_child_high(BELL);
}

int main(void)
{
    /* Room for muslc's own structure lies on both sides. */
    static _Alignas(64) char storage[2][4096];
    if (sel4runtime_get_tls_size() > 2048) {
        abort();
    }
    seL4_SetMR(0, (seL4_Word)low);
    seL4_SetMR(1, sel4runtime_write_tls_image(storage[0] + 1024));
    seL4_SetMR(2, (seL4_Word)high);
    seL4_SetMR(3, sel4runtime_write_tls_image(storage[1] + 1024));
    seL4_Call(SEL4UTILS_ENDPOINT_SLOT, seL4_MessageInfo_new(START, 0, 0, 4));
    seL4_SetMR(0, kernel_child_ring(BELL, ROUNDS));
    seL4_SetMR(1, calls);
    seL4_Call(SEL4UTILS_ENDPOINT_SLOT, seL4_MessageInfo_new(DONE, 0, 0, 2));
    return 0;
}
