// SPDX-License-Identifier: BSD-2-Clause
//! A use of `Vec`, `BTreeMap` and `format!` each.
#![no_std]

extern crate alloc;

use alloc::{collections::BTreeMap, format, vec::Vec};
use core::ffi::{CStr, c_char};

/// Counts how often each remainder by 7 comes among the first squares, and tells it line by line.
///
/// # Safety
///
/// `show` must be a C function of this signature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tally(squares: u32, show: unsafe extern "C" fn(line: *const c_char)) {
    let mut numbers = Vec::new();
    for root in 0..squares {
        numbers.push(root * root);
    }
    let mut counts = BTreeMap::new();
    for number in &numbers {
        *counts.entry(number % 7).or_insert(0u32) += 1;
    }
    for (remainder, count) in &counts {
        let line = format!("remainder {remainder} came {count} times\0");
        if let Ok(line) = CStr::from_bytes_with_nul(line.as_bytes()) {
            // SAFETY: by the contract of this function, `show` has this signature.
            unsafe { show(line.as_ptr()) };
        }
    }
}
