/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "subjects.h"

/* Into the slots from `to` on. */
static seL4_Error retype(seL4_CPtr untyped, seL4_Word type, seL4_Word size_bits, seL4_CPtr to, seL4_Word count)
{
    return seL4_Untyped_Retype(untyped, type, size_bits, seL4_CapInitThreadCNode, 0, 0, to, count);
}

static seL4_CPtr slots(unsigned count)
{
    seL4_CPtr first = slot();
    while (--count) {
        slot();
    }
    return first;
}

static void watermark(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 12), to = slots(8);
    attempt("64 bytes", retype(untyped, seL4_UntypedObject, 6, to, 1));
    attempt("16 bytes", retype(untyped, seL4_EndpointObject, 0, to + 1, 1));
    attempt("2048 bytes", retype(untyped, seL4_UntypedObject, 11, to + 2, 1));
    attempt("16 bytes, after the gap", retype(untyped, seL4_EndpointObject, 0, to + 3, 1));
    attempt("4096 bytes", retype(untyped, seL4_UntypedObject, 12, to + 4, 1));
    attempt("the rest is not there", retype(untyped, seL4_EndpointObject, 0, to + 4, 1));
}

static void size_of_what_is_left(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 10), to = slots(8);
    attempt("512 of 1024", retype(untyped, seL4_UntypedObject, 9, to, 1));
    attempt("1024 more", retype(untyped, seL4_UntypedObject, 10, to + 1, 1));
    attempt("three times 256", retype(untyped, seL4_UntypedObject, 8, to + 1, 3));
    attempt("twice 256", retype(untyped, seL4_UntypedObject, 8, to + 1, 2));
    attempt("16 more", retype(untyped, seL4_EndpointObject, 0, to + 3, 1));
}

static void sizes(void)
{
    static const struct {
        const char *name;
        seL4_Word type;
    } types[] = {
        { "untyped", seL4_UntypedObject },
        { "CNode", seL4_CapTableObject },
        { "TCB", seL4_TCBObject },
        { "endpoint", seL4_EndpointObject },
        { "notification", seL4_NotificationObject },
#ifdef CONFIG_KERNEL_MCS
        { "scheduling context", seL4_SchedContextObject },
        { "reply", seL4_ReplyObject },
#endif
        { "page", SMALL_PAGE },
        { "page table", table_types[TABLE_LEVELS - 1] },
        { "address space", VSPACE },
    };
    static const seL4_Word bits[] = { 0, 1, 3, 4, 5, 7, 12, 13, 20, 40, 47, 48, 59, 60, 63, 64, 200, (seL4_Word)-1 };
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 13), to = slot();
    for (unsigned type = 0; type < sizeof(types) / sizeof(types[0]); type++) {
        for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
            say("%s, 2^%ld", types[type].name, (long)bits[i]);
            attempt("retype", retype(untyped, types[type].type, bits[i], to, 1));
            /* The untyped is whole again when it has no children. */
            if (taken(to)) {
                seL4_CNode_Delete(AT(to));
            }
        }
    }
}

static void types_that_are_none(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 12), to = slot();
    static const seL4_Word types[] = { 50, 1000, (seL4_Word)1 << 32, (seL4_Word)-1 };
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        attempt("retype", retype(untyped, types[i], 12, to, 1));
    }
}

static void counts(void)
{
    static const seL4_Word counts[] = { 0, 1, 2, 4, 5, 255, 256, 257, (seL4_Word)1 << 32, (seL4_Word)-1 };
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 6), to = slots(4);
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        say("%lu endpoints", counts[i]);
        attempt("retype", retype(untyped, seL4_EndpointObject, 0, to, counts[i]));
        seL4_CNode_Revoke(AT(untyped));
    }
}

static void window(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 10);
    seL4_CPtr node = make_sized(seL4_CapTableObject, 3);
    static const struct {
        seL4_Word offset, count;
    } windows[] = {
        { 0, 8 }, { 0, 9 }, { 7, 1 }, { 7, 2 }, { 8, 1 }, { 9, 1 }, { (seL4_Word)-1, 1 }, { (seL4_Word)-1, 2 }
    };
    for (unsigned i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        say("offset %ld, count %lu", (long)windows[i].offset, windows[i].count);
        attempt("retype", seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, seL4_CapInitThreadCNode, node,
                                              seL4_WordBits, windows[i].offset, windows[i].count));
        seL4_CNode_Revoke(AT(untyped));
    }
}

static void destination(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 10), endpoint = make(seL4_EndpointObject), to = slots(4);
    attempt("a taken slot", retype(untyped, seL4_EndpointObject, 0, endpoint, 1));
    attempt("one of several is taken", retype(untyped, seL4_EndpointObject, 0, endpoint - 1, 2));
    attempt("first", retype(untyped, seL4_EndpointObject, 0, to + 1, 1));
    attempt("the second of two is taken", retype(untyped, seL4_EndpointObject, 0, to, 2));
    say("the first of the two is %s", taken(to) ? "taken" : "empty");
    attempt("the root is no CNode", seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, endpoint, 0, 0, to, 1));
    attempt("the root is empty", seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, to + 2, 0, 0, to, 1));
    attempt("the node is no CNode", seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, AT(endpoint), to, 1));
    attempt("the node is empty", seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, AT(to + 2), to, 1));
    attempt("depth too small",
            seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, seL4_CapInitThreadCNode, 0, 1, to, 1));
    attempt("depth too large",
            seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, seL4_CapInitThreadCNode, 0, 65, to, 1));
    attempt("the service is no untyped", retype(seL4_CapInitThreadTCB, seL4_EndpointObject, 0, to, 1));
    attempt("the service is empty", retype(to + 2, seL4_EndpointObject, 0, to, 1));
}

