/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "subjects.h"

static seL4_CPtr notification;

static void waiter(seL4_Word through, seL4_Word times)
{
    while (times--) {
        seL4_Word badge;
        seL4_Wait(through, &badge);
        say("woken: badge %lu", badge);
    }
}

static void poll(const char *what)
{
    seL4_Word badge = 55;
    seL4_Poll(notification, &badge);
    say("%s: badge %lu", what, badge);
}

static void signals_add_up(void)
{
    notification = make(seL4_NotificationObject);
    poll("nothing");
    seL4_Signal(mint(notification, seL4_AllRights, 1));
    seL4_Signal(mint(notification, seL4_AllRights, 4));
    seL4_Signal(mint(notification, seL4_AllRights, 4));
    poll("1, 4 and 4");
    poll("nothing again");
    seL4_Signal(notification);
    poll("one without a badge");
    seL4_Signal(mint(notification, seL4_AllRights, 0xf0));
    seL4_Signal(mint(notification, seL4_AllRights, 0x3c));
    waiter(notification, 1);
    poll("nothing again");
}

static void waiters_in_order(void)
{
    notification = make(seL4_NotificationObject);
    static const char *const names[] = { "low", "high", "middle", "high too" };
    static const seL4_Word priorities[] = { 20, 60, 40, 60 };
    for (int i = 0; i < 4; i++) {
        thread_start(names[i], priorities[i], waiter, notification, 1);
        settle();
    }
    for (int i = 1; i <= 5; i++) {
        seL4_Signal(mint(notification, seL4_AllRights, i));
    }
    say("signals sent");
    settle();
    poll("the fifth");
}

static void waiter_preempts(void)
{
    notification = make(seL4_NotificationObject);
    thread_start("important", 150, waiter, notification, 3);
    thread_start("unimportant", 50, waiter, notification, 2);
    for (int i = 1; i <= 5; i++) {
        say("signal %d", i);
        seL4_Signal(mint(notification, seL4_AllRights, i));
    }
    settle();
}

static void rights(void)
{
    notification = make(seL4_NotificationObject);
    for (int bits = 0; bits < 4; bits++) {
        seL4_CPtr through = mint(notification, seL4_CapRights_new(1, 1, bits >> 1, bits & 1), 7);
        say("read %d, write %d", bits >> 1, bits & 1);
        seL4_Signal(through);
        poll("signal");
        seL4_Send(through, seL4_MessageInfo_new(5, 0, 0, 2));
        poll("send");
        seL4_NBSend(through, seL4_MessageInfo_new(5, 0, 0, 2));
        poll("nb_send");
        seL4_MessageInfo_t info = seL4_Call(through, seL4_MessageInfo_new(5, 0, 0, 2));
        attempt("call", (seL4_Error)seL4_MessageInfo_get_label(info));
        poll("call");
    }
}

/* Badges of endpoints begin here, those of notifications are smaller: with a signal comes nothing but its badge. */
#define MESSAGE 1024

static void receiver(seL4_Word through, seL4_Word times)
{
    while (times--) {
        seL4_Word badge;
        seL4_MessageInfo_t info = recv(through, &badge);
        if (badge >= MESSAGE) {
            say_message("received", info, badge);
        } else {
            say("signal: badge %lu", badge);
        }
    }
}

static void sender(seL4_Word through, seL4_Word word)
{
    seL4_SetMR(0, word);
    seL4_Send(through, seL4_MessageInfo_new(word, 0, 0, 1));
    say("sent");
}

