// SPDX-License-Identifier: BSD-2-Clause

//! A library without std, with a static and the heap.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

static CALLS: AtomicU32 = AtomicU32::new(0);

/// The squares below `count`, on the heap that the executable has.
pub fn squares(count: u32) -> Vec<u32> {
    CALLS.fetch_add(1, Relaxed);
    if cfg!(sel4) {
        log::info!("squares of {count}");
    }
    (0..count).map(|i| i * i).collect()
}

/// An index that panics when it is too large.
pub fn square(index: usize) -> u32 {
    squares(4)[index]
}

/// Returns the number of calls by Rust and C.
#[unsafe(no_mangle)]
pub extern "C" fn plain_calls() -> u32 {
    CALLS.load(Relaxed)
}
