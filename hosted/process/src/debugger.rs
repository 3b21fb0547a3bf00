// SPDX-License-Identifier: BSD-2-Clause

//! What a debugger may call while a thread stands still. `hosted/gdb.py` does.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use sel4_hosted_kernel::Kernel;

use crate::machine::Process;

/// The kernel, while a thread runs that a debugger may use as its own.
static KERNEL: AtomicPtr<Kernel<Process>> = AtomicPtr::new(ptr::null_mut());

/// A table of the threads, as text for C; it is never given back.
extern "C" fn threads() -> *const c_char {
    let kernel = KERNEL.load(Relaxed);
    if kernel.is_null() {
        return c"no seL4 thread runs now: the kernel does, or an image as it is\n".as_ptr();
    }
    // SAFETY: the running thread stands still, and with it the kernel that has let it run.
    let table = unsafe { &*kernel }.thread_table();
    CString::new(table).map_or(c"".as_ptr(), |text| text.into_raw().cast_const())
}

/// The name by which it is called, in a program whatever its linker leaves out.
#[unsafe(no_mangle)]
static sel4_hosted_threads: extern "C" fn() -> *const c_char = threads;

/// A thread runs on this kernel, or with null none.
#[inline]
pub fn observe(kernel: *mut Kernel<Process>) {
    KERNEL.store(kernel, Relaxed);
}

/// Keeps the name.
pub fn keep() {
    std::hint::black_box(&raw const sel4_hosted_threads);
}
