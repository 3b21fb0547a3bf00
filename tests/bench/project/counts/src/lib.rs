// SPDX-License-Identifier: BSD-2-Clause
//! Functions whose instructions the program counts: the Rust heap, and calls between C and Rust.
#![no_std]

extern crate alloc;

use core::alloc::Layout;
use core::ffi::c_void;

/// Allocates `bytes` bytes from the Rust heap, aligned to 8. Returns null on failure.
///
/// # Safety
///
/// `bytes` is above 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_alloc(bytes: usize) -> *mut c_void {
    match Layout::from_size_align(bytes, 8) {
        // SAFETY: the layout has a size.
        Ok(layout) => unsafe { alloc::alloc::alloc(layout).cast() },
        Err(_) => core::ptr::null_mut(),
    }
}

/// Frees a block.
///
/// # Safety
///
/// `rust_alloc(bytes)` returned `block`, which is no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_free(block: *mut c_void, bytes: usize) {
    if let Ok(layout) = Layout::from_size_align(bytes, 8) {
        // SAFETY: the contract of this function is the same.
        unsafe { alloc::alloc::dealloc(block.cast(), layout) };
    }
}

/// Routine of apps/hello.
#[unsafe(no_mangle)]
pub extern "C" fn rust_routine(a: i32, b: i32) -> i32 {
    let a = if a == 1 { 0 } else { a };
    a.wrapping_add(b)
}

/// Calls back into C, and adds 1 to the result.
///
/// # Safety
///
/// `function` must be a C function of this signature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_apply(function: unsafe extern "C" fn(a: i32) -> i32, a: i32) -> i32 {
    // SAFETY: by the contract of this function, `function` has this signature.
    unsafe { function(a) }.wrapping_add(1)
}
