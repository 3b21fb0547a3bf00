/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "counts.h"

int32_t c_routine(int32_t a, int32_t b)
{
    a = a == 1 ? 0 : a;
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

int32_t c_apply(int32_t (*function)(int32_t a), int32_t a)
{
    return (int32_t)((uint32_t)function(a) + 1);
}
