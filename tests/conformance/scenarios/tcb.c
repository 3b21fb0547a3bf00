/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "subjects.h"

#define SELF seL4_CapInitThreadTCB

static void priorities(void)
{
    static const seL4_Word values[] = { 0, 100, 254, 255, 256, (seL4_Word)1 << 32, (seL4_Word)-1 };
    seL4_CPtr tcb = make(seL4_TCBObject);
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        say("priority %ld", (long)values[i]);
        attempt("priority", seL4_TCB_SetPriority(tcb, SELF, values[i]));
        attempt("maximum controlled priority", seL4_TCB_SetMCPriority(tcb, SELF, values[i]));
#ifndef CONFIG_KERNEL_MCS
        attempt("both, the former in range", seL4_TCB_SetSchedParams(tcb, SELF, 5, values[i]));
        attempt("both, the latter in range", seL4_TCB_SetSchedParams(tcb, SELF, values[i], 5));
#endif
    }
}

static void authority(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject), weak = make(seL4_TCBObject), endpoint = make(seL4_EndpointObject);
    attempt("a maximum of 30 for the authority", seL4_TCB_SetMCPriority(weak, SELF, 30));
    attempt("priority 30", seL4_TCB_SetPriority(tcb, weak, 30));
    attempt("priority 31", seL4_TCB_SetPriority(tcb, weak, 31));
    attempt("maximum 30", seL4_TCB_SetMCPriority(tcb, weak, 30));
    attempt("maximum 31", seL4_TCB_SetMCPriority(tcb, weak, 31));
    attempt("a priority above one's own maximum", seL4_TCB_SetPriority(weak, SELF, 200));
    attempt("a fresh thread as authority, 0", seL4_TCB_SetPriority(weak, make(seL4_TCBObject), 0));
    attempt("a fresh thread as authority, 1", seL4_TCB_SetPriority(weak, make(seL4_TCBObject), 1));
    attempt("an endpoint as authority", seL4_TCB_SetPriority(tcb, endpoint, 1));
    attempt("nothing as authority", seL4_TCB_SetPriority(tcb, slot(), 1));
    attempt("of a CNode", seL4_TCB_SetPriority(seL4_CapInitThreadCNode, SELF, 1));
    attempt("of nothing", seL4_TCB_SetPriority(slot(), SELF, 1));
}

static unsigned rounds;

static void count(seL4_Word through, seL4_Word times)
{
    while (times--) {
        rounds++;
        say("round %u", rounds);
        seL4_Word badge;
        seL4_Wait(through, &badge);
    }
}

static void suspend_and_resume(void)
{
    seL4_CPtr notification = make(seL4_NotificationObject);
    rounds = 0;
    struct thread *thread = thread_make("thread", 150, count, notification, 3);
    attempt("suspend what never ran", seL4_TCB_Suspend(thread->tcb));
    attempt("resume", seL4_TCB_Resume(thread->tcb));
    attempt("resume what waits", seL4_TCB_Resume(thread->tcb));
    attempt("suspend what waits", seL4_TCB_Suspend(thread->tcb));
    attempt("suspend it again", seL4_TCB_Suspend(thread->tcb));
    seL4_Signal(notification);
    say("a signal while it is suspended");
    attempt("resume", seL4_TCB_Resume(thread->tcb));
    seL4_Signal(notification);
    attempt("resume what suspended itself", seL4_TCB_Resume(thread->tcb));
    attempt("suspend a fresh one", seL4_TCB_Suspend(make(seL4_TCBObject)));
    attempt("suspend a CNode", seL4_TCB_Suspend(seL4_CapInitThreadCNode));
    attempt("suspend nothing", seL4_TCB_Suspend(slot()));
}

static void waits(seL4_Word through, seL4_Word unused)
{
    (void)unused;
    seL4_Word badge;
    seL4_Wait(through, &badge);
}

