/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Functions that only the builder of a system can give to Rust's std. Each has a weak default in libsel4std, which one that
 * the application defines replaces. They may be called by any thread, some of them before main(). libsel4std holds no lock
 * while it calls one, so they may wait for locks of their own, such as a pthread mutex.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <sel4/sel4.h>

/*
 * Fills `bytes` with `count` bytes that nobody can guess. Returns 0, or -1 if there are none.
 *
 * Default: -1. Then keys of HashMap, for which std settles for less, come from the clock, and the console says so the
 * first time. Requests for real randomness get an error.
 */
int sel4std_entropy(void *bytes, size_t count);

/*
 * The time since 1970-01-01 00:00 UTC. Returns 0, or -1 if it is not known.
 *
 * Default: -1. Then the clock starts at 1970 when the system starts, and the console says so the first time it is read.
 */
int sel4std_wall_clock(struct timespec *now);

/*
 * Sets a timer to signal `wake` after `nanoseconds`, in place of what it was set to before, and acknowledges its last
 * interrupt. Returns false if there is no timer. Only one thread of libsel4std calls this, and only while a thread
 * sleeps or waits with a timeout; it then waits for `wake`. An early signal does no harm. That thread has a stack of
 * 16 KiB and is not one of std's: it must not wait for a lock.
 *
 * Default: false. Then, with MCS, that thread's scheduling context is its timer. Without MCS it calls seL4_Yield()
 * until the time is over: a busy wait, which leaves the processor only to threads of the same priority.
 */
bool sel4std_alarm(seL4_CPtr wake, uint64_t nanoseconds);

/*
 * Reads up to `count` bytes of standard input into `bytes`. Returns how many there were; 0 means end of input.
 *
 * Default: 0.
 */
ssize_t sel4std_stdin(void *bytes, size_t count);

/*
 * Ends the program with `code`, for exit(), Rust's std::process::exit(), and abort(), whose code is 134, as in a shell.
 * Does not return. What happens when main() returns is up to sel4runtime_set_exit().
 *
 * Default: prints `The program ended with exit code ` and the code on the console, with which the kit's ./simulate
 * exits, and suspends all threads of std, including the first.
 */
_Noreturn void sel4std_exit(int code);

/*
 * A new kernel object of `type`, of 2^`size_bits` bytes if its size is variable. Returns a capability in the root
 * CNode, or seL4_CapNull if there is none: then no thread can be made. Called when threads are made, for the first
 * wait, for the first wait with a timeout, and when memory grows (RUST_STD_GROWTH), which may be before main(). Objects are
 * kept and reused, never returned. It must not call malloc().
 *
 * Default: from a reservation of slots and the end of one untyped, made before main(). BootInfo then describes all the
 * rest: whatever an application's allocator finds there is free.
 */
seL4_CPtr sel4std_new_object(seL4_Word type, seL4_Word size_bits);

/*
 * The rest is called when a thread starts. `thread` is the number that gettid() returns in it, from 2 on; the first
 * thread is the root server's own. 0 stands for the threads of the library: that which wakes those whose time is over, and that
 * which waits for faults.
 */

/*
 * Endpoint for the thread's faults.
 *
 * Default: seL4_CapNull. Then handlers of signals take the fault, if there are any (sigaction()); otherwise the kernel reports
 * it on the console and the thread stops for good, or the program ends (RUST_STD_FAULT).
 */
seL4_CPtr sel4std_fault_endpoint(int thread);

/*
 * Core on which the thread runs, until it asks for others with sched_setaffinity().
 *
 * Default: threads take the cores in turn.
 */
seL4_Word sel4std_core(int thread);

/*
 * Priority of the thread, until it asks for another with pthread_setschedprio(). Locks do not pass priorities on: a
 * thread that waits for one of lower priority waits for as long as others keep that one from running.
 *
 * Default: seL4_MaxPrio, at which the kernel starts the root server.
 */
seL4_Word sel4std_priority(int thread);
