// SPDX-License-Identifier: BSD-2-Clause

//! The sink of the `log` crate: one line per record on the console, as in `[INFO  greeter] hello`. In an instance of a
//! CAmkES component, whose lines mix with those of others, its name comes first: `[INFO  door: greeter] hello`.

use core::fmt::{self, Write};

use log::{LevelFilter, Log, Metadata, Record, STATIC_MAX_LEVEL};

use crate::{c, console::Console};

/// Installs the logger; C's start code calls it before `main`.
///
/// Constructors run in the order of their numbers, and muslc becomes usable at 121
/// (LibSel4MuslcSysConstructorPriority): code that may call `printf` may log.
///
/// Nothing writes this variable: `mut` puts it into a writable section, where C's constructors are.
#[cfg(any(target_os = "none", target_env = "musl"))]
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".init_array.00122")]
static mut sel4_rust_log: extern "C" fn() = install;

/// Sets the logger, with every level that the image was compiled with.
extern "C" fn install() {
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
        write_line(record, |bytes| Console.put(bytes));
    }

    fn flush(&self) {}
}

/// Writes the line of `record` through `put`.
fn write_line(record: &Record, put: impl FnMut(&[u8])) {
    let mut line = Line {
        put,
        bytes: [0; 128],
        length: 0,
    };
    line.add(b"[");
    let level = record.level().as_str();
    line.add(level.as_bytes());
    line.add(b"     ".get(level.len()..).unwrap_or_default());
    line.add(b" ");
    if cfg!(feature = "camkes") {
        line.add(c::instance_name().to_bytes());
        line.add(b": ");
    }
    line.add(record.target().as_bytes());
    line.add(b"] ");
    // `Line` never fails: an error could only come from a `Display`, and truncates the record.
    let _ = line.write_fmt(*record.args());
    line.add(b"\n");
    line.flush();
}

/// Buffer for a line, so that it reaches the console in one piece unless it is long, since other
/// threads print too.
struct Line<P> {
    put: P,
    bytes: [u8; 128],
    length: usize,
}

impl<P: FnMut(&[u8])> Line<P> {
    fn add(&mut self, text: &[u8]) {
        for &byte in text {
            if self.length == self.bytes.len() {
                self.flush();
            }
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            }
        }
    }

    fn flush(&mut self) {
        (self.put)(self.bytes.get(..self.length).unwrap_or_default());
        self.length = 0;
    }
}

impl<P: FnMut(&[u8])> Write for Line<P> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Level;

    /// Returns the pieces in which a record is written.
    fn pieces(level: Level, target: &str, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        let mut write = |arguments: fmt::Arguments| {
            let record = Record::builder()
                .level(level)
                .target(target)
                .args(arguments)
                .build();
            write_line(&record, |bytes| {
                out.push(String::from_utf8(bytes.to_vec()).unwrap())
            });
        };
        write(format_args!("{text}"));
        out
    }

    #[test]
    fn a_line_names_level_and_target() {
        assert_eq!(
            pieces(Level::Info, "greeter", "hello"),
            ["[INFO  greeter] hello\n"]
        );
        assert_eq!(
            pieces(Level::Error, "greeter::door", "no"),
            ["[ERROR greeter::door] no\n"]
        );
        assert_eq!(pieces(Level::Trace, "g", ""), ["[TRACE g] \n"]);
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        let text = "x".repeat(300);
        let out = pieces(Level::Warn, "greeter", &text);
        assert_eq!(
            out.iter().map(String::len).collect::<Vec<_>>(),
            [128, 128, 61]
        );
        assert_eq!(out.concat(), format!("[WARN  greeter] {text}\n"));
    }

    #[test]
    fn install_lets_every_level_through_that_was_compiled_in() {
        install();
        assert_eq!(log::max_level(), STATIC_MAX_LEVEL);
        // A second call succeeds: the program may have set its own logger by then.
        install();
        assert_eq!(log::max_level(), STATIC_MAX_LEVEL);
    }
}