static void registers(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject);
    /* The stub writes as many words as were asked for, whatever the kernel said. */
    union {
        seL4_UserContext context;
        seL4_Word words[seL4_MsgMaxLength];
    } all = { 0 };
    attempt("read a fresh thread", seL4_TCB_ReadRegisters(tcb, 0, 0, CONTEXT_WORDS, &all.context));
    for (unsigned i = 0; i < CONTEXT_WORDS; i++) {
        if (all.words[i]) {
            say("  word %u: %lx", i, all.words[i]);
        }
    }
    static const seL4_Word counts[] = { 0, 1, 2, 5, CONTEXT_WORDS - 1, CONTEXT_WORDS, CONTEXT_WORDS + 1, 117 };
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        say("%lu registers", counts[i]);
        for (unsigned j = 0; j < seL4_MsgMaxLength; j++) {
            all.words[j] = 0x1000 * (j + 1);
        }
        attempt("write", seL4_TCB_WriteRegisters(tcb, 0, 0, counts[i], &all.context));
        __builtin_memset(&all, 0, sizeof(all));
        seL4_Error error = seL4_TCB_ReadRegisters(tcb, 0, 0, counts[i], &all.context);
        attempt("read", error);
        for (unsigned j = 0; j < counts[i] && !error; j++) {
            say("  word %u: %lx", j, all.words[j]);
        }
    }
    attempt("read one's own", seL4_TCB_ReadRegisters(SELF, 0, 0, CONTEXT_WORDS, &all.context));
    attempt("write one's own", seL4_TCB_WriteRegisters(SELF, 0, 0, CONTEXT_WORDS, &all.context));
}

static void addresses_of_the_kernel(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject);
    seL4_UserContext context = { 0 };
    context.CONTEXT_IP = (seL4_Word)0xffffffff80000000;
    context.CONTEXT_SP = (seL4_Word)-16;
    attempt("write", seL4_TCB_WriteRegisters(tcb, 0, 0, CONTEXT_WORDS, &context));
    attempt("read", seL4_TCB_ReadRegisters(tcb, 0, 0, CONTEXT_WORDS, &context));
    say("ip %lx sp %lx", context.CONTEXT_IP, context.CONTEXT_SP);
    static const seL4_Word bases[] = { 0, 0x1000, (seL4_Word)0x00007fffffffffff, (seL4_Word)1 << 47, (seL4_Word)-1 };
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        say("TLS base %lx", bases[i]);
        attempt("set", seL4_TCB_SetTLSBase(tcb, bases[i]));
    }
}

static void copied_registers(void)
{
    seL4_CPtr from = make(seL4_TCBObject), to = make(seL4_TCBObject);
    seL4_UserContext context;
    for (unsigned parts = 0; parts < 4; parts++) {
        __builtin_memset(&context, 0, sizeof(context));
        context.CONTEXT_IP = 0x1000;
        context.CONTEXT_SP = 0x2000;
        context.CONTEXT_ARGUMENT = 0x3000;
        context.CONTEXT_KEPT = 0x4000;
        attempt("write the source", seL4_TCB_WriteRegisters(from, 0, 0, CONTEXT_WORDS, &context));
        __builtin_memset(&context, 0, sizeof(context));
        attempt("clear the destination", seL4_TCB_WriteRegisters(to, 0, 0, CONTEXT_WORDS, &context));
        attempt("copy", seL4_TCB_CopyRegisters(to, from, 0, 0, parts >> 1, parts & 1, 0));
        attempt("read", seL4_TCB_ReadRegisters(to, 0, 0, CONTEXT_WORDS, &context));
        say("frame %u, integer %u: ip %lx sp %lx argument %lx kept %lx", parts >> 1, parts & 1, context.CONTEXT_IP,
            context.CONTEXT_SP, context.CONTEXT_ARGUMENT, context.CONTEXT_KEPT);
    }
    attempt("from an endpoint", seL4_TCB_CopyRegisters(to, make(seL4_EndpointObject), 0, 0, 1, 1, 0));
    attempt("from nothing", seL4_TCB_CopyRegisters(to, slot(), 0, 0, 1, 1, 0));
    attempt("from itself", seL4_TCB_CopyRegisters(to, to, 0, 0, 1, 1, 0));
}

