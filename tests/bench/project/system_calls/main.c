/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts the instructions of each workload, kernel and user level together, in C and in Rust. Client and server are of
 * the same kind. Under -icount with shift=0 a nanosecond passes with each instruction, so a clock counts them.
 */
#include <stdint.h>
#include <stdio.h>

#include "workloads.h"

#define ROUNDS 500
/* The least of these counts: now and then the timer interrupts. */
#define BATCHES 8
#define HAS_SERVER(workload) ((workload) <= Arguments4)

static const char *const names[] = {
    "call with 0 registers",
    "call with 4 registers",
    "call with 8 registers",
    "call with a tag",
    "call with a message of 4",
    "call with a message of 8",
    "call with 4 arguments",
    "signal and wait",
    "retype and delete",
    "invoke for nothing",
    "yield",
};

static const struct {
    const char *name;
    Part *client, *server;
} kinds[] = {
    { "C", c_client, c_server },
    { "libsel4-sys", sys_client, sys_server },
    { "libsel4", safe_client, safe_server },
};

static uint64_t instructions(void)
{
#if defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks * 16; /* 62.5 MHz */
#elif defined(__arm__)
    uint64_t ticks;
    __asm__ volatile("mrrc p15, 1, %Q0, %R0, c14" : "=r"(ticks)::"memory");
    return ticks * 16; /* 62.5 MHz */
#elif defined(__riscv)
    uint64_t retired;
    __asm__ volatile("rdinstret %0" : "=r"(retired)::"memory");
    return retired;
#else
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low; /* 1 GHz */
#endif
}

int main(void)
{
    Caps caps = server_start();
    for (Workload workload = 0; workload < sizeof(names) / sizeof(names[0]); workload++) {
        for (int kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
            uint64_t least = UINT64_MAX;
            seL4_Word result = 0;
            for (int batch = 0; batch < BATCHES; batch++) {
                if (HAS_SERVER(workload)) {
                    server_takes(kinds[kind].server, workload, ROUNDS);
                }
                uint64_t before = instructions();
                result = kinds[kind].client(workload, &caps, ROUNDS);
                uint64_t count = instructions() - before;
                least = count < least ? count : least;
            }
            printf("cost of %s, %s: %lu in %d rounds, result %lu\n", names[workload], kinds[kind].name,
                   (unsigned long)least, ROUNDS, (unsigned long)result);
        }
    }
    return 0;
}
