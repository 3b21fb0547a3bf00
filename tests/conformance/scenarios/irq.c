/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "subjects.h"

/* An interrupt that no device of these platforms raises while the scenarios run. */
#if defined(CONFIG_ARCH_X86_64)
#define IRQ 100
static seL4_Error get(seL4_Word irq, seL4_CPtr root, seL4_Word index, seL4_Uint8 depth)
{
    return seL4_IRQControl_GetMSI(seL4_CapIRQControl, root, index, depth, 0, 0, 0, 0, irq);
}
#else
#define IRQ 100
static seL4_Error get(seL4_Word irq, seL4_CPtr root, seL4_Word index, seL4_Uint8 depth)
{
    return seL4_IRQControl_Get(seL4_CapIRQControl, irq, root, index, depth);
}
#endif

static void generic(void)
{
    static const seL4_Word numbers[] = { IRQ, 10000, (seL4_Word)-1 };
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        say("interrupt %ld", (long)numbers[i]);
        seL4_CPtr to = slot();
        attempt("get", seL4_IRQControl_Get(seL4_CapIRQControl, numbers[i], AT(to)));
        if (taken(to)) {
            seL4_CNode_Delete(AT(to));
        }
    }
}

static void control(void)
{
#if defined(CONFIG_ARCH_X86_64)
    /* Vectors for messages of devices count from the first that is free. */
    seL4_Word irq = 5;
#else
    seL4_Word irq = IRQ;
#endif
    seL4_CPtr handler = slot(), endpoint = make(seL4_EndpointObject);
    attempt("a slot that is taken", get(irq, AT(endpoint)));
    attempt("a root that is empty", get(irq, slot(), handler, seL4_WordBits));
    attempt("a root that is no CNode", get(irq, endpoint, handler, seL4_WordBits));
    attempt("a depth that is too small", get(irq, seL4_CapInitThreadCNode, handler, 4));
    attempt("a number that is too large", get(1000, AT(handler)));
    attempt("well", get(irq, AT(handler)));
    attempt("again", get(irq, AT(slot())));
    attempt("a copy of the control", seL4_CNode_Copy(AT(slot()), AT(seL4_CapIRQControl), seL4_AllRights));
    attempt("a badge for the control", seL4_CNode_Mint(AT(slot()), AT(seL4_CapIRQControl), seL4_AllRights, 4));
    seL4_CPtr copy = slot();
    attempt("a copy of the handler", seL4_CNode_Copy(AT(copy), AT(handler), seL4_AllRights));
    attempt("delete the handler", seL4_CNode_Delete(AT(handler)));
    attempt("again, while there is a copy", get(irq, AT(handler)));
    attempt("delete the copy", seL4_CNode_Delete(AT(copy)));
    attempt("again", get(irq, AT(handler)));
    attempt("of a TCB", seL4_IRQControl_Get(seL4_CapInitThreadTCB, irq, AT(slot())));
    attempt("of nothing", seL4_IRQControl_Get(slot(), irq, AT(slot())));
}

static void handler(void)
{
#if defined(CONFIG_ARCH_X86_64)
    seL4_Word irq = 6;
#else
    seL4_Word irq = IRQ + 1;
#endif
    seL4_CPtr handler = slot(), notification = make(seL4_NotificationObject), endpoint = make(seL4_EndpointObject);
    attempt("get", get(irq, AT(handler)));
    attempt("acknowledge without a notification", seL4_IRQHandler_Ack(handler));
    attempt("an endpoint", seL4_IRQHandler_SetNotification(handler, endpoint));
    attempt("nothing", seL4_IRQHandler_SetNotification(handler, slot()));
    attempt("no right to write", seL4_IRQHandler_SetNotification(handler, mint(notification, seL4_CanRead, 0)));
    attempt("well", seL4_IRQHandler_SetNotification(handler, mint(notification, seL4_CanWrite, 5)));
    attempt("another", seL4_IRQHandler_SetNotification(handler, notification));
    attempt("acknowledge", seL4_IRQHandler_Ack(handler));
    attempt("clear", seL4_IRQHandler_Clear(handler));
    attempt("clear again", seL4_IRQHandler_Clear(handler));
    attempt("of a CNode", seL4_IRQHandler_Ack(seL4_CapInitThreadCNode));
    attempt("of nothing", seL4_IRQHandler_Ack(slot()));
    for (seL4_Word label = IRQAckIRQ; label <= IRQClearIRQHandler; label++) {
        seL4_MessageInfo_t info = seL4_Call(handler, seL4_MessageInfo_new(label, 0, 0, 0));
        say("invocation %lu without a capability", label - IRQAckIRQ);
        attempt("call", (seL4_Error)seL4_MessageInfo_get_label(info));
    }
    seL4_MessageInfo_t info = seL4_Call(handler, seL4_MessageInfo_new(TCBSuspend, 0, 0, 0));
    attempt("an invocation of a TCB", (seL4_Error)seL4_MessageInfo_get_label(info));
    attempt("revoke", seL4_CNode_Revoke(AT(handler)));
    attempt("delete the notification", seL4_CNode_Delete(AT(notification)));
    attempt("acknowledge", seL4_IRQHandler_Ack(handler));
}

#if defined(CONFIG_ARCH_X86_64)
static void ports(void)
{
    seL4_CPtr port = slot();
    static const struct {
        seL4_Word first, last;
    } ranges[] = {
        { 0x80, 0x80 }, { 0x80, 0x8f }, { 0x90, 0x81 }, { 0, 0xffff }, { 0x10000, 0x10001 }, { 0x3f8, 0x3f8 }
    };
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        say("ports %lx to %lx", ranges[i].first, ranges[i].last);
        attempt("issue",
                seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, ranges[i].first, ranges[i].last, AT(port)));
        if (taken(port)) {
            attempt("issue it again",
                    seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, ranges[i].first, ranges[i].last, AT(slot())));
            attempt("write below", seL4_X86_IOPort_Out8(port, ranges[i].first - 1, 0));
            attempt("write beyond", seL4_X86_IOPort_Out8(port, ranges[i].last + 1, 0));
            attempt("a word that is half outside", seL4_X86_IOPort_Out16(port, ranges[i].last, 0));
            attempt("delete", seL4_CNode_Delete(AT(port)));
        }
    }
    attempt("into a taken slot",
            seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x80, 0x80, AT(make(seL4_EndpointObject))));
    attempt("a copy of the control", seL4_CNode_Copy(AT(slot()), AT(seL4_CapIOPortControl), seL4_AllRights));
    seL4_X86_IOPort_In8_t in = seL4_X86_IOPort_In8(seL4_CapInitThreadTCB, 0x80);
    attempt("of a TCB", (seL4_Error)in.error);
}
#endif

const struct scenario irq_scenarios[] = {
    { "the generic control", generic },
    { "control", control },
    { "handler", handler },
#if defined(CONFIG_ARCH_X86_64)
    { "ports", ports },
#endif
    { 0 },
};
