// SPDX-License-Identifier: BSD-2-Clause

//! Descriptors that threads wait for: libsel4std has them, as on a kernel. Linux' own would put all seL4 threads to sleep,
//! as one Linux thread runs at a time.

use std::ffi::{c_int, c_long, c_uint, c_ulong, c_void};

use libc::{epoll_event, iovec, itimerspec, nfds_t, pollfd, sigset_t, timespec};
use sel4_hosted::in_thread;

use super::fail;
use super::libsel4std::{
    sel4_hosted_event_close, sel4_hosted_event_control, sel4_hosted_event_move,
    sel4_hosted_event_stat, sel4_hosted_is_event, sel4_hosted_syscall,
};
use crate::original::{original, replace};

/// Returns what a function of the C library returns for the result of a system call.
fn answer(result: c_long) -> c_int {
    match c_int::try_from(-result) {
        Ok(error @ 1..) => fail(error),
        _ => result as c_int,
    }
}

/// Reads or writes, if `number` is one of libsel4std's descriptors.
///
/// # Safety
///
/// The bytes are those of `read` or `write`.
pub(super) unsafe fn move_bytes(
    number: c_int,
    bytes: *mut c_void,
    count: usize,
    writes: bool,
) -> Option<isize> {
    let piece = iovec {
        iov_base: bytes,
        iov_len: count,
    };
    // SAFETY: the piece outlives the call, and describes the bytes of `read` or `write`.
    unsafe { move_pieces(number, &raw const piece, 1, writes) }
}

/// Reads or writes as `move_bytes` does, with several pieces of memory.
///
/// # Safety
///
/// The pieces are those of `readv` or `writev`.
unsafe fn move_pieces(
    number: c_int,
    pieces: *const iovec,
    count: c_int,
    writes: bool,
) -> Option<isize> {
    // SAFETY: the pieces are those of `readv` or `writev`, which libsel4std answers by the same contract.
    unsafe {
        sel4_hosted_is_event(number)
            .then(|| answer(sel4_hosted_event_move(number, pieces, count, writes)) as isize)
    }
}

