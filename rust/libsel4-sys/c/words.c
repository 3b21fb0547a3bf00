/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages of four words, for Rust that calls C: the words are in one array. libsel4's own functions take a pointer for each,
 * and as functions test each of them.
 */
#include <sel4/sel4.h>

#ifndef __i386__

#define WORDS 4
/* Where the compiler knows the length, it leaves out libsel4's tests of it. */
#define WITH_WORDS(function, to, ...)                                         \
    __builtin_expect(seL4_MessageInfo_get_length(info) == WORDS, 1)           \
        ? function(to, seL4_MessageInfo_set_length(info, WORDS), __VA_ARGS__) \
        : function(to, info, __VA_ARGS__)

__attribute__((nonnull)) seL4_MessageInfo_t sel4_sys_call(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_Word *words)
{
    return WITH_WORDS(seL4_CallWithMRs, dest, &words[0], &words[1], &words[2], &words[3]);
}

#ifdef CONFIG_KERNEL_MCS
#define REPLY , seL4_CPtr reply
#define PASS_REPLY , reply
#else
#define REPLY
#define PASS_REPLY
#endif

/* The badge follows the words. */
__attribute__((nonnull)) seL4_MessageInfo_t sel4_sys_reply_recv(seL4_CPtr src, seL4_MessageInfo_t info,
                                                                seL4_Word *words REPLY)
{
    return WITH_WORDS(seL4_ReplyRecvWithMRs, src, &words[WORDS], &words[0], &words[1], &words[2], &words[3] PASS_REPLY);
}

#endif
