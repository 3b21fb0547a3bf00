/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The physical timer of the ARM generic timer as libsel4std's alarm. The kernel uses the virtual one.
 */
#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <sel4std.h>

#define INTERRUPT 30
/* The timer counts down from a number of 31 bits. */
#define LONGEST 0x7fffffffull

/* Binds the interrupt to `wake`. Returns its handler, or seL4_CapNull. */
static seL4_CPtr bind(seL4_CPtr wake)
{
    seL4_CPtr handler = sel4runtime_bootinfo()->empty.start;
    if (seL4_IRQControl_Get(seL4_CapIRQControl, INTERRUPT, seL4_CapInitThreadCNode, handler, seL4_WordBits)
        || seL4_IRQHandler_SetNotification(handler, wake)) {
        return seL4_CapNull;
    }
    sel4runtime_bootinfo()->empty.start++;
    return handler;
}

bool sel4std_alarm(seL4_CPtr wake, uint64_t nanoseconds)
{
    static seL4_CPtr handler;
    if (handler == seL4_CapNull) {
        handler = bind(wake);
    }
    uint64_t hertz;
    asm("mrs %0, cntfrq_el0" : "=r"(hertz));
    unsigned __int128 ticks = (unsigned __int128)nanoseconds * hertz / 1000000000 + 1;
    asm volatile("msr cntp_tval_el0, %0" ::"r"(ticks < LONGEST ? (uint64_t)ticks : LONGEST));
    asm volatile("msr cntp_ctl_el0, %0; isb" ::"r"(1ul));
    return handler != seL4_CapNull && seL4_IRQHandler_Ack(handler) == seL4_NoError;
}
