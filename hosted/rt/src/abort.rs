// SPDX-License-Identifier: BSD-2-Clause

//! C's `abort`. With muslc it ends in a function that a program may replace, and so does this.

use std::ffi::{c_int, c_long, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// The system call that `abort` ends with, by Linux' number for the architecture, which muslc has, too.
const TKILL: c_int = libc::SYS_tkill as c_int;

/// What takes its place.
static HANDLER: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

type SystemCall = extern "C" fn(arguments: *mut c_void) -> c_long;

fn function(address: *mut c_void) -> Option<SystemCall> {
    // SAFETY: null, or an address that muslcsys_install_syscall() was given.
    unsafe { std::mem::transmute::<*mut c_void, Option<SystemCall>>(address) }
}

/// Replaces what muslc does for a system call of Linux. The C library here is another, and asks for
/// `tkill` only.
#[unsafe(no_mangle)]
extern "C" fn muslcsys_install_syscall(
    number: c_int,
    handler: Option<SystemCall>,
) -> Option<SystemCall> {
    if number != TKILL {
        return None;
    }
    let address = handler.map_or(ptr::null_mut(), |handler| handler as *mut c_void);
    function(HANDLER.swap(address, Relaxed))
}

#[unsafe(no_mangle)]
extern "C" fn abort() -> ! {
    if let Some(handler) = function(HANDLER.load(Relaxed)) {
        handler(ptr::null_mut());
    }
    // SAFETY: plain calls of libc. The signal ends the thread, and with it the process.
    unsafe {
        libc::raise(libc::SIGABRT);
        libc::_exit(128 + libc::SIGABRT)
    }
}
