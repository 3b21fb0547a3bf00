// SPDX-License-Identifier: BSD-2-Clause

//! Functions of sel4runtime, as `<sel4runtime.h>` declares them.
//!
//! A thread with a TLS base from this module runs with the storage of a [`Lender`]. Other threads share the
//! storage of the first.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use sel4_hosted::storage;
use sel4_hosted_libsel4::api::{seL4_BootInfo, seL4_GetIPCBuffer, seL4_IPCBuffer};

use crate::lender::Lender;

/// Bytes that a program must provide for thread-local storage. They stay unused, since a lender has the storage.
const TLS_SIZE: usize = 64;

/// Lenders, by the address at which the program has asked for storage.
static LENDERS: Mutex<BTreeMap<usize, Lender>> = Mutex::new(BTreeMap::new());

/// Exit callback: called after `main` has returned or `exit` was called.
static EXIT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

type ExitCallback = Option<unsafe extern "C" fn(c_int)>;

/// Last exit handler of the C library.
pub(crate) extern "C" fn exited(code: c_int, _: *mut c_void) {
    sel4_hosted::set_main_result(code as u8);
    #[cfg(feature = "std")]
    if crate::rust_std::EXITS.load(Relaxed) {
        crate::rust_std::leave(code);
    }
    let callback = EXIT.load(Relaxed);
    // SAFETY: the callback was passed to sel4runtime_set_exit(). Without one, this jumps to address 0 and
    // faults, as sel4runtime does.
    unsafe {
        std::mem::transmute::<*mut c_void, extern "C" fn(c_int)>(fault_if_null(callback))(code)
    }
}

/// Hides the address from the compiler, which assumes that no function is at 0.
fn fault_if_null(address: *mut c_void) -> *mut c_void {
    std::hint::black_box(address)
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_bootinfo() -> *mut seL4_BootInfo {
    sel4_hosted::boot_info()
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_process_name() -> *const c_char {
    c"rootserver".as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_set_exit(callback: ExitCallback) -> ExitCallback {
    let address = callback.map_or(ptr::null_mut(), |callback| callback as *mut c_void);
    let before = EXIT.swap(address, Relaxed);
    // SAFETY: null, or a callback passed to this function before.
    unsafe { std::mem::transmute::<*mut c_void, ExitCallback>(before) }
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_exit(code: c_int) -> ! {
    // SAFETY: a plain call.
    unsafe { libc::exit(code) }
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_get_tls_size() -> usize {
    TLS_SIZE
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_initial_tls_enabled() -> c_int {
    1
}

/// Makes thread-local storage with initial values, and returns its base. Ends the storage made for this address
/// before.
#[unsafe(no_mangle)]
extern "C" fn sel4runtime_write_tls_image(memory: *mut c_void) -> usize {
    if memory.is_null() {
        return 0;
    }
    let lender = Lender::new(0).unwrap_or_else(|error| {
        let error = std::io::Error::from_raw_os_error(error);
        sel4_hosted::end::refuse(&format!(
            "cannot start a Linux thread for thread-local storage: {error}\nhelp: raise the limit of threads, see `ulimit -u`"
        ))
    });
    let base = lender.base();
    let mut lenders = LENDERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = lenders.insert(memory.addr(), lender) {
        // SAFETY: the program reuses the memory, so the earlier thread no longer runs.
        unsafe { before.end() };
    }
    base
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_move_initial_tls(memory: *mut c_void) -> usize {
    // The storage stays where it is.
    memory.addr()
}

/// Sets a thread-local variable of a thread that has not started.
///
/// # Safety
///
/// `base` was returned by `sel4runtime_write_tls_image`; the other pointers are valid for `bytes`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __sel4runtime_write_tls_variable(
    base: usize,
    local: *mut u8,
    source: *const u8,
    bytes: usize,
) -> c_int {
    // SAFETY: as the caller promises. A variable has the same offset from each base.
    unsafe {
        if local == sel4_hosted_ipc_buffer().cast() {
            storage::set_ipc_buffer(base, source.cast::<*mut seL4_IPCBuffer>().read());
        } else {
            let distance = local.addr().wrapping_sub(storage::base());
            ptr::with_exposed_provenance_mut::<u8>(base.wrapping_add(distance))
                .copy_from_nonoverlapping(source, bytes);
        }
    }
    0
}

/// Returns the address of the running thread's `__sel4_ipc_buffer`.
///
/// # Safety
///
/// A kernel runs in this thread.
#[unsafe(no_mangle)]
unsafe extern "C" fn sel4_hosted_ipc_buffer() -> *mut *mut seL4_IPCBuffer {
    let host = sel4_hosted_libsel4::current();
    if host.is_null() {
        // Without a kernel this call reports the error and ends the process.
        // SAFETY: the call accesses no memory.
        unsafe { seL4_GetIPCBuffer() };
    }
    // SAFETY: the host lives as long as its kernel runs.
    unsafe { (*host).ipc_buffer.as_ptr() }
}
