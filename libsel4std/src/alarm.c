/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How the ticker sleeps until the next deadline: the application's timer signals its notification; or with MCS its own
 * scheduling context lets it run when a period as long as that is over; or, without either, it asks again and again.
 */
#include "internal.h"

#include <sel4runtime.h>
#include <sel4std.h>

#ifdef CONFIG_PLAT_HOSTED
bool __attribute__((weak)) sel4std_alarm(seL4_CPtr wake, uint64_t nanoseconds)
{
    return sel4_hosted_alarm(wake, nanoseconds);
}
#else
static bool no_timer(seL4_CPtr wake, uint64_t nanoseconds)
{
    (void)wake;
    (void)nanoseconds;
    return false;
}

bool sel4std_alarm(seL4_CPtr wake, uint64_t nanoseconds) __attribute__((weak, alias("no_timer")));
#endif

#if defined(CONFIG_KERNEL_MCS) && !defined(CONFIG_PLAT_HOSTED)
#define BY_PERIOD
/* Microseconds. Any kernel takes periods of this length, and half of one as a budget. */
#define SHORTEST 200ull
#define LONGEST 60000000ull

static bool by_period(void)
{
    return sel4std_alarm == no_timer;
}

static void configure(const thread_t *ticker, uint64_t budget, uint64_t period)
{
    message_t message;
    message_keep(&message);
    seL4_SchedControl_Configure(sel4runtime_bootinfo()->schedcontrol.start + ticker->core, ticker->context, budget,
                                period, 0, 0);
    message_restore(&message);
}
#endif

/* Half of the period is the budget: it is given up when the ticker goes to sleep, and so long a turn that the ticker, which
 * takes a lock, does not run out of it. */
void alarm_set(const thread_t *ticker, uint64_t nanoseconds)
{
#ifdef BY_PERIOD
    if (by_period() && nanoseconds != UINT64_MAX) {
        uint64_t period = nanoseconds / 1000 + 1;
        period = period < SHORTEST ? SHORTEST : period > LONGEST ? LONGEST : period;
        configure(ticker, period / 2, period);
    }
#else
    (void)ticker;
    (void)nanoseconds;
#endif
}

void alarm_wait(const thread_t *ticker, uint64_t nanoseconds)
{
    if (nanoseconds == UINT64_MAX || sel4std_alarm(ticker->notification, nanoseconds)) {
        wait_for(ticker->notification);
    } else {
        /* With MCS: until the period is over. */
        seL4_Yield();
    }
}

void alarm_hasten(const thread_t *ticker, bool waits)
{
#ifdef BY_PERIOD
    /* A budget as long as its period can be used at once: a sleep by period is over. */
    if (by_period() && !waits) {
        configure(ticker, SHORTEST, SHORTEST);
    }
#else
    (void)waits;
#endif
    /* In any case, for whoever found that it waits may not have come to tell it. */
    seL4_Signal(ticker->notification);
}
