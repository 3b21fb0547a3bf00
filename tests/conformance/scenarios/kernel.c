/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is there from the beginning, and the calls for debugging.
 */
#include <sel4runtime.h>
#include "subjects.h"

static void kinds(void)
{
    static const struct {
        const char *name;
        seL4_CPtr capability;
    } initial[] = {
        { "null", seL4_CapNull },
        { "TCB", seL4_CapInitThreadTCB },
        { "CNode", seL4_CapInitThreadCNode },
        { "VSpace", seL4_CapInitThreadVSpace },
        { "IRQ control", seL4_CapIRQControl },
        { "ASID control", seL4_CapASIDControl },
        { "ASID pool", seL4_CapInitThreadASIDPool },
        { "BootInfo frame", seL4_CapBootInfoFrame },
        { "IPC buffer", seL4_CapInitThreadIPCBuffer },
        { "domain", seL4_CapDomain },
    };
    for (unsigned i = 0; i < sizeof(initial) / sizeof(initial[0]); i++) {
        say("%s: %u", initial[i].name, seL4_DebugCapIdentify(initial[i].capability));
    }
    say("untyped: %u", seL4_DebugCapIdentify(world_untyped()));
    say("endpoint: %u", seL4_DebugCapIdentify(make(seL4_EndpointObject)));
    say("notification: %u", seL4_DebugCapIdentify(make(seL4_NotificationObject)));
    say("page: %u", seL4_DebugCapIdentify(make(SMALL_PAGE)));
    say("large page: %u", seL4_DebugCapIdentify(make(LARGE_PAGE)));
    for (int i = 0; i < TABLE_LEVELS; i++) {
        say("page table of level %d: %u", i, seL4_DebugCapIdentify(make(table_types[i])));
    }
#ifdef CONFIG_KERNEL_MCS
    say("reply: %u", seL4_DebugCapIdentify(make(seL4_ReplyObject)));
    say("scheduling context: %u", seL4_DebugCapIdentify(make_sized(seL4_SchedContextObject, seL4_MinSchedContextBits)));
#endif
    say("an empty slot: %u", seL4_DebugCapIdentify(slot()));
    say("no slot: %u", seL4_DebugCapIdentify((seL4_Word)1 << 60));
}

static void bootinfo(void)
{
    const seL4_BootInfo *info = sel4runtime_bootinfo();
    say("node %lu of %lu", info->nodeID, info->numNodes);
    say("the IPC buffer is there: %d, aligned: %d", info->ipcBuffer != 0, ((seL4_Word)info->ipcBuffer & 1023) == 0);
    say("and is the thread's own: %d", info->ipcBuffer == seL4_GetIPCBuffer());
    say("bits of the CNode: %u", (unsigned)info->initThreadCNodeSizeBits);
    say("domain: %lu", info->initThreadDomain);
    say("empty slots end with the CNode: %d", info->empty.end == (seL4_Word)1 << info->initThreadCNodeSizeBits);
    say("shared frames: %lu", info->sharedFrames.end - info->sharedFrames.start);
    seL4_Word memory = 0, kind = seL4_DebugCapIdentify(world_untyped()), other = 0, aligned = 1, sizes = 1;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        const seL4_UntypedDesc *untyped = &info->untypedList[i];
        memory += !untyped->isDevice;
        other += seL4_DebugCapIdentify(info->untyped.start + i) != kind;
        aligned = aligned && (untyped->isDevice || !(untyped->paddr & (((seL4_Word)1 << untyped->sizeBits) - 1)));
        sizes = sizes && untyped->sizeBits >= seL4_MinUntypedBits && untyped->sizeBits <= seL4_MaxUntypedBits;
    }
    say("untypeds of memory: %d, others among them: %lu, aligned: %lu, sizes in range: %lu", memory > 0, other, aligned,
        sizes);
#ifdef CONFIG_KERNEL_MCS
    say("scheduling controls: %lu", info->schedcontrol.end - info->schedcontrol.start);
    say("the first: %u", seL4_DebugCapIdentify(info->schedcontrol.start));
#endif
}

static void image(void)
{
    const seL4_BootInfo *info = sel4runtime_bootinfo();
    say("frames of the image: %d", info->userImageFrames.end > info->userImageFrames.start);
    say("the first of them is a page: %d",
        seL4_DebugCapIdentify(info->userImageFrames.start) == seL4_DebugCapIdentify(seL4_CapInitThreadIPCBuffer));
    say("page tables of the image: %d", info->userImagePaging.end > info->userImagePaging.start);
}

/* What the initial capabilities allow. */
static void initial_capabilities(void)
{
    attempt("revoke the TCB", seL4_CNode_Revoke(AT(seL4_CapInitThreadTCB)));
    attempt("a copy of the TCB", seL4_CNode_Copy(AT(slot()), AT(seL4_CapInitThreadTCB), seL4_AllRights));
    attempt("a copy of the CNode", seL4_CNode_Copy(AT(slot()), AT(seL4_CapInitThreadCNode), seL4_AllRights));
    attempt("a copy of the VSpace", seL4_CNode_Copy(AT(slot()), AT(seL4_CapInitThreadVSpace), seL4_AllRights));
    attempt("a copy of the ASID control", seL4_CNode_Copy(AT(slot()), AT(seL4_CapASIDControl), seL4_AllRights));
    attempt("a copy of the ASID pool", seL4_CNode_Copy(AT(slot()), AT(seL4_CapInitThreadASIDPool), seL4_AllRights));
    attempt("a copy of the IPC buffer", seL4_CNode_Copy(AT(slot()), AT(seL4_CapInitThreadIPCBuffer), seL4_AllRights));
    attempt("a copy of null", seL4_CNode_Copy(AT(slot()), AT(seL4_CapNull), seL4_AllRights));
    attempt("something into null", seL4_CNode_Copy(AT(seL4_CapNull), AT(seL4_CapInitThreadTCB), seL4_AllRights));
    attempt("and out of it", seL4_CNode_Delete(AT(seL4_CapNull)));
    attempt("resume itself", seL4_TCB_Resume(seL4_CapInitThreadTCB));
}

static void names(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject);
    seL4_DebugNameThread(tcb, "");
    seL4_DebugNameThread(tcb, "a name");
    say("named");
}

static void buffer(void)
{
    /* Message registers, user data and the receive path are the thread's own memory, which the kernel leaves alone. */
    seL4_SetMR(100, 42);
    seL4_SetCapReceivePath(1, 2, 3);
    seL4_Yield();
    say("register 100: %lu", seL4_GetMR(100));
    attempt("an invocation", seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, MAIN_PRIORITY));
    say("register 100: %lu", seL4_GetMR(100));
}

const struct scenario kernel_scenarios[] = {
    { "kinds of capabilities", kinds },
    { "BootInfo", bootinfo },
    { "the root server's image", image },
    { "initial capabilities", initial_capabilities },
    { "names of threads", names },
    { "the IPC buffer", buffer },
    { 0 },
};