static void moved_execution(void)
{
    /* One thread goes on with what another began: its registers are copied, and the other is suspended. */
    seL4_CPtr notification = make(seL4_NotificationObject);
    rounds = 0;
    struct thread *first = thread_start("first", 150, count, notification, 3);
    struct thread *second = thread_make("second", 150, waits, notification, 0);
    seL4_UserContext context;
    attempt("copy, suspend the source", seL4_TCB_CopyRegisters(second->tcb, first->tcb, 1, 0, 1, 1, 0));
    seL4_Signal(notification);
    seL4_Word badge = 9;
    seL4_Poll(notification, &badge);
    say("nobody waits: badge %lu", badge);
    attempt("read and suspend", seL4_TCB_ReadRegisters(first->tcb, 1, 0, CONTEXT_WORDS, &context));
    say("stack is that of both: %d", context.CONTEXT_SP != 0);
}

static void configuration(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject), endpoint = make(seL4_EndpointObject), page = make(SMALL_PAGE), empty = slot();
    seL4_CPtr node = make_sized(seL4_CapTableObject, 4), vspace = make(VSPACE), root = seL4_CapInitThreadVSpace;
    seL4_Word guard = seL4_CNode_CapData_new(0, 60).words[0];
#ifdef CONFIG_KERNEL_MCS
#define CONFIGURE(...) seL4_TCB_Configure(tcb, __VA_ARGS__)
#else
#define CONFIGURE(...) seL4_TCB_Configure(tcb, 0, __VA_ARGS__)
#endif
    attempt("all well", CONFIGURE(node, guard, root, 0, 0x10000400, page));
    attempt("no buffer", CONFIGURE(node, guard, root, 0, 0, 0));
    attempt("a buffer that is not aligned", CONFIGURE(node, guard, root, 0, 0x10000408, page));
    attempt("a buffer of 512 bytes' alignment", CONFIGURE(node, guard, root, 0, 0x10000200, page));
    attempt("a buffer without a page", CONFIGURE(node, guard, root, 0, 0x10000400, empty));
    attempt("an endpoint as page", CONFIGURE(node, guard, root, 0, 0x10000400, endpoint));
    attempt("no CNode", CONFIGURE(empty, 0, root, 0, 0, 0));
    attempt("an endpoint as CNode", CONFIGURE(endpoint, 0, root, 0, 0, 0));
    attempt("a guard that is too long", CONFIGURE(node, seL4_CNode_CapData_new(0, 62).words[0], root, 0, 0, 0));
    attempt("no address space", CONFIGURE(node, guard, empty, 0, 0, 0));
    attempt("an endpoint as address space", CONFIGURE(node, guard, endpoint, 0, 0, 0));
    attempt("an address space without ASID", CONFIGURE(node, guard, vspace, 0, 0, 0));
    attempt("a page table as address space", CONFIGURE(node, guard, make(table_types[TABLE_LEVELS - 1]), 0, 0, 0));
    attempt("a page that can only be read", CONFIGURE(node, guard, root, 0, 0x10000400, mint(page, seL4_CanRead, 0)));
    attempt("of an endpoint's like", seL4_TCB_SetIPCBuffer(node, 0x10000400, page));
    attempt("SetIPCBuffer", seL4_TCB_SetIPCBuffer(tcb, 0x10000400, page));
    attempt("SetIPCBuffer, not aligned", seL4_TCB_SetIPCBuffer(tcb, 0x10000401, page));
    attempt("SetIPCBuffer, none", seL4_TCB_SetIPCBuffer(tcb, 0, 0));
    attempt("SetIPCBuffer, no page", seL4_TCB_SetIPCBuffer(tcb, 0x10000400, empty));
    attempt("SetSpace", seL4_TCB_SetSpace(tcb, 0, node, guard, root, 0));
    attempt("SetSpace, no CNode", seL4_TCB_SetSpace(tcb, 0, empty, guard, root, 0));
    attempt("SetSpace, no address space", seL4_TCB_SetSpace(tcb, 0, node, guard, empty, 0));
    attempt("SetSpace, data for the address space", seL4_TCB_SetSpace(tcb, 0, node, guard, root, 7));
    attempt("SetSpace, a fault handler", seL4_TCB_SetSpace(tcb, endpoint, node, guard, root, 0));
    attempt("SetSpace, a TCB as fault handler", seL4_TCB_SetSpace(tcb, tcb, node, guard, root, 0));
}

