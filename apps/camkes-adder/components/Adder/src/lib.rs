// SPDX-License-Identifier: BSD-2-Clause
//! The component Adder, wholly in Rust.
#![no_std]
extern crate alloc;

use alloc::vec::Vec;
use core::cell::RefCell;
use core::ffi::c_int;

mod init;

/// Sums so far.
// CAmkES calls an interface in one thread only, and `sums` is the one that uses them.
struct Sums(RefCell<Vec<c_int>>);

// SAFETY: only the thread of the interface `sums` uses the value.
unsafe impl Sync for Sums {}

static SUMS: Sums = Sums(RefCell::new(Vec::new()));

/// Adds two numbers, for `provides Addition sums`.
#[unsafe(no_mangle)]
pub extern "C" fn sums_add(a: c_int, b: c_int) -> c_int {
    let sum = a.wrapping_add(b);
    log::info!("{a} + {b} = {sum}");
    SUMS.0.borrow_mut().push(sum);
    sum
}

/// Returns the number of sums that this instance has made.
#[unsafe(no_mangle)]
pub extern "C" fn sums_calls() -> c_int {
    SUMS.0.borrow().len().try_into().unwrap_or(c_int::MAX)
}
