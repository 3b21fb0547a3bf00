/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "subjects.h"

static seL4_CPtr endpoint, notification, empty;

static void begin(void)
{
    endpoint = make(seL4_EndpointObject);
    notification = make(seL4_NotificationObject);
    empty = slot();
}

/* Signals through a capability and polls the original: the badge, or 0 if nothing came. */
static void see_badge(const char *what, seL4_CPtr through)
{
    seL4_Word badge;
    seL4_Signal(through);
    seL4_Poll(notification, &badge);
    say("%s: badge %lu", what, badge);
}

static void copy(void)
{
    begin();
    attempt("copy", seL4_CNode_Copy(AT(empty), AT(endpoint), seL4_AllRights));
    attempt("into a taken slot", seL4_CNode_Copy(AT(empty), AT(notification), seL4_AllRights));
    attempt("onto itself", seL4_CNode_Copy(AT(empty), AT(empty), seL4_AllRights));
    attempt("of nothing", seL4_CNode_Copy(AT(slot()), AT(slot()), seL4_AllRights));
    attempt("of nothing into a taken slot", seL4_CNode_Copy(AT(empty), AT(slot()), seL4_AllRights));
    attempt("from a root that is no CNode", seL4_CNode_Copy(AT(slot()), endpoint, 0, seL4_WordBits, seL4_AllRights));
    attempt("from a root that is empty", seL4_CNode_Copy(AT(slot()), slot(), 0, seL4_WordBits, seL4_AllRights));
    attempt("by something that is no CNode",
            seL4_CNode_Copy(seL4_CapInitThreadTCB, 0, 0, AT(notification), seL4_AllRights));
    attempt("by nothing", seL4_CNode_Copy(slot(), 0, 0, AT(notification), seL4_AllRights));
}

static void mint_badges(void)
{
    begin();
    seL4_CPtr badged = slot(), again = slot();
    attempt("mint with badge 7", seL4_CNode_Mint(AT(badged), AT(notification), seL4_AllRights, 7));
    see_badge("through it", badged);
    attempt("mint of a badged one", seL4_CNode_Mint(AT(again), AT(badged), seL4_AllRights, 9));
    attempt("mint of a badged one with badge 0", seL4_CNode_Mint(AT(again), AT(badged), seL4_AllRights, 0));
    attempt("copy of a badged one", seL4_CNode_Copy(AT(again), AT(badged), seL4_AllRights));
    see_badge("through the copy", again);
    attempt("the largest badge", seL4_CNode_Mint(AT(empty), AT(notification), seL4_AllRights, (seL4_Word)-1));
    see_badge("through it", empty);
    attempt("mint of a TCB with a badge", seL4_CNode_Mint(AT(slot()), AT(make(seL4_TCBObject)), seL4_AllRights, 5));
}

/* All sixteen combinations: a signal and a send through the copy, and a copy of the copy with all rights. */
static void rights(void)
{
    begin();
    for (int bits = 0; bits < 16; bits++) {
        seL4_CapRights_t some = seL4_CapRights_new(bits >> 3 & 1, bits >> 2 & 1, bits >> 1 & 1, bits & 1);
        seL4_CPtr copy = mint(notification, some, 6), wider = mint(copy, seL4_AllRights, 0);
        say("rights %d", bits);
        see_badge("a signal", wider);
        seL4_MessageInfo_t info = seL4_Call(wider, seL4_MessageInfo_new(0, 0, 0, 0));
        attempt("a call", (seL4_Error)seL4_MessageInfo_get_label(info));
        see_badge("afterwards", notification);
        seL4_CNode_Delete(AT(copy));
        seL4_CNode_Delete(AT(wider));
    }
}

static void move(void)
{
    begin();
    seL4_CPtr badged = mint(notification, seL4_AllRights, 3);
    attempt("move", seL4_CNode_Move(AT(empty), AT(badged)));
    see_badge("through where it is", empty);
    say("where it was: %s", taken(badged) ? "taken" : "empty");
    attempt("move of nothing", seL4_CNode_Move(AT(slot()), AT(badged)));
    attempt("move into a taken slot", seL4_CNode_Move(AT(empty), AT(endpoint)));
    attempt("move onto itself", seL4_CNode_Move(AT(empty), AT(empty)));
}

static void mutate(void)
{
    begin();
    seL4_CPtr badged = mint(notification, seL4_AllRights, 3), node = make_sized(seL4_CapTableObject, 4);
    attempt("mutate of a badged one", seL4_CNode_Mutate(AT(empty), AT(badged), 8));
    attempt("mutate of one without a badge", seL4_CNode_Mutate(AT(empty), AT(notification), 8));
    say("where it was: %s", taken(notification) ? "taken" : "empty");
    attempt("mutate of a CNode to a guard",
            seL4_CNode_Mutate(AT(slot()), AT(node), seL4_CNode_CapData_new(5, 60).words[0]));
    attempt("mutate of an empty slot", seL4_CNode_Mutate(AT(slot()), AT(node), 0));
    attempt("mutate into a taken slot", seL4_CNode_Mutate(AT(endpoint), AT(badged), 0));
}

