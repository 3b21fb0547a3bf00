// SPDX-License-Identifier: BSD-2-Clause

//! Tests of the codes that C gets, and of the console's output.

use std::ffi::c_int;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::Mutex;

use libsel4_guard::{ErrorCode, guard, guard_into, guard_or};

/// An error with a code.
struct Code(c_int);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        assert!(self.0 != 13, "code 13 has no text");
        write!(f, "code {}", self.0)
    }
}

impl ErrorCode for Code {
    const PANIC: c_int = -99;

    fn code(&self) -> c_int {
        self.0
    }
}

/// Logged lines. Tests run in parallel, and each looks for a line that only it can cause.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        let line = format!("{} {} {}", record.level(), record.target(), record.args());
        LINES.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

#[test]
fn success_is_0() {
    assert_eq!(guard(|| Ok::<(), Code>(())), 0);
}

#[test]
fn an_error_is_its_code() {
    assert_eq!(guard(|| Err(Code(5))), 5);
    assert_eq!(guard(|| Err(Code(-5))), -5);
}

#[test]
fn an_error_that_calls_itself_success_is_the_code_of_a_panic() {
    assert_eq!(guard(|| Err(Code(0))), -99);
}

#[test]
fn an_error_is_logged_once_with_the_place_of_the_guard() {
    // Another test may have set it already.
    let _ = log::set_logger(&Logger);
    log::set_max_level(log::LevelFilter::Error);
    let line = line!() + 1;
    guard_into(None, || Err::<(), _>(Code(71)));
    assert_eq!(guard_or(7, || Err(Code(72))), 7);
    let lines = LINES.lock().unwrap();
    let of = |code: &str| -> Vec<_> { lines.iter().filter(|line| line.ends_with(code)).collect() };
    let here = |line: u32, column: u32| format!("ERROR guard {}:{line}:{column}", file!());
    assert_eq!(of(": code 71"), [&format!("{}: code 71", here(line, 5))]);
    assert_eq!(
        of(": code 72"),
        [&format!("{}: code 72", here(line + 1, 16))]
    );
}

#[test]
fn a_value_arrives_with_success_and_only_then() {
    let mut out = MaybeUninit::new(1);
    assert_eq!(guard_into(Some(&mut out), || Ok::<_, Code>(2)), 0);
    // SAFETY: a number from the beginning.
    assert_eq!(unsafe { out.assume_init() }, 2);
    assert_eq!(guard_into(Some(&mut out), || Err(Code(3))), 3);
    // SAFETY: as above.
    assert_eq!(unsafe { out.assume_init() }, 2);
    assert_eq!(guard_into(None, || Ok::<_, Code>(4)), 0);
}

#[test]
fn a_failure_is_the_other_value() {
    assert_eq!(guard_or(7, || Ok::<_, &str>(1)), 1);
    assert_eq!(guard_or(7, || Err("no")), 7);
}

#[cfg(feature = "std")]
mod with_std {
    use super::*;
    use std::io;
    use std::panic::panic_any;
    use std::sync::Arc;

    #[test]
    fn a_panic_is_a_code() {
        let code = guard(|| -> Result<(), Code> { panic!("on purpose") });
        assert_eq!(code, -99);
        assert_eq!(
            guard_or(7, || -> Result<_, &str> { panic!("on purpose") }),
            7
        );
    }

    #[test]
    fn a_panic_is_minus_one_where_nothing_else_is_said() {
        struct Plain;
        impl fmt::Display for Plain {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                write!(f, "plain")
            }
        }
        impl ErrorCode for Plain {
            fn code(&self) -> c_int {
                1
            }
        }
        assert_eq!(guard(|| -> Result<(), Plain> { panic!("on purpose") }), -1);
    }

    #[test]
    fn a_panic_drops_what_the_function_owned() {
        let owned = Arc::new(());
        let inner = Arc::clone(&owned);
        guard(move || -> Result<(), Code> {
            let _inner = inner;
            panic!("on purpose")
        });
        assert_eq!(Arc::strong_count(&owned), 1);
    }

    #[test]
    fn an_error_that_panics_as_it_is_told_is_a_panic() {
        // Only a logger asks for the text.
        let _ = log::set_logger(&Logger);
        log::set_max_level(log::LevelFilter::Error);
        assert_eq!(guard(|| Err(Code(13))), -99);
    }

    #[test]
    fn a_panic_whose_value_panics_as_it_is_dropped_is_a_panic() {
        struct Bomb(u32);
        impl Drop for Bomb {
            fn drop(&mut self) {
                if self.0 > 0 {
                    panic_any(Bomb(self.0 - 1));
                }
            }
        }
        assert_eq!(guard(|| -> Result<(), Code> { panic_any(Bomb(2)) }), -99);
    }

    #[test]
    fn the_next_call_finds_a_poisoned_lock_and_may_mend_it() {
        static LOCK: Mutex<u32> = Mutex::new(1);
        let half_done = || -> Result<(), Code> {
            *LOCK.lock().unwrap() = 2;
            let _held = LOCK.lock().unwrap();
            panic!("on purpose")
        };
        assert_eq!(guard(half_done), -99);
        assert!(LOCK.is_poisoned());
        assert_eq!(guard(|| LOCK.lock().map(|_| ()).map_err(|_| Code(8))), 8);
        LOCK.clear_poison();
        assert_eq!(guard_or(0, || Ok::<_, io::Error>(*LOCK.lock().unwrap())), 2);
    }
}
