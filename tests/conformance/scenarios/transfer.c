/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Capabilities in messages.
 */
#include "subjects.h"

/* `sending` has a badge, which tells a message from none. */
static seL4_CPtr endpoint, sending, target;

/* Sends capabilities from three slots, as many as asked for. */
static seL4_CPtr gifts[3];

static void giver(seL4_Word through, seL4_Word count)
{
    for (int i = 0; i < 3; i++) {
        seL4_SetCap(i, gifts[i]);
    }
    seL4_SetMR(0, 8);
    seL4_Send(through, seL4_MessageInfo_new(1, 0, count, 1));
}

static void begin(void)
{
    endpoint = make(seL4_EndpointObject);
    sending = mint(endpoint, seL4_AllRights, 4);
    for (int i = 0; i < 3; i++) {
        gifts[i] = mint(make(seL4_NotificationObject), seL4_AllRights, 60 + i);
    }
    target = slot();
    seL4_SetCapReceivePath(AT(target));
}

/* One message, what became of the target, and the badges that the kernel writes for unwrapped capabilities. */
static void take(const char *what)
{
    for (int i = 0; i < 3; i++) {
        seL4_SetCap(i, 99);
    }
    seL4_Word badge;
    seL4_MessageInfo_t info = nb_recv(endpoint, &badge);
    if (!badge) {
        say("%s: nothing came", what);
        return;
    }
    say_message(what, info, badge);
    for (seL4_Word i = 0; i < seL4_MessageInfo_get_extraCaps(info); i++) {
        if (seL4_MessageInfo_get_capsUnwrapped(info) >> i & 1) {
            say("  unwrapped: badge %lu", seL4_GetBadge(i));
        }
    }
    say("  the slot is %s", taken(target) ? "taken" : "empty");
}

static void give(const char *what, seL4_CPtr through, seL4_Word count)
{
    struct thread *thread = thread_start("giver", 150, giver, through, count);
    take(what);
    if (taken(target)) {
        seL4_CNode_Delete(AT(target));
    }
    thread_end(thread);
}

static void one(void)
{
    begin();
    thread_start("giver", 150, giver, sending, 1);
    take("one capability");
    seL4_Signal(target);
    seL4_Word badge;
    seL4_Poll(gifts[0], &badge);
    say("it is the one that was sent: badge %lu", badge);
    attempt("revoke what was sent", seL4_CNode_Revoke(AT(gifts[0])));
    say("what came is %s", taken(target) ? "there" : "gone");
}

static void several(void)
{
    begin();
    give("two", sending, 2);
    give("three", sending, 3);
    give("none", sending, 0);
}

static void without_grant(void)
{
    begin();
    for (int bits = 0; bits < 8; bits++) {
        seL4_CapRights_t rights = seL4_CapRights_new(bits >> 2 & 1, bits >> 1 & 1, bits & 1, 1);
        say("grant reply %d, grant %d, read %d", bits >> 2 & 1, bits >> 1 & 1, bits & 1);
        give("came", mint(endpoint, rights, 10 + bits), 1);
    }
}

static void receiver_without_grant(void)
{
    begin();
    thread_start("giver", 150, giver, sending, 1);
    endpoint = mint(endpoint, seL4_CanRead, 0);
    take("through one that can only read");
}

static void no_slot(void)
{
    begin();
    seL4_SetCapReceivePath(0, 0, 0);
    give("no path", sending, 1);
    seL4_SetCapReceivePath(AT(gifts[1]));
    give("a path to a taken slot", sending, 1);
    seL4_SetCapReceivePath(slot(), target, seL4_WordBits);
    give("a path without a root", sending, 1);
    seL4_SetCapReceivePath(seL4_CapInitThreadCNode, target, 5);
    give("a path that ends too early", sending, 1);
    seL4_SetCapReceivePath(seL4_CapInitThreadCNode, target, 200);
    give("a path that is too long", sending, 1);
    seL4_SetCapReceivePath(gifts[0], target, seL4_WordBits);
    give("a path whose root is no CNode", sending, 1);
}

static void unwrapping(void)
{
    begin();
    gifts[0] = mint(endpoint, seL4_AllRights, 31);
    give("the endpoint itself", sending, 1);
    gifts[1] = mint(endpoint, seL4_NoRights, 32);
    give("two of it", sending, 2);
    give("two of it and another", sending, 3);
    seL4_CPtr other = gifts[2];
    gifts[2] = endpoint;
    give("three, one without badge", sending, 3);
    gifts[1] = other;
    give("another between", sending, 3);
    gifts[0] = other;
    gifts[1] = mint(endpoint, seL4_AllRights, 33);
    give("another first", sending, 3);
}

