// SPDX-License-Identifier: BSD-2-Clause

//! The host tool of sel4-rust-kit: the steps of a build that need to understand Rust crates and object files.
//!
//! | module | job |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`cargo`] | cargo's graph of packages, `Cargo.lock` files, and `crate`: is a crate fit for a C image |
//! | [`bundle`] | `bundle`: the umbrella crate of one executable |
//! | [`profile`] | what a user's `[profile]` tables say about a crate |
//! | [`compiler`] | the Rust target that fits the C compiler, and what of C's tools the build uses |
//! | [`headers`] | `header`: the C header of a crate, and the modules of a crate, parsed |
//! | [`bindings`] | `bindings` and `libclang`, which the program in `bindings/` does |
//! | [`objects`] | `seal` and `link`: Rust archives, object files and executables |
//! | [`std_needs`] | what must be configured for Rust's std |
//! | [`request`] | the file with CMake's request for a step |
//! | [`failure`] | errors that name the next step |
//! | [`output`] | files that are written whole, or not at all |

pub mod bindings;
pub mod bundle;
pub mod cargo;
pub mod cli;
pub mod compiler;
pub mod failure;
pub mod headers;
pub mod objects;
pub mod output;
pub mod profile;
pub mod request;
pub mod std_needs;
