// SPDX-License-Identifier: BSD-2-Clause
//! Calls the server.
#![no_std]

use camkes::{attributes, before, work};
use core::ffi::c_int;

/// Runs as the component's control thread.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    if before::is_connected() {
        before::rest();
    }
    if attributes::fails() != 0 {
        return work::fail();
    }
    work::work(attributes::rounds())
}
