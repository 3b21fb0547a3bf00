/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Order of the threads. It follows from kernel entries, not from time.
 */
#include <sel4runtime.h>
#include "subjects.h"

static void yields(seL4_Word unused, seL4_Word times)
{
    (void)unused;
    for (seL4_Word i = 1; i <= times; i++) {
        say("round %lu", i);
        seL4_Yield();
    }
    say("over");
}

static void round_robin(void)
{
    thread_start("a", 50, yields, 0, 3);
    thread_start("b", 50, yields, 0, 3);
    thread_start("c", 50, yields, 0, 2);
    settle();
}

static void priorities(void)
{
    thread_start("low", 20, yields, 0, 2);
    thread_start("middle", 50, yields, 0, 2);
    thread_start("high", 80, yields, 0, 2);
    thread_start("higher than the main thread", 150, yields, 0, 2);
    say("the main thread");
    settle();
}

static void woken_from(seL4_Word through, seL4_Word times)
{
    while (times--) {
        seL4_Word badge;
        seL4_Wait(through, &badge);
        say("awake: %lu", badge);
    }
}

static void wakes(seL4_Word through, seL4_Word times)
{
    while (times--) {
        say("signals");
        seL4_Signal(through);
        say("goes on");
    }
}

/* A woken thread is last of its priority, and the thread that wakes it continues. */
static void equals_wake_each_other(void)
{
    seL4_CPtr notification = make(seL4_NotificationObject);
    thread_start("sleeper", 50, woken_from, notification, 2);
    settle();
    thread_start("waker", 50, wakes, mint(notification, seL4_AllRights, 1), 2);
    thread_start("other", 50, yields, 0, 2);
    settle();
}

static void more_important_is_woken(void)
{
    seL4_CPtr notification = make(seL4_NotificationObject);
    thread_start("sleeper", 60, woken_from, notification, 2);
    settle();
    thread_start("waker", 50, wakes, mint(notification, seL4_AllRights, 1), 2);
    thread_start("other", 50, yields, 0, 2);
    settle();
}

static void sends(seL4_Word through, seL4_Word times)
{
    while (times--) {
        say("sends");
        seL4_Send(through, seL4_MessageInfo_new(0, 0, 0, 0));
        say("sent");
    }
}

static void receives(seL4_Word through, seL4_Word times)
{
    while (times--) {
        seL4_Word badge;
        recv(through, &badge);
        say("received %lu", badge);
    }
}

/* At the same priority: the thread that runs after a message, with sender or receiver first, and with a bystander. */
static void messages_among_equals(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject);
    say("receiver first");
    thread_start("receiver", 50, receives, endpoint, 2);
    thread_start("sender", 50, sends, mint(endpoint, seL4_AllRights, 1), 2);
    thread_start("other", 50, yields, 0, 2);
    settle();
    say("sender first");
    thread_start("sender", 50, sends, mint(endpoint, seL4_AllRights, 2), 2);
    thread_start("receiver", 50, receives, endpoint, 2);
    thread_start("other", 50, yields, 0, 2);
    settle();
}

static void calls(seL4_Word through, seL4_Word times)
{
    while (times--) {
        say("calls");
        seL4_Call(through, seL4_MessageInfo_new(0, 0, 0, 0));
        say("answered");
    }
}

static void serves(seL4_Word through, seL4_Word times)
{
    seL4_Word badge;
    recv(through, &badge);
    while (times--) {
        say("asked by %lu", badge);
        reply_recv(through, seL4_MessageInfo_new(0, 0, 0, 0), &badge);
    }
    say("the last question comes from %lu", badge);
}

static void calls_among_equals(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject);
    thread_start("server", 50, serves, endpoint, 5);
    thread_start("client a", 50, calls, mint(endpoint, seL4_AllRights, 1), 2);
    thread_start("client b", 50, calls, mint(endpoint, seL4_AllRights, 2), 2);
    thread_start("other", 50, yields, 0, 3);
    settle();
}

static void calls_across_priorities(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject);
    thread_start("server", 60, serves, endpoint, 9);
    thread_start("high client", 70, calls, mint(endpoint, seL4_AllRights, 1), 2);
    thread_start("low client", 40, calls, mint(endpoint, seL4_AllRights, 2), 2);
    thread_start("other", 60, yields, 0, 2);
    settle();
}

static void changes_priority(seL4_Word tcb, seL4_Word priority)
{
    say("before");
    seL4_TCB_SetPriority(tcb, seL4_CapInitThreadTCB, priority);
    say("after");
}

/* A change takes effect at once, for oneself and for others. */
static void priorities_change(void)
{
    struct thread *other = thread_make("other", 40, yields, 0, 2);
    struct thread *self = thread_make("lowers itself", 50, changes_priority, 0, 30);
    self->first = self->tcb;
    thread_enter(other, 1);
    thread_enter(self, 1);
    settle();
    say("another becomes more important");
    thread_enter(other, 1);
    thread_start("raises other", 50, changes_priority, other->tcb, 60);
    settle();
    say("another becomes as important");
    seL4_TCB_SetPriority(other->tcb, seL4_CapInitThreadTCB, 40);
    thread_enter(other, 1);
    thread_start("makes other equal", 50, changes_priority, other->tcb, 50);
    settle();
    say("what it is already");
    thread_enter(other, 1);
    struct thread *same = thread_make("stays", 50, changes_priority, 0, 50);
    same->first = same->tcb;
    thread_enter(same, 1);
    settle();
}

