/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens to threads whose objects go away.
 */
#include "subjects.h"

static void sender(seL4_Word through, seL4_Word word)
{
    say("sends");
    seL4_SetMR(0, word);
    seL4_Send(through, seL4_MessageInfo_new(word, 0, 0, 1));
    say("goes on after sending");
}

static void receiver(seL4_Word through, seL4_Word unused)
{
    (void)unused;
    seL4_Word badge = 88;
    say("receives");
    recv(through, &badge);
    say("goes on after receiving");
}

static void caller(seL4_Word through, seL4_Word word)
{
    say("calls");
    seL4_SetMR(0, word);
    seL4_MessageInfo_t info = seL4_Call(through, seL4_MessageInfo_new(0, 0, 0, 1));
    say("goes on after calling, label %lu", seL4_MessageInfo_get_label(info));
}

static void waiter(seL4_Word through, seL4_Word unused)
{
    (void)unused;
    seL4_Word badge = 88;
    say("waits");
    seL4_Wait(through, &badge);
    say("goes on after waiting");
}

static void empty(seL4_CPtr endpoint)
{
    for (;;) {
        seL4_Word badge;
        seL4_MessageInfo_t info = nb_recv(endpoint, &badge);
        if (!badge) {
            break;
        }
        say("badge %lu is in the queue, word %lu", badge, seL4_MessageInfo_get_length(info) ? seL4_GetMR(0) : 0);
    }
    say("the queue is empty");
}

/* The sends of one badge are cancelled when the last of its capabilities is revoked or cancelled. */
static void badged_sends(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject), one = mint(endpoint, seL4_AllRights, 1),
              two = mint(endpoint, seL4_AllRights, 2);
    thread_start("first one", 50, sender, one, 1);
    thread_start("first two", 50, sender, two, 2);
    thread_start("second one", 60, sender, one, 3);
    thread_start("second two", 60, sender, two, 4);
    settle();
    attempt("cancel the sends of badge 1", seL4_CNode_CancelBadgedSends(AT(one)));
    settle();
    empty(endpoint);
    settle();
    empty(endpoint);
}

static void revoked_badge(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject), badged = mint(endpoint, seL4_AllRights, 1);
    seL4_CPtr copy = mint(badged, seL4_AllRights, 0);
    thread_start("through the original", 50, sender, badged, 1);
    thread_start("through the copy", 50, sender, copy, 2);
    settle();
    attempt("delete the copy", seL4_CNode_Delete(AT(copy)));
    settle();
    empty(endpoint);
    settle();
    attempt("delete the badge", seL4_CNode_Delete(AT(badged)));
    thread_start("again", 50, sender, badged, 3);
    settle();
}

static void endpoint_goes(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject), copy = mint(endpoint, seL4_AllRights, 0);
    struct thread *a = thread_start("a", 50, sender, mint(endpoint, seL4_AllRights, 1), 1);
    struct thread *b = thread_start("b", 60, caller, mint(endpoint, seL4_AllRights, 2), 2);
    settle();
    attempt("delete the original", seL4_CNode_Delete(AT(endpoint)));
    empty(copy);
    settle();
    seL4_SetMR(0, 7);
    endpoint = make(seL4_EndpointObject);
    a = thread_start("c", 50, receiver, endpoint, 0);
    b = thread_start("d", 60, receiver, mint(endpoint, seL4_AllRights, 2), 0);
    settle();
    attempt("revoke", seL4_CNode_Revoke(AT(endpoint)));
    settle();
    attempt("delete", seL4_CNode_Delete(AT(endpoint)));
    settle();
    attempt("resume c", seL4_TCB_Resume(a->tcb));
    attempt("resume d", seL4_TCB_Resume(b->tcb));
    settle();
}

static void notification_goes(void)
{
    seL4_CPtr notification = make(seL4_NotificationObject);
    thread_start("a", 50, waiter, notification, 0);
    struct thread *bound = thread_start("b", 50, waiter, make(seL4_NotificationObject), 0);
    settle();
    seL4_CPtr other = make(seL4_NotificationObject);
    attempt("bind", seL4_TCB_BindNotification(bound->tcb, other));
    attempt("delete the one that a waits at", seL4_CNode_Delete(AT(notification)));
    attempt("delete the one that b is bound to", seL4_CNode_Delete(AT(other)));
    settle();
    attempt("unbind b", seL4_TCB_UnbindNotification(bound->tcb));
}

/* An untyped with everything in it goes while threads of it wait for each other. */
static void untyped_goes(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 12), endpoint = slot(), notification = slot();
    seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, seL4_CapInitThreadCNode, 0, 0, endpoint, 1);
    seL4_Untyped_Retype(untyped, seL4_NotificationObject, 0, seL4_CapInitThreadCNode, 0, 0, notification, 1);
    thread_start("sender", 50, sender, mint(endpoint, seL4_AllRights, 1), 1);
    thread_start("caller", 50, caller, mint(endpoint, seL4_AllRights, 2), 1);
    thread_start("waiter", 50, waiter, mint(notification, seL4_AllRights, 3), 1);
    settle();
    attempt("revoke", seL4_CNode_Revoke(AT(untyped)));
    say("endpoint %s, notification %s", taken(endpoint) ? "there" : "gone", taken(notification) ? "there" : "gone");
    settle();
    say("settled");
}

