// SPDX-License-Identifier: BSD-2-Clause

//! Tests that are root servers.
//!
//! Each runs in a process of its own: pages are mapped at the addresses that it asks for, and what
//! ends a root server ends a process. So tests run in parallel, and a test that deadlocks fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use sel4_hosted_libsel4::api::seL4_BootInfo;

use crate::end;

/// Names the one test that a process is for.
const CHOSEN: &str = "SEL4_HOSTED_TEST";

/// The argument with which what a test prints is shown at once, and so not lost when its process ends.
const NOT_CAPTURED: &str = "--nocapture";

/// The exit code of a Rust program that has panicked.
const PANICKED: i32 = 101;

/// Runs the test `name` of `module`: in this process if it is the one that it is for, else in another.
/// `SEL4_HOSTED_TEST=NAME cargo test NAME` runs it in the first, for a debugger.
///
/// # Panics
///
/// If the test fails.
pub fn run_test(module: &str, name: &str, function: impl FnOnce(&'static seL4_BootInfo)) {
    // The first word is the crate's name, which tests go without.
    let path = match module.split_once("::") {
        Some((_, module)) => format!("{module}::{name}"),
        None => name.into(),
    };
    if std::env::var(CHOSEN).is_ok_and(|chosen| chosen == path || chosen == name) {
        if !std::env::args().any(|argument| argument == NOT_CAPTURED) {
            return crate::run(function);
        }
        // A panic is for the process that started this one: only there it counts whether it should come.
        let ended = catch_unwind(AssertUnwindSafe(|| crate::run(function)));
        return ended.unwrap_or_else(|_| std::process::exit(PANICKED));
    }
    let program = std::env::current_exe()
        .unwrap_or_else(|error| panic!("this program does not know where it is: {error}"));
    let output = Command::new(program)
        .args([
            &path,
            "--exact",
            NOT_CAPTURED,
            "--include-ignored",
            "--test-threads=1",
        ])
        .env(CHOSEN, &path)
        .output()
        .unwrap_or_else(|error| panic!("cannot start a process for the test: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if output.status.success() {
        print!("{said}");
    } else {
        let why = output
            .status
            .code()
            .and_then(end::meaning)
            .map_or_else(|| output.status.to_string(), Into::into);
        panic!("{why}:\n{said}");
    }
}
