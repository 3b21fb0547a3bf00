// SPDX-License-Identifier: BSD-2-Clause

//! The panic handler: prints the location and the message, then calls C's `abort`, or faults (feature
//! `panic-fault`).
//!
//! Only the message itself is formatted with `core::fmt`: formatting the rest with it, too, would add
//! 1 KiB to an image (aarch64, Release).

use core::fmt::Write as _;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::{c, console::Console, decimal::Decimal};

/// Reports a panic and ends the thread. A panic during the report (for example in the `Display` of a
/// value in the message) prints a fixed line.
#[cfg_attr(any(target_os = "none", target_env = "musl"), panic_handler)]
fn panic(info: &PanicInfo) -> ! {
    static REPORTS: Reports = Reports::none();

    let thread = c::thread();
    let kind = REPORTS.begin(thread, || c::yield_to_peers());
    if kind == Report::Nested {
        Console.put(b"\nRust panicked again while it reported a panic\n");
    } else {
        report(info, kind);
    }
    // `abort` may end only this thread, as under libsel4-test and in CAmkES.
    REPORTS.end(thread);
    c::abort()
}

/// Prints the report of a panic.
fn report(info: &PanicInfo, kind: Report) {
    let mut console = Console;
    if kind == Report::Among {
        // The report that is not finished has stopped somewhere in its line.
        console.put(b"\n");
    }
    if cfg!(feature = "camkes") {
        console.put(c::instance_name().to_bytes());
        console.put(b": ");
    }
    console.put(b"Rust panicked");
    if let Some(place) = info.location() {
        console.put(b" at ");
        console.put(place.file().as_bytes());
        for number in [place.line(), place.column()] {
            console.put(b":");
            console.put(Decimal::new(number as usize).as_bytes());
        }
    }
    console.put(b":\n");
    // The console never fails: an error could only come from a `Display`, and truncates the message.
    let _ = write!(console, "{}", info.message());
    console.put(b"\n");
    #[cfg(not(feature = "heap-none"))]
    if let Some(place) = info.location() {
        crate::exhausted::explain(place.file(), &mut |bytes| console.put(bytes));
    }
}

/// Number of yields for which a report waits for another one. A report takes a few hundred characters, each
/// of which the slowest serial port sends in about the time of a hundred yields.
const PATIENCE: u32 = 1 << 16;

/// Number of threads whose panics within panics are recognised at a time.
const THREADS: usize = 4;

/// Threads that are reporting a panic. The first place also stands for the turn at the console.
struct Reports([AtomicUsize; THREADS]);

/// Kind of a report that begins.
#[derive(Debug, PartialEq)]
enum Report {
    /// No other report is printed at the same time.
    Alone,
    /// Another thread has not finished its report, perhaps since it has a lower priority.
    Among,
    /// The thread panicked while it reported a panic, or too many other threads did.
    Nested,
}

impl Reports {
    const fn none() -> Self {
        Self([const { AtomicUsize::new(0) }; THREADS])
    }

    /// Begins a report of `thread`, a number that no other thread has. Waits for the report of another
    /// thread by `relax`, at most [`PATIENCE`] times.
    fn begin(&self, thread: usize, relax: impl Fn()) -> Report {
        // No other thread writes or removes this number.
        if self.0.iter().any(|place| place.load(Relaxed) == thread) {
            return Report::Nested;
        }
        let take =
            |place: &AtomicUsize| place.compare_exchange(0, thread, Relaxed, Relaxed).is_ok();
        let [first, others @ ..] = &self.0;
        for _ in 0..PATIENCE {
            if take(first) {
                return Report::Alone;
            }
            relax();
        }
        if others.iter().any(take) {
            Report::Among
        } else {
            Report::Nested
        }
    }

    /// Ends the report of `thread`.
    fn end(&self, thread: usize) {
        for place in &self.0 {
            if place.load(Relaxed) == thread {
                place.store(0, Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_panic_in_a_panic_is_nested_and_the_next_one_is_not() {
        let reports = Reports::none();
        assert_eq!(reports.begin(1, || ()), Report::Alone);
        assert_eq!(reports.begin(1, || ()), Report::Nested);
        reports.end(1);
        assert_eq!(reports.begin(1, || ()), Report::Alone);
    }

    #[test]
    fn another_thread_waits_for_its_turn() {
        let reports = Reports::none();
        let yields = Cell::new(0);
        assert_eq!(reports.begin(1, || ()), Report::Alone);
        let second = reports.begin(2, || {
            yields.set(yields.get() + 1);
            if yields.get() == 3 {
                reports.end(1);
            }
        });
        assert_eq!((second, yields.get()), (Report::Alone, 3));
    }

    #[test]
    fn a_thread_that_waits_too_long_reports_all_the_same() {
        let reports = Reports::none();
        assert_eq!(reports.begin(1, || ()), Report::Alone);
        for thread in 2..=THREADS {
            assert_eq!(reports.begin(thread, || ()), Report::Among);
            assert_eq!(reports.begin(thread, || ()), Report::Nested);
        }
        assert_eq!(reports.begin(THREADS + 1, || ()), Report::Nested);
        reports.end(2);
        assert_eq!(reports.begin(THREADS + 1, || ()), Report::Among);
    }
}
