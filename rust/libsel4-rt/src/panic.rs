// SPDX-License-Identifier: BSD-2-Clause

//! What happens when Rust code panics: the place and the message on the console, then C's `abort`.
//!
//! All but the message itself goes to the console in pieces, without `core::fmt`: formatting the
//! whole would add 1 KiB to an image (aarch64, Release).

use core::fmt::Write as _;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::{c, console::Console, decimal::Decimal};

/// Reports a panic and ends the program, once: a panic while the first is being reported (say, from
/// the `Display` of a value in its message) gets one fixed line.
#[cfg_attr(any(target_os = "none", target_env = "musl"), panic_handler)]
fn panic(info: &PanicInfo) -> ! {
    static REPORTING: AtomicBool = AtomicBool::new(false);

    let end = || -> ! {
        // `abort` may end this thread alone, as it does where libsel4-test runs tests.
        REPORTING.store(false, Relaxed);
        c::abort()
    };
    if REPORTING.swap(true, Relaxed) {
        Console.put(b"\nRust panicked again while it reported a panic\n");
        end();
    }

    let mut console = Console::after_c();
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
    // The console takes everything: only a `Display` could fail, and then its message ends there.
    let _ = write!(console, "{}", info.message());
    console.put(b"\n");
    #[cfg(not(feature = "heap-none"))]
    if let Some(place) = info.location() {
        crate::exhausted::explain(place.file(), &mut |bytes| console.put(bytes));
    }
    end()
}
