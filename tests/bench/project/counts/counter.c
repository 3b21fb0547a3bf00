/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "counter.h"

#define INST_RETIRED 8
/* PMEVTYPER.P: what the kernel executes does not count. */
#define NOT_IN_KERNEL (1ull << 31)
/* PMCR.E and PMCR.P: on, from 0. */
#define ENABLE_AND_RESET 3

void counter_start(void)
{
    __asm__ volatile("msr pmevtyper0_el0, %0" ::"r"(INST_RETIRED | NOT_IN_KERNEL));
    __asm__ volatile("msr pmcntenset_el0, %0" ::"r"(1ull));
    __asm__ volatile("msr pmcr_el0, %0" ::"r"((uint64_t)ENABLE_AND_RESET));
}

uint32_t counter_cost(void)
{
    uint32_t before = counter_read();
    return counter_read() - before;
}
