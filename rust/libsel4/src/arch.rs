// SPDX-License-Identifier: BSD-2-Clause

//! Differences between architectures: kinds of pages and tables, C's names for operations on
//! them, and objects that only one architecture has.

#[cfg(CONFIG_ARCH_ARM)]
#[path = "arch/arm.rs"]
mod this;
#[cfg(CONFIG_ARCH_RISCV)]
#[path = "arch/riscv.rs"]
mod this;
#[cfg(CONFIG_ARCH_X86)]
#[path = "arch/x86.rs"]
mod this;

pub use this::*;
