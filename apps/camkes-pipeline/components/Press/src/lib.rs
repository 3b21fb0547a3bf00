// SPDX-License-Identifier: BSD-2-Clause
//! The component Press: waits for an event, and reads shared memory.
#![no_std]

use core::ffi::c_int;

use camkes::{printed, sheet, written};

/// Runs as the component's control thread.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    loop {
        written::wait();
        let page = sheet::dataport().read();
        let length = (page.length as usize).min(page.text.len());
        let text = str::from_utf8(&page.text[..length]).unwrap_or("(not readable)");
        log::info!("page {}: {text}", page.number);
        printed::emit();
    }
}
