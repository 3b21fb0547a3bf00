/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where an index leads in CNodes with guards, one below the other.
 */
#include "subjects.h"

/* Outer: 3 bits with a guard of 4 bits, 0xa. In its slot 5 the inner: 2 bits with a guard of 3 bits, 0x6. In that one's
 * slot 1 a notification. */
static seL4_CPtr outer;
static seL4_CPtr spare;

static void begin(void)
{
    outer = slot();
    spare = make(seL4_NotificationObject);
    seL4_CPtr plain = make_sized(seL4_CapTableObject, 3), inner = make_sized(seL4_CapTableObject, 2);
    attempt("a notification into the inner one", seL4_CNode_Copy(inner, 1, 2, AT(spare), seL4_AllRights));
    attempt("the inner one into the outer one",
            seL4_CNode_Mint(plain, 5, 3, AT(inner), seL4_AllRights, seL4_CNode_CapData_new(6, 3).words[0]));
    attempt("the outer one's guard",
            seL4_CNode_Mint(AT(outer), AT(plain), seL4_AllRights, seL4_CNode_CapData_new(0xa, 4).words[0]));
}

/* Copies from an index at all depths. */
static void depths(const char *what, seL4_Word index)
{
    for (seL4_Word depth = 0; depth <= 15; depth++) {
        seL4_CPtr to = slot();
        say("%s, depth %lu", what, depth);
        attempt("copy from there", seL4_CNode_Copy(AT(to), outer, index, depth, seL4_AllRights));
        if (taken(to)) {
            say("kind %u", seL4_DebugCapIdentify(to));
            seL4_CNode_Delete(AT(to));
        }
    }
}

/* An index has its bits at the lower end: as many as the depth says. */
static void all_depths(void)
{
    begin();
    depths("outer slot 5", 0xa << 3 | 5);
    depths("inner slot 1", ((0xa << 3 | 5) << 3 | 6) << 2 | 1);
    depths("inner slot 2", ((0xa << 3 | 5) << 3 | 6) << 2 | 2);
    depths("wrong guard outside", (0xb << 3 | 5) << 5);
    depths("wrong guard inside", ((0xa << 3 | 5) << 3 | 5) << 2 | 1);
    depths("empty outside", 0xa << 3 | 4);
}

static void full_depth(void)
{
    begin();
    attempt("64 bits in the root", seL4_CNode_Copy(AT(slot()), seL4_CapInitThreadCNode, spare, 64, seL4_AllRights));
    attempt("63 bits in the root", seL4_CNode_Copy(AT(slot()), seL4_CapInitThreadCNode, spare, 63, seL4_AllRights));
    attempt("65 bits in the root", seL4_CNode_Copy(AT(slot()), seL4_CapInitThreadCNode, spare, 65, seL4_AllRights));
    attempt("255 bits in the root", seL4_CNode_Copy(AT(slot()), seL4_CapInitThreadCNode, spare, 255, seL4_AllRights));
    attempt("256 + 64 bits in the root",
            seL4_CNode_Copy(AT(slot()), seL4_CapInitThreadCNode, spare, (seL4_Uint8)(256 + 64), seL4_AllRights));
    attempt("high bits in the root",
            seL4_CNode_Copy(AT(slot()), seL4_CapInitThreadCNode, spare | (seL4_Word)1 << 40, 64, seL4_AllRights));
    attempt("destination with high bits",
            seL4_CNode_Copy(seL4_CapInitThreadCNode, slot() | (seL4_Word)1 << 63, 64, AT(spare), seL4_AllRights));
}

static void guards(void)
{
    seL4_CPtr node = make_sized(seL4_CapTableObject, 4);
    static const struct {
        seL4_Word guard, bits;
    } guards[] = { { 0, 0 }, { 0, 60 }, { 0, 61 }, { 0, 63 }, { 1, 1 }, { 2, 1 }, { 0xff, 4 }, { 1, 0 } };
    for (unsigned i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
        say("guard %lu of %lu bits", guards[i].guard, guards[i].bits);
        seL4_CPtr to = slot();
        attempt("mint", seL4_CNode_Mint(AT(to), AT(node), seL4_AllRights,
                                        seL4_CNode_CapData_new(guards[i].guard, guards[i].bits).words[0]));
        if (taken(to)) {
            /* What the guard became shows in the refusal of an index that does not have it. */
            attempt("an index of ones", seL4_CNode_Copy(AT(slot()), to, (seL4_Word)-1, 64, seL4_AllRights));
            attempt("an index of zeros", seL4_CNode_Copy(AT(slot()), to, 0, 64, seL4_AllRights));
        }
    }
    attempt("a badge that is no guard", seL4_CNode_Mint(AT(slot()), AT(node), seL4_AllRights, (seL4_Word)-1));
}

/* What moves keeps its place, but not what is copied: a CNode's guard. */
static void guard_of_copies(void)
{
    begin();
    seL4_CPtr copy = slot(), moved = slot(), minted = slot();
    attempt("copy", seL4_CNode_Copy(AT(copy), AT(outer), seL4_NoRights));
    attempt("into the copy, with the guard", seL4_CNode_Copy(copy, 0xa << 3, 7, AT(spare), seL4_AllRights));
    attempt("mint with data 0", seL4_CNode_Mint(AT(minted), AT(outer), seL4_AllRights, 0));
    attempt("into that, with the guard", seL4_CNode_Copy(minted, 0xa << 3 | 1, 7, AT(spare), seL4_AllRights));
    attempt("into that, without", seL4_CNode_Copy(minted, 2, 3, AT(spare), seL4_AllRights));
    attempt("move", seL4_CNode_Move(AT(moved), AT(outer)));
    attempt("into what moved, with the guard", seL4_CNode_Copy(moved, 0xa << 3 | 3, 7, AT(spare), seL4_AllRights));
    attempt("mutate to no guard", seL4_CNode_Mutate(AT(outer), AT(moved), 0));
    attempt("into that, without", seL4_CNode_Copy(outer, 4, 3, AT(spare), seL4_AllRights));
    attempt("into that, with the guard", seL4_CNode_Copy(outer, 0xa << 3 | 4, 7, AT(spare), seL4_AllRights));
}

const struct scenario lookup_scenarios[] = {
    { "guards and depths", all_depths },
    { "full depth", full_depth },
    { "guards that fit and that do not", guards },
    { "guards of copies", guard_of_copies },
    { 0 },
};
