/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What apps/hello/src/lib.rs does, in C.
 */
#include <routine.h>

int32_t routine(int32_t a, int32_t b)
{
    a = a == 1 ? 0 : a;
    return (int32_t)((uint32_t)a + (uint32_t)b);
}
