// SPDX-License-Identifier: BSD-2-Clause
//! Calls the server.
#![no_std]

use camkes::{attributes, count, spare, work};
use core::ffi::c_int;

/// Runs as the component's control thread.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    let rounds = attributes::rounds();
    let mut sum = 0;
    for _ in 0..rounds {
        sum = work::churn(1);
    }
    match attributes::fails() {
        0 => {}
        1 => {
            work::fail(4);
        }
        _ => {
            log::info!("calls what is not connected: {}", spare::is_connected());
            spare::churn(1);
        }
    }
    log::info!("{rounds} rounds, the sum is {sum}");
    if spare::is_connected() {
        // One is in the semaphore at first.
        let first = (count::try_wait(), count::try_wait());
        count::post();
        count::wait();
        log::info!(
            "the spare says {}, the semaphore {first:?}",
            spare::churn(1)
        );
    }
    0
}
