// SPDX-License-Identifier: BSD-2-Clause
//! Work of the programs in the archive.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;

/// Returns the label of the message with which a program tells its end.
#[unsafe(no_mangle)]
pub extern "C" fn program_done() -> usize {
    protocol::DONE
}

/// Says a sentence.
#[unsafe(no_mangle)]
pub extern "C" fn program_speaker() {
    log::info!("a program of its own speaks");
}

/// Sorts numbers on the heap.
#[unsafe(no_mangle)]
pub extern "C" fn program_sorter() {
    let mut numbers: Vec<u32> = (0..1000).map(|number| number * 7 % 1000).collect();
    numbers.sort();
    log::info!(
        "{} numbers are in order: {}",
        numbers.len(),
        numbers.is_sorted()
    );
}

/// Panics.
#[unsafe(no_mangle)]
pub extern "C" fn program_breaker() {
    panic!("this program breaks");
}
