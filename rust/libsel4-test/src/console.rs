// SPDX-License-Identifier: BSD-2-Clause

//! The console, which C's standard error is: the monitor's lines, and what tests say of themselves.

use core::ffi::{c_int, c_void};
use core::fmt::{self, Write};
use core::ptr;

unsafe extern "C" {
    fn fflush(stream: *mut c_void) -> c_int;
    fn write(descriptor: c_int, bytes: *const c_void, count: usize) -> isize;
}

const STANDARD_ERROR: c_int = 2;

/// Before each of the monitor's lines. Whoever reads the console finds them by it.
const PREFIX: &str = "libsel4-test: ";

struct Console;

impl Write for Console {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        while !text.is_empty() {
            // SAFETY: it reads these bytes.
            let taken = unsafe { write(STANDARD_ERROR, text.as_ptr().cast(), text.len()) };
            let taken = usize::try_from(taken).map_err(|_| fmt::Error)?;
            text = text.get(taken.max(1)..).ok_or(fmt::Error)?;
        }
        Ok(())
    }
}

/// Prints a line of the monitor's.
pub(crate) fn line(arguments: fmt::Arguments) {
    // What C still holds back came before it.
    // SAFETY: fflush(NULL) flushes every stream.
    unsafe { fflush(ptr::null_mut()) };
    // There is no other place to say that the console fails.
    let _ = writeln!(Console, "{PREFIX}{arguments}");
}

/// Prints a line about the test that runs.
pub(crate) fn detail(arguments: fmt::Arguments) {
    let _ = writeln!(Console, "{arguments}");
}

/// Prints a structure's fields, a few on each line.
pub(crate) fn fields(structure: &dyn fmt::Debug) {
    let _ = write!(Folded { lines: 0 }, "{structure:#x?}");
    let _ = writeln!(Console);
}

/// Folds the lines of `{:#?}`, of which the first has the type's name, and the last a brace.
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