static void configuration_refers_to_copies(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject), node = make_sized(seL4_CapTableObject, 4), inside = slot();
    attempt("an address space and a CNode",
            seL4_TCB_SetSpace(tcb, 0, node, seL4_CNode_CapData_new(0, 60).words[0], seL4_CapInitThreadVSpace, 0));
    attempt("a TCB into its own CSpace", seL4_CNode_Copy(node, 3, 4, AT(tcb), seL4_AllRights));
    attempt("delete the CNode's capability", seL4_CNode_Delete(AT(node)));
    attempt("delete the TCB's", seL4_CNode_Delete(AT(tcb)));
    attempt("what is left goes by revoke", seL4_CNode_Revoke(AT(world_untyped())));
    say("%s", taken(inside) ? "there" : "gone");
}

static void domains(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject);
    static const seL4_Uint8 numbers[] = { 0, 1, 2, 15, 16, 255 };
    for (unsigned i = 0; i < sizeof(numbers); i++) {
        say("domain %u", (unsigned)numbers[i]);
        attempt("set", seL4_DomainSet_Set(seL4_CapDomain, numbers[i], tcb));
    }
    attempt("of an endpoint", seL4_DomainSet_Set(seL4_CapDomain, 0, make(seL4_EndpointObject)));
    attempt("of nothing", seL4_DomainSet_Set(seL4_CapDomain, 0, slot()));
    attempt("a start beyond the schedule", seL4_DomainSet_ScheduleSetStart(seL4_CapDomain, 1000));
    attempt("an entry beyond the schedule", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 1000, 0, 0));
    attempt("an entry of a domain that is none", seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 0, 200, 0));
    attempt("a copy of the capability", seL4_CNode_Copy(AT(slot()), AT(seL4_CapDomain), seL4_AllRights));
}

static void flags(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject);
    static const struct {
        seL4_Word clear, set;
    } changes[] = { { 0, 0 }, { 0, 1 }, { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, (seL4_Word)-1 }, { (seL4_Word)-1, 0 } };
    for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        seL4_TCB_SetFlags_t result = seL4_TCB_SetFlags(tcb, changes[i].clear, changes[i].set);
        say("clear %lx set %lx: error %d, flags %lx", changes[i].clear, changes[i].set, (int)result.error,
            result.flags);
    }
}

static void short_messages(void)
{
    seL4_CPtr tcb = make(seL4_TCBObject);
    static const struct {
        const char *name;
        seL4_Word label;
    } calls[] = {
        { "ReadRegisters", TCBReadRegisters },
        { "WriteRegisters", TCBWriteRegisters },
        { "CopyRegisters", TCBCopyRegisters },
        { "Configure", TCBConfigure },
        { "SetPriority", TCBSetPriority },
        { "SetMCPriority", TCBSetMCPriority },
        { "SetSchedParams", TCBSetSchedParams },
        { "SetIPCBuffer", TCBSetIPCBuffer },
        { "SetSpace", TCBSetSpace },
        { "BindNotification", TCBBindNotification },
        { "UnbindNotification", TCBUnbindNotification },
        { "SetTLSBase", TCBSetTLSBase },
        { "SetFlags", TCBSetFlags },
    };
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        for (seL4_Word length = 0; length < 4; length++) {
            for (seL4_Word caps = 0; caps < 2; caps++) {
                say("%s, %lu words, %lu capabilities", calls[i].name, length, caps);
                for (int j = 0; j < 4; j++) {
                    seL4_SetMR(j, 0);
                }
                seL4_SetCap(0, SELF);
                seL4_MessageInfo_t info = seL4_Call(tcb, seL4_MessageInfo_new(calls[i].label, 0, caps, length));
                attempt("call", (seL4_Error)seL4_MessageInfo_get_label(info));
            }
        }
    }
}

const struct scenario tcb_scenarios[] = {
    { "priorities", priorities },
    { "authority over priorities", authority },
    { "suspend and resume", suspend_and_resume },
    { "registers", registers },
    { "addresses of the kernel", addresses_of_the_kernel },
    { "registers are copied", copied_registers },
    { "execution moves", moved_execution },
    { "configuration", configuration },
    { "a thread in its own CSpace", configuration_refers_to_copies },
    { "domains", domains },
    { "flags", flags },
    { "short messages", short_messages },
    { 0 },
};
