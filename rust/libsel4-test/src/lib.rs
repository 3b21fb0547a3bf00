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
//! build folder `./run-tests` boots it, and tells of each test in a line.
//!
//! | file | its job |
//! |---|---|
//! | `monitor` | runs the tests, notices faults, panics and deadlocks, takes back what a test had |
//! | `resources` | what a test takes: memory, slots, threads |
//! | `thread` | threads, and their memory |
//! | `abort` | what a panic becomes |
//! | `selection` | which tests run, as the host wrote it into the image |
//! | `console` | the lines that the host reads |

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

/// Makes a module's functions that are `#[test]` tests on the kernel, and puts a constant `TESTS` into
/// the module, which lists them for [`run`].
///
/// A test takes nothing or `&mut `[`Resources`], and returns what an [`Outcome`] is. `#[cfg(…)]` on it
/// is heeded. That a module is not given to `run` the compiler tells: its functions are never used.
///
/// The list is an ordinary constant, made by nothing but the compiler. Collecting tests by a section
/// of the linker's would lose those whose archive member nothing asks for.
pub use libsel4_test_macros::tests;

/// A test, as [`macro@tests`] lists it.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Its path, with that of its module.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&mut Resources) -> Verdict,
}

impl Test {
    /// The name without that of the crate.
    fn short_name(&self) -> &'static str {
        self.name
            .split_once("::")
            .map_or(self.name, |(_, name)| name)
    }
}

/// What a test comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It has found what it expected.
    Passed,
    /// It has not.
    Failed,
}

/// What tests return: nothing, or a `Result` whose error is shown and is a failure.
pub trait Outcome {
    /// Shows what there is to show.
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