/* A bound thread receives signals where it receives messages. */
static void bound(void)
{
    notification = make(seL4_NotificationObject);
    seL4_CPtr endpoint = make(seL4_EndpointObject), other = make(seL4_NotificationObject);
    struct thread *thread = thread_make("bound", 150, receiver, endpoint, 20);
    attempt("bind", seL4_TCB_BindNotification(thread->tcb, notification));
    attempt("bind again", seL4_TCB_BindNotification(thread->tcb, notification));
    attempt("bind another", seL4_TCB_BindNotification(thread->tcb, other));
    thread_enter(thread, 1);
    seL4_Signal(mint(notification, seL4_AllRights, 3));
    sender(mint(endpoint, seL4_AllRights, MESSAGE), 5);
    attempt("bind it to another thread", seL4_TCB_BindNotification(seL4_CapInitThreadTCB, notification));
    attempt("suspend", seL4_TCB_Suspend(thread->tcb));
    seL4_Signal(mint(notification, seL4_AllRights, 6));
    seL4_Signal(mint(notification, seL4_AllRights, 8));
    attempt("resume", seL4_TCB_Resume(thread->tcb));
    attempt("unbind", seL4_TCB_UnbindNotification(thread->tcb));
    attempt("unbind again", seL4_TCB_UnbindNotification(thread->tcb));
    seL4_Signal(mint(notification, seL4_AllRights, 9));
    poll("nobody is bound");
    attempt("bind it to another thread", seL4_TCB_BindNotification(seL4_CapInitThreadTCB, notification));
    attempt("delete it", seL4_CNode_Delete(AT(notification)));
    attempt("unbind", seL4_TCB_UnbindNotification(seL4_CapInitThreadTCB));
}

static void bound_to_main(void)
{
    notification = make(seL4_NotificationObject);
    seL4_CPtr endpoint = make(seL4_EndpointObject), badged = mint(notification, seL4_AllRights, 3);
    attempt("bind", seL4_TCB_BindNotification(seL4_CapInitThreadTCB, notification));
    say("a signal before a message");
    seL4_Signal(badged);
    thread_start("sender", 150, sender, mint(endpoint, seL4_AllRights, MESSAGE), 5);
    receiver(endpoint, 2);
    say("a message before a signal");
    thread_start("second sender", 150, sender, mint(endpoint, seL4_AllRights, MESSAGE + 1), 7);
    seL4_Signal(badged);
    receiver(endpoint, 2);
    say("waiting at the notification itself");
    seL4_Signal(badged);
    waiter(notification, 1);
    say("non-blocking");
    seL4_Signal(badged);
    seL4_Word badge;
    nb_recv(endpoint, &badge);
    say("nb_recv: badge %lu", badge);
    nb_recv(endpoint, &badge);
    say("nb_recv: badge %lu", badge);
}

static void bindings_that_are_refused(void)
{
    notification = make(seL4_NotificationObject);
    struct thread *thread = thread_start("waiter", 150, waiter, notification, 1);
    seL4_CPtr tcb = make(seL4_TCBObject), endpoint = make(seL4_EndpointObject);
    attempt("one that somebody waits at", seL4_TCB_BindNotification(tcb, notification));
    seL4_Signal(notification);
    attempt("an endpoint", seL4_TCB_BindNotification(tcb, endpoint));
    attempt("nothing", seL4_TCB_BindNotification(tcb, slot()));
    attempt("no right to read", seL4_TCB_BindNotification(tcb, mint(notification, seL4_CanWrite, 1)));
    attempt("with a badge", seL4_TCB_BindNotification(tcb, mint(notification, seL4_AllRights, 1)));
    attempt("a second thread", seL4_TCB_BindNotification(thread->tcb, notification));
    attempt("delete the first thread", seL4_CNode_Delete(AT(tcb)));
    attempt("a second thread", seL4_TCB_BindNotification(thread->tcb, notification));
    attempt("unbind a fresh thread", seL4_TCB_UnbindNotification(make(seL4_TCBObject)));
}

/* Others may not wait at a notification that is bound. */
static void waiting_at_a_bound_one(void)
{
    notification = make(seL4_NotificationObject);
    seL4_CPtr tcb = make(seL4_TCBObject), faults = make(seL4_EndpointObject);
    attempt("bind", seL4_TCB_BindNotification(tcb, notification));
    struct thread *thread = thread_make("waiter", 50, waiter, notification, 1);
    attempt("fault handler", thread_set_fault_handler(thread, mint(faults, seL4_AllRights, 99)));
    thread_enter(thread, 1);
    seL4_Word badge;
    seL4_MessageInfo_t info = recv(faults, &badge);
    say("fault: badge %lu, label %lu, length %lu, in receive %lu, failure %lu %lu", badge,
        seL4_MessageInfo_get_label(info), seL4_MessageInfo_get_length(info), seL4_GetMR(seL4_CapFault_InRecvPhase),
        seL4_GetMR(seL4_CapFault_LookupFailureType), seL4_GetMR(seL4_CapFault_BitsLeft));
}

