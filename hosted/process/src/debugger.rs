// SPDX-License-Identifier: BSD-2-Clause

//! Entry points for debuggers while the program is stopped. `hosted/gdb.py` uses them.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use sel4_hosted_kernel::Kernel;

use crate::machine::Process;
use crate::storage;
use crate::switch::Frame;

/// Record that a debugger finds by the symbol `sel4_hosted_debugger`.
#[repr(C)]
struct Debugger {
    /// Kernel of the running seL4 thread; null while the kernel itself runs.
    kernel: AtomicPtr<Kernel<Process>>,
    /// Returns a table of the threads, as a C string.
    threads: extern "C" fn() -> *const c_char,
    /// Address of the host's saved stack pointer. A thread's own stack may be too small for a call.
    stack: AtomicPtr<usize>,
    /// Base of the host's thread-local storage.
    storage: AtomicUsize,
    /// Selector of Linux' syscall user dispatch; null if it is not in use.
    selector: AtomicPtr<u8>,
    /// Nonzero while a thread executes a single step, whose SIGTRAP belongs to the platform.
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

/// Returns a table of the threads. The text is never freed.
extern "C" fn threads() -> *const c_char {
    let kernel = sel4_hosted_debugger.kernel.load(Relaxed);
    if kernel.is_null() {
        return c"".as_ptr();
    }
    // SAFETY: the debugger has stopped the thread, and the kernel does not run meanwhile.
    let table = unsafe { &*kernel }.thread_table();
    CString::new(table).map_or(c"".as_ptr(), |text| text.into_raw().cast_const())
}

/// Records the kernel of the thread that is about to run; null when it has stopped.
#[inline]
pub fn observe(kernel: *mut Kernel<Process>) {
    sel4_hosted_debugger.kernel.store(kernel, Relaxed);
}

/// Fills in the addresses that a debugger needs of this host.
pub fn begin(frame: &mut Frame) {
    let debugger = &sel4_hosted_debugger;
    debugger.stack.store(&raw mut frame.stack, Relaxed);
    debugger.storage.store(storage::base(), Relaxed);
    debugger.stepping.store(&raw mut frame.stepping, Relaxed);
    #[cfg(target_arch = "x86_64")]
    if frame.unmodified != 0 {
        let selector = crate::switch::SELECTOR.as_ptr();
        debugger.selector.store(selector, Relaxed);
    }
    std::hint::black_box(debugger);
}

/// Breakpoint location for debuggers: an image has been loaded.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn sel4_hosted_loaded() {
    std::hint::black_box(());
}
