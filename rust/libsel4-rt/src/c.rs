// SPDX-License-Identifier: BSD-2-Clause

//! Functions of the C library that the runtime calls. It has no other external dependency.

use core::ffi::{c_int, c_void};

unsafe extern "C" {
    #[cfg(any(not(feature = "std"), test))]
    pub(crate) safe fn abort() -> !;
    pub(crate) fn fflush(stream: *mut c_void) -> c_int;
    pub(crate) fn write(descriptor: c_int, bytes: *const c_void, count: usize) -> isize;
}

#[cfg(any(not(feature = "heap-none"), test))]
unsafe extern "C" {
    pub(crate) safe fn sched_yield() -> c_int;
}

#[cfg(any(feature = "heap-muslc", test))]
unsafe extern "C" {
    pub(crate) safe fn malloc(bytes: usize) -> *mut c_void;
    pub(crate) safe fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void;
    pub(crate) fn free(block: *mut c_void);
}
