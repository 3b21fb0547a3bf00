// SPDX-License-Identifier: BSD-2-Clause

//! C's `abort`. muslc's ends in a system call that a program may replace, and so does this one.

use std::ffi::{c_int, c_long, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// Linux' number of the system call with which muslc's `abort` ends.
const TKILL: c_int = libc::SYS_tkill as c_int;

/// Replacement of that system call.
static HANDLER: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

#[cfg(feature = "std")]
unsafe extern "C" {
    /// Installs a handler in libsel4std's table.
    fn sel4_hosted_install_syscall(
        number: c_int,
        handler: Option<SystemCall>,
    ) -> Option<SystemCall>;
}

type SystemCall = extern "C" fn(arguments: *mut c_void) -> c_long;

fn function(address: *mut c_void) -> Option<SystemCall> {
    // SAFETY: null, or a handler passed to muslcsys_install_syscall().
    unsafe { std::mem::transmute::<*mut c_void, Option<SystemCall>>(address) }
}

/// Replaces the handler of a Linux system call, as libsel4muslcsys does. Has effect on `abort`, which asks for `tkill`, and
/// with std on the system calls that libsel4std handles.
#[unsafe(no_mangle)]
extern "C" fn muslcsys_install_syscall(
    number: c_int,
    handler: Option<SystemCall>,
) -> Option<SystemCall> {
    if number != TKILL {
        // SAFETY: as the caller promises.
        #[cfg(feature = "std")]
        return unsafe { sel4_hosted_install_syscall(number, handler) };
        #[cfg(not(feature = "std"))]
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
    // SAFETY: plain calls of libc. The signal ends the process.
    unsafe {
        libc::raise(libc::SIGABRT);
        libc::_exit(128 + libc::SIGABRT)
    }
}
