// SPDX-License-Identifier: BSD-2-Clause

//! sel4runtime's functions, as `<sel4runtime.h>` declares them.
//!
//! A thread that is given thread-local storage gets that of a thread of Linux that lends it. One without
//! shares that of the first.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use sel4_hosted::storage;
use sel4_hosted_libsel4::api::{seL4_BootInfo, seL4_GetIPCBuffer, seL4_IPCBuffer};

use crate::lender::Lender;

/// Bytes that a program provides for a thread's storage. Nothing is there; it is elsewhere.
const TLS_SIZE: usize = 64;

/// Who lends the storage that was asked for at an address.
static LENDERS: Mutex<BTreeMap<usize, Lender>> = Mutex::new(BTreeMap::new());

/// What is called when `main` returns or `exit` is called: a function, as an address.
static EXIT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

type ExitCallback = Option<unsafe extern "C" fn(c_int)>;

/// The last of C's exit handlers.
pub(crate) extern "C" fn exited(code: c_int, _: *mut c_void) {
    sel4_hosted::set_main_result(code as u8);
    #[cfg(feature = "std")]
    if crate::rust_std::EXITS.load(Relaxed) {
        crate::rust_std::leave(code);
    }
    let callback = EXIT.load(Relaxed);
    // SAFETY: sel4runtime_set_exit() was given it. Without one sel4runtime jumps to address 0, which
    // is a fault of the thread, and so is this.
    unsafe {
        std::mem::transmute::<*mut c_void, extern "C" fn(c_int)>(fault_if_null(callback))(code)
    }
}

/// The address, hidden from a compiler that knows that no function is at 0.
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
    // SAFETY: an address that came here the same way, or null.
    unsafe { std::mem::transmute::<*mut c_void, ExitCallback>(before) }
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_exit(code: c_int) -> ! {
    // SAFETY: exit() may be called anywhere in a program.
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

/// Thread-local storage in which all is as the program begins with. Whoever had what was made at this address
/// before has it no more.
#[unsafe(no_mangle)]
extern "C" fn sel4runtime_write_tls_image(memory: *mut c_void) -> usize {
    if memory.is_null() {
        return 0;
    }
    let lender = Lender::new(0).unwrap_or_else(|error| {
        let error = std::io::Error::from_raw_os_error(error);
        sel4_hosted::end::refuse(&format!(
            "Linux makes no thread that lends its thread-local storage: {error}\nhelp: see `ulimit -u`"
        ))
    });
    let base = lender.base();
    let mut lenders = LENDERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = lenders.insert(memory.addr(), lender) {
        // SAFETY: the program has given the memory to another thread.
        unsafe { before.end() };
    }
    base
}

#[unsafe(no_mangle)]
extern "C" fn sel4runtime_move_initial_tls(memory: *mut c_void) -> usize {
    // Nobody's storage moves.
    memory.addr()
}

/// Sets a thread-local variable of a thread that does not run yet.
///
/// # Safety
///
/// `base` came from `sel4runtime_write_tls_image`, the rest are valid for `bytes`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __sel4runtime_write_tls_variable(
    base: usize,
    local: *mut u8,
    source: *const u8,
    bytes: usize,
) -> c_int {
    // SAFETY: as the caller promises. Variables of the program have the same distance from each base.
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

/// Where the running thread's `__sel4_ipc_buffer` is.
///
/// # Safety
///
/// A kernel runs.
#[unsafe(no_mangle)]
unsafe extern "C" fn sel4_hosted_ipc_buffer() -> *mut *mut seL4_IPCBuffer {
    let host = sel4_hosted_libsel4::current();
    if host.is_null() {
        // Says so, and ends.
        // SAFETY: there is nothing that it could touch.
        unsafe { seL4_GetIPCBuffer() };
    }
    // SAFETY: the host lives as long as its kernel runs.
    unsafe { (*host).ipc_buffer.as_ptr() }
}
