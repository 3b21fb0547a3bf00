/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One call of the same function in C and in Rust. The caller's code is the same for both.
 */
#include <stdio.h>
#include <counted.h>

#include "counter.h"
#include "counts.h"

static int32_t twice(int32_t a)
{
    return 2 * a;
}

#define COUNT(name, call)                                                                                  \
    do {                                                                                                   \
        uint32_t before = counter_read();                                                                  \
        int32_t result = call;                                                                             \
        uint32_t after = counter_read();                                                                   \
        printf("call %s: %u instructions, result %d\n", name, (unsigned)(after - before - counter_cost()), \
               (int)result);                                                                               \
    } while (0)

void count_calls(void)
{
    COUNT("routine in C", c_routine(10, 20));
    COUNT("routine in Rust", rust_routine(10, 20));
    COUNT("callback through C", c_apply(twice, 10));
    COUNT("callback through Rust", rust_apply(twice, 10));
}