static void resumes(seL4_Word tcb, seL4_Word unused)
{
    (void)unused;
    say("resumes");
    seL4_TCB_Resume(tcb);
    say("goes on");
    seL4_TCB_Suspend(tcb);
    say("has suspended it");
    seL4_TCB_Resume(tcb);
    say("has resumed it");
}

static void resumed_by_equals(void)
{
    struct thread *other = thread_make("other", 50, yields, 0, 2);
    thread_start("resumer", 50, resumes, other->tcb, 0);
    thread_start("bystander", 50, yields, 0, 2);
    settle();
    say("a more important one");
    other = thread_make("important", 60, yields, 0, 2);
    thread_start("resumer", 50, resumes, other->tcb, 0);
    settle();
}

#ifdef CONFIG_KERNEL_MCS
static void scheduling_contexts(void)
{
    seL4_CPtr context = make_sized(seL4_SchedContextObject, seL4_MinSchedContextBits), tcb = make(seL4_TCBObject);
    seL4_CPtr other = make_sized(seL4_SchedContextObject, seL4_MinSchedContextBits),
              notification = make(seL4_NotificationObject);
    seL4_CPtr control = sel4runtime_bootinfo()->schedcontrol.start;
    attempt("bind without a budget", seL4_SchedContext_Bind(context, tcb));
    attempt("bind again", seL4_SchedContext_Bind(context, tcb));
    attempt("another for the same thread", seL4_SchedContext_Bind(other, tcb));
    attempt("unbind", seL4_SchedContext_Unbind(context));
    attempt("unbind what is not bound", seL4_SchedContext_UnbindObject(context, tcb));
    attempt("bind to a notification", seL4_SchedContext_Bind(context, notification));
    attempt("and to a thread", seL4_SchedContext_Bind(context, tcb));
    attempt("unbind the notification", seL4_SchedContext_UnbindObject(context, notification));
    attempt("bind to an endpoint", seL4_SchedContext_Bind(context, make(seL4_EndpointObject)));
    attempt("bind to nothing", seL4_SchedContext_Bind(context, slot()));
    attempt("budget beyond the period", seL4_SchedControl_ConfigureFlags(control, context, 2000, 1000, 0, 0, 0));
    /* The range depends on the frequency of the clock. */
    say("no budget: error %d", (int)seL4_SchedControl_ConfigureFlags(control, context, 0, 1000, 0, 0, 0));
    say("a period for ever: error %d",
        (int)seL4_SchedControl_ConfigureFlags(control, context, 1000, (seL4_Time)-1, 0, 0, 0));
    attempt("refills beyond the size", seL4_SchedControl_ConfigureFlags(control, context, 1000, 2000, 100, 0, 0));
    attempt("of a TCB", seL4_SchedControl_ConfigureFlags(control, tcb, 1000, 2000, 0, 0, 0));
    attempt("well", seL4_SchedControl_ConfigureFlags(control, context, 1000, 2000, 0, 0, 0));
    attempt("yield to what is not bound", seL4_SchedContext_YieldTo(context).error);
    attempt("consumed", seL4_SchedContext_Consumed(context).error);
    attempt("a copy", seL4_CNode_Copy(AT(slot()), AT(context), seL4_AllRights));
}

static void passive_server(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject);
    struct thread *server = thread_start("server", 50, serves, endpoint, 5);
    settle();
    attempt("the server loses its time", seL4_SchedContext_Unbind(server->sched_context));
    thread_start("client", 40, calls, mint(endpoint, seL4_AllRights, 1), 2);
    settle();
    say("a send brings no time along");
    thread_start("sender", 40, sends, mint(endpoint, seL4_AllRights, 2), 1);
    settle();
    attempt("the server gets its time back", seL4_SchedContext_Bind(server->sched_context, server->tcb));
    settle();
}

static void reply_objects(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject), object = make(seL4_ReplyObject);
    seL4_Word badge;
    seL4_Send(object, seL4_MessageInfo_new(0, 0, 0, 0));
    say("a reply to nobody");
    seL4_CPtr copy = slot();
    attempt("a copy", seL4_CNode_Copy(AT(copy), AT(object), seL4_AllRights));
    thread_start("client", 150, calls, endpoint, 3);
    seL4_Recv(endpoint, &badge, object);
    seL4_Send(copy, seL4_MessageInfo_new(0, 0, 0, 0));
    seL4_Recv(endpoint, &badge, copy);
    attempt("delete the original", seL4_CNode_Delete(AT(object)));
    seL4_Send(copy, seL4_MessageInfo_new(0, 0, 0, 0));
    seL4_Recv(endpoint, &badge, copy);
    say("the last capability goes");
    attempt("delete the copy", seL4_CNode_Delete(AT(copy)));
    settle();
}
#endif

const struct scenario schedule_scenarios[] = {
    { "round robin", round_robin },
    { "priorities", priorities },
    { "equals wake each other", equals_wake_each_other },
    { "a more important one is woken", more_important_is_woken },
    { "messages among equals", messages_among_equals },
    { "calls among equals", calls_among_equals },
    { "calls across priorities", calls_across_priorities },
    { "priorities change", priorities_change },
    { "resume and suspend", resumed_by_equals },
#ifdef CONFIG_KERNEL_MCS
    { "scheduling contexts", scheduling_contexts },
    { "a server without time", passive_server },
    { "reply objects", reply_objects },
#endif
    { 0 },
};
