// SPDX-License-Identifier: BSD-2-Clause

//! Standard input and randomness, from the application; exit; and refusal of sockets and processes, which a root server
//! does not have.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sel4_hosted::in_thread;

use super::fail;
use super::libsel4std::{sel4std_entropy, sel4std_stdin};
use crate::original::{original, replace};

replace! {
    fn read(file: c_int, bytes: *mut c_void, count: usize) -> isize {
        if file == libc::STDIN_FILENO {
            sel4std_stdin(bytes, count)
        } else {
            c::read(file, bytes, count)
        }
    }

    pub(super) fn getrandom(bytes: *mut c_void, count: usize, flags: c_uint) -> isize {
        if sel4std_entropy(bytes, count) == 0 {
            count as isize
        } else {
            c::getrandom(bytes, count, flags)
        }
    }

    fn socket(_family: c_int, _kind: c_int, _protocol: c_int) -> c_int {
        fail(libc::ENOSYS)
    }

    fn fork() -> c_int {
        fail(libc::ENOSYS)
    }

    fn posix_spawnp(
        _process: *mut c_int,
        _program: *const c_char,
        _actions: *const c_void,
        _attributes: *const c_void,
        _arguments: *const *mut c_char,
        _environment: *const *mut c_char,
    ) -> c_int {
        libc::ENOSYS
    }
}

/// Default of `sel4std_entropy`: Linux' randomness.
#[unsafe(no_mangle)]
unsafe extern "C" fn sel4_hosted_entropy(bytes: *mut c_void, count: usize) -> c_int {
    // SAFETY: as the caller promises.
    let filled = unsafe { c::getrandom(bytes, count, 0) };
    if filled == count as isize { 0 } else { -1 }
}

/// True if an seL4 thread has called `exit`; false while the program ends because `main` has returned.
pub(crate) static EXITS: AtomicBool = AtomicBool::new(false);

mod original_exit {
    use super::*;
    original! {
        fn exit(code: c_int) -> ();
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn exit(code: c_int) -> ! {
    EXITS.store(in_thread(), Relaxed);
    // SAFETY: as the caller promises.
    unsafe { original_exit::exit(code) };
    unreachable!("exit() does not return")
}
