// SPDX-License-Identifier: BSD-2-Clause

//! System calls in code that panics unwind through, and in threads of std.

use std::hint::black_box;
use std::panic::catch_unwind;

struct Told(&'static str);

impl Drop for Told {
    fn drop(&mut self) {
        println!("{} is over", self.0);
    }
}

#[inline(never)]
fn call_and_panic(index: usize) -> u32 {
    let _told = Told("the function");
    libsel4::yield_now();
    let none: Vec<u32> = Vec::new();
    let value = none[index];
    libsel4::yield_now();
    value
}

/// Panics between system calls, in this thread and in another.
#[unsafe(no_mangle)]
pub extern "C" fn inlined_in_threads() {
    let here = catch_unwind(|| call_and_panic(black_box(1)));
    println!("caught here: {}", here.is_err());
    let there = std::thread::spawn(|| call_and_panic(black_box(2))).join();
    println!("caught there: {}", there.is_err());
}
