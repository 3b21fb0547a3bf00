/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Sleep of the ticker until the next deadline. Three ways: the application's timer signals the ticker's notification; with
 * MCS, the ticker's scheduling context has a period of that length; without either, the ticker yields in a loop.
 */
#ifdef SEL4STD_COMPONENT
#include <sel4std_component.h>
#endif
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
/* Limits of a period, in microseconds. Any kernel accepts the shortest, and half of it as a budget. */
#define SHORTEST 200ull
#define LONGEST 60000000ull

static bool by_period(void)
{
    return sel4std_alarm == no_timer;
}

static void configure(const thread_t *ticker, uint64_t budget, uint64_t period)
{
    message_t message;
    message_keep(&message, FEW_WORDS);
#ifdef SEL4STD_COMPONENT
    seL4_CPtr control = sel4std_component_control;
#else
    seL4_CPtr control = sel4runtime_bootinfo()->schedcontrol.start + ticker->core;
#endif
    seL4_SchedControl_Configure(control, ticker->context, budget, period, 0, 0);
    message_restore(&message);
}
#endif

/* The budget is half of the period: long enough for a ticker that holds a lock not to run out of it. The ticker gives up the
 * rest when it goes to sleep. */
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
    assert_no_lock();
    if (nanoseconds == UINT64_MAX || sel4std_alarm(ticker->notification, nanoseconds)) {
        wait_for(ticker->notification);
    } else {
        /* With MCS, this sleeps to the end of the period. */
        seL4_Yield();
    }
}

void alarm_hasten(const thread_t *ticker, bool waits)
{
#ifdef BY_PERIOD
    /* A budget as long as its period is available at once, which ends a sleep by period. */
    if (by_period() && !waits) {
        configure(ticker, SHORTEST, SHORTEST);
    }
#else
    (void)waits;
#endif
    /* In any case: the ticker may wait by now, although it did not when the caller looked. */
    seL4_Signal(ticker->notification);
}
