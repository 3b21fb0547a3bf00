/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * C's integer types as C has them, for Rust to compare.
 */
#include <stddef.h>
#include <stdint.h>
#include <sel4/sel4.h>

/* In the order of `SIZES` in src/types.rs. */
const unsigned kernel_tests_sizes[] = {
    sizeof(char),
    sizeof(short),
    sizeof(int),
    sizeof(long),
    sizeof(long long),
    sizeof(void *),
    sizeof(size_t),
    sizeof(seL4_Word),
    sizeof(seL4_CPtr),
    sizeof(seL4_Bool),
    sizeof(seL4_Uint8),
    sizeof(seL4_Uint16),
    sizeof(seL4_Uint32),
    sizeof(seL4_Uint64),
    sizeof(seL4_Int64),
    sizeof(seL4_Error),
    sizeof(seL4_MessageInfo_t),
    sizeof(seL4_CapRights_t),
    sizeof(seL4_UserContext),
    sizeof(seL4_BootInfo),
    sizeof(seL4_IPCBuffer),
};
const unsigned kernel_tests_sizes_count = sizeof(kernel_tests_sizes) / sizeof(kernel_tests_sizes[0]);
const int kernel_tests_char_is_signed = (char)-1 < 0;

/* Each parameter's value, as its type has it, is part of the sum. */
int64_t kernel_tests_signed_sum(signed char a, short b, int c, long d, long long e, intptr_t f)
{
    return a + 3 * (int64_t)b + 5 * (int64_t)c + 7 * (int64_t)d + 11 * e + 13 * (int64_t)f;
}

uint64_t kernel_tests_unsigned_sum(seL4_Uint8 a, seL4_Uint16 b, seL4_Uint32 c, seL4_Word d, seL4_Uint64 e, seL4_CPtr f)
{
    return a + 3 * (uint64_t)b + 5 * (uint64_t)c + 7 * (uint64_t)d + 11 * e + 13 * (uint64_t)f;
}
