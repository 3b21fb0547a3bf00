// SPDX-License-Identifier: BSD-2-Clause

//! Logger for the `log` crate, with the line format of libsel4-rt, as in `[INFO  greeter] hello`.

use log::{LevelFilter, Log, Metadata, Record, STATIC_MAX_LEVEL};

/// Installs the logger for all levels that are compiled in.
pub fn install() {
    if STATIC_MAX_LEVEL != LevelFilter::Off && log::set_logger(&Logger).is_ok() {
        log::set_max_level(STATIC_MAX_LEVEL);
    }
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        // SAFETY: fflush(NULL) is defined: it flushes every open stream.
        unsafe { libc::fflush(std::ptr::null_mut()) };
        eprintln!(
            "[{:<5} {}] {}",
            record.level(),
            record.target(),
            record.args()
        );
    }

    fn flush(&self) {}
}
