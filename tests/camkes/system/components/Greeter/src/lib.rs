// SPDX-License-Identifier: BSD-2-Clause
//! Counts greetings, on the heap.
#![no_std]
extern crate alloc;

use alloc::boxed::Box;
use core::ffi::c_int;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

static COUNT: AtomicPtr<c_int> = AtomicPtr::new(core::ptr::null_mut());

/// Returns the number of calls so far.
#[unsafe(no_mangle)]
pub extern "C" fn greet() -> c_int {
    let before = COUNT.swap(core::ptr::null_mut(), Relaxed);
    let mut count = if before.is_null() {
        Box::new(0)
    } else {
        // SAFETY: `COUNT` holds what `into_raw` returned, and it was taken out.
        unsafe { Box::from_raw(before) }
    };
    *count += 1;
    let now = *count;
    COUNT.store(Box::into_raw(count), Relaxed);
    now
}
