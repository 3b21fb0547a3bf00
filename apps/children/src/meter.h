/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An allocator in front of another, which counts what is in use.
 */
#pragma once

#include <vka/vka.h>

/* Slots, objects, and bytes of objects that are allocated and not freed. */
typedef struct {
    long slots;
    long objects;
    long bytes;
} usage_t;

/* Puts the counter in front of `vka`. There is one in the program. */
void meter(vka_t *vka);

/* Returns what is in use. */
usage_t meter_usage(void);
