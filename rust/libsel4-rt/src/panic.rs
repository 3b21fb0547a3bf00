// SPDX-License-Identifier: BSD-2-Clause

//! The panic handler: prints the location and the message, then calls C's `abort`.
//!
//! Only the message itself is formatted with `core::fmt`: formatting the rest with it, too, would add
//! 1 KiB to an image (aarch64, Release).

use core::fmt::Write as _;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::{c, console::Console, decimal::Decimal};

/// Reports a panic and ends the program. A panic during the report (for example in the `Display` of a
/// value in the message) prints a fixed line.
#[cfg_attr(any(target_os = "none", target_env = "musl"), panic_handler)]
fn panic(info: &PanicInfo) -> ! {
    static REPORTING: AtomicBool = AtomicBool::new(false);

    let end = || -> ! {
        // `abort` may end only this thread, as under libsel4-test.
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
    // The console never fails: an error could only come from a `Display`, and truncates the message.
    let _ = write!(console, "{}", info.message());
    console.put(b"\n");
    #[cfg(not(feature = "heap-none"))]
    if let Some(place) = info.location() {
        crate::exhausted::explain(place.file(), &mut |bytes| console.put(bytes));
    }
    end()
}
