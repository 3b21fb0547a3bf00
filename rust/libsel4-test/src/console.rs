// SPDX-License-Identifier: BSD-2-Clause

//! Output to the console, through C's standard error: the monitor's lines, and details of tests. No stream of C
//! is flushed, since a thread of a test may be printing; libsel4-rt makes C's standard output unbuffered.

use core::ffi::{c_int, c_void};
use core::fmt::{self, Write};

unsafe extern "C" {
    fn write(descriptor: c_int, bytes: *const c_void, count: usize) -> isize;
}

const STANDARD_ERROR: c_int = 2;

/// Prefix of the monitor's lines, by which the host finds them.
const PREFIX: &str = "libsel4-test: ";

struct Console;

impl Write for Console {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        while !text.is_empty() {
            // SAFETY: `write` only reads the bytes of the live slice.
            let taken = unsafe { write(STANDARD_ERROR, text.as_ptr().cast(), text.len()) };
            let taken = usize::try_from(taken).map_err(|_| fmt::Error)?;
            text = text.get(taken.max(1)..).ok_or(fmt::Error)?;
        }
        Ok(())
    }
}

/// Prints a line with the monitor's prefix.
pub(crate) fn line(arguments: fmt::Arguments) {
    // An error of the console cannot be reported anywhere.
    let _ = writeln!(Console, "{PREFIX}{arguments}");
}

/// Prints a line about the running test.
pub(crate) fn detail(arguments: fmt::Arguments) {
    let _ = writeln!(Console, "{arguments}");
}

/// Prints the fields of a structure, six on each line.
pub(crate) fn fields(structure: &dyn fmt::Debug) {
    let _ = write!(Folded { lines: 0 }, "{structure:#x?}");
    let _ = writeln!(Console);
}

/// Writer that joins the lines of `{:#?}`, without the first (the type's name) and the last (a brace).
struct Folded {
    lines: usize,
}

impl Write for Folded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.lines += 1;
                let is_full = self.lines > 1 && self.lines % 6 == 1;
                Console.write_str(if is_full { "\n  " } else { "  " })?;
            }
            if self.lines > 0 && line != "}" {
                Console.write_str(line.trim_matches([' ', ',']))?;
            }
        }
        Ok(())
    }
}
