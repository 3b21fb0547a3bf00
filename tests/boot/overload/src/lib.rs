// SPDX-License-Identifier: BSD-2-Clause
//! Drives the runtime to its limits: the last byte of the heap, a panic within a panic, a log level.
#![no_std]

extern crate alloc;

use alloc::{boxed::Box, vec::Vec};
use core::{fmt, hint::black_box};

/// Logs one line at each level.
#[unsafe(no_mangle)]
pub extern "C" fn overload_log() {
    log::error!("error");
    log::warn!("warning");
    log::info!("information");
    log::debug!("detail");
}

/// Asks for `bytes` in the way that may fail; whether they were to be had.
#[unsafe(no_mangle)]
pub extern "C" fn overload_may_have(bytes: usize) -> bool {
    black_box(Vec::<u8>::new()).try_reserve(bytes).is_ok()
}

/// The sum of 1, 2 and 3, each in a box of its own.
#[unsafe(no_mangle)]
pub extern "C" fn overload_boxes() -> u32 {
    [1, 2, 3].map(|n| *black_box(Box::new(n))).iter().sum()
}

/// Takes blocks of 4096 bytes until there are no more.
#[unsafe(no_mangle)]
pub extern "C" fn overload_exhaust() {
    loop {
        black_box(Box::leak(Box::new([1_u8; 4096])));
    }
}

struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, _: &mut fmt::Formatter) -> fmt::Result {
        panic!("the second panic")
    }
}

/// Panics with a message that panics.
#[unsafe(no_mangle)]
pub extern "C" fn overload_panic() {
    panic!("the first panic, {}", Broken)
}
