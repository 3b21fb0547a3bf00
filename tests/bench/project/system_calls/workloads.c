/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The workloads in C.
 */
#include "workloads.h"

#ifdef CONFIG_KERNEL_MCS
#define REPLY_RECV(info, badge) seL4_ReplyRecv(caps->endpoint, info, badge, caps->reply)
#define REPLY_RECV_ARGUMENTS(...) seL4_ReplyRecvWithMRs(caps->endpoint, __VA_ARGS__, caps->reply)
#else
#define REPLY_RECV(info, badge) seL4_ReplyRecv(caps->endpoint, info, badge)
#define REPLY_RECV_ARGUMENTS(...) seL4_ReplyRecvWithMRs(caps->endpoint, __VA_ARGS__)
#endif

static seL4_MessageInfo_t tag(seL4_Word label, seL4_Word length)
{
    return seL4_MessageInfo_new(label, 0, 0, length);
}

static inline seL4_Word call(const Caps *caps, seL4_Word rounds, seL4_Word length)
{
    seL4_MessageInfo_t info = tag(0, length);
    for (seL4_Word round = 0; round < rounds; round++) {
        seL4_Call(caps->endpoint, info);
    }
    return 0;
}

static seL4_Word serve(const Caps *caps, seL4_Word rounds)
{
    seL4_MessageInfo_t info = tag(0, 0);
    seL4_Word badge;
    for (seL4_Word round = 0; round < rounds; round++) {
        info = REPLY_RECV(info, &badge);
    }
    return info.words[0];
}

static seL4_Word call_tag(const Caps *caps, seL4_Word rounds)
{
    seL4_Word sum = 0;
    for (seL4_Word round = 0; round < rounds; round++) {
        sum += seL4_MessageInfo_get_label(seL4_Call(caps->endpoint, tag(round & 0xff, 0)));
    }
    return sum;
}

static seL4_Word serve_tag(const Caps *caps, seL4_Word rounds)
{
    seL4_MessageInfo_t info = tag(0, 0);
    seL4_Word badge;
    for (seL4_Word round = 0; round < rounds; round++) {
        info = REPLY_RECV(info, &badge);
        info = tag(seL4_MessageInfo_get_label(info) + 1, 0);
    }
    return info.words[0];
}

static inline seL4_Word call_message(const Caps *caps, seL4_Word rounds, int length)
{
    seL4_Word sum = 0;
    for (seL4_Word round = 0; round < rounds; round++) {
        for (int i = 0; i < length; i++) {
            seL4_SetMR(i, round + i);
        }
        seL4_MessageInfo_t info = seL4_Call(caps->endpoint, tag(0, length));
        if (seL4_MessageInfo_get_length(info) >= length) {
            for (int i = 0; i < length; i++) {
                sum += seL4_GetMR(i);
            }
        }
    }
    return sum;
}

static inline seL4_Word serve_message(const Caps *caps, seL4_Word rounds, int length)
{
    seL4_Word badge;
    for (seL4_Word round = 0; round < rounds; round++) {
        seL4_MessageInfo_t info = REPLY_RECV(tag(0, length), &badge);
        if (seL4_MessageInfo_get_length(info) >= length) {
            for (int i = 0; i < length; i++) {
                seL4_SetMR(i, seL4_GetMR(i) + 1);
            }
        }
    }
    return tag(0, length).words[0];
}

static seL4_Word call_arguments(const Caps *caps, seL4_Word rounds)
{
    seL4_Word sum = 0;
    for (seL4_Word round = 0; round < rounds; round++) {
        seL4_Word a = round, b = round + 1, c = round + 2, d = round + 3;
        seL4_CallWithMRs(caps->endpoint, tag(0, 4), &a, &b, &c, &d);
        sum += a + b + c + d;
    }
    return sum;
}

static seL4_Word serve_arguments(const Caps *caps, seL4_Word rounds)
{
    seL4_Word badge, a = 0, b = 0, c = 0, d = 0;
    for (seL4_Word round = 0; round < rounds; round++) {
        REPLY_RECV_ARGUMENTS(tag(0, 4), &badge, &a, &b, &c, &d);
        a++, b++, c++, d++;
    }
    /* The last reply leaves through the IPC buffer. */
    seL4_SetMR(0, a);
    seL4_SetMR(1, b);
    seL4_SetMR(2, c);
    seL4_SetMR(3, d);
    return tag(0, 4).words[0];
}

static seL4_Word signals(const Caps *caps, seL4_Word rounds)
{
    seL4_Word sum = 0;
    for (seL4_Word round = 0; round < rounds; round++) {
        seL4_Word badge;
        seL4_Signal(caps->notification);
        seL4_Wait(caps->notification, &badge);
        sum += badge;
    }
    return sum;
}

static seL4_Word retype(const Caps *caps, seL4_Word rounds)
{
    seL4_Word sum = 0;
    for (seL4_Word round = 0; round < rounds; round++) {
        sum |= seL4_Untyped_Retype(caps->untyped, seL4_EndpointObject, 0, caps->cnode, 0, 0, caps->slot, 1);
        sum |= seL4_CNode_Delete(caps->cnode, caps->slot, seL4_WordBits);
    }
    return sum;
}

static seL4_Word nothing(const Caps *caps, seL4_Word rounds)
{
    seL4_Word sum = 0;
    for (seL4_Word round = 0; round < rounds; round++) {
        sum |= seL4_CNode_Delete(caps->cnode, caps->slot, seL4_WordBits);
    }
    return sum;
}

static seL4_Word yields(seL4_Word rounds)
{
    for (seL4_Word round = 0; round < rounds; round++) {
        seL4_Yield();
    }
    return 0;
}

seL4_Word c_client(Workload workload, const Caps *caps, seL4_Word rounds)
{
    switch (workload) {
    case Call0: return call(caps, rounds, 0);
    case Call4: return call(caps, rounds, 4);
    case Call8: return call(caps, rounds, 8);
    case Tag: return call_tag(caps, rounds);
    case Message4: return call_message(caps, rounds, 4);
    case Message8: return call_message(caps, rounds, 8);
    case Arguments4: return call_arguments(caps, rounds);
    case Signal: return signals(caps, rounds);
    case Retype: return retype(caps, rounds);
    case Nothing: return nothing(caps, rounds);
    case Yield: return yields(rounds);
    }
    return 0;
}

seL4_Word c_server(Workload workload, const Caps *caps, seL4_Word rounds)
{
    switch (workload) {
    case Tag: return serve_tag(caps, rounds);
    case Message4: return serve_message(caps, rounds, 4);
    case Message8: return serve_message(caps, rounds, 8);
    case Arguments4: return serve_arguments(caps, rounds);
    default: return serve(caps, rounds);
    }
}
