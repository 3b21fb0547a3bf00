// SPDX-License-Identifier: BSD-2-Clause
//! Calls the server.
#![no_std]

use camkes::{attributes, work};
use core::ffi::c_int;

/// Runs as the component's control thread.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    let rounds = attributes::rounds();
    let mut sum = 0;
    for _ in 0..rounds {
        sum = work::churn(1);
    }
    if attributes::fails() != 0 {
        work::fail(4);
    }
    log::info!("{rounds} rounds, the sum is {sum}");
    0
}
