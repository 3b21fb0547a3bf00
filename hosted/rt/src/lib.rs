// SPDX-License-Identifier: BSD-2-Clause

//! Runtime of a root server on the hosted platform, in place of sel4runtime, of parts of libsel4muslcsys, and
//! of the crate libsel4-rt.
//!
//! Each executable links it. It starts the kernel before C's constructors run: from there on the calling
//! thread is the root server's, in `main` and in everything before and after it.

// rustc 1.99 and later compare definitions of C's functions with the types that std declares. A later rustc that knows
// more of them must break no build.
#![allow(
    unknown_lints,
    reason = "rustc before 1.99 does not know the lint below"
)]
#![warn(invalid_runtime_symbol_definitions)]

mod abort;
mod archive;
mod begin;
mod files;
mod lender;
mod original;
#[cfg(not(feature = "std"))]
mod panic;
mod runtime;
#[cfg(feature = "std")]
mod rust_std;
