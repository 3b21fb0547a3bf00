// SPDX-License-Identifier: BSD-2-Clause

//! What a panic becomes. libsel4-rt reports it and calls C's `abort`, as C's own `assert` does. That
//! ends with a signal to the thread, which the C library leaves to a function in its table of system
//! calls. Here it is replaced: a test's thread tells the monitor, and the root server's own goes the
//! usual way.

use core::ffi::{c_int, c_long, c_void};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libsel4::{BootInfo, Cap, Endpoint, MessageInfo, libsel4_sys as sys};

/// A function of the table. Its argument is C's `va_list`, which every architecture here passes as
/// one pointer.
type SystemCall = extern "C" fn(arguments: *mut c_void) -> c_long;

unsafe extern "C" {
    fn muslcsys_install_syscall(number: c_int, handler: SystemCall) -> Option<SystemCall>;
}

/// The number of `tkill`, as muslc's `bits/syscall.h` has it.
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

/// Where a test's thread tells that it ends so.
static MONITOR: AtomicUsize = AtomicUsize::new(0);
/// The IPC buffer of the root server's own thread.
static OWN_BUFFER: AtomicUsize = AtomicUsize::new(0);
/// What was in the table.
static BEFORE: AtomicUsize = AtomicUsize::new(0);

/// From now on an `abort` is a message through `monitor`.
pub(crate) fn tell(info: &BootInfo, monitor: Cap<Endpoint>) {
    MONITOR.store(monitor.word(), Relaxed);
    OWN_BUFFER.store(info.ipc_buffer().address, Relaxed);
    // SAFETY: the function is what the table wants.
    let before = unsafe { muslcsys_install_syscall(TKILL, tkill) };
    BEFORE.store(before.map_or(0, |function| function as usize), Relaxed);
}

/// From now on it is what it was before.
pub(crate) fn forget() {
    if let Some(before) = before() {
        // SAFETY: it is what the table had.
        unsafe { muslcsys_install_syscall(TKILL, before) };
    }
}

extern "C" fn tkill(arguments: *mut c_void) -> c_long {
    // SAFETY: it reads a variable of this thread.
    let buffer = unsafe { sys::seL4_GetIPCBuffer() };
    if buffer.addr() != OWN_BUFFER.load(Relaxed) {
        // SAFETY: it is one, as `tell` was told.
        let monitor: Cap<Endpoint> = unsafe { Cap::from_word(MONITOR.load(Relaxed)) };
        loop {
            monitor.send(MessageInfo::new(0, 0, 0, 0));
        }
    }
    before().map_or(0, |before| before(arguments))
}

/// What was in the table.
fn before() -> Option<SystemCall> {
    let word = BEFORE.load(Relaxed);
    // SAFETY: it came out of the table.
    (word != 0).then(|| unsafe { core::mem::transmute::<usize, SystemCall>(word) })
}
