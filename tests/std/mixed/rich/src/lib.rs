// SPDX-License-Identifier: BSD-2-Clause

//! A library with std, which uses one without.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::sync::Mutex;
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

/// Returns whether a panic in the other library can be caught here.
#[unsafe(no_mangle)]
pub extern "C" fn rich_catches() -> bool {
    std::panic::catch_unwind(|| plain::square(4)).is_err()
}

/// Returns how many threads can exist at a time beyond the number of slots.
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

/// Returns the number of calls by this thread.
#[unsafe(no_mangle)]
pub extern "C" fn rich_calls_of_this_thread() -> u32 {
    thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}

/// A value that asks for more alignment than thread-local storage has by itself.
#[repr(align(256))]
struct Aligned([u64; 4]);

/// Returns whether this value is aligned and initialised, in the calling thread and in a new one.
#[unsafe(no_mangle)]
pub extern "C" fn rich_is_aligned() -> bool {
    thread_local!(static VALUE: Aligned = const { Aligned([1, 2, 3, 4]) });
    let right =
        || VALUE.with(|value| (&raw const *value).addr() % 256 == 0 && value.0 == [1, 2, 3, 4]);
    right() && std::thread::spawn(right).join().is_ok_and(|right| right)
}

/// Adds to a sum, and returns it.
#[unsafe(no_mangle)]
pub extern "C" fn rich_add(number: u32) -> u32 {
    static SUM: Mutex<u32> = Mutex::new(0);
    let mut sum = SUM.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    *sum += number;
    *sum
}

unsafe extern "C" {
    /// Has C call `function` on a new thread, and waits for that. Returns 0.
    // SAFETY: `argument` must be what `function` expects.
    unsafe fn run_on_a_thread(
        function: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
}

/// Runs a closure on a thread that C made. Returns what it found there, 0 if it did not run.
#[unsafe(no_mangle)]
pub extern "C" fn rich_closure() -> u32 {
    extern "C" fn call(closure: *mut c_void) -> *mut c_void {
        // SAFETY: the pointer is that of a closure below, which lives until this thread is joined.
        let closure = unsafe { &mut *closure.cast::<&mut dyn FnMut()>() };
        closure();
        std::ptr::null_mut()
    }
    let numbers = [20, 21];
    let mut found = 0;
    let mut closure = || found = numbers.iter().sum::<u32>() + rich_calls_of_this_thread();
    let mut closure: &mut dyn FnMut() = &mut closure;
    // SAFETY: the argument is what `call` expects.
    let failed = unsafe { run_on_a_thread(call, (&raw mut closure).cast()) } != 0;
    if failed || !cfg!(sel4) {
        return 0;
    }
    found
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

/// Returns whether `address` is less than a page below the lowest address that the thread used.
#[unsafe(no_mangle)]
pub extern "C" fn rich_was_near(address: usize) -> bool {
    LOWEST.load(Relaxed).wrapping_sub(address) < 4096
}
