/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages of four words, for Rust that calls C: the words come in registers, and go into one array. libsel4's own functions
 * take a pointer for each, and as functions test each of them.
 */
#include <sel4/sel4.h>

#ifndef CONFIG_ARCH_IA32

/* Where the compiler knows the length, it leaves out libsel4's tests of it. */
#define WORDS 4
#define WITH_WORDS(function, to, ...)                                                                                \
    seL4_MessageInfo_get_length(info) == WORDS ? function(to, seL4_MessageInfo_set_length(info, WORDS), __VA_ARGS__) \
                                               : function(to, info, __VA_ARGS__)

static inline void put(seL4_Word *words, seL4_Word a, seL4_Word b, seL4_Word c, seL4_Word d)
{
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
}

seL4_MessageInfo_t sel4_sys_call(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_Word a, seL4_Word b, seL4_Word c,
                                 seL4_Word d, seL4_Word *words)
{
    info = WITH_WORDS(seL4_CallWithMRs, dest, &a, &b, &c, &d);
    put(words, a, b, c, d);
    return info;
}

#ifdef CONFIG_KERNEL_MCS
#define REPLY , seL4_CPtr reply
#define PASS_REPLY , reply
#else
#define REPLY
#define PASS_REPLY
#endif

/* The badge follows the words. */
seL4_MessageInfo_t sel4_sys_reply_recv(seL4_CPtr src, seL4_MessageInfo_t info, seL4_Word a, seL4_Word b, seL4_Word c,
                                       seL4_Word d, seL4_Word *words REPLY)
{
    info = WITH_WORDS(seL4_ReplyRecvWithMRs, src, &words[WORDS], &a, &b, &c, &d PASS_REPLY);
    put(words, a, b, c, d);
    return info;
}

#endif
