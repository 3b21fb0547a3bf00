// SPDX-License-Identifier: BSD-2-Clause

//! Tests that run on the kernel.
//!
//! ```ignore
//! #[libsel4_test::tests]
//! mod tests {
//!     use libsel4::{AllocationError, MessageInfo};
//!     use libsel4_test::Resources;
//!
//!     #[test]
//!     fn a_call_is_answered(t: &mut Resources) -> Result<(), AllocationError> {
//!         let service = t.service()?;
//!         t.spawn(move || {
//!             service.recv();
//!             service.reply(MessageInfo::new(7, 0, 0, 0));
//!         })?;
//!         assert_eq!(service.endpoint.call(MessageInfo::default()).label(), 7);
//!         Ok(())
//!     }
//! }
//! ```
//!
//! A C root server calls one function, which calls [`run`] with the `TESTS` of the modules. In the
//! build folder, `./run-tests` boots the image, and prints one line for each test.
//!
//! | module | role |
//! |---|---|
//! | `monitor` | runs the tests, detects faults, panics and deadlocks, reclaims a test's resources |
//! | `resources` | resources of a test: memory, slots, threads |
//! | `thread` | threads, and their memory |
//! | `abort` | reports panics to the monitor |
//! | `selection` | tests to run, which the host writes into the image |
//! | `console` | lines for the host |

#![no_std]

mod abort;
mod console;
mod monitor;
mod resources;
mod selection;
mod thread;

use core::fmt::Debug;

pub use monitor::run;
pub use resources::{Resources, Service};
pub use thread::Thread;

/// Turns the `#[test]` functions of a module into tests on the kernel, and adds the constant `TESTS`,
/// which lists them for [`run`], to the module.
///
/// A test takes no argument or `&mut `[`Resources`], and returns an [`Outcome`]. `#[cfg(…)]` applies to
/// tests, too. If a module's list is not passed to `run`, the compiler warns of unused functions.
///
/// The list is an ordinary constant. Collecting tests in a linker section would lose those in archive
/// members that nothing refers to.
pub use libsel4_test_macros::tests;

/// A test, as [`macro@tests`] lists it.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Path of the function, with its crate and module.
    pub name: &'static str,
    /// Function that runs the test.
    pub run: fn(&mut Resources) -> Verdict,
}

impl Test {
    /// Returns the name without the crate's.
    fn short_name(&self) -> &'static str {
        self.name
            .split_once("::")
            .map_or(self.name, |(_, name)| name)
    }
}

/// Result of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The test passed.
    Passed,
    /// The test failed.
    Failed,
}

/// Return value of a test: `()`, or a `Result` whose error is printed and fails the test.
pub trait Outcome {
    /// Prints an error, if any, and returns the verdict.
    fn verdict(self) -> Verdict;
}

impl Outcome for () {
    fn verdict(self) -> Verdict {
        Verdict::Passed
    }
}

impl<E: Debug> Outcome for Result<(), E> {
    fn verdict(self) -> Verdict {
        match self {
            Ok(()) => Verdict::Passed,
            Err(error) => {
                console::detail(format_args!("Error: {error:?}"));
                Verdict::Failed
            }
        }
    }
}