static void whole_again(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 11), to = slots(4);
    attempt("a half", retype(untyped, seL4_UntypedObject, 10, to, 1));
    attempt("the whole", retype(untyped, seL4_UntypedObject, 11, to + 1, 1));
    attempt("delete the half", seL4_CNode_Delete(AT(to)));
    attempt("the whole", retype(untyped, seL4_UntypedObject, 11, to + 1, 1));
    attempt("a grandchild", retype(to + 1, seL4_EndpointObject, 0, to + 2, 1));
    attempt("delete the child", seL4_CNode_Delete(AT(to + 1)));
    say("the grandchild is %s", taken(to + 2) ? "still there" : "gone");
    attempt("the whole", retype(untyped, seL4_UntypedObject, 11, to + 1, 1));
    attempt("revoke", seL4_CNode_Revoke(AT(untyped)));
    say("the grandchild is %s", taken(to + 2) ? "still there" : "gone");
    attempt("the whole", retype(untyped, seL4_UntypedObject, 11, to + 1, 1));
}

static void copies_of_untypeds(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 10), to = slots(4);
    attempt("copy of a fresh one", seL4_CNode_Copy(AT(to), AT(untyped), seL4_AllRights));
    attempt("half of the copy", retype(to, seL4_UntypedObject, 9, to + 1, 1));
    attempt("the whole of the original", retype(untyped, seL4_UntypedObject, 10, to + 2, 1));
    attempt("copy with a child", seL4_CNode_Copy(AT(to + 2), AT(to), seL4_AllRights));
    attempt("move with a child", seL4_CNode_Move(AT(to + 2), AT(to)));
    attempt("revoke what moved", seL4_CNode_Revoke(AT(to + 2)));
    say("its child is %s", taken(to + 1) ? "still there" : "gone");
    attempt("the whole of the original", retype(untyped, seL4_UntypedObject, 10, to + 1, 1));
    attempt("revoke the original", seL4_CNode_Revoke(AT(untyped)));
    say("the copy is %s", taken(to + 2) ? "still there" : "gone");
}

static void badges_and_rights(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 10), to = slots(3);
    attempt("mint with a badge", seL4_CNode_Mint(AT(to), AT(untyped), seL4_AllRights, 5));
    attempt("mint without rights", seL4_CNode_Mint(AT(to + 1), AT(untyped), seL4_NoRights, 0));
    attempt("retype of that", retype(to + 1, seL4_EndpointObject, 0, to + 2, 1));
}

static void memory_is_zero(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, seL4_PageBits), page = slot();
    seL4_Word address = 0x11000000;
    for (int round = 0; round < 2; round++) {
        attempt("a page", retype(untyped, SMALL_PAGE, 0, page, 1));
        map(page, address);
        volatile seL4_Word *words = (volatile seL4_Word *)address;
        seL4_Word sum = 0;
        for (unsigned i = 0; i < (1 << seL4_PageBits) / sizeof(seL4_Word); i++) {
            sum |= words[i];
            words[i] = 0x5a5a5a5a;
        }
        say("what is in it: %lu", sum);
        attempt("delete", seL4_CNode_Delete(AT(page)));
    }
}

static void labels_that_are_none(void)
{
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 10);
    static const seL4_Word labels[] = { 0, 2, 1000 };
    for (unsigned i = 0; i < 3; i++) {
        seL4_MessageInfo_t info = seL4_Call(untyped, seL4_MessageInfo_new(labels[i], 0, 0, 0));
        attempt("a call of an untyped", (seL4_Error)seL4_MessageInfo_get_label(info));
    }
    for (unsigned length = 0; length < 7; length++) {
        for (unsigned i = 0; i < 7; i++) {
            seL4_SetMR(i, 0);
        }
        seL4_MessageInfo_t info = seL4_Call(untyped, seL4_MessageInfo_new(UntypedRetype, 0, 0, length));
        attempt("a short retype", (seL4_Error)seL4_MessageInfo_get_label(info));
    }
}

const struct scenario untyped_scenarios[] = {
    { "watermark and alignment", watermark },
    { "what is left", size_of_what_is_left },
    { "sizes of all types", sizes },
    { "types that are none", types_that_are_none },
    { "numbers of objects", counts },
    { "window in a CNode", window },
    { "destinations", destination },
    { "whole again after delete and revoke", whole_again },
    { "copies", copies_of_untypeds },
    { "badges and rights", badges_and_rights },
    { "fresh memory is zero", memory_is_zero },
    { "labels and lengths", labels_that_are_none },
    { 0 },
};
