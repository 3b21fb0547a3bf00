// SPDX-License-Identifier: BSD-2-Clause

//! What differs between architectures.

mod x86_64;

pub use x86_64::*;
