// SPDX-License-Identifier: BSD-2-Clause

//! Standard input and randomness, from the application; exit; the system's name; and refusal of sockets, processes and
//! signals, which a root server does not have.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sel4_hosted::in_thread;

use super::libsel4std::{sel4std_entropy, sel4std_stdin};
use super::{events, fail};
use crate::original::{original, replace};

replace! {
    fn read(file: c_int, bytes: *mut c_void, count: usize) -> isize {
        if file == libc::STDIN_FILENO {
            sel4std_stdin(bytes, count)
        } else if let Some(result) = events::move_bytes(file, bytes, count, false) {
            result
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

    fn uname(name: *mut libc::utsname) -> c_int {
        const MACHINE: &[u8] = std::env::consts::ARCH.as_bytes();
        *name = std::mem::zeroed();
        for (field, text) in [
            (&raw mut (*name).sysname, "seL4".as_bytes()),
            (&raw mut (*name).nodename, b"seL4"),
            (&raw mut (*name).release, b"0"),
            (&raw mut (*name).version, b"0"),
            (&raw mut (*name).machine, MACHINE),
        ] {
            text.as_ptr().copy_to(field.cast(), text.len());
        }
        0
    }

    fn getuid() -> libc::uid_t {
        0
    }

    fn geteuid() -> libc::uid_t {
        0
    }

    fn getgid() -> libc::gid_t {
        0
    }

    fn getegid() -> libc::gid_t {
        0
    }

    fn getppid() -> libc::pid_t {
        0
    }

    fn sched_getcpu() -> c_int {
        0
    }

    fn sigaction(
        signal: c_int,
        action: *const libc::sigaction,
        old: *mut libc::sigaction,
    ) -> c_int {
        // Linux' handlers are the platform's, and faults the model's. Nobody sends SIGCHLD.
        let handled = !action.is_null()
            && ![libc::SIG_DFL, libc::SIG_IGN].contains(&(*action).sa_sigaction);
        if handled && signal != libc::SIGCHLD {
            return fail(libc::ENOSYS);
        }
        if !old.is_null() {
            *old = std::mem::zeroed();
        }
        0
    }

    fn sigaltstack(wanted: *const libc::stack_t, old: *mut libc::stack_t) -> c_int {
        if !wanted.is_null() {
            return fail(libc::ENOSYS);
        }
        if !old.is_null() {
            *old = std::mem::zeroed();
            (*old).ss_flags = libc::SS_DISABLE;
        }
        0
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
