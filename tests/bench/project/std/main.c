/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts the instructions of each workload, kernel and user level together, in C and with Rust's std, side by side. Under
 * -icount with shift=0 a nanosecond passes with each instruction, so a clock counts them.
 */
#include <stdint.h>
#include <stdio.h>
#include <sel4/sel4.h>
#include <std_costs.h>

#include "workloads.h"

#define ROUNDS 100
/* The least of these counts: now and then the timer interrupts. */
#define BATCHES 6

static const struct {
    const char *name, *kind;
    uint64_t (*work)(unsigned rounds);
} works[] = {
    { "two notifications, there and back", "C", notify },
    { "read the clock", "C", c_clock },
    { "read the clock", "Rust", rust_clock },
    { "lock and unlock", "C", c_lock },
    { "lock and unlock", "Rust", rust_lock },
    { "hand a lock over, twice", "C", c_hand_over },
    { "hand a lock over, twice", "Rust", rust_hand_over },
    { "condition, there and back", "C", c_condition },
    { "condition, there and back", "Rust", rust_condition },
    { "start a thread and join it", "C", c_spawn },
    { "start a thread and join it", "Rust", rust_spawn },
    { "send and receive in one thread", "C", c_queue },
    { "send and receive in one thread", "Rust", rust_channel },
    { "send and receive, there and back", "C", c_queues },
    { "send and receive, there and back", "Rust", rust_channels },
};
static const unsigned sleepers[] = { 0, 1, 10, 100 };

static uint64_t instructions(void)
{
#ifdef __aarch64__
    uint64_t ticks;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks * 16; /* 62.5 MHz */
#else
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low; /* 1 GHz */
#endif
}

/* An entry into the kernel that is known by its place, for who counts them from outside. */
static void __attribute__((noinline)) mark(void)
{
    seL4_Yield();
}

uint64_t begin(void)
{
    mark();
    return instructions();
}

uint64_t end(uint64_t before)
{
    uint64_t count = instructions() - before;
    mark();
    return count;
}

int main(void)
{
    for (int i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        uint64_t least = UINT64_MAX;
        for (int batch = 0; batch < BATCHES; batch++) {
            uint64_t count = works[i].work(ROUNDS);
            least = count < least ? count : least;
        }
        printf("cost of %s, %s: %lu in %d rounds, %d batches\n", works[i].name, works[i].kind, (unsigned long)least,
               ROUNDS, BATCHES);
    }
    for (int i = 0; i < sizeof(sleepers) / sizeof(sleepers[0]); i++) {
        uint64_t least = UINT64_MAX;
        for (int batch = 0; batch < BATCHES; batch++) {
            uint64_t count = wake(ROUNDS, sleepers[i]);
            least = count < least ? count : least;
        }
        printf("cost of wake nobody, %u sleepers: %lu in %d rounds, %d batches\n", sleepers[i], (unsigned long)least,
               ROUNDS, BATCHES);
    }
    return 0;
}
