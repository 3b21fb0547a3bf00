/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Domains and cores, on kernels that have more than one.
 */
#include <sel4runtime.h>
#include "subjects.h"

#if CONFIG_NUM_DOMAINS > 1
/* Time of each of two domains: in ticks of the clock with MCS, many times a kernel's smallest budget, and else of the timer. */
#ifdef CONFIG_KERNEL_MCS
#define DURATION 200000ul
#else
#define DURATION 2ul
#endif

static volatile seL4_Word rounds;

static void counts(seL4_Word unused, seL4_Word times)
{
    (void)unused;
    while (rounds < times) {
        seL4_Word before = ++rounds;
        /* Until the other domain has had its turn. */
        while (rounds == before) {
            seL4_Yield();
        }
    }
}

/* Two domains take turns. A domain ends when its time has passed, whatever its threads do. */
static void domains_take_turns(void)
{
    attempt("the first has its time", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 0, 0, DURATION));
    attempt("the second too", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 1, 1, DURATION));
    rounds = 0;
    struct thread *thread = thread_make("other", 50, counts, 0, 6);
    attempt("set", seL4_DomainSet_Set(seL4_CapDomain, 1, thread->tcb));
    attempt("resume", seL4_TCB_Resume(thread->tcb));
    settle();
    say("before: %lu", rounds);
    attempt("start", seL4_DomainSet_ScheduleSetStart(seL4_CapDomain, 0));
    while (rounds < 6) {
        seL4_Word before = rounds;
        while (rounds == before) {
            seL4_Yield();
        }
        rounds++;
    }
    say("after: %lu", rounds);
    attempt("suspend", seL4_TCB_Suspend(thread->tcb));
    attempt("only the first again", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 1, 0, 0));
    attempt("start", seL4_DomainSet_ScheduleSetStart(seL4_CapDomain, 0));
}

static void refused_schedules(void)
{
    attempt("a domain that is none", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 0, CONFIG_NUM_DOMAINS, 1));
    attempt("too long", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 0, 0, 1ul << 56));
    attempt("an end of a domain", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 1, 1, 0));
    attempt("no first entry", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 0, 0, 0));
    attempt("a start at the end", seL4_DomainSet_ScheduleSetStart(seL4_CapDomain, 1));
    attempt("an entry beyond the schedule", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 1000, 0, 1));
    attempt("a start beyond the schedule", seL4_DomainSet_ScheduleSetStart(seL4_CapDomain, 1000));
}
#endif

#if CONFIG_MAX_NUM_NODES > 1 && !defined(CONFIG_KERNEL_MCS)
static void says(seL4_Word unused, seL4_Word times)
{
    (void)unused;
    for (seL4_Word i = 1; i <= times; i++) {
        say("round %lu", i);
        seL4_Yield();
    }
}

/* On the first core. Who sets its own affinity yields to its equals. */
static void affinity(void)
{
    struct thread *a = thread_start("a", MAIN_PRIORITY, says, 0, 2);
    struct thread *b = thread_start("b", MAIN_PRIORITY, says, 0, 2);
    attempt("no such core", seL4_TCB_SetAffinity(a->tcb, 64));
    attempt("no core at all", seL4_TCB_SetAffinity(a->tcb, (seL4_Word)-1));
    attempt("its own core: it comes after its equals", seL4_TCB_SetAffinity(a->tcb, 0));
    attempt("own", seL4_TCB_SetAffinity(seL4_CapInitThreadTCB, 0));
    attempt("own again", seL4_TCB_SetAffinity(seL4_CapInitThreadTCB, 0));
    attempt("a thread that does not run", seL4_TCB_SetAffinity(make(seL4_TCBObject), 0));
    attempt("suspend", seL4_TCB_Suspend(b->tcb));
    attempt("one that is suspended", seL4_TCB_SetAffinity(b->tcb, 0));
    seL4_MessageInfo_t info = seL4_Call(a->tcb, seL4_MessageInfo_new(TCBSetAffinity, 0, 0, 0));
    attempt("without a core", (seL4_Error)seL4_MessageInfo_get_label(info));
    settle();
}
#endif

const struct scenario domain_scenarios[] = {
#if CONFIG_NUM_DOMAINS > 1
    { "refused schedules", refused_schedules },
    { "two domains take turns", domains_take_turns },
#endif
    { 0 },
};

const struct scenario affinity_scenarios[] = {
#if CONFIG_MAX_NUM_NODES > 1 && !defined(CONFIG_KERNEL_MCS)
    { "one's own and others'", affinity },
#endif
    { 0 },
};