static void rotate(void)
{
    begin();
    seL4_CPtr a = mint(notification, seL4_AllRights, 1), b = mint(notification, seL4_AllRights, 2), c = slot();
    seL4_CPtr root = seL4_CapInitThreadCNode, bits = seL4_WordBits, node = make_sized(seL4_CapTableObject, 4);
    attempt("b to c, a to b", seL4_CNode_Rotate(AT(c), 0, AT(b), 0, AT(a)));
    see_badge("a", a);
    see_badge("b", b);
    see_badge("c", c);
    attempt("swap b and c", seL4_CNode_Rotate(AT(b), 0, AT(c), 0, AT(b)));
    see_badge("b", b);
    see_badge("c", c);
    attempt("destination taken", seL4_CNode_Rotate(AT(endpoint), 0, AT(b), 0, AT(c)));
    attempt("pivot is the source", seL4_CNode_Rotate(AT(a), 0, AT(b), 0, AT(b)));
    attempt("pivot is the destination", seL4_CNode_Rotate(AT(a), 0, AT(a), 0, AT(b)));
    attempt("source empty", seL4_CNode_Rotate(AT(empty), 0, AT(b), 0, AT(a)));
    attempt("pivot empty", seL4_CNode_Rotate(AT(empty), 0, AT(a), 0, AT(b)));
    attempt("with a badge for one that has one", seL4_CNode_Rotate(AT(a), 9, AT(b), 0, AT(c)));
    attempt("with a guard for a CNode",
            seL4_CNode_Rotate(AT(a), seL4_CNode_CapData_new(1, 60).words[0], AT(node), 0, AT(b)));
    attempt("with a guard that is too long",
            seL4_CNode_Rotate(AT(empty), 0, AT(node), seL4_CNode_CapData_new(1, 63).words[0], AT(b)));
    attempt("pivot's root empty", seL4_CNode_Rotate(root, a, bits, 0, empty, b, bits, 0, AT(c)));
    attempt("source's root empty", seL4_CNode_Rotate(root, a, bits, 0, root, b, bits, 0, empty, c, bits));
    for (seL4_CPtr i = a; i < empty + 8; i++) {
        say("slot %lu: %s", world_number(i), taken(i) ? "taken" : "empty");
    }
}

static void delete(void)
{
    begin();
    seL4_CPtr badged = mint(notification, seL4_AllRights, 3), grandchild = mint(badged, seL4_AllRights, 0);
    attempt("delete of nothing", seL4_CNode_Delete(AT(empty)));
    attempt("delete of a copy", seL4_CNode_Delete(AT(badged)));
    see_badge("its copy", grandchild);
    attempt("delete of the original", seL4_CNode_Delete(AT(notification)));
    seL4_Signal(grandchild);
    seL4_Word badge;
    seL4_Poll(grandchild, &badge);
    say("the copy is alive: badge %lu", badge);
    attempt("delete of the last", seL4_CNode_Delete(AT(grandchild)));
    attempt("delete at depth 3", seL4_CNode_Delete(seL4_CapInitThreadCNode, endpoint, 3));
    attempt("delete at depth 0", seL4_CNode_Delete(seL4_CapInitThreadCNode, endpoint, 0));
    attempt("delete by something that is no CNode", seL4_CNode_Delete(seL4_CapInitThreadTCB, 0, seL4_WordBits));
}

static void revoke(void)
{
    begin();
    seL4_CPtr family[6];
    family[0] = notification;
    family[1] = mint(notification, seL4_AllRights, 1);
    family[2] = mint(notification, seL4_AllRights, 2);
    family[3] = mint(family[1], seL4_AllRights, 0);
    family[4] = mint(notification, seL4_AllRights, 0);
    family[5] = mint(family[4], seL4_AllRights, 5);
    static const char *const names[] = { "original",        "badge 1",          "badge 2",
                                         "copy of badge 1", "copy of original", "badge 5 of copy" };
    /* Which are there after a revoke of which. */
    static const int order[] = { 3, 5, 1, 4, 0 };
    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        say("revoke: %s", names[order[i]]);
        attempt("revoke", seL4_CNode_Revoke(AT(family[order[i]])));
        for (int j = 0; j < 6; j++) {
            say("  %s: %s", names[j], taken(family[j]) ? "there" : "gone");
        }
    }
    attempt("revoke of nothing", seL4_CNode_Revoke(AT(empty)));
}

