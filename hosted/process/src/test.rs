// SPDX-License-Identifier: BSD-2-Clause

//! Tests that are root servers.
//!
//! Each test runs in a separate process, because pages are mapped at the addresses that it chooses and the
//! end of a root server ends the process. So tests run in parallel, and a test that deadlocks fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use sel4_hosted_libsel4::api::seL4_BootInfo;

use crate::end;
use crate::platform::settings;

/// Environment variable that names the one test that a process runs.
const CHOSEN: &str = "SEL4_HOSTED_TEST";

/// Argument with which libtest shows output at once, so that none is lost when the process ends.
const NOT_CAPTURED: &str = "--nocapture";

/// Exit code of a Rust program that has panicked.
const PANICKED: i32 = 101;

/// Runs the test `name` of `module` in a child process. With `SEL4_HOSTED_TEST=NAME` in the environment, runs
/// it in this process, which serves debuggers: `SEL4_HOSTED_TEST=NAME cargo test NAME`.
///
/// The function cannot keep the BootInfo, which the kernel takes along:
///
/// ```no_run
/// # use sel4_hosted::run_test;
/// # use sel4_hosted_libsel4::api::seL4_BootInfo;
/// fn reads(info: &seL4_BootInfo) {
///     assert_eq!(info.numNodes, 1);
/// }
/// run_test("example::tests", "reads", reads);
/// ```
///
/// ```compile_fail
/// # use sel4_hosted::run_test;
/// # use sel4_hosted_libsel4::api::seL4_BootInfo;
/// fn keeps(info: &'static seL4_BootInfo) {
///     assert_eq!(info.numNodes, 1);
/// }
/// run_test("example::tests", "keeps", keeps);
/// ```
///
/// # Panics
///
/// Panics if the test fails.
pub fn run_test(module: &str, name: &str, function: impl FnOnce(&seL4_BootInfo)) {
    // libtest's names of tests leave out the crate.
    let path = match module.split_once("::") {
        Some((_, module)) => format!("{module}::{name}"),
        None => name.into(),
    };
    if std::env::var(CHOSEN).is_ok_and(|chosen| chosen == path || chosen == name) {
        if !std::env::args().any(|argument| argument == NOT_CAPTURED) {
            return crate::run(function);
        }
        // The parent process judges a panic, because only it knows #[should_panic].
        let ended = catch_unwind(AssertUnwindSafe(|| crate::run(function)));
        return ended.unwrap_or_else(|_| std::process::exit(PANICKED));
    }
    let program = std::env::current_exe()
        .unwrap_or_else(|error| panic!("cannot find this program's file: {error}"));
    // A random seed is chosen here, and named if the test fails.
    let seed = settings::seed();
    let output = Command::new(program)
        .args([
            &path,
            "--exact",
            NOT_CAPTURED,
            "--include-ignored",
            "--test-threads=1",
        ])
        .env(CHOSEN, &path)
        .envs(seed.map(|seed| (settings::SEED, seed.to_string())))
        .output()
        .unwrap_or_else(|error| panic!("cannot start a process for test `{path}`: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if output.status.success() {
        print!("{said}");
    } else {
        let why = output
            .status
            .code()
            .and_then(end::describe)
            .map_or_else(|| output.status.to_string(), Into::into);
        let repeat = seed.map(|seed| format!(" ({})", end::repeated_by(seed)));
        panic!("{why}{}:\n{said}", repeat.unwrap_or_default());
    }
}
