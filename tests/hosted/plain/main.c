/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A root server in C alone: objects, pages and a thread with nothing but libsel4 and sel4runtime.
 */
#include <stdio.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>

#define BUFFER 0x10000000ul
#define CNODE seL4_CapInitThreadCNode

static seL4_CPtr untyped, next, endpoint;
static _Thread_local int own = 7;

static seL4_CPtr make(seL4_Word type)
{
    seL4_Error error = seL4_Untyped_Retype(untyped, type, 0, CNODE, 0, 0, next, 1);
    if (error != seL4_NoError) {
        printf("cannot make an object of type %lu: %d\n", type, error);
        seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    }
    return next++;
}

static seL4_CPtr map(seL4_Word address)
{
    seL4_CPtr page = make(seL4_X86_4K);
    seL4_CPtr vspace = seL4_CapInitThreadVSpace;
    while (seL4_X86_Page_Map(page, vspace, address, seL4_ReadWrite, seL4_X86_Default_VMAttributes)
           == seL4_FailedLookup) {
        switch (seL4_GetMR(2)) {
        case 39: seL4_X86_PDPT_Map(make(seL4_X86_PDPTObject), vspace, address, seL4_X86_Default_VMAttributes); break;
        case 30:
            seL4_X86_PageDirectory_Map(make(seL4_X86_PageDirectoryObject), vspace, address,
                                       seL4_X86_Default_VMAttributes);
            break;
        default: seL4_X86_PageTable_Map(make(seL4_X86_PageTableObject), vspace, address, seL4_X86_Default_VMAttributes);
        }
    }
    return page;
}

static void thread(void)
{
    seL4_Word badge;
    seL4_Recv(endpoint, &badge);
    for (;;) {
        printf("the thread has an IPC buffer of its own: %d\n", seL4_GetIPCBuffer() == (seL4_IPCBuffer *)BUFFER);
        printf("and thread-local variables: %d\n", own++);
        seL4_SetMR(0, seL4_GetMR(0) * 2);
        seL4_ReplyRecv(endpoint, seL4_MessageInfo_new(0, 0, 0, 1), &badge);
    }
}

int main(void)
{
    static char tls[4096] __attribute__((aligned(64))), stack[65536] __attribute__((aligned(16)));
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word largest = 0;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        seL4_UntypedDesc *description = &info->untypedList[i];
        if (!description->isDevice && description->sizeBits > largest) {
            largest = description->sizeBits;
            untyped = info->untyped.start + i;
        }
    }
    next = info->empty.start;
    endpoint = make(seL4_EndpointObject);

    seL4_CPtr tcb = make(seL4_TCBObject);
    seL4_CPtr buffer = map(BUFFER);
    seL4_TCB_Configure(tcb, 0, CNODE, 0, seL4_CapInitThreadVSpace, 0, BUFFER, buffer);
    seL4_TCB_SetPriority(tcb, seL4_CapInitThreadTCB, seL4_MaxPrio);
    seL4_UserContext registers = { .rip = (seL4_Word)thread, .rsp = (seL4_Word)(stack + sizeof(stack) - 8) };
    seL4_Word tls_base = sel4runtime_write_tls_image(tls);
    sel4runtime_set_tls_variable(tls_base, __sel4_ipc_buffer, (seL4_IPCBuffer *)BUFFER);
    seL4_TCB_WriteRegisters(tcb, 0, 0, sizeof(registers) / sizeof(seL4_Word), &registers);
    seL4_TCB_SetTLSBase(tcb, tls_base);
    seL4_TCB_Resume(tcb);

    own = 1;
    seL4_SetMR(0, 21);
    seL4_Call(endpoint, seL4_MessageInfo_new(0, 0, 0, 1));
    printf("the thread answers: %lu\n", seL4_GetMR(0));
    printf("main() has the thread-local variable that it had: %d\n", own);
    printf("not empty: %d\n", seL4_CNode_Copy(CNODE, endpoint, 64, CNODE, tcb, 64, seL4_AllRights));
    seL4_Error error = seL4_TCB_Resume(info->empty.end - 1);
    printf("no capability: %d %lu\n", error, seL4_GetMR(0));
    return 3;
}
