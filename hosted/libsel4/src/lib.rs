// SPDX-License-Identifier: BSD-2-Clause

//! libsel4 of the hosted platform: the seL4 API to a model of the kernel in the same process.
//!
//! Types, constants and invocations are generated from `sel4.api`, as are the C headers, by the program
//! `sel4-hosted-headers`. The other functions are written by hand.
//!
//! | | |
//! |---|---|
//! | [`api`] | libsel4 under its own names, with the types that bindgen gives to the real one |
//! | [`config`] | the configuration |
//! | [`Host`] | receives system calls |
//!
//! libsel4-sys re-exports all of it if no other libsel4 is named. C calls the same functions, each of which is
//! exported under its name.

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!(
    "the hosted platform runs on x86_64 and aarch64 only\nhelp: to use the libsel4 of an seL4 build, set SEL4_SYS_DIR to its folder"
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

/// Configuration of the hosted platform.
pub mod config {
    include!(concat!(env!("OUT_DIR"), "/config.rs"));
}