/* What is not there ends the list before the message goes, or faults the sender. */
static void gifts_that_are_not_there(void)
{
    begin();
    seL4_CPtr there = gifts[0];
    gifts[0] = slot();
    give("an empty slot", sending, 1);
    gifts[0] = there;
    gifts[1] = slot();
    give("an empty slot after one", sending, 2);
    settle();
    gifts[1] = (seL4_Word)1 << 50;
    give("no slot after one", sending, 2);
}

static void server(seL4_Word through, seL4_Word gift)
{
    seL4_Word badge;
    seL4_MessageInfo_t info = recv(through, &badge);
    for (;;) {
        say_message("asked", info, badge);
        seL4_SetCap(0, gift);
        seL4_SetMR(0, 3);
        info = reply_recv(through, seL4_MessageInfo_new(2, 0, 1, 1), &badge);
    }
}

/* An answer brings one along if the caller granted that. */
static void in_answers(void)
{
    begin();
    thread_start("server", 150, server, endpoint, gifts[0]);
    for (int bits = 0; bits < 4; bits++) {
        say("grant reply %d, grant %d", bits >> 1, bits & 1);
        seL4_CPtr through = mint(endpoint, seL4_CapRights_new(bits >> 1, bits & 1, 0, 1), 20 + bits);
        if (!bits) {
            /* The caller would wait for ever. */
            continue;
        }
        seL4_SetMR(0, 1);
        seL4_MessageInfo_t info = seL4_Call(through, seL4_MessageInfo_new(0, 0, 0, 1));
        say_message("answer", info, 0);
        say("  the slot is %s", taken(target) ? "taken" : "empty");
        if (taken(target)) {
            seL4_CNode_Delete(AT(target));
        }
    }
}

static void caller(seL4_Word through, seL4_Word word)
{
    seL4_SetMR(0, word);
    seL4_MessageInfo_t info = seL4_Call(through, seL4_MessageInfo_new(0, 0, 0, 1));
    say_message("answer", info, 0);
}

/* A call through a capability without grant and grant reply: nobody can answer. */
static void call_without_grant(void)
{
    begin();
    struct thread *thread = thread_start("caller", 150, caller, mint(endpoint, seL4_CanWrite, 9), 5);
    seL4_Word badge;
    seL4_MessageInfo_t info = recv(endpoint, &badge);
    say_message("received", info, badge);
    seL4_SetMR(0, 6);
    reply(seL4_MessageInfo_new(0, 0, 0, 1));
    settle();
    attempt("resume it", seL4_TCB_Resume(thread->tcb));
    settle();
    attempt("resume it", seL4_TCB_Resume(thread->tcb));
    say("done");
}

/* Sends that the endpoint's capability does not allow. */
static void without_rights(void)
{
    begin();
    for (int bits = 0; bits < 16; bits += 2) {
        seL4_CapRights_t rights = seL4_CapRights_new(bits >> 3, bits >> 2 & 1, bits >> 1 & 1, 0);
        seL4_CPtr through = mint(endpoint, rights, 1);
        say("rights %d", bits);
        seL4_NBSend(through, seL4_MessageInfo_new(0, 0, 0, 0));
        seL4_Send(through, seL4_MessageInfo_new(0, 0, 0, 0));
        seL4_MessageInfo_t info = seL4_Call(through, seL4_MessageInfo_new(0, 0, 0, 0));
        attempt("call", (seL4_Error)seL4_MessageInfo_get_label(info));
    }
}

/* What may not be copied is not transferred. */
static void not_copied(void)
{
    begin();
    seL4_CPtr parent = make_sized(seL4_UntypedObject, 10), child = slot();
    seL4_Untyped_Retype(parent, seL4_EndpointObject, 0, seL4_CapInitThreadCNode, 0, 0, child, 1);
    gifts[0] = parent;
    give("an untyped with a child", sending, 1);
    gifts[0] = seL4_CapIRQControl;
    give("the IRQ control", sending, 1);
    gifts[0] = make(seL4_TCBObject);
    give("a TCB", sending, 1);
    gifts[0] = make_sized(seL4_CapTableObject, 2);
    give("a CNode", sending, 1);
    gifts[0] = make(SMALL_PAGE);
    give("a page", sending, 1);
}

const struct scenario transfer_scenarios[] = {
    { "one capability", one },
    { "several", several },
    { "rights of the sender", without_grant },
    { "rights of the receiver", receiver_without_grant },
    { "receive paths", no_slot },
    { "unwrapping", unwrapping },
    { "capabilities that are not there", gifts_that_are_not_there },
    { "capabilities in answers", in_answers },
    { "a call that cannot be answered", call_without_grant },
    { "endpoints without rights", without_rights },
    { "what is not transferred", not_copied },
    { 0 },
};
