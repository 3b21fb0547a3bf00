// SPDX-License-Identifier: BSD-2-Clause

//! Threads of Linux that lend what they have to an seL4 thread: their thread-local storage, and if it is
//! wanted their stack. C's library makes them, with all that it wants a thread to have; they do nothing
//! but sleep until they may end. seL4's threads run on one thread of Linux all the same.

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

/// What a lender needs of its stack for itself.
const OWN_STACK: usize = 8 << 10;

const BEGINS: u32 = 0;
const SLEEPS: u32 = 1;
const ENDS: u32 = 2;

/// A thread that lends.
pub(crate) struct Lender {
    thread: pthread_t,
    shared: Arc<Shared>,
}

/// What it and who made it tell each other.
struct Shared {
    /// The base of its storage.
    base: AtomicUsize,
    /// The address behind what it lends of its stack.
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
    /// A new one, with so many bytes of stack to lend.
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
            // Signals are for the thread that runs seL4's.
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
            // SAFETY: it was for the thread, which there is not.
            drop(unsafe { Arc::from_raw(argument) });
            return Err(error);
        }
        let lender = Self { thread, shared };
        let state = &lender.shared.state;
        while state.load(Acquire) == BEGINS {
            futex(state, libc::FUTEX_WAIT, BEGINS);
        }
        // SAFETY: it sleeps until `end`.
        unsafe { storage::lend(lender.base()) };
        Ok(lender)
    }

    /// Its name in C.
    #[cfg(feature = "std")]
    pub(crate) fn thread(&self) -> pthread_t {
        self.thread
    }

    /// The base of its storage.
    pub(crate) fn base(&self) -> usize {
        self.shared.base.load(Relaxed)
    }

    /// The address behind what it lends of its stack.
    #[cfg(feature = "std")]
    pub(crate) fn stack(&self) -> usize {
        self.shared.stack.load(Relaxed)
    }

    /// Takes back what it has lent, and ends it.
    ///
    /// # Safety
    ///
    /// No seL4 thread will run with it any more.
    pub(crate) unsafe fn end(self) {
        storage::take_back(self.base());
        self.shared.state.store(ENDS, Release);
        futex(&self.shared.state, libc::FUTEX_WAKE, 1);
        // SAFETY: nobody else joins it.
        unsafe { c::pthread_join(self.thread, ptr::null_mut()) };
    }
}

/// What it does.
extern "C" fn sleep(argument: *mut c_void) -> *mut c_void {
    let here = 0_usize;
    // SAFETY: it was made of one for this thread.
    let shared = unsafe { Arc::from_raw(argument.cast::<Shared>()) };
    // The seL4 thread that has this storage finds its kernel there.
    // SAFETY: the host lives as long as there are seL4 threads.
    unsafe { install(shared.host.load(Relaxed)) };
    shared.base.store(storage::base(), Relaxed);
    let stack = (&raw const here).addr() - OWN_STACK / 2;
    shared.stack.store(stack & !15, Relaxed);
    shared.state.store(SLEEPS, Release);
    futex(&shared.state, libc::FUTEX_WAKE, 1);
    while shared.state.load(Acquire) != ENDS {
        futex(&shared.state, libc::FUTEX_WAIT, SLEEPS);
    }
    // What C's library does now is no seL4 thread's work.
    // SAFETY: none is one.
    unsafe { install(ptr::null()) };
    ptr::null_mut()
}

/// Linux' futex, without a function of C's library: it would touch storage that is lent.
fn futex(word: &AtomicU32, operation: c_int, value: u32) {
    let operation = c_long::from(operation | libc::FUTEX_PRIVATE_FLAG);
    // SAFETY: the word is there, and a wait without a timeout needs nothing else.
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
