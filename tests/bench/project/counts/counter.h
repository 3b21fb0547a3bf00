/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A counter of the instructions that user level has executed: event 8 of the Arm PMU, INST_RETIRED, which QEMU counts
 * exactly under -icount. The kernel must let user level at the PMU (KernelArmExportPMUUser).
 */
#pragma once

#include <stdint.h>

/* Starts the counter. */
void counter_start(void);

/* Reads it. Two reads in a row differ by counter_cost() instructions, which is the reading itself. */
static inline uint32_t counter_read(void)
{
    uint64_t count;
    __asm__ volatile("mrs %0, pmevcntr0_el0" : "=r"(count)::"memory");
    return (uint32_t)count;
}

uint32_t counter_cost(void);
