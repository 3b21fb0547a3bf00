/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first thread of a root server without std uses up its stack. Another thread, with a stack of its own, receives the
 * fault, whose badge names the thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sel4runtime.h>
#include <sel4utils/helpers.h>
#include <overflow.h>

#define PAGE BIT(seL4_PageBits)
#define FIRST 1

/* Where the image and the stack begin; the linker knows it. */
extern char __executable_start[], sel4_rust_stack[];

static _Alignas(PAGE) char ipc_buffer[PAGE];
static _Alignas(16) char stack[4 * PAGE];
static _Alignas(64) char tls[PAGE];

#ifdef CONFIG_ARCH_X86
/* As a call leaves it, with the address to return to. */
#define STACK_TOP (stack + sizeof(stack) - sizeof(seL4_Word))
#else
#define STACK_TOP (stack + sizeof(stack))
#endif

static seL4_CPtr faults, reply;

static void check(const char *what, int wrong)
{
    if (wrong) {
        printf("cannot %s: %d\n", what, wrong);
        abort();
    }
}

static seL4_CPtr next(void)
{
    return sel4runtime_bootinfo()->empty.start++;
}

static seL4_CPtr make(const char *what, seL4_Word type, seL4_Word size_bits)
{
    const seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_CPtr slot = next();
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

static void tell(void)
{
    seL4_SetIPCBuffer((seL4_IPCBuffer *)ipc_buffer);
    seL4_Word thread = 0;
#ifdef CONFIG_KERNEL_MCS
    seL4_MessageInfo_t fault = seL4_Recv(faults, &thread, reply);
#else
    seL4_MessageInfo_t fault = seL4_Recv(faults, &thread);
#endif
    seL4_Word distance = (seL4_Word)sel4_rust_stack - seL4_GetMR(seL4_VMFault_Addr);
    bool below = seL4_MessageInfo_get_label(fault) == seL4_Fault_VMFault && distance - 1 < PAGE;
    printf("Thread %lu faulted below its stack: %s\n", (unsigned long)thread, below ? "yes" : "no");
    for (;;) {
        seL4_Wait(faults, NULL);
    }
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    const seL4_BootInfo *info = sel4runtime_bootinfo();
    faults = make("make an endpoint", seL4_EndpointObject, 0);
    seL4_CPtr badged = next();
    check("mint a badge", seL4_CNode_Mint(seL4_CapInitThreadCNode, badged, seL4_WordBits, seL4_CapInitThreadCNode,
                                          faults, seL4_WordBits, seL4_AllRights, FIRST));
    check("receive faults",
          seL4_TCB_SetSpace(seL4_CapInitThreadTCB, badged, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0));
    seL4_CPtr tcb = make("make a thread", seL4_TCBObject, 0);
    seL4_CPtr frame = info->userImageFrames.start
                      + (ipc_buffer - (char *)ROUND_DOWN((seL4_Word)__executable_start, PAGE)) / PAGE;
#ifdef CONFIG_KERNEL_MCS
    reply = make("make a reply object", seL4_ReplyObject, 0);
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
    sel4utils_arch_init_context(tell, STACK_TOP, &context);
    check("set its registers", seL4_TCB_WriteRegisters(tcb, 0, 0, sizeof(context) / sizeof(seL4_Word), &context));
    check("lay out its thread-local storage", sel4runtime_get_tls_size() > sizeof(tls));
    check("set its thread-local storage", seL4_TCB_SetTLSBase(tcb, sel4runtime_write_tls_image(tls)));
    check("start it", seL4_TCB_Resume(tcb));
    overflow_descends(0);
    return 1;
}
