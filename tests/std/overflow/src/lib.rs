// SPDX-License-Identifier: BSD-2-Clause

//! A function that uses its stack up.

#![no_std]

use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static DEEPEST: AtomicUsize = AtomicUsize::new(0);

/// Returns the address of the deepest frame.
#[unsafe(no_mangle)]
pub extern "C" fn overflow_deepest() -> usize {
    DEEPEST.load(Relaxed)
}

/// Calls itself until the stack ends.
#[unsafe(no_mangle)]
pub extern "C" fn overflow_descends(depth: usize) -> usize {
    let frame = [depth; 64];
    DEEPEST.store(frame.as_ptr() as usize, Relaxed);
    if depth == usize::MAX {
        return 0;
    }
    overflow_descends(black_box(depth + 1)) + black_box(frame)[0]
}
