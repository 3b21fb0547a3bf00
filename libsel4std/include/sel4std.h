/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What only the builder of a system can give to Rust's std. Each function here has a weak default in libsel4std; one
 * that the application defines takes its place. Any thread may call them, and some before main().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <sel4/sel4.h>

/*
 * Fills `bytes` with `count` bytes that nobody can guess. Returns 0, or -1 where there are none.
 *
 * Default: -1. Then keys of HashMap, which std takes from what is at hand, come from the clock, and the first time that
 * happens the console says so. Whatever asks for real randomness gets an error.
 */
int sel4std_entropy(void *bytes, size_t count);

/*
 * The time since 1970-01-01 00:00 UTC. Returns 0, or -1 where it is not known.
 *
 * Default: -1. Then the clock begins with 1970 when the system starts, and the first time that it is read the console
 * says so.
 */
int sel4std_wall_clock(struct timespec *now);

/*
 * Waits for up to `nanoseconds`, on kernels without MCS, and may return early. One thread of libsel4std alone calls it,
 * only while a thread sleeps or waits with a timeout.
 *
 * Default: seL4_Yield(), a busy wait that leaves the processor to threads of the same priority. With MCS it is not
 * called: there that thread's scheduling context is the timer.
 */
void sel4std_wait(uint64_t nanoseconds);

/*
 * Reads up to `count` bytes of standard input into `bytes`. Returns how many there were; 0 is its end.
 *
 * Default: 0.
 */
ssize_t sel4std_stdin(void *bytes, size_t count);

/*
 * Ends the program with `code`. Does not return.
 *
 * Default: says the code on the console, if it is not 0, and suspends the calling thread; others go on.
 */
_Noreturn void sel4std_exit(int code);

/*
 * A new kernel object of `type`, 2^`size_bits` bytes where its size is free. Returns a capability in the root CNode, or
 * seL4_CapNull where there is none: then no thread can be made. Called as threads are made, and for the first wait. An
 * object is kept and used again, never given back.
 *
 * Default: from a reservation that is made before main(), of slots and the end of one untyped. The boot information then
 * tells of all the rest: what an application's allocator reads afterwards is free, all of it.
 */
seL4_CPtr sel4std_new_object(seL4_Word type, seL4_Word size_bits);

/*
 * Where faults of std's threads are sent. `thread` is the number that gettid() gives in that thread.
 *
 * Default: seL4_CapNull, so that the kernel reports the fault on the console and the thread stops for good.
 */
seL4_CPtr sel4std_fault_endpoint(int thread);

/*
 * Priority of all of std's threads but the first. Locks do not hand priorities on, so it should be that of all threads
 * which use std.
 *
 * Default: seL4_MaxPrio, at which the kernel starts the root server.
 */
seL4_Word sel4std_priority(void);
