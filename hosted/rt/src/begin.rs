// SPDX-License-Identifier: BSD-2-Clause

//! Before `main`: a kernel boots, and this thread becomes the root server's.

use std::ffi::{c_int, c_void};

/// First of the constructors of the executable; the linker is told to look for it by its name.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".init_array.00001")]
static mut sel4_hosted_begin: extern "C" fn() = begin;

extern "C" fn begin() {
    // With std a panic is told as std tells it.
    #[cfg(not(feature = "std"))]
    crate::panic::install();
    #[cfg(feature = "log")]
    crate::log::install();
    // SAFETY: nobody prints yet; standard output is C's own.
    unsafe {
        // Lines appear when they are whole, whoever reads them.
        libc::setvbuf(stdout, std::ptr::null_mut(), libc::_IOLBF, 0);
        on_exit(crate::runtime::exited, std::ptr::null_mut());
    }
    #[cfg(feature = "std")]
    let data_before = crate::rust_std::data_bytes();
    sel4_hosted::start();
    sel4_hosted::print_boot_message();
    #[cfg(feature = "std")]
    crate::rust_std::begin(data_before);
}

unsafe extern "C" {
    static stdout: *mut libc::FILE;
    /// glibc's: like `atexit`, with the code.
    fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}