static void mixed_queue(void)
{
    notification = make(seL4_NotificationObject);
    seL4_CPtr badged = mint(notification, seL4_AllRights, 5);
    struct thread *a = thread_start("a", 50, waiter, notification, 2);
    struct thread *b = thread_start("b", 50, waiter, notification, 2);
    settle();
    attempt("suspend a", seL4_TCB_Suspend(a->tcb));
    seL4_Signal(badged);
    settle();
    attempt("resume a", seL4_TCB_Resume(a->tcb));
    settle();
    seL4_Signal(badged);
    settle();
    attempt("delete b", seL4_CNode_Delete(AT(b->tcb)));
    seL4_Signal(badged);
    settle();
    seL4_Signal(badged);
    settle();
    poll("nobody waits any more");
}

/* A signal sets the badge. The IPC buffer beyond the message registers stays as it was; the registers are left out. */
static void between_messages(void)
{
    notification = make(seL4_NotificationObject);
    seL4_CPtr endpoint = make(seL4_EndpointObject), badged = mint(notification, seL4_AllRights, 3);
    attempt("bind", seL4_TCB_BindNotification(seL4_CapInitThreadTCB, notification));
    thread_start("sender", 150, sender, mint(endpoint, seL4_AllRights, MESSAGE), 5);
    for (int i = 4; i < 120; i++) {
        seL4_SetMR(i, 1000 + i);
    }
    seL4_Word badge, kept = 0;
    seL4_Signal(badged);
    recv(endpoint, &badge);
    for (int i = 4; i < 120; i++) {
        kept += seL4_GetMR(i) == (seL4_Word)(1000 + i);
    }
    say("signal: badge %lu, words kept %lu", badge, kept);
    seL4_MessageInfo_t info = recv(endpoint, &badge);
    say_message("message", info, badge);
    nb_recv(endpoint, &badge);
    say("nothing: badge %lu", badge);
}

static void caller(seL4_Word through, seL4_Word word)
{
    seL4_SetMR(0, word);
    seL4_MessageInfo_t info = seL4_Call(through, seL4_MessageInfo_new(word, 0, 0, 1));
    say_message("answer", info, 0);
}

/* The server receives again, and gets a signal, before it answers. */
static void before_the_answer(void)
{
    notification = make(seL4_NotificationObject);
    seL4_CPtr endpoint = make(seL4_EndpointObject), badged = mint(notification, seL4_AllRights, 3);
    attempt("bind", seL4_TCB_BindNotification(seL4_CapInitThreadTCB, notification));
    thread_start("caller", 150, caller, mint(endpoint, seL4_AllRights, MESSAGE), 5);
    seL4_Word badge;
    seL4_MessageInfo_t info = recv(endpoint, &badge);
    say_message("call", info, badge);
    seL4_Signal(badged);
    recv(endpoint, &badge);
    say("signal: badge %lu", badge);
    seL4_SetMR(0, 77);
    reply(seL4_MessageInfo_new(7, 0, 0, 1));
    settle();
    say("answered, if that was possible");
    thread_start("second caller", 150, caller, mint(endpoint, seL4_AllRights, MESSAGE + 1), 6);
    info = recv(endpoint, &badge);
    say_message("call", info, badge);
    seL4_Signal(badged);
    seL4_SetMR(0, 78);
    reply_recv(endpoint, seL4_MessageInfo_new(8, 0, 0, 1), &badge);
    settle();
    say("signal: badge %lu", badge);
}

const struct scenario notification_scenarios[] = {
    { "signals add up", signals_add_up },
    { "waiters in order", waiters_in_order },
    { "a waiter preempts", waiter_preempts },
    { "rights", rights },
    { "bound to a thread", bound },
    { "bound to the main thread", bound_to_main },
    { "bindings that are refused", bindings_that_are_refused },
    { "waiting at one that is bound", waiting_at_a_bound_one },
    { "waiters that go away", mixed_queue },
    { "a signal between messages", between_messages },
    { "a signal between a call and its answer", before_the_answer },
    { 0 },
};
