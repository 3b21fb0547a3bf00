/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdint.h>

void count_calls(void);
void count_heaps(void);

/* In C, in an object of their own: what lib.rs has in Rust. */
int32_t c_routine(int32_t a, int32_t b);
int32_t c_apply(int32_t (*function)(int32_t a), int32_t a);
