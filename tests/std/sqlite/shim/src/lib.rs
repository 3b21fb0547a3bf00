// SPDX-License-Identifier: BSD-2-Clause

//! C of the crate's own, without std.

#![no_std]

use core::ffi::{c_char, c_long};

unsafe extern "C" {
    fn shim_parse(text: *const c_char) -> c_long;
}

/// Returns the bytes of six words of the kernel.
#[unsafe(no_mangle)]
pub extern "C" fn six_words() -> c_long {
    // SAFETY: the text ends with a zero.
    unsafe { shim_parse(c"6".as_ptr()) }
}
