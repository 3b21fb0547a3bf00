// SPDX-License-Identifier: BSD-2-Clause

//! The seL4 console, reached through the C library alone.
//!
//! `write` of muslc goes wherever the image sends its output: to the kernel's debug console, or to
//! a serial driver when the kernel has none. A kernel without `KernelPrinting` therefore makes no
//! difference here.

use core::{fmt, ptr};

use crate::c;

/// C's standard error: it is the same console, and never waits in a C buffer.
const STANDARD_ERROR: core::ffi::c_int = 2;

/// Where panics and log lines go.
pub(crate) struct Console;

impl Console {
    /// The console, with what C's `printf` still held back written to it, so that lines appear in
    /// the order in which the program made them.
    pub(crate) fn after_c() -> Self {
        // SAFETY: fflush(NULL) is defined: it flushes every open stream.
        unsafe { c::fflush(ptr::null_mut()) };
        Self
    }

    /// Writes all of `bytes`, as far as C takes them.
    // One copy, not one for each piece of a message.
    #[inline(never)]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        put_with(bytes, |rest| {
            // SAFETY: `rest` is a live slice, and `write` only reads it.
            unsafe { c::write(STANDARD_ERROR, rest.as_ptr().cast(), rest.len()) }
        });
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

/// Calls `write` until it has taken all of `bytes`. When it takes nothing, or fails, the rest is
/// lost: there is no other place to say so.
fn put_with(mut bytes: &[u8], mut write: impl FnMut(&[u8]) -> isize) {
    while !bytes.is_empty() {
        let Some(rest) = usize::try_from(write(bytes))
            .ok()
            .filter(|&taken| taken > 0)
            .and_then(|taken| bytes.get(taken..))
        else {
            return;
        };
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::put_with;

    /// What comes out when `write` takes at most `each` bytes at a time, and how often it was
    /// called.
    fn through(each: usize, text: &str) -> (String, usize) {
        let (mut out, mut calls) = (Vec::new(), 0);
        put_with(text.as_bytes(), |bytes| {
            let taken = bytes.len().min(each);
            out.extend_from_slice(&bytes[..taken]);
            calls += 1;
            taken as isize
        });
        (String::from_utf8(out).unwrap(), calls)
    }

    #[test]
    fn short_writes_are_continued() {
        assert_eq!(through(100, "greetings"), ("greetings".into(), 1));
        assert_eq!(through(4, "greetings"), ("greetings".into(), 3));
        assert_eq!(through(1, "greetings"), ("greetings".into(), 9));
        assert_eq!(through(4, ""), ("".into(), 0));
    }

    #[test]
    fn a_write_that_takes_nothing_ends_it() {
        assert_eq!(through(0, "greetings"), ("".into(), 1));
    }

    #[test]
    fn a_failed_write_ends_it() {
        let mut answers = [3, -1, 6].into_iter();
        let mut seen = Vec::new();
        put_with(b"greetings", |bytes| {
            seen.push(bytes.len());
            answers.next().unwrap()
        });
        assert_eq!(seen, [9, 6]);
    }

    #[test]
    fn a_write_that_claims_too_much_ends_it() {
        let mut calls = 0;
        put_with(b"greetings", |bytes| {
            calls += 1;
            bytes.len() as isize + 1
        });
        assert_eq!(calls, 1);
    }
}
