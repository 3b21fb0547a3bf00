// SPDX-License-Identifier: BSD-2-Clause

//! Standard input and randomness, which are the application's to give, and what a root server has not: the
//! network, and other processes.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sel4_hosted::in_thread;

use super::{fail, hooks};
use crate::original::original;

mod c {
    use super::*;
    original! {
        fn read(file: c_int, bytes: *mut c_void, count: usize) -> isize;
        fn getrandom(bytes: *mut c_void, count: usize, flags: c_uint) -> isize;
        fn exit(code: c_int) -> ();
        fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
        fn fork() -> c_int;
        fn posix_spawnp(
            process: *mut c_int,
            program: *const c_char,
            actions: *const c_void,
            attributes: *const c_void,
            arguments: *const *mut c_char,
            environment: *const *mut c_char,
        ) -> c_int;
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn read(file: c_int, bytes: *mut c_void, count: usize) -> isize {
    if in_thread() && file == libc::STDIN_FILENO {
        return hooks::stdin(bytes, count);
    }
    // SAFETY: as the caller promises.
    unsafe { c::read(file, bytes, count) }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn getrandom(
    bytes: *mut c_void,
    count: usize,
    flags: c_uint,
) -> isize {
    if in_thread() && hooks::entropy(bytes, count) == Some(true) {
        return count as isize;
    }
    // SAFETY: as the caller promises.
    unsafe { c::getrandom(bytes, count, flags) }
}

/// Whether the program ends by `exit`, and not because `main` has returned.
pub(crate) static EXITS: AtomicBool = AtomicBool::new(false);

#[unsafe(no_mangle)]
unsafe extern "C" fn exit(code: c_int) -> ! {
    EXITS.store(in_thread(), Relaxed);
    // SAFETY: anybody may.
    unsafe { c::exit(code) };
    unreachable!("the program has ended")
}

#[unsafe(no_mangle)]
unsafe extern "C" fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int {
    if in_thread() {
        return fail(libc::ENOSYS);
    }
    // SAFETY: as the caller promises.
    unsafe { c::socket(family, kind, protocol) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fork() -> c_int {
    if in_thread() {
        return fail(libc::ENOSYS);
    }
    // SAFETY: as the caller promises.
    unsafe { c::fork() }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawnp(
    process: *mut c_int,
    program: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    arguments: *const *mut c_char,
    environment: *const *mut c_char,
) -> c_int {
    if in_thread() {
        return libc::ENOSYS;
    }
    // SAFETY: as the caller promises.
    unsafe {
        c::posix_spawnp(
            process,
            program,
            actions,
            attributes,
            arguments,
            environment,
        )
    }
}
