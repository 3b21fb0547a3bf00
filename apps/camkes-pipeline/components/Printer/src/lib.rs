// SPDX-License-Identifier: BSD-2-Clause
//! The component Printer: a driver of ARM's serial port PL011, by its registers and its interrupt.
#![no_std]

use core::ffi::CStr;

use camkes::{ready, sent};

mod pl011;

struct Printer;

impl camkes::output::Methods for Printer {
    fn write(text: &CStr) {
        for byte in text.to_bytes() {
            pl011::send(*byte);
            ready::wait();
        }
    }
}

camkes::provide_output!(Printer);

/// Handles the interrupt, which says that the port can take another byte. CAmkES calls this function in a thread of its own.
#[unsafe(no_mangle)]
pub extern "C" fn sent_handle() {
    pl011::silence();
    ready::post();
    sent::acknowledge();
}
