// SPDX-License-Identifier: BSD-2-Clause

//! libsel4 of the hosted platform: the seL4 API, whose kernel is a model in the same process.
//!
//! Types, constants and invocations are made from `sel4.api`; so are the C headers, by the program
//! `sel4-hosted-headers`. What is left is here.
//!
//! | | |
//! |---|---|
//! | [`api`] | libsel4 under its own names, in the shape that bindgen gives to the real one |
//! | [`config`] | the configuration |
//! | [`Host`] | where a system call goes |
//!
//! libsel4-sys re-exports all of it where no other libsel4 is named. C calls the same functions: each
//! is exported under its name.

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!(
    "the hosted platform runs on x86_64 and aarch64 hosts; name a libsel4 of a build in SEL4_SYS_DIR"
);

mod host;

pub use host::{Host, current, install};

/// libsel4 under its own names.
pub mod api {
    #![allow(
        missing_docs,
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        clippy::missing_safety_doc,
        clippy::too_many_arguments,
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        clippy::identity_op,
        clippy::precedence
    )]

    mod buffer;
    mod debug;
    mod fault;
    mod invoke;
    mod syscall;

    #[cfg(target_arch = "aarch64")]
    use invoke::exchange_registers;
    use invoke::{invoke, read_registers, write_registers};

    pub use buffer::*;
    pub use debug::*;
    pub use fault::*;
    pub use syscall::*;

    include!(concat!(env!("OUT_DIR"), "/api.rs"));
}

/// The configuration of the hosted platform, value by value.
pub mod config {
    include!(concat!(env!("OUT_DIR"), "/config.rs"));
}
