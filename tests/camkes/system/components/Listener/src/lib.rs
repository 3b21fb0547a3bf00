// SPDX-License-Identifier: BSD-2-Clause
//! A component in Rust. Each function that CAmkES refers to weakly has a module, and so a codegen unit, of its own.
#![no_std]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Bits of the functions that ran.
static RAN: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn puts(text: *const c_char) -> c_int;
    fn bell_reg_callback(callback: extern "C" fn(*mut c_void), argument: *mut c_void) -> c_int;
}

fn say(text: &CStr) {
    // SAFETY: the text ends with a zero byte.
    unsafe { puts(text.as_ptr()) };
}

mod first {
    #[unsafe(no_mangle)]
    pub extern "C" fn pre_init() {
        super::RAN.fetch_or(1, super::SeqCst);
    }
}

mod second {
    #[unsafe(no_mangle)]
    pub extern "C" fn sums__init() {
        super::RAN.fetch_or(2, super::SeqCst);
    }
}

mod last {
    use super::{RAN, SeqCst, bell_reg_callback, c_void, say};

    #[unsafe(no_mangle)]
    pub extern "C" fn post_init() {
        RAN.fetch_or(4, SeqCst);
        // SAFETY: the callback takes no argument.
        unsafe { bell_reg_callback(rang, core::ptr::null_mut()) };
    }

    extern "C" fn rang(_: *mut c_void) {
        say(c"listener: the bell rang");
    }
}

/// Adds two numbers.
#[unsafe(no_mangle)]
pub extern "C" fn sums_add(a: c_int, b: c_int) -> c_int {
    a.wrapping_add(b)
}

/// Says which functions ran.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    if RAN.load(SeqCst) == 7 {
        say(c"listener: pre_init, sums__init and post_init ran");
    }
    0
}
