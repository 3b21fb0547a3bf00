/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "subjects.h"

static seL4_CPtr endpoint;

/* Sends one word, and says when that is over. */
static void sender(seL4_Word through, seL4_Word word)
{
    seL4_SetMR(0, word);
    seL4_Send(through, seL4_MessageInfo_new(word, 0, 0, 1));
    say("sent");
}

static void caller(seL4_Word through, seL4_Word word)
{
    seL4_SetMR(0, word);
    seL4_MessageInfo_t info = seL4_Call(through, seL4_MessageInfo_new(word, 0, 0, 1));
    say_message("answer", info, 0);
}

static void receiver(seL4_Word through, seL4_Word times)
{
    while (times--) {
        seL4_Word badge;
        seL4_MessageInfo_t info = recv(through, &badge);
        say_message("received", info, badge);
    }
}

/* Without a message only the badge is defined: it is 0. So senders here have one. */
static void one_message(const char *what)
{
    seL4_Word badge;
    seL4_MessageInfo_t info = nb_recv(endpoint, &badge);
    if (badge) {
        say_message(what, info, badge);
    } else {
        say("nothing came");
    }
}

static void nothing_there(void)
{
    endpoint = make(seL4_EndpointObject);
    seL4_Word badge = 55;
    nb_recv(endpoint, &badge);
    say("nb_recv of nothing: badge %lu", badge);
    seL4_NBSend(endpoint, seL4_MessageInfo_new(3, 0, 0, 1));
    badge = 55;
    nb_recv(endpoint, &badge);
    say("what was sent to nobody is gone: badge %lu", badge);
}

static void sender_waits(void)
{
    endpoint = make(seL4_EndpointObject);
    thread_start("sender", 150, sender, mint(endpoint, seL4_AllRights, 11), 5);
    say("the sender has run");
    one_message("received");
    say("done");
}

static void receiver_waits(void)
{
    endpoint = make(seL4_EndpointObject);
    thread_start("receiver", 150, receiver, endpoint, 2);
    seL4_CPtr badged = mint(endpoint, seL4_AllRights, 12);
    sender(badged, 6);
    seL4_SetMR(0, 7);
    seL4_NBSend(badged, seL4_MessageInfo_new(7, 0, 0, 1));
    seL4_NBSend(badged, seL4_MessageInfo_new(8, 0, 0, 1));
    say("done");
}

/* Among equals the first comes first. */
static void senders_in_order(void)
{
    endpoint = make(seL4_EndpointObject);
    for (int i = 1; i <= 4; i++) {
        static const char *const names[] = { "", "first", "second", "third", "fourth" };
        thread_start(names[i], 50, sender, mint(endpoint, seL4_AllRights, i), i);
        settle();
    }
    for (int i = 0; i < 5; i++) {
        one_message("received");
    }
    settle();
}

static void senders_by_priority(void)
{
    endpoint = make(seL4_EndpointObject);
    static const char *const names[] = { "low", "high", "middle", "high too" };
    static const seL4_Word priorities[] = { 20, 60, 40, 60 };
    for (int i = 0; i < 4; i++) {
        thread_start(names[i], priorities[i], sender, mint(endpoint, seL4_AllRights, priorities[i]), i);
        settle();
    }
    for (int i = 0; i < 4; i++) {
        one_message("received");
    }
    settle();
}

static void receivers_by_priority(void)
{
    endpoint = make(seL4_EndpointObject);
    static const char *const names[] = { "low", "high", "middle", "high too" };
    static const seL4_Word priorities[] = { 20, 60, 40, 60 };
    for (int i = 0; i < 4; i++) {
        thread_start(names[i], priorities[i], receiver, endpoint, 1);
        settle();
    }
    for (int i = 0; i < 4; i++) {
        seL4_SetMR(0, i);
        seL4_Send(endpoint, seL4_MessageInfo_new(i, 0, 0, 1));
    }
    settle();
}

