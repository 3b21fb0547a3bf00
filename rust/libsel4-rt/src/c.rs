// SPDX-License-Identifier: BSD-2-Clause

//! Functions in C that the runtime calls: its own, of the folder `c`, and a few of the C library.
//! It has no other external dependency.

#[cfg(any(target_os = "none", target_env = "musl"))]
mod image {
    use core::ffi::c_void;

    #[cfg(not(any(feature = "panic-fault", feature = "std")))]
    unsafe extern "C" {
        pub(crate) safe fn abort() -> !;
    }
    #[cfg(all(feature = "panic-fault", not(feature = "std")))]
    unsafe extern "C" {
        #[link_name = "sel4_rust_rt_fault"]
        pub(crate) safe fn abort() -> !;
    }

    unsafe extern "C" {
        #[link_name = "sel4_rust_rt_write"]
        pub(crate) fn write(bytes: *const c_void, count: usize) -> isize;
    }

    // Panics and heap are those of Rust's std where that is.
    #[cfg(not(feature = "std"))]
    unsafe extern "C" {
        #[link_name = "sel4_rust_rt_thread"]
        pub(crate) safe fn thread() -> usize;
        #[link_name = "sel4_rust_rt_yield"]
        pub(crate) safe fn yield_to_peers();
        #[link_name = "sel4_rust_rt_wait"]
        pub(crate) safe fn wait() -> bool;
        #[link_name = "sel4_rust_rt_wake"]
        pub(crate) safe fn wake();
    }
}

#[cfg(not(any(target_os = "none", target_env = "musl")))]
mod host {
    //! Stand-ins for unit tests and the benchmark.

    use core::ffi::{c_int, c_void};

    mod posix {
        use super::{c_int, c_void};

        unsafe extern "C" {
            pub(super) fn write(descriptor: c_int, bytes: *const c_void, count: usize) -> isize;
            pub(super) safe fn sched_yield() -> c_int;
        }
    }

    unsafe extern "C" {
        pub(crate) safe fn abort() -> !;
    }

    pub(crate) unsafe fn write(bytes: *const c_void, count: usize) -> isize {
        // SAFETY: `bytes` points to `count` bytes, as for this function; 2 is the standard error.
        unsafe { posix::write(2, bytes, count) }
    }

    pub(crate) fn thread() -> usize {
        1
    }

    pub(crate) extern "C" fn yield_to_peers() {
        posix::sched_yield();
    }

    pub(crate) fn wait() -> bool {
        false
    }

    pub(crate) fn wake() {}
}

#[cfg(not(any(target_os = "none", target_env = "musl")))]
pub(crate) use host::*;
#[cfg(any(target_os = "none", target_env = "musl"))]
pub(crate) use image::*;

#[cfg(any(feature = "heap-muslc", test))]
mod heap {
    use core::ffi::c_void;

    unsafe extern "C" {
        pub(crate) safe fn malloc(bytes: usize) -> *mut c_void;
        pub(crate) safe fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void;
        pub(crate) fn free(block: *mut c_void);
    }
}

#[cfg(any(feature = "heap-muslc", test))]
pub(crate) use heap::*;

/// Returns the name of this instance of a CAmkES component: the feature `camkes` is on in no other image.
pub(crate) fn instance_name() -> &'static core::ffi::CStr {
    #[cfg(feature = "camkes")]
    {
        unsafe extern "C" {
            safe fn get_instance_name() -> *const core::ffi::c_char;
        }
        // SAFETY: CAmkES defines the function, and it returns a constant text.
        unsafe { core::ffi::CStr::from_ptr(get_instance_name()) }
    }
    #[cfg(not(feature = "camkes"))]
    c""
}
