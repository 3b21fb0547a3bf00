/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread that serves. With MCS it has no time of its own but runs on its clients', as the fastpath wants it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sel4runtime.h>
#include <sel4utils/helpers.h>

#include "workloads.h"

#define PAGE BIT(seL4_PageBits)
#define UNTYPED_BITS seL4_PageBits

/* Where the image begins; the linker knows it. */
extern char __executable_start[];

static _Alignas(PAGE) char ipc_buffer[PAGE];
static _Alignas(16) char stack[4 * PAGE];
static _Alignas(64) char tls[PAGE];

static Caps caps;
static struct {
    Part *part;
    Workload workload;
    seL4_Word rounds;
} next;

static void check(const char *what, int wrong)
{
    if (wrong) {
        printf("cannot %s: %d\n", what, wrong);
        abort();
    }
}

/* A new object in a slot from the end of the free ones. */
static seL4_CPtr make(const char *what, seL4_Word type, seL4_Word size_bits)
{
    static seL4_Word made;
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_CPtr slot = info->empty.end - ++made;
    seL4_Error error = seL4_NotEnoughMemory;
    for (seL4_Word i = 0; error != seL4_NoError && i < info->untyped.end - info->untyped.start; i++) {
        if (!info->untypedList[i].isDevice) {
            error = seL4_Untyped_Retype(info->untyped.start + i, type, size_bits, seL4_CapInitThreadCNode, 0, 0, slot,
                                        1);
        }
    }
    check(what, error);
    return slot;
}

static void serve(void)
{
    seL4_SetIPCBuffer((seL4_IPCBuffer *)ipc_buffer);
    seL4_Word badge;
#ifdef CONFIG_KERNEL_MCS
    seL4_Recv(caps.endpoint, &badge, caps.reply);
#else
    seL4_Recv(caps.endpoint, &badge);
#endif
    for (;;) {
        seL4_MessageInfo_t last = { .words = { next.part(next.workload, &caps, next.rounds) } };
#ifdef CONFIG_KERNEL_MCS
        seL4_ReplyRecv(caps.endpoint, last, &badge, caps.reply);
#else
        seL4_ReplyRecv(caps.endpoint, last, &badge);
#endif
    }
}

static seL4_Word no_rounds(Workload workload, const Caps *unused, seL4_Word rounds)
{
    return 0;
}

void server_takes(Part *part, Workload workload, seL4_Word rounds)
{
    next.part = part;
    next.workload = workload;
    next.rounds = rounds;
    seL4_Call(caps.endpoint, seL4_MessageInfo_new(0, 0, 0, 0));
}

Caps server_start(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    /* A badge, so that a signal can be told from none. */
    seL4_CPtr notification = make("make a notification", seL4_NotificationObject, 0);
    seL4_CPtr badged = info->empty.start;
    check("mint a badge", seL4_CNode_Mint(seL4_CapInitThreadCNode, badged, seL4_WordBits, seL4_CapInitThreadCNode,
                                          notification, seL4_WordBits, seL4_AllRights, 1));
    caps = (Caps) {
        .endpoint = make("make an endpoint", seL4_EndpointObject, 0),
        .notification = badged,
        .untyped = make("make an untyped", seL4_UntypedObject, UNTYPED_BITS),
        .cnode = seL4_CapInitThreadCNode,
        .slot = info->empty.start + 1,
    };
    seL4_CPtr tcb = make("make a thread", seL4_TCBObject, 0);
    seL4_CPtr frame = info->userImageFrames.start
                      + (ipc_buffer - (char *)ROUND_DOWN((seL4_Word)__executable_start, PAGE)) / PAGE;
#ifdef CONFIG_KERNEL_MCS
    caps.reply = make("make a reply object", seL4_ReplyObject, 0);
    seL4_CPtr time = make("make a scheduling context", seL4_SchedContextObject, seL4_MinSchedContextBits);
    check("give time", seL4_SchedControl_Configure(info->schedcontrol.start, time, 10000, 10000, 0, 0));
    check("configure a thread", seL4_TCB_Configure(tcb, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0,
                                                   (seL4_Word)ipc_buffer, frame));
    check("give it time", seL4_TCB_SetSchedParams(tcb, seL4_CapInitThreadTCB, seL4_MaxPrio, seL4_MaxPrio, time, 0));
#else
    check("configure a thread", seL4_TCB_Configure(tcb, 0, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0,
                                                   (seL4_Word)ipc_buffer, frame));
    check("give it its priority", seL4_TCB_SetPriority(tcb, seL4_CapInitThreadTCB, seL4_MaxPrio));
#endif
    seL4_UserContext context = { 0 };
    sel4utils_arch_init_context(serve, stack + sizeof(stack), &context);
    check("set its registers", seL4_TCB_WriteRegisters(tcb, 0, 0, sizeof(context) / sizeof(seL4_Word), &context));
    check("lay out its thread-local storage", sel4runtime_get_tls_size() > sizeof(tls));
    check("set its thread-local storage", seL4_TCB_SetTLSBase(tcb, sel4runtime_write_tls_image(tls)));
    check("start it", seL4_TCB_Resume(tcb));
    /* The second call finds it waiting. */
    server_takes(no_rounds, Call0, 0);
#ifdef CONFIG_KERNEL_MCS
    check("take its time", seL4_SchedContext_Unbind(time));
#endif
    return caps;
}
