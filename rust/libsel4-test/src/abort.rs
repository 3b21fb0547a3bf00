// SPDX-License-Identifier: BSD-2-Clause

//! Reports panics to the monitor. libsel4-rt prints a panic and calls C's `abort`, as C's `assert` does.
//! `abort` sends a signal to the thread by a function in the C library's table of system calls. This
//! module replaces the function: a test's thread sends a message to the monitor, and the root server's
//! own thread calls the original function.

use core::ffi::{c_int, c_long, c_void};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libsel4::{BootInfo, Cap, Endpoint, MessageInfo, libsel4_sys as sys};

/// A function of the table. The argument is C's `va_list`, which every supported architecture passes
/// as one pointer.
type SystemCall = extern "C" fn(arguments: *mut c_void) -> c_long;

unsafe extern "C" {
    fn muslcsys_install_syscall(number: c_int, handler: SystemCall) -> Option<SystemCall>;
}

/// Number of `tkill` in muslc's `bits/syscall.h`.
#[cfg(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "riscv32"
))]
const TKILL: c_int = 130;
#[cfg(any(target_arch = "arm", target_arch = "x86"))]
const TKILL: c_int = 238;
#[cfg(target_arch = "x86_64")]
const TKILL: c_int = 200;

/// Endpoint capability that tests report an `abort` through.
static MONITOR: AtomicUsize = AtomicUsize::new(0);
/// Address of the IPC buffer of the root server's own thread.
static ROOT_BUFFER: AtomicUsize = AtomicUsize::new(0);
/// Address of the original function.
static ORIGINAL: AtomicUsize = AtomicUsize::new(0);

/// Replaces the function: from now on, `abort` in a test sends a message through `monitor`.
pub(crate) fn install(info: &BootInfo, monitor: Cap<Endpoint>) {
    MONITOR.store(monitor.word(), Relaxed);
    ROOT_BUFFER.store(info.ipc_buffer().address, Relaxed);
    // SAFETY: the function has the type of the table's functions.
    let original = unsafe { muslcsys_install_syscall(TKILL, tkill) };
    ORIGINAL.store(original.map_or(0, |function| function as usize), Relaxed);
}

/// Restores the original function.
pub(crate) fn restore() {
    if let Some(original) = original() {
        // SAFETY: the function came out of the table.
        unsafe { muslcsys_install_syscall(TKILL, original) };
    }
}

extern "C" fn tkill(arguments: *mut c_void) -> c_long {
    // SAFETY: the function reads a variable of this thread.
    let buffer = unsafe { sys::seL4_GetIPCBuffer() };
    if buffer.addr() != ROOT_BUFFER.load(Relaxed) {
        // SAFETY: `install` stored an endpoint capability.
        let monitor: Cap<Endpoint> = unsafe { Cap::from_word(MONITOR.load(Relaxed)) };
        loop {
            monitor.send(MessageInfo::new(0, 0, 0, 0));
        }
    }
    original().map_or(0, |original| original(arguments))
}

/// Returns the original function.
fn original() -> Option<SystemCall> {
    let word = ORIGINAL.load(Relaxed);
    // SAFETY: the address came out of the table.
    (word != 0).then(|| unsafe { core::mem::transmute::<usize, SystemCall>(word) })
}
