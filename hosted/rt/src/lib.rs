// SPDX-License-Identifier: BSD-2-Clause

//! What a root server on the hosted platform has around its `main`: the place of sel4runtime, and of
//! the crate libsel4-rt that joins images for real kernels.
//!
//! It joins the executable by itself, and begins before C's constructors: from there on the process
//! is a root server's thread, `main` and all that comes before and after it included.

mod abort;
mod archive;
mod begin;
mod files;
mod lender;
#[cfg(feature = "log")]
mod log;
mod original;
#[cfg(not(feature = "std"))]
mod panic;
mod runtime;
#[cfg(feature = "std")]
mod rust_std;
