/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdint.h>

/* Around what is measured. Returns the instructions since the other. */
uint64_t begin(void);
uint64_t end(uint64_t before);

/* The same in C as src/lib.rs has it in Rust: `rounds` times, and what they cost. */
uint64_t c_clock(unsigned rounds);
uint64_t c_lock(unsigned rounds);
uint64_t c_hand_over(unsigned rounds);
uint64_t c_condition(unsigned rounds);
uint64_t c_spawn(unsigned rounds);
uint64_t c_queue(unsigned rounds);
uint64_t c_queues(unsigned rounds);

/* What two threads can at best: each signals the other's notification and waits for its own. */
uint64_t notify(unsigned rounds);

/* Wakes nobody `rounds` times while so many threads sleep on other words, each of which is hard to tell from that one. */
uint64_t wake(unsigned rounds, unsigned sleepers);
