/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stddef.h>
#include <sel4runtime.h>

#include "ipc.h"

static seL4_CPtr endpoint;
#ifdef CONFIG_KERNEL_MCS
/* Reply object, which holds the client that waits for the reply. */
static seL4_CPtr reply;
#endif

/* Makes an object from the first untyped that has room. Returns seL4_CapNull if none has. */
static seL4_CPtr make(seL4_Word type)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        const seL4_UntypedDesc *untyped = &info->untypedList[i];
        if (!untyped->isDevice && untyped->sizeBits >= seL4_PageBits
            && seL4_Untyped_Retype(info->untyped.start + i, type, 0, seL4_CapInitThreadCNode, 0, 0, info->empty.start,
                                   1)
                   == seL4_NoError) {
            return info->empty.start++;
        }
    }
    return seL4_CapNull;
}

bool ipc_begin(void)
{
    endpoint = make(seL4_EndpointObject);
#ifdef CONFIG_KERNEL_MCS
    reply = make(seL4_ReplyObject);
    return endpoint != seL4_CapNull && reply != seL4_CapNull;
#else
    return endpoint != seL4_CapNull;
#endif
}

seL4_MessageInfo_t ipc_receive(void)
{
#ifdef CONFIG_KERNEL_MCS
    return seL4_Recv(endpoint, NULL, reply);
#else
    return seL4_Recv(endpoint, NULL);
#endif
}

seL4_MessageInfo_t ipc_reply_and_receive(seL4_MessageInfo_t answer)
{
#ifdef CONFIG_KERNEL_MCS
    return seL4_ReplyRecv(endpoint, answer, NULL, reply);
#else
    return seL4_ReplyRecv(endpoint, answer, NULL);
#endif
}

seL4_MessageInfo_t ipc_call(seL4_MessageInfo_t request)
{
    return seL4_Call(endpoint, request);
}

void ipc_send(seL4_MessageInfo_t request)
{
    seL4_Send(endpoint, request);
}
