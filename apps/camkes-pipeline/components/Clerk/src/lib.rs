// SPDX-License-Identifier: BSD-2-Clause
//! The component Clerk: provides a procedure, and shares memory with the press.
#![no_std]
extern crate alloc;

use alloc::ffi::CString;
use alloc::format;
use core::ffi::{CStr, c_char, c_int};
use core::slice;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use camkes::sys::page_t;
use camkes::{gate, printed, sheet, written};

/// Number of the last page.
static PAGES: AtomicU32 = AtomicU32::new(0);

/// Has `text` printed, and returns a receipt, whose memory CAmkES frees.
///
/// # Safety
///
/// `text` ends with a zero byte, as CAmkES sees to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn desk_submit(text: *const c_char) -> *mut c_char {
    // SAFETY: by the contract of this function.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes();
    let number = PAGES.fetch_add(1, Relaxed) + 1;
    let mut page = page_t {
        number,
        length: 0,
        text: [0; 56],
    };
    for (place, byte) in page.text.iter_mut().zip(text) {
        *place = *byte;
        page.length += 1;
    }
    let _guard = gate::lock();
    sheet::dataport().write(page);
    written::emit();
    printed::wait();
    let receipt = CString::new(format!("page {number}")).unwrap_or_default();
    camkes::text_for_c(&receipt)
}

/// Returns the sum of the numbers.
///
/// # Safety
///
/// There are so many numbers, as CAmkES sees to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn desk_total(count: usize, numbers: *const c_int) -> c_int {
    // SAFETY: by the contract of this function.
    let numbers = unsafe { slice::from_raw_parts(numbers, count) };
    numbers.iter().sum()
}

/// Halves a number.
///
/// # Safety
///
/// The results are CAmkES' own variables.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn desk_halve(number: c_int, half: *mut c_int, rest: *mut c_int) {
    // SAFETY: by the contract of this function.
    unsafe {
        *half = number / 2;
        *rest = number % 2;
    }
}
