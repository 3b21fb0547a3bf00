// SPDX-License-Identifier: BSD-2-Clause

//! A library with std, which uses one without.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Adds up what threads get from the other library. The vectors are made in one world and dropped in the other.
#[unsafe(no_mangle)]
pub extern "C" fn rich_sum() -> u32 {
    let threads: Vec<_> = (0..3)
        .map(|_| std::thread::spawn(|| plain::squares(5)))
        .collect();
    threads
        .into_iter()
        .map(|thread| thread.join().map_or(0, |squares| squares.iter().sum()))
        .sum()
}

/// Whether a panic in the other library can be caught here.
#[unsafe(no_mangle)]
pub extern "C" fn rich_catches() -> bool {
    std::panic::catch_unwind(|| plain::square(4)).is_err()
}

/// How many threads more than there are slots for can be made at a time.
#[unsafe(no_mangle)]
pub extern "C" fn rich_crowd() -> u32 {
    let barrier = std::sync::Arc::new(std::sync::Mutex::new(()));
    let held = barrier.lock();
    let mut threads = Vec::new();
    let error = loop {
        let barrier = barrier.clone();
        let work = move || drop(barrier.lock());
        match std::thread::Builder::new().stack_size(16 << 10).spawn(work) {
            Ok(thread) => threads.push(thread),
            Err(error) => break error,
        }
    };
    drop(held);
    let count = threads.len();
    let joined = threads
        .into_iter()
        .filter_map(|thread| thread.join().ok())
        .count();
    println!(
        "{count} threads at a time, then {:?}; {joined} joined",
        error.kind()
    );
    count as u32
}

/// How often this thread has called.
#[unsafe(no_mangle)]
pub extern "C" fn rich_calls_of_this_thread() -> u32 {
    thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}

/// The lowest address of its stack that the thread of `rich_overflow` has used.
static LOWEST: AtomicUsize = AtomicUsize::new(0);

fn descend(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let here = black_box([depth; 16]);
    LOWEST.store(here.as_ptr().addr(), Relaxed);
    descend(black_box(depth + 1)) + here[3]
}

/// Starts a thread that goes on until its stack is used up.
#[unsafe(no_mangle)]
pub extern "C" fn rich_overflow() {
    std::thread::spawn(|| descend(0));
}

/// Whether `address` lies less than a page below what that thread used.
#[unsafe(no_mangle)]
pub extern "C" fn rich_was_near(address: usize) -> bool {
    LOWEST.load(Relaxed).wrapping_sub(address) < 4096
}
