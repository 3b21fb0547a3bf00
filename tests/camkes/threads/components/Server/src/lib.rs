// SPDX-License-Identifier: BSD-2-Clause
//! A server whose threads all allocate.
#![no_std]
extern crate alloc;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::c_int;
use core::hint::black_box;

const ROUNDS: c_int = 20_000;

/// Allocates and frees a hundred blocks, so many times; returns the sum of their contents in the last round.
fn churn(rounds: c_int) -> c_int {
    let mut sum = 0;
    for _ in 0..rounds {
        let blocks: Vec<Box<c_int>> = (0..100).map(|number| Box::new(black_box(number))).collect();
        sum = blocks.iter().map(|block| **block).sum();
    }
    sum
}

/// The control thread, of a lower priority than those below.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    let sum = churn(black_box(ROUNDS));
    log::info!("{ROUNDS} rounds, the sum is {sum}");
    0
}

fn fail(index: c_int) -> c_int {
    let numbers = black_box([0, 1, 2, 3]);
    numbers[index as usize]
}

/// Allocates.
#[unsafe(no_mangle)]
pub extern "C" fn left_churn(rounds: c_int) -> c_int {
    churn(rounds)
}

/// Panics.
#[unsafe(no_mangle)]
pub extern "C" fn left_fail(index: c_int) -> c_int {
    fail(index)
}

/// Allocates.
#[unsafe(no_mangle)]
pub extern "C" fn right_churn(rounds: c_int) -> c_int {
    churn(rounds)
}

/// Panics.
#[unsafe(no_mangle)]
pub extern "C" fn right_fail(index: c_int) -> c_int {
    fail(index)
}

/// Allocates.
#[unsafe(no_mangle)]
pub extern "C" fn broken_churn(rounds: c_int) -> c_int {
    churn(rounds)
}

/// Panics.
#[unsafe(no_mangle)]
pub extern "C" fn broken_fail(index: c_int) -> c_int {
    fail(index)
}
