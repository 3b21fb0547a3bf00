// SPDX-License-Identifier: BSD-2-Clause
//! The component Press: waits for an event, reads shared memory, and has the printer print it, if there is one.
#![no_std]
extern crate alloc;

use alloc::ffi::CString;
use alloc::format;
use core::ffi::c_int;

use camkes::{output, printed, sheet, written};

/// Runs as the component's control thread.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    loop {
        written::wait();
        let page = sheet::dataport().read();
        let length = (page.length as usize).min(page.text.len());
        let text = str::from_utf8(&page.text[..length]).unwrap_or("(not readable)");
        if output::is_connected() {
            let line = CString::new(format!("page {}: {text}\n", page.number));
            output::write(&line.unwrap_or_default());
        } else {
            log::info!("page {}: {text}", page.number);
        }
        printed::emit();
    }
}
