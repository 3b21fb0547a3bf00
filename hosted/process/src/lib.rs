// SPDX-License-Identifier: BSD-2-Clause

//! The hosted platform: the seL4 API as an ordinary Linux process.
//!
//! The kernel is a model, for development. Where the two differ, the real kernel is right.
//!
//! | | |
//! |---|---|
//! | [`run`] | runs a function as a root server |
//! | [`root_server`] | runs a function as the root server of a Rust program, with a console |
//! | [`start`] | makes the calling thread the root server's thread; a C program begins with it |
//! | [`test`](macro@test) | makes a test a root server |
//! | [`run_program`], [`unmodified`] | runs a root server as the seL4 build links it for x86_64 |
//! | [`storage`] | thread-local storage of seL4 threads |
//! | [`clock`], [`set_alarm`] | the time, and a timer |
//! | [`end`] | end of a process, and the meaning of its exit code |
//!
//! All seL4 threads run on one thread of the host, exactly one at a time, each on its own stack.
//! The model switches threads only at kernel entries, so runs are reproducible.

#[cfg(not(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_os = "linux"
)))]
compile_error!("the hosted platform runs on Linux, on x86_64 and aarch64");

mod debugger;
pub mod end;
mod executable;
#[cfg(feature = "log")]
mod log;
mod machine;
mod platform;
mod signals;
mod stack;
pub mod storage;
mod switch;
mod test;
mod timer;
mod trace;
pub mod unmodified;

#[cfg(feature = "log")]
pub use crate::log::install as install_logger;
pub use sel4_hosted_attribute::test;
pub use test::run_test;

pub use platform::{
    boot_info, clock, in_thread, memory, print_boot_message, root_server, run, run_program,
    set_alarm, set_main_result, start,
};
pub use signals::without_preemption;
