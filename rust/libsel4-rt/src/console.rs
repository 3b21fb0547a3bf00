// SPDX-License-Identifier: BSD-2-Clause

//! The seL4 console, reached through the C library alone.
//!
//! C's `writev` uses the image's output: the kernel's debug console, or a serial driver if the kernel has
//! no console. Therefore the runtime also works with a kernel without `KernelPrinting`.
//!
//! No stream of C is flushed: muslc locks none in a program without `pthread_create`, and another thread
//! may be in the middle of a `printf`. `c/console.c` makes C's standard output unbuffered instead, so that
//! lines appear in the order in which the program printed them.

use core::fmt;

use crate::c;

/// Output of panics and log lines.
pub(crate) struct Console;

impl Console {
    /// Writes `bytes`, up to the first error of C.
    // Not inlined: one copy, not one for each piece of a message.
    #[inline(never)]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        put_with(bytes, |rest| {
            // SAFETY: `rest` is a live slice, and `write` only reads it.
            unsafe { c::write(rest.as_ptr().cast(), rest.len()) }
        });
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

/// Calls `write` until it has taken all of `bytes`. If it takes nothing or fails, the rest is lost,
/// since the error cannot be reported anywhere.
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

    /// Returns the output if `write` takes at most `each` bytes at a time, and the number of its
    /// calls.
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
