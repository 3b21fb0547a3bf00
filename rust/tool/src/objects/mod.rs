// SPDX-License-Identifier: BSD-2-Clause

//! Object files, archives and linked executables.

pub mod archive;
mod host;
pub mod link;
mod names;
pub mod read_tp;
pub mod seal;
pub mod symbolizer;
mod traps;
pub mod types;
pub mod witness;