/* A priority that changes while a thread waits. */
static void priority_changes_in_queue(void)
{
    endpoint = make(seL4_EndpointObject);
    struct thread *a = thread_start("a", 30, sender, mint(endpoint, seL4_AllRights, 1), 1);
    struct thread *b = thread_start("b", 30, sender, mint(endpoint, seL4_AllRights, 2), 2);
    struct thread *c = thread_start("c", 30, sender, mint(endpoint, seL4_AllRights, 3), 3);
    settle();
    attempt("c is more important now", seL4_TCB_SetPriority(c->tcb, seL4_CapInitThreadTCB, 40));
    attempt("a is set to what it has", seL4_TCB_SetPriority(a->tcb, seL4_CapInitThreadTCB, 30));
    one_message("received");
    attempt("a is less important now", seL4_TCB_SetPriority(a->tcb, seL4_CapInitThreadTCB, 10));
    attempt("b is set to what it has", seL4_TCB_SetPriority(b->tcb, seL4_CapInitThreadTCB, 30));
    one_message("received");
    one_message("received");
    settle();
}

static void server(seL4_Word through, seL4_Word times)
{
    seL4_Word badge;
    seL4_MessageInfo_t info = recv(through, &badge);
    while (times--) {
        say_message("asked", info, badge);
        seL4_SetMR(0, seL4_GetMR(0) * 2);
        seL4_SetMR(1, badge);
        info = reply_recv(through, seL4_MessageInfo_new(9, 0, 0, 2), &badge);
    }
    say_message("asked for the last time", info, badge);
}

static void call_and_reply(void)
{
    endpoint = make(seL4_EndpointObject);
    thread_start("server", 150, server, endpoint, 10);
    caller(mint(endpoint, seL4_AllRights, 21), 4);
    caller(mint(endpoint, seL4_AllRights, 22), 5);
    /* The client is more important than the server, and waits nevertheless. */
    thread_start("client", 160, caller, mint(endpoint, seL4_AllRights, 23), 6);
    say("a send gets no answer");
    sender(mint(endpoint, seL4_AllRights, 24), 7);
    caller(mint(endpoint, seL4_AllRights, 25), 8);
}

static void callers_queue(void)
{
    endpoint = make(seL4_EndpointObject);
    thread_start("client a", 30, caller, mint(endpoint, seL4_AllRights, 31), 1);
    thread_start("client b", 40, caller, mint(endpoint, seL4_AllRights, 32), 2);
    settle();
    thread_start("server", 20, server, endpoint, 10);
    settle();
}

static void replies_to_nobody(void)
{
    endpoint = make(seL4_EndpointObject);
    reply(seL4_MessageInfo_new(1, 0, 0, 0));
    say("a reply to nobody");
    thread_start("sender", 150, sender, endpoint, 3);
    seL4_Word badge;
    seL4_MessageInfo_t info = recv(endpoint, &badge);
    say_message("received", info, badge);
    reply(seL4_MessageInfo_new(2, 0, 0, 0));
    say("a reply to one that did not call");
    thread_start("caller", 150, caller, endpoint, 4);
    info = recv(endpoint, &badge);
    say_message("received", info, badge);
    seL4_SetMR(0, 44);
    reply(seL4_MessageInfo_new(5, 0, 0, 1));
    reply(seL4_MessageInfo_new(6, 0, 0, 1));
    say("a second reply to the same one");
}

/* Messages of all lengths that are special: in registers, in the buffer, and more than there are. */
static void long_sender(seL4_Word through, seL4_Word length)
{
    for (int i = 0; i < seL4_MsgMaxLength; i++) {
        seL4_SetMR(i, i + 1);
    }
    seL4_Send(through, seL4_MessageInfo_new(1, 0, 0, length));
}

static void lengths(void)
{
    static const seL4_Word lengths[] = { 0, 1, 3, 4, 5, 119, 120, 121, 127 };
    endpoint = make(seL4_EndpointObject);
    struct thread *thread = thread_make("sender", 150, long_sender, endpoint, 0);
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        thread->second = lengths[i];
        thread_enter(thread, 1);
        for (int j = 0; j < seL4_MsgMaxLength; j++) {
            seL4_SetMR(j, 0);
        }
        seL4_Word badge, sum = 0;
        seL4_MessageInfo_t info = recv(endpoint, &badge);
        for (seL4_Word j = 0; j < seL4_MessageInfo_get_length(info) && j < seL4_MsgMaxLength; j++) {
            sum += seL4_GetMR(j);
        }
        say("%lu words sent, %lu came, sum %lu", lengths[i], seL4_MessageInfo_get_length(info), sum);
    }
}

