// SPDX-License-Identifier: BSD-2-Clause

//! What a debugger may call while a thread stands still. `hosted/gdb.py` does.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use sel4_hosted_kernel::Kernel;

use crate::machine::Process;
use crate::storage;
use crate::switch::Frame;

/// What a debugger finds by its name.
#[repr(C)]
struct Debugger {
    /// The kernel, while a thread runs that a debugger may use as its own.
    kernel: AtomicPtr<Kernel<Process>>,
    /// Gives a table of the threads, as text for C.
    threads: extern "C" fn() -> *const c_char,
    /// Where the host's stack pointer is while a thread runs. A thread's own stack may be small.
    stack: AtomicPtr<usize>,
    /// The host's thread-local storage.
    storage: AtomicUsize,
    /// Where it says that Linux is not to have system calls; null if it always has them.
    selector: AtomicPtr<u8>,
    /// Whether a thread runs for one instruction, whose SIGTRAP is this platform's own.
    stepping: AtomicPtr<u8>,
}

#[unsafe(no_mangle)]
static sel4_hosted_debugger: Debugger = Debugger {
    kernel: AtomicPtr::new(ptr::null_mut()),
    threads,
    stack: AtomicPtr::new(ptr::null_mut()),
    storage: AtomicUsize::new(0),
    selector: AtomicPtr::new(ptr::null_mut()),
    stepping: AtomicPtr::new(ptr::null_mut()),
};

/// A table of the threads; it is never given back.
extern "C" fn threads() -> *const c_char {
    let kernel = sel4_hosted_debugger.kernel.load(Relaxed);
    if kernel.is_null() {
        return c"".as_ptr();
    }
    // SAFETY: the running thread stands still, and with it the kernel that has let it run.
    let table = unsafe { &*kernel }.thread_table();
    CString::new(table).map_or(c"".as_ptr(), |text| text.into_raw().cast_const())
}

/// A thread runs on this kernel, or with null none.
#[inline]
pub fn observe(kernel: *mut Kernel<Process>) {
    sel4_hosted_debugger.kernel.store(kernel, Relaxed);
}

/// Begins to keep what a debugger needs of this host.
pub fn begin(frame: &mut Frame) {
    let debugger = &sel4_hosted_debugger;
    debugger.stack.store(&raw mut frame.stack, Relaxed);
    debugger.storage.store(storage::base(), Relaxed);
    debugger.stepping.store(&raw mut frame.stepping, Relaxed);
    #[cfg(target_arch = "x86_64")]
    if frame.foreign != 0 {
        let selector = crate::switch::SELECTOR.as_ptr();
        debugger.selector.store(selector, Relaxed);
    }
    std::hint::black_box(debugger);
}

/// Where a debugger stops when an image is in its place.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn sel4_hosted_loaded() {
    std::hint::black_box(());
}
