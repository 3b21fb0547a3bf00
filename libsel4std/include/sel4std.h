/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What only the builder of a system can give to Rust's std. Each function here has a weak default in libsel4std; one
 * that the application defines takes its place. Any thread may call them, and some before main().
 */
#pragma once

#include <stdbool.h>
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
 * Sets a timer so that `wake` is signalled when `nanoseconds` are over, in place of what it was set to before, and
 * acknowledges its last interrupt. Returns false where there is no timer. One thread of libsel4std alone calls this, only
 * while a thread sleeps or waits with a timeout, and then waits for `wake`. A signal that comes early does no harm. That
 * thread has a stack of 16 KiB, and is none of std's: it must not wait for a lock.
 *
 * Default: false. With MCS that thread's scheduling context is its timer then. Without MCS it calls seL4_Yield() until
 * the time is over: a busy wait, which leaves the processor to threads of the same priority.
 */
bool sel4std_alarm(seL4_CPtr wake, uint64_t nanoseconds);

/*
 * Reads up to `count` bytes of standard input into `bytes`. Returns how many there were; 0 is its end.
 *
 * Default: 0.
 */
ssize_t sel4std_stdin(void *bytes, size_t count);

/*
 * Ends the program with `code`, for exit(), Rust's std::process::exit(), and abort(), which has the code 134, as a shell
 * would tell of it. Does not return. For main() sel4runtime_set_exit() says what happens when it returns.
 *
 * Default: says `The program ended with exit code ` and the code on the console, by which ./simulate of the kit ends, and
 * suspends all threads of std, the first among them.
 */
_Noreturn void sel4std_exit(int code);

/*
 * A new kernel object of `type`, 2^`size_bits` bytes where its size is free. Returns a capability in the root CNode, or
 * seL4_CapNull where there is none: then no thread can be made. Called as threads are made, for the first wait, and where
 * memory grows (RUST_STD_GROWTH), which may be before main(). An object is kept and used again, never given back. It must
 * not call malloc().
 *
 * Default: from a reservation that is made before main(), of slots and the end of one untyped. The boot information then
 * tells of all the rest: what an application's allocator reads afterwards is free, all of it.
 */
seL4_CPtr sel4std_new_object(seL4_Word type, seL4_Word size_bits);

/*
 * What follows is asked as a thread starts. `thread` is the number that gettid() gives in it, from 2 on; the first thread
 * is the root server's own. 0 is the thread that wakes those whose time is over.
 */

/*
 * Where its faults are sent.
 *
 * Default: seL4_CapNull, so that the kernel reports the fault on the console and the thread stops for good.
 */
seL4_CPtr sel4std_fault_endpoint(int thread);

/*
 * The core on which it runs, until it asks for others by sched_setaffinity().
 *
 * Default: threads take the cores in turn.
 */
seL4_Word sel4std_core(int thread);

/*
 * Its priority, until it asks for another by pthread_setschedprio(). Locks do not hand priorities on: a thread that waits
 * for one of lower priority waits for as long as others keep that from running.
 *
 * Default: seL4_MaxPrio, at which the kernel starts the root server.
 */
seL4_Word sel4std_priority(int thread);
