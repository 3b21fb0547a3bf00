// SPDX-License-Identifier: BSD-2-Clause

//! The hosted platform: the seL4 API as an ordinary Linux process.
//!
//! What runs here is a model of the kernel, for development; the real kernel is the judge.
//!
//! | | |
//! |---|---|
//! | [`run`] | runs a function as a root server |
//! | [`start`] | makes the calling thread a root server's: what a C program begins with |
//! | [`test`](macro@test) | makes a test a root server |
//! | [`run_program`], [`foreign`] | runs a root server as the seL4 build links it for x86_64 |
//! | [`storage`] | thread-local storage that a thread has for itself |
//! | [`clock`], [`set_alarm`] | the time, and a timer |
//! | [`end`] | how a process ends, and what its exit code says |
//!
//! All seL4 threads run on one thread of the host, exactly one at a time, each on its own stack;
//! another runs only after a kernel entry. So a run is reproducible.

#[cfg(not(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_os = "linux"
)))]
compile_error!("the hosted platform runs on Linux, on x86_64 and aarch64");

mod debugger;
pub mod end;
pub mod foreign;
mod machine;
mod own;
mod platform;
mod signals;
mod stack;
pub mod storage;
mod switch;
mod test;
mod timer;
mod trace;

pub use sel4_hosted_attribute::test;
pub use test::run_test;

pub use platform::{
    boot_info, clock, in_thread, memory, returned, run, run_program, say_booted, set_alarm, start,
};
pub use signals::undivided;
