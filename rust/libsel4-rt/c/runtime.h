/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Functions that the Rust side of the runtime calls, and that need C: libsel4's functions are inline. SEL4_RUST_ON_SEL4 is
 * defined if the build has libsel4; without it, as in projects for the machine of the build, POSIX stands in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef SEL4_RUST_ON_SEL4
#include <sel4/sel4.h>
#endif

/* Writes at most `count` bytes to the console. Returns how many it wrote, or -1. */
ssize_t sel4_rust_rt_write(const void *bytes, size_t count);

/* Returns a number above 0 that differs between threads. */
uintptr_t sel4_rust_rt_thread(void);

/* Yields to the threads of the same priority on this core. */
void sel4_rust_rt_yield(void);

/* Ends the thread by a fault: an undefined instruction, executed again whenever a fault handler resumes the thread. */
__attribute__((noreturn)) void sel4_rust_rt_fault(void);

#ifdef SEL4_RUST_ON_SEL4
/*
 * Hook of the application: returns the notification on which threads sleep that wait for the heap's lock, or seL4_CapNull.
 * Every thread that allocates must find it under this address, and nothing else may use it.
 */
seL4_CPtr sel4_rust_heap_notification(void);
#endif

/* Blocks on the notification of the heap's lock until the next signal. Returns false at once if there is none. */
bool sel4_rust_rt_wait(void);

/* Signals the notification of the heap's lock, if there is one. */
void sel4_rust_rt_wake(void);

/* The region of Rust's heap, and its size in bytes. Rust alone uses it. */
extern unsigned char sel4_rust_heap_region[];
extern const size_t sel4_rust_heap_bytes;
