/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Operations that a kernel may preempt in the middle, and then continues. What they did is the same in both cases.
 */
#include "subjects.h"

/* An untyped of this size takes a kernel thousands of steps to clear. */
#define LARGE_BITS 21
/* An address that nothing else uses. */
#define WINDOW 0x14000000ul

static void reset_of_an_untyped(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, LARGE_BITS), page = slot(), child = slot();
    attempt("a page", seL4_Untyped_Retype(untyped, SMALL_PAGE, 0, seL4_CapInitThreadCNode, 0, 0, page, 1));
    map(page, WINDOW);
    volatile seL4_Word *word = (volatile seL4_Word *)WINDOW;
    word[0] = word[511] = 0x1234;
    attempt("the rest",
            seL4_Untyped_Retype(untyped, seL4_UntypedObject, LARGE_BITS - 1, seL4_CapInitThreadCNode, 0, 0, child, 1));
    attempt("delete the rest", seL4_CNode_Delete(AT(child)));
    attempt("too large now",
            seL4_Untyped_Retype(untyped, seL4_UntypedObject, LARGE_BITS, seL4_CapInitThreadCNode, 0, 0, child, 1));
    attempt("delete the page", seL4_CNode_Delete(AT(page)));
    attempt("all of it",
            seL4_Untyped_Retype(untyped, seL4_UntypedObject, LARGE_BITS, seL4_CapInitThreadCNode, 0, 0, child, 1));
    attempt("delete it", seL4_CNode_Delete(AT(child)));
    attempt("a page", seL4_Untyped_Retype(untyped, SMALL_PAGE, 0, seL4_CapInitThreadCNode, 0, 0, page, 1));
    map(page, WINDOW);
    say("cleared: %lx %lx", word[0], word[511]);
}

static void revocation_of_many(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject), copies[300];
    for (unsigned i = 0; i < 300; i++) {
        copies[i] = mint(endpoint, seL4_AllRights, i + 1);
    }
    attempt("revoke", seL4_CNode_Revoke(AT(endpoint)));
    unsigned left = 0;
    for (unsigned i = 0; i < 300; i++) {
        left += taken(copies[i]);
    }
    say("left: %u, the endpoint: %d", left, taken(endpoint));
}

static void deletion_of_a_cnode(void)
{
    seL4_CPtr notification = make(seL4_NotificationObject), node = make_sized(seL4_CapTableObject, 10);
    for (seL4_Word i = 0; i < 1024; i++) {
        seL4_Error error = seL4_CNode_Copy(node, i, 10, AT(notification), seL4_AllRights);
        if (error) {
            attempt("copy", error);
        }
    }
    attempt("bind", seL4_TCB_BindNotification(seL4_CapInitThreadTCB, notification));
    attempt("delete all but the copies", seL4_CNode_Delete(AT(notification)));
    attempt("delete the copies", seL4_CNode_Delete(AT(node)));
    attempt("unbind", seL4_TCB_UnbindNotification(seL4_CapInitThreadTCB));
    say("left: %d", taken(node));
}

/* CNodes that hold each other, with many slots. */
static void deletion_of_a_chain(void)
{
    seL4_CPtr nodes[3];
    for (int i = 0; i < 3; i++) {
        nodes[i] = make_sized(seL4_CapTableObject, 8);
    }
    for (int i = 0; i < 3; i++) {
        attempt("copy", seL4_CNode_Copy(nodes[i], 200, 8, AT(nodes[(i + 1) % 3]), seL4_AllRights));
        attempt("and another", seL4_CNode_Copy(nodes[i], 3, 8, AT(nodes[(i + 2) % 3]), seL4_AllRights));
    }
    for (int i = 0; i < 3; i++) {
        attempt("delete", seL4_CNode_Delete(AT(nodes[i])));
        say("left: %d %d %d", taken(nodes[0]), taken(nodes[1]), taken(nodes[2]));
    }
}

const struct scenario long_scenarios[] = {
    { "reset of an untyped", reset_of_an_untyped },
    { "revocation of many capabilities", revocation_of_many },
    { "deletion of a CNode", deletion_of_a_cnode },
    { "deletion of CNodes that hold each other", deletion_of_a_chain },
    { 0 },
};
