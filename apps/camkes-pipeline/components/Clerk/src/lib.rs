// SPDX-License-Identifier: BSD-2-Clause
//! The component Clerk: provides a procedure, and shares memory with the press.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::ffi::CString;
use alloc::format;
use core::ffi::{CStr, c_int};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use camkes::sys::page_t;
use camkes::{Array, Text, bell, desk, gate, printed, sheet, written};

/// Number of the last page.
static PAGES: AtomicU32 = AtomicU32::new(0);

struct Clerk;

impl desk::Methods for Clerk {
    /// Has `text` printed, and returns a receipt.
    fn submit(text: &CStr) -> Text {
        let number = PAGES.fetch_add(1, Relaxed) + 1;
        let mut page = page_t {
            number,
            length: 0,
            text: [0; 56],
        };
        for (place, byte) in page.text.iter_mut().zip(text.to_bytes()) {
            *place = *byte;
            page.length += 1;
        }
        let _guard = gate::lock();
        sheet::dataport().write(page);
        written::emit();
        printed::wait();
        if bell::is_connected() {
            bell::ring(number);
        }
        Text::copy_of(&CString::new(format!("page {number}")).unwrap_or_default())
    }

    /// Returns the sum of the numbers.
    fn total(numbers: &[c_int]) -> c_int {
        numbers.iter().sum()
    }

    /// Halves a number.
    fn halve(number: c_int, half: &mut c_int, rest: &mut c_int) {
        *half = number / 2;
        *rest = number % 2;
    }

    /// Gives the numbers of the pages so far, and a word about them.
    fn pages(numbers: &mut Array<u32>, word: &mut Text) {
        let pages = PAGES.load(Relaxed);
        let all: alloc::vec::Vec<u32> = (1..=pages).collect();
        *numbers = Array::copy_of(&all);
        *word = if pages > 2 { c"many" } else { c"few" }.into();
    }

    /// Puts the word that the clerk would say in its place.
    fn reword(word: &mut Text) {
        let better = match word.as_c_str().to_bytes() {
            b"good" => c"excellent",
            _ => c"fair",
        };
        *word = better.into();
    }

    /// Returns whether the number is even.
    fn even(number: c_int) -> bool {
        number % 2 == 0
    }
}

camkes::provide_desk!(Clerk);
