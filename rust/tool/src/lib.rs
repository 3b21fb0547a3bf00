// SPDX-License-Identifier: BSD-2-Clause

//! The host tool of sel4-rust-kit: what CMake cannot know about Rust crates, and does not want to.
//!
//! | module | job |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`check`] | `crate`: is this crate fit for a C image, and which files is that answer made of |
//! | [`bundle`] | `bundle`: the umbrella crate of one executable |
//! | [`lock`] | one `Cargo.lock` out of many |
//! | [`profile`] | what a user's `[profile]` tables say about a crate |
//! | [`header`] | `header`: the C header of a crate |
//! | [`source`] | the modules of a crate, parsed |
//! | [`bindings`] | `bindings`: a C library's headers for Rust |
//! | [`link`] | `link`: links an executable with Rust's std, and looks at what came out |
//! | [`read_tp`] | the thread pointer of aarch32, read as GCC reads it |
//! | [`arguments`] | where std keeps the arguments of the program |
//! | [`seal`] | `seal`: a Rust archive without what the C side provides |
//! | [`symbolizer`] | std without what finds the names of frames |
//! | [`cargo`] | questions to cargo |
//! | [`failure`] | errors that name the next step |
//! | [`output`] | files that are written whole, or not at all |

pub mod arguments;
pub mod bindings;
pub mod bundle;
pub mod cargo;
pub mod check;
pub mod cli;
pub mod failure;
pub mod header;
pub mod link;
pub mod lock;
pub mod output;
pub mod profile;
pub mod read_tp;
pub mod seal;
pub mod source;
pub mod symbolizer;