static void server(seL4_Word through, seL4_Word unused)
{
    (void)unused;
    seL4_Word badge;
    seL4_MessageInfo_t info = recv(through, &badge);
    say_message("asked", info, badge);
    seL4_TCB_Suspend(thread_self()->tcb);
}

/* A caller whose server goes waits on. */
static void server_goes(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject);
    struct thread *serving = thread_start("server", 50, server, endpoint, 0);
    struct thread *client = thread_start("client", 50, caller, mint(endpoint, seL4_AllRights, 5), 1);
    settle();
    attempt("delete the server", seL4_CNode_Delete(AT(serving->tcb)));
    settle();
    attempt("suspend the client", seL4_TCB_Suspend(client->tcb));
    attempt("resume the client", seL4_TCB_Resume(client->tcb));
    settle();
    empty(endpoint);
}

static void deletes_itself(seL4_Word tcb, seL4_Word unused)
{
    (void)unused;
    say("deletes itself");
    seL4_CNode_Delete(AT(tcb));
    say("is there nevertheless");
}

static void revokes_itself(seL4_Word unused, seL4_Word also_unused)
{
    (void)unused, (void)also_unused;
    say("revokes all memory");
    seL4_CNode_Revoke(AT(world_untyped()));
    say("is there nevertheless");
}

static void a_running_thread_goes(void)
{
    struct thread *thread = thread_make("thread", 150, deletes_itself, 0, 0);
    thread->first = thread->tcb;
    seL4_CPtr copy = mint(thread->tcb, seL4_AllRights, 0);
    thread_enter(thread, 1);
    say("its capability is %s", taken(thread->tcb) ? "there" : "gone");
    say("now the last one");
    thread->first = copy;
    thread->tcb = copy;
    thread_enter(thread, 1);
    say("its capability is %s", taken(copy) ? "there" : "gone");
    thread_start("another", 150, revokes_itself, 0, 0);
    say("all is gone: %d", !taken(copy));
}

static void loses_its_cspace(seL4_Word node, seL4_Word notification)
{
    say("deletes its own CSpace");
    seL4_CNode_Delete(seL4_CapInitThreadCNode, node, seL4_WordBits);
    say("goes on");
    seL4_Signal(notification);
    say("has signalled");
    seL4_Word badge;
    seL4_Wait(notification, &badge);
    say("has waited: badge %lu", badge);
}

/* The thread's CSpace is a CNode of one level whose slots are copies of those of the root CNode that it uses. */
static void the_cspace_of_a_running_thread_goes(void)
{
    seL4_CPtr node = make_sized(seL4_CapTableObject, 10), guarded = slot();
    seL4_CPtr notification = make(seL4_NotificationObject), faults = make(seL4_EndpointObject);
    struct thread *thread = thread_make("thread", 150, loses_its_cspace, guarded, notification);
    attempt("a guard", seL4_CNode_Mint(AT(guarded), AT(node), seL4_AllRights, seL4_CNode_CapData_new(0, 54).words[0]));
    attempt("the root CNode",
            seL4_CNode_Copy(node, seL4_CapInitThreadCNode, 10, AT(seL4_CapInitThreadCNode), seL4_AllRights));
    thread->second = 40;
    attempt("a notification", seL4_CNode_Mint(node, 40, 10, AT(notification), seL4_AllRights, 6));
    attempt("the handler", seL4_CNode_Mint(node, 41, 10, AT(faults), seL4_AllRights, 9));
#ifdef CONFIG_KERNEL_MCS
    seL4_CPtr handler = mint(faults, seL4_AllRights, 9);
#else
    seL4_CPtr handler = 41;
#endif
    attempt("its space", seL4_TCB_SetSpace(thread->tcb, handler, guarded, 0, seL4_CapInitThreadVSpace, 0));
    attempt("the CNode's own capability goes", seL4_CNode_Delete(AT(node)));
    thread_enter(thread, 1);
    seL4_Word badge;
    nb_recv(faults, &badge);
    say("fault: badge %lu", badge);
}

static void suspended_while_blocked(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject);
    struct thread *a = thread_start("sender", 50, sender, mint(endpoint, seL4_AllRights, 1), 5);
    settle();
    attempt("suspend", seL4_TCB_Suspend(a->tcb));
    empty(endpoint);
    attempt("resume", seL4_TCB_Resume(a->tcb));
    settle();
    empty(endpoint);
    settle();
    struct thread *b = thread_start("receiver", 50, receiver, endpoint, 0);
    settle();
    attempt("suspend", seL4_TCB_Suspend(b->tcb));
    seL4_NBSend(endpoint, seL4_MessageInfo_new(0, 0, 0, 0));
    attempt("resume", seL4_TCB_Resume(b->tcb));
    settle();
    seL4_NBSend(endpoint, seL4_MessageInfo_new(0, 0, 0, 0));
    settle();
}

const struct scenario revoke_scenarios[] = {
    { "sends of a badge are cancelled", badged_sends },
    { "a badge is revoked", revoked_badge },
    { "an endpoint goes", endpoint_goes },
    { "a notification goes", notification_goes },
    { "an untyped goes", untyped_goes },
    { "a server goes", server_goes },
    { "a running thread goes", a_running_thread_goes },
    { "the CSpace of a running thread goes", the_cspace_of_a_running_thread_goes },
    { "suspended while blocked", suspended_while_blocked },
    { 0 },
};
