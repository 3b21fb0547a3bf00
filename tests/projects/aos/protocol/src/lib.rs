// SPDX-License-Identifier: BSD-2-Clause
//! Messages of the programs to the root server.
#![no_std]

/// Label of the message with which a program tells its end. The kernel's labels, of faults, are smaller.
pub const DONE: usize = 100;
