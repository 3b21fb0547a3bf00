// SPDX-License-Identifier: BSD-2-Clause

//! libsel4's API, in all that the kernel can be seen to do.

pub mod attacks;
pub mod caps;
pub mod devices;
pub mod faults;
pub mod ipc;
pub mod memory;
pub mod threads;
#[cfg(CONFIG_KERNEL_MCS)]
pub mod time;
