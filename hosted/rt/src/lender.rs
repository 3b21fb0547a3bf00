// SPDX-License-Identifier: BSD-2-Clause

//! Linux threads that lend their thread-local storage, and optionally their stack, to an seL4 thread. The C
//! library makes them, so the storage is complete; they sleep until the loan ends. seL4 threads still run on
//! one thread of Linux.

use std::arch::asm;
use std::ffi::{c_int, c_long, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize};

use libc::{pthread_attr_t, pthread_t};
use sel4_hosted::storage;
use sel4_hosted_libsel4::{Host, current, install};

use crate::original::original;

/// Bytes of stack that the lender needs for itself.
const OWN_STACK: usize = 8 << 10;

const BEGINS: u32 = 0;
const SLEEPS: u32 = 1;
const ENDS: u32 = 2;

/// A Linux thread that lends.
pub(crate) struct Lender {
    thread: pthread_t,
    shared: Arc<Shared>,
}

/// State shared by the lender and its creator.
struct Shared {
    /// Base of the thread-local storage.
    base: AtomicUsize,
    /// Top of the part of the stack that is lent.
    stack: AtomicUsize,
    state: AtomicU32,
    host: AtomicPtr<Host>,
}

mod c {
    use super::*;
    original! {
        fn pthread_create(
            thread: *mut pthread_t,
            attributes: *const pthread_attr_t,
            function: extern "C" fn(*mut c_void) -> *mut c_void,
            argument: *mut c_void,
        ) -> c_int;
        fn pthread_join(thread: pthread_t, result: *mut *mut c_void) -> c_int;
    }
}

impl Lender {
    /// Starts a lender with `stack` bytes of stack to lend.
    pub(crate) fn new(stack: usize) -> Result<Self, c_int> {
        let shared = Arc::new(Shared {
            base: AtomicUsize::new(0),
            stack: AtomicUsize::new(0),
            state: AtomicU32::new(BEGINS),
            host: AtomicPtr::new(current().cast_mut()),
        });
        let argument = Arc::into_raw(shared.clone()).cast_mut();
        let mut thread = 0;
        // SAFETY: plain calls of libc with what they are documented to take.
        let error = unsafe {
            let mut attributes = MaybeUninit::uninit();
            libc::pthread_attr_init(attributes.as_mut_ptr());
            let bytes = stack.max(libc::PTHREAD_STACK_MIN) + OWN_STACK;
            let error = libc::pthread_attr_setstacksize(
                attributes.as_mut_ptr(),
                bytes.next_multiple_of(4096),
            );
            // Signals are for the thread that runs the kernel.
            let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            let error = match error {
                0 => c::pthread_create(&mut thread, attributes.as_ptr(), sleep, argument.cast()),
                error => error,
            };
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            error
        };
        if error != 0 {
            // SAFETY: the thread that would have taken it was not made.
            drop(unsafe { Arc::from_raw(argument) });
            return Err(error);
        }
        let lender = Self { thread, shared };
        let state = &lender.shared.state;
        while state.load(Acquire) == BEGINS {
            futex(state, libc::FUTEX_WAIT, BEGINS);
        }
        // SAFETY: the lender sleeps until `end`.
        unsafe { storage::lend(lender.base()) };
        Ok(lender)
    }

    /// Returns the lender's `pthread_t`.
    #[cfg(feature = "std")]
    pub(crate) fn thread(&self) -> pthread_t {
        self.thread
    }

    /// Returns the base of the lender's thread-local storage.
    pub(crate) fn base(&self) -> usize {
        self.shared.base.load(Relaxed)
    }

    /// Returns the top of the part of the stack that is lent.
    #[cfg(feature = "std")]
    pub(crate) fn stack(&self) -> usize {
        self.shared.stack.load(Relaxed)
    }

    /// Ends the loan and the lender.
    ///
    /// # Safety
    ///
    /// No seL4 thread runs with the storage or the stack again.
    pub(crate) unsafe fn end(self) {
        storage::take_back(self.base());
        self.shared.state.store(ENDS, Release);
        futex(&self.shared.state, libc::FUTEX_WAKE, 1);
        // SAFETY: only this joins the thread.
        unsafe { c::pthread_join(self.thread, ptr::null_mut()) };
    }
}

/// Body of a lender.
extern "C" fn sleep(argument: *mut c_void) -> *mut c_void {
    let here = 0_usize;
    // SAFETY: `Lender::new` has passed the `Arc` for this thread.
    let shared = unsafe { Arc::from_raw(argument.cast::<Shared>()) };
    // The seL4 thread that runs with this storage finds its kernel there.
    // SAFETY: the host lives as long as seL4 threads exist.
    unsafe { install(shared.host.load(Relaxed)) };
    shared.base.store(storage::base(), Relaxed);
    let stack = (&raw const here).addr() - OWN_STACK / 2;
    shared.stack.store(stack & !15, Relaxed);
    shared.state.store(SLEEPS, Release);
    futex(&shared.state, libc::FUTEX_WAKE, 1);
    while shared.state.load(Acquire) != ENDS {
        futex(&shared.state, libc::FUTEX_WAIT, SLEEPS);
    }
    // From here on this is an ordinary Linux thread, also for the C library's own functions.
    // SAFETY: null is always valid.
    unsafe { install(ptr::null()) };
    ptr::null_mut()
}

/// Makes Linux' futex system call. The C library's function would access the storage that is lent.
fn futex(word: &AtomicU32, operation: c_int, value: u32) {
    let operation = c_long::from(operation | libc::FUTEX_PRIVATE_FLAG);
    // SAFETY: the word lives, and a wait without a timeout needs nothing else.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall",
            inout("rax") libc::SYS_futex => _,
            in("rdi") word.as_ptr(),
            in("rsi") operation,
            in("rdx") u64::from(value),
            in("r10") 0,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc 0",
            in("x8") libc::SYS_futex,
            inout("x0") word.as_ptr() => _,
            in("x1") operation,
            in("x2") u64::from(value),
            in("x3") 0,
            options(nostack),
        );
    }
}
