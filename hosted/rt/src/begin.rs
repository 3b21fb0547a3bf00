// SPDX-License-Identifier: BSD-2-Clause

//! Start of the program: boots a kernel before `main`, and makes this thread the root server's.

use std::ffi::{c_int, c_void};

/// First constructor of the executable. The linker is told to keep this symbol.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".init_array.00001")]
static mut sel4_hosted_begin: extern "C" fn() = begin;

extern "C" fn begin() {
    // With std, panics are reported by std.
    #[cfg(not(feature = "std"))]
    crate::panic::install();
    #[cfg(all(feature = "log", not(feature = "no-logger")))]
    sel4_hosted::install_logger();
    // SAFETY: nothing has been printed yet; standard output is the C library's.
    unsafe {
        // Write each line at once, also to a pipe.
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
    /// Registers an exit handler that receives the exit code (glibc).
    fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}