static void delete_a_cnode(void)
{
    begin();
    seL4_CPtr node = make_sized(seL4_CapTableObject, 3), inner = make_sized(seL4_CapTableObject, 2);
    attempt("a notification into it", seL4_CNode_Move(node, 0, 3, AT(notification)));
    attempt("a copy of that outside", seL4_CNode_Copy(AT(empty), node, 0, 3, seL4_AllRights));
    attempt("an inner CNode into it", seL4_CNode_Move(node, 1, 3, AT(inner)));
    attempt("a capability to itself into it", seL4_CNode_Copy(node, 2, 3, AT(node), seL4_AllRights));
    attempt("an endpoint into the inner one", seL4_CNode_Move(node, 1 << 2 | 3, 5, AT(endpoint)));
    attempt("delete a copy of it", seL4_CNode_Delete(node, 2, 3));
    attempt("again a capability to itself", seL4_CNode_Copy(node, 2, 3, AT(node), seL4_AllRights));
    attempt("delete it", seL4_CNode_Delete(AT(node)));
    say("the notification outside is %s", taken(empty) ? "there" : "gone");
    seL4_Signal(empty);
    seL4_Word badge = 77;
    seL4_Poll(empty, &badge);
    say("and alive: badge %lu", badge);
}

static void delete_a_cycle(void)
{
    begin();
    /* Each holds the last capability to the other. */
    seL4_CPtr a = make_sized(seL4_CapTableObject, 2), b = make_sized(seL4_CapTableObject, 2);
    attempt("b into a", seL4_CNode_Copy(a, 1, 2, AT(b), seL4_AllRights));
    attempt("a into b", seL4_CNode_Copy(b, 1, 2, AT(a), seL4_AllRights));
    attempt("delete b outside", seL4_CNode_Delete(AT(b)));
    attempt("delete a outside", seL4_CNode_Delete(AT(a)));
    say("a %s, b %s", taken(a) ? "there" : "gone", taken(b) ? "there" : "gone");
    attempt("revoke the untyped", seL4_CNode_Revoke(AT(world_untyped())));
    say("a %s, b %s", taken(a) ? "there" : "gone", taken(b) ? "there" : "gone");
    attempt("an endpoint, from the beginning",
            seL4_Untyped_Retype(world_untyped(), seL4_UntypedObject, WORLD_BITS, seL4_CapInitThreadCNode, 0, 0, a, 1));
}

static void cancel_badged_sends(void)
{
    begin();
    seL4_CPtr badged = mint(endpoint, seL4_AllRights, 4), weak = mint(endpoint, seL4_CanWrite, 5);
    attempt("with a badge", seL4_CNode_CancelBadgedSends(AT(badged)));
    attempt("without a badge", seL4_CNode_CancelBadgedSends(AT(endpoint)));
    attempt("without all rights", seL4_CNode_CancelBadgedSends(AT(weak)));
    attempt("of a notification", seL4_CNode_CancelBadgedSends(AT(notification)));
    attempt("of nothing", seL4_CNode_CancelBadgedSends(AT(empty)));
}

static void caller_is_saved_wrongly(void)
{
    begin();
#ifdef CONFIG_KERNEL_MCS
    say("this kernel has reply objects");
#else
    attempt("no caller", seL4_CNode_SaveCaller(AT(empty)));
    attempt("into a taken slot", seL4_CNode_SaveCaller(AT(endpoint)));
#endif
}

/* A label with the message registers that were set, and as many capabilities. */
static void raw(const char *what, seL4_Word label, seL4_Word length, seL4_Word caps)
{
    for (unsigned i = 0; i < 8; i++) {
        seL4_SetMR(i, 0);
    }
    seL4_SetMR(0, empty);
    seL4_SetMR(1, seL4_WordBits);
    seL4_SetCap(0, seL4_CapInitThreadCNode);
    seL4_SetCap(1, seL4_CapInitThreadCNode);
    seL4_MessageInfo_t info = seL4_Call(seL4_CapInitThreadCNode, seL4_MessageInfo_new(label, 0, caps, length));
    attempt(what, (seL4_Error)seL4_MessageInfo_get_label(info));
}

static void short_messages(void)
{
    begin();
    for (seL4_Word length = 0; length < 3; length++) {
        raw("delete", CNodeDelete, length, 0);
    }
    for (seL4_Word caps = 0; caps < 3; caps++) {
        for (seL4_Word length = 3; length < 7; length++) {
            say("%lu words, %lu capabilities", length, caps);
            raw("copy", CNodeCopy, length, caps);
            raw("mint", CNodeMint, length, caps);
            raw("move", CNodeMove, length, caps);
            raw("mutate", CNodeMutate, length, caps);
            raw("rotate", CNodeRotate, length + 2, caps);
        }
    }
    raw("of a TCB", TCBSuspend, 6, 0);
    raw("no invocation at all", 0, 6, 0);
    raw("beyond the last", 1000, 6, 0);
}

const struct scenario cnode_scenarios[] = {
    { "copy", copy },
    { "badges", mint_badges },
    { "rights", rights },
    { "move", move },
    { "mutate", mutate },
    { "rotate", rotate },
    { "delete", delete },
    { "revoke", revoke },
    { "delete of a CNode that is not empty", delete_a_cnode },
    { "CNodes in a cycle", delete_a_cycle },
    { "who may cancel badged sends", cancel_badged_sends },
    { "save caller without one", caller_is_saved_wrongly },
    { "short messages", short_messages },
    { 0 },
};