replace! {
    fn write(number: c_int, bytes: *const c_void, count: usize) -> isize {
        match move_bytes(number, bytes.cast_mut(), count, true) {
            Some(result) => result,
            None => c::write(number, bytes, count),
        }
    }

    fn readv(number: c_int, pieces: *const iovec, count: c_int) -> isize {
        match move_pieces(number, pieces, count, false) {
            Some(result) => result,
            None => c::readv(number, pieces, count),
        }
    }

    fn writev(number: c_int, pieces: *const iovec, count: c_int) -> isize {
        match move_pieces(number, pieces, count, true) {
            Some(result) => result,
            None => c::writev(number, pieces, count),
        }
    }

    fn close(number: c_int) -> c_int {
        if sel4_hosted_is_event(number) {
            answer(sel4_hosted_event_close(number))
        } else {
            c::close(number)
        }
    }

    fn dup(number: c_int) -> c_int {
        if sel4_hosted_is_event(number) {
            answer(sel4_hosted_syscall(libc::SYS_dup, number))
        } else {
            c::dup(number)
        }
    }

    fn eventfd(value: c_uint, flags: c_int) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_eventfd2, value, flags))
    }

    fn eventfd_read(number: c_int, value: *mut u64) -> c_int {
        match libc::read(number, value.cast(), size_of::<u64>()) {
            8 => 0,
            _ => -1,
        }
    }

    fn eventfd_write(number: c_int, value: u64) -> c_int {
        match write(number, (&raw const value).cast(), size_of::<u64>()) {
            8 => 0,
            _ => -1,
        }
    }

    fn timerfd_create(clock: c_int, flags: c_int) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_timerfd_create, clock, flags))
    }

    fn timerfd_settime(
        number: c_int,
        flags: c_int,
        time: *const itimerspec,
        old: *mut itimerspec,
    ) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_timerfd_settime, number, flags, time, old))
    }

    fn timerfd_gettime(number: c_int, time: *mut itimerspec) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_timerfd_gettime, number, time))
    }

    fn pipe(ends: *mut c_int) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_pipe2, ends, 0_i32))
    }

    fn pipe2(ends: *mut c_int, flags: c_int) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_pipe2, ends, flags))
    }

    fn socketpair(family: c_int, kind: c_int, protocol: c_int, ends: *mut c_int) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_socketpair, family, kind, protocol, ends))
    }

    fn send(number: c_int, bytes: *const c_void, count: usize, flags: c_int) -> isize {
        answer(sel4_hosted_syscall(libc::SYS_sendto, number, bytes, count, flags)) as isize
    }

    fn recv(number: c_int, bytes: *mut c_void, count: usize, flags: c_int) -> isize {
        answer(sel4_hosted_syscall(libc::SYS_recvfrom, number, bytes, count, flags)) as isize
    }

    fn epoll_create(size: c_int) -> c_int {
        if size <= 0 {
            return fail(libc::EINVAL);
        }
        answer(sel4_hosted_syscall(libc::SYS_epoll_create1, 0_i32))
    }

    fn epoll_create1(flags: c_int) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_epoll_create1, flags))
    }

    fn epoll_ctl(poller: c_int, what: c_int, number: c_int, event: *mut epoll_event) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_epoll_ctl, poller, what, number, event))
    }

    fn epoll_wait(poller: c_int, events: *mut epoll_event, most: c_int, timeout: c_int) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_epoll_pwait, poller, events, most, timeout))
    }

    fn epoll_pwait(
        poller: c_int,
        events: *mut epoll_event,
        most: c_int,
        timeout: c_int,
        _mask: *const sigset_t,
    ) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_epoll_pwait, poller, events, most, timeout))
    }

    fn poll(all: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int {
        let time = timespec {
            tv_sec: (timeout / 1000).into(),
            tv_nsec: (timeout % 1000 * 1_000_000).into(),
        };
        let time = if timeout >= 0 { &raw const time } else { std::ptr::null() };
        answer(sel4_hosted_syscall(libc::SYS_ppoll, all, count, time))
    }

    fn ppoll(
        all: *mut pollfd,
        count: nfds_t,
        timeout: *const timespec,
        _mask: *const sigset_t,
    ) -> c_int {
        answer(sel4_hosted_syscall(libc::SYS_ppoll, all, count, timeout))
    }
}

mod controls {
    use super::*;

    original! {
        fn fcntl(number: c_int, what: c_int, argument: c_long) -> c_int;
        fn fcntl64(number: c_int, what: c_int, argument: c_long) -> c_int;
        fn ioctl(number: c_int, what: c_ulong, argument: c_long) -> c_int;
    }
}

/// Returns whether an seL4 thread calls with a descriptor of libsel4std.
fn is_event(number: c_int) -> bool {
    // SAFETY: a plain call.
    in_thread() && unsafe { sel4_hosted_is_event(number) }
}

/// Defines functions whose last argument is variable; it is a word or a pointer, or missing.
macro_rules! control {
    ($(fn $name:ident($what:ty, $ioctl:expr);)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(number: c_int, what: $what, argument: c_long) -> c_int {
            // SAFETY: the argument is one of `fcntl` or `ioctl`, for libsel4std as for the C library.
            unsafe {
                if is_event(number) {
                    answer(sel4_hosted_event_control(number, what as c_int, argument, $ioctl))
                } else {
                    controls::$name(number, what, argument)
                }
            }
        }
    )*};
}

control! {
    fn fcntl(c_int, false);
    fn fcntl64(c_int, false);
    fn ioctl(c_ulong, true);
}

/// Defines functions that older versions of glibc have under other names.
macro_rules! status {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(number: c_int, result: *mut libc::stat) -> c_int {
            // SAFETY: `result` is the one of `fstat`, and glibc has Linux' structure.
            unsafe {
                if is_event(number) {
                    answer(sel4_hosted_event_stat(number, result))
                } else {
                    libc::syscall(libc::SYS_fstat, number, result) as c_int
                }
            }
        }
    )*};
}

status!(fstat fstat64);