static void label_bits(void)
{
    endpoint = make(seL4_EndpointObject);
    static const seL4_Word labels[] = { 0, 1, 0xfffff, (seL4_Word)1 << 51, ((seL4_Word)1 << 52) - 1 };
    struct thread *thread = thread_make("sender", 150, sender, mint(endpoint, seL4_AllRights, 7), 0);
    for (unsigned i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        thread->second = labels[i];
        thread_enter(thread, 1);
        one_message("received");
    }
}

#ifndef CONFIG_KERNEL_MCS
/* The reply capability is put aside, and used later, in another order. */
static void saved_callers(void)
{
    endpoint = make(seL4_EndpointObject);
    seL4_CPtr saved[3];
    static const char *const names[] = { "client a", "client b", "client c" };
    for (int i = 0; i < 3; i++) {
        saved[i] = slot();
        thread_start(names[i], 150, caller, mint(endpoint, seL4_AllRights, 40 + i), i);
        one_message("received");
        attempt("save the caller", seL4_CNode_SaveCaller(AT(saved[i])));
        attempt("save it again", seL4_CNode_SaveCaller(AT(slot())));
        say("kind %u", seL4_DebugCapIdentify(saved[i]));
    }
    attempt("a copy of it", seL4_CNode_Copy(AT(slot()), AT(saved[0]), seL4_AllRights));
    attempt("a mint of it", seL4_CNode_Mint(AT(slot()), AT(saved[0]), seL4_AllRights, 1));
    seL4_CPtr moved = slot();
    attempt("it moves", seL4_CNode_Move(AT(moved), AT(saved[0])));
    for (int i = 2; i > 0; i--) {
        seL4_SetMR(0, 100 + i);
        seL4_Send(saved[i], seL4_MessageInfo_new(i, 0, 0, 1));
        say("after the answer: %s", taken(saved[i]) ? "taken" : "empty");
    }
    attempt("delete the last one's", seL4_CNode_Delete(AT(moved)));
    settle();
    seL4_Send(moved, seL4_MessageInfo_new(0, 0, 0, 0));
    say("nobody answers client a any more");
}

static void reply_cap_dies_with_caller(void)
{
    endpoint = make(seL4_EndpointObject);
    struct thread *client = thread_start("client", 150, caller, mint(endpoint, seL4_AllRights, 2), 1);
    one_message("received");
    seL4_CPtr saved = slot();
    attempt("save the caller", seL4_CNode_SaveCaller(AT(saved)));
    attempt("suspend it", seL4_TCB_Suspend(client->tcb));
    say("its reply capability is %s", taken(saved) ? "there" : "gone");
    attempt("resume it", seL4_TCB_Resume(client->tcb));
    one_message("it calls again");
    attempt("save the caller", seL4_CNode_SaveCaller(AT(saved)));
    attempt("delete it", seL4_CNode_Delete(AT(client->tcb)));
    say("its reply capability is %s", taken(saved) ? "there" : "gone");
}

/* A second receive forgets who called before. */
static void caller_is_forgotten(void)
{
    endpoint = make(seL4_EndpointObject);
    thread_start("client a", 150, caller, mint(endpoint, seL4_AllRights, 3), 1);
    thread_start("client b", 150, caller, mint(endpoint, seL4_AllRights, 4), 2);
    one_message("received");
    one_message("received");
    seL4_SetMR(0, 5);
    reply(seL4_MessageInfo_new(0, 0, 0, 1));
    seL4_SetMR(0, 6);
    reply(seL4_MessageInfo_new(0, 0, 0, 1));
    settle();
    say("done");
}
#endif

const struct scenario endpoint_scenarios[] = {
    { "nothing there", nothing_there },
    { "the sender waits", sender_waits },
    { "the receiver waits", receiver_waits },
    { "senders in order", senders_in_order },
    { "senders by priority", senders_by_priority },
    { "receivers by priority", receivers_by_priority },
    { "a priority changes in the queue", priority_changes_in_queue },
    { "call and reply", call_and_reply },
    { "callers queue", callers_queue },
    { "replies to nobody", replies_to_nobody },
    { "lengths", lengths },
    { "labels", label_bits },
#ifndef CONFIG_KERNEL_MCS
    { "callers that are saved", saved_callers },
    { "a reply capability dies with its caller", reply_cap_dies_with_caller },
    { "a caller is forgotten", caller_is_forgotten },
#endif
    { 0 },
};
