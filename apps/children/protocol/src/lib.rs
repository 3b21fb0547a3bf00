// SPDX-License-Identifier: BSD-2-Clause
//! Messages between parent and child. Both are built from this crate, so neither can be out of date.
#![no_std]

use libsel4::message::Plain;

/// Label of the message with which a child asks for its job. The kernel's labels, of faults, are smaller.
pub const READY: usize = 100;
/// Label of the message with the child's [`Answer`].
pub const DONE: usize = 101;

/// Job of a child: to count the prime numbers below a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Job {
    pub limit: u32,
}

/// Answer to a [`Job`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Answer {
    pub primes: u32,
}

// SAFETY: the type is an integer.
unsafe impl Plain for Job {}

// SAFETY: the type is an integer.
unsafe impl Plain for Answer {}
