// SPDX-License-Identifier: BSD-2-Clause

//! Panics without std: prints location and message in the format of libsel4-rt, then calls C's `abort`.

use std::panic::PanicHookInfo;

pub(crate) fn install() {
    std::panic::set_hook(Box::new(report));
}

fn report(info: &PanicHookInfo) {
    // SAFETY: fflush(NULL) is defined: it flushes every open stream.
    unsafe { libc::fflush(std::ptr::null_mut()) };
    let place = info
        .location()
        .map(|place| format!(" at {place}"))
        .unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("something that is no text");
    eprintln!("Rust panicked{place}:\n{message}");
}
