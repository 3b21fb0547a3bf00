// SPDX-License-Identifier: BSD-2-Clause

//! Guards for functions that Rust exports to C: a panic or an error becomes an error code, and the
//! program continues.
//!
//! C has no `Result`, and a panic must not reach its frames: a panic that leaves an `extern "C"`
//! function ends the program. So the body of such a function goes into one of three guards:
//!
//! | function | C gets | for |
//! |---|---|---|
//! | [`guard`] | a code, 0 for success | `int f(...)` |
//! | [`guard_into`] | a code, and a value through a pointer | `int f(..., T *out)` |
//! | [`guard_or`] | a value, or another one that means failure | `T f(...)` |
//!
//! ```
//! use core::ffi::c_int;
//! use core::fmt;
//! use core::mem::MaybeUninit;
//! use libsel4_guard::{ErrorCode, guard_into};
//!
//! #[derive(Debug)]
//! enum Refused {
//!     NotANumber(u8),
//! }
//!
//! impl fmt::Display for Refused {
//!     fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
//!         let Refused::NotANumber(byte) = self;
//!         write!(f, "`{}` is not a digit", byte.escape_ascii())
//!     }
//! }
//!
//! impl ErrorCode for Refused {
//!     fn code(&self) -> c_int {
//!         2
//!     }
//! }
//!
//! /// In the header: `int digit(uint8_t byte, uint32_t *value);`
//! #[unsafe(no_mangle)]
//! pub extern "C" fn digit(byte: u8, value: Option<&mut MaybeUninit<u32>>) -> c_int {
//!     guard_into(value, || match byte {
//!         b'0'..=b'9' => Ok(u32::from(byte - b'0')),
//!         b'?' => panic!("not implemented"),
//!         _ => Err(Refused::NotANumber(byte)),
//!     })
//! }
//!
//! let mut value = MaybeUninit::new(0);
//! assert_eq!(digit(b'7', Some(&mut value)), 0);
//! assert_eq!(digit(b'x', None), 2);
//! # #[cfg(feature = "std")]
//! assert_eq!(digit(b'?', None), Refused::PANIC);
//! ```
//!
//! # What the console shows
//!
//! A panic prints std's message, with thread and location. An error prints a line of the `log` crate at
//! level error, with the location of the guard:
//!
//! ```text
//! [ERROR guard] src/lib.rs:23:5: `x` is not a digit
//! ```
//!
//! # State after a panic
//!
//! Unwinding drops the values that the function's frames own: memory, locks, open files. Data that the
//! function was changing may be half changed. A `Mutex` that was locked then is *poisoned*: every later
//! `lock()` returns `Err`. There are three answers. Repair the data and call `Mutex::clear_poison`, as
//! `apps/resilient` does. Or `unwrap` the `Err`: each later request panics again and gets the panic's
//! code. Or, if the data is always consistent, take it with `PoisonError::into_inner`.
//!
//! # Limits
//!
//! A guard cannot catch what does not unwind: an exhausted heap where the code does not expect it, a
//! stack overflow, a panic while another unwinds, and every panic in a build with `panic = "abort"`.
//!
//! # Without std
//!
//! Every panic ends the program. With `default-features = false` the crate needs no std, and the same
//! functions turn errors into codes.
#![cfg_attr(not(feature = "std"), no_std)]

use core::ffi::c_int;
use core::fmt::Display;
use core::mem::MaybeUninit;
use core::panic::Location;

/// An error with a code for C. The console shows its `Display`.
pub trait ErrorCode: Display {
    /// Code of a panic; -1 by default.
    const PANIC: c_int = -1;

    /// Returns the code of this error. 0 means success to C, so C gets [`PANIC`](Self::PANIC)
    /// instead.
    fn code(&self) -> c_int;
}

/// Runs `work`, and returns 0, or the code of its error or of a panic.
///
/// A function that cannot fail but may panic names any error type:
/// `guard(|| Ok::<(), Refused>(work()))`.
#[track_caller]
pub fn guard<E: ErrorCode>(work: impl FnOnce() -> Result<(), E>) -> c_int {
    let place = Location::caller();
    let code = catch(|| match work() {
        Ok(()) => 0,
        Err(error) => {
            log_error(place, &error);
            match error.code() {
                0 => E::PANIC,
                code => code,
            }
        }
    });
    code.unwrap_or(E::PANIC)
}

/// Runs `work` like [`guard`], and writes its value to `out`, which is `T *out` in C.
///
/// An error or a panic leaves `out` unchanged. NULL, or `None`, discards the value.
#[track_caller]
pub fn guard_into<T, E: ErrorCode>(
    out: Option<&mut MaybeUninit<T>>,
    work: impl FnOnce() -> Result<T, E>,
) -> c_int {
    guard(|| {
        let value = work()?;
        if let Some(out) = out {
            out.write(value);
        }
        Ok::<(), E>(())
    })
}

/// Runs `work` and returns its value, or `otherwise` after an error or a panic: for example `None` for a
/// NULL in place of a `Box`, or a number that means failure.
#[track_caller]
pub fn guard_or<T, E: Display>(otherwise: T, work: impl FnOnce() -> Result<T, E>) -> T {
    let place = Location::caller();
    let value = catch(|| work().map_err(|error| log_error(place, &error)).ok());
    value.flatten().unwrap_or(otherwise)
}

fn log_error(place: &Location, error: &dyn Display) {
    log::error!(target: "guard", "{place}: {error}");
}

/// Returns the value of `work`, or `None` if it panicked. std has printed the panic's message by then.
///
/// `AssertUnwindSafe`: C calls the next function in any case, so shared data must tolerate a panic; see
/// "State after a panic" in the crate's documentation.
#[cfg(feature = "std")]
fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    catch_unwind(AssertUnwindSafe(work))
        .map_err(|payload| {
            // Dropping the payload of `panic_any` may panic. The payload of that panic is leaked.
            if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                core::mem::forget(another);
            }
        })
        .ok()
}

#[cfg(not(feature = "std"))]
fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    Some(work())
}
