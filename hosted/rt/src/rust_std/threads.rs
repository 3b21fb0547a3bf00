// SPDX-License-Identifier: BSD-2-Clause

//! Threads of std and of C's `pthread_create`. Each is a thread of libsel4std, as on a kernel, with the stack and the
//! thread-local storage of a [`Lender`].

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use libc::{EAGAIN, EDEADLK, ESRCH, pthread_attr_t, pthread_key_t, pthread_t};
use sel4_hosted::{in_thread, without_preemption};
use sel4_hosted_libsel4::api::{seL4_DebugNameThread, seL4_Yield};

use super::fail;
use super::futex::{self, NEVER};
use super::libsel4std::{self, sel4_hosted_syscall, thread_stop_self};
use crate::lender::Lender;
use crate::original::{original, replace};

/// Stack size of a C thread that asks for no other: muslc's default.
const STACK: usize = 128 << 10;

unsafe extern "C" {
    fn pthread_attr_getdetachstate(attributes: *const pthread_attr_t, state: *mut c_int) -> c_int;
}

type Function = extern "C" fn(*mut c_void) -> *mut c_void;
type Destructor = unsafe extern "C" fn(*mut c_void);

/// State of a thread that this platform keeps besides libsel4std's.
struct Thread {
    /// Number in libsel4std's table, from 1.
    number: c_int,
    /// True from creation until the thread is joined, or has ended detached.
    is_taken: Cell<bool>,
    is_detached: Cell<bool>,
    /// 1 once the thread has ended. Joiners wait for it.
    ended: AtomicU32,
    function: Cell<Option<Function>>,
    argument: Cell<*mut c_void>,
    result: Cell<*mut c_void>,
    lender: RefCell<Option<Lender>>,
    /// Destructors of thread-local variables.
    destructors: RefCell<Vec<(Destructor, *mut c_void)>>,
}

struct Table(UnsafeCell<Vec<Thread>>);
// SAFETY: exactly one seL4 thread runs at a time, and all of them on one thread of Linux.
unsafe impl Sync for Table {}
static TABLE: Table = Table(UnsafeCell::new(Vec::new()));

fn table() -> &'static [Thread] {
    // SAFETY: the table is filled before a second thread exists, and never changes.
    unsafe { &*TABLE.0.get() }
}

/// Number of threads that have not ended.
static LIVE: AtomicU32 = AtomicU32::new(1);

/// Fills the table. The first thread is the root server's.
pub(super) fn begin() {
    // SAFETY: no other thread exists yet.
    unsafe {
        let numbers = 1..=libsel4std::thread_last_number();
        *TABLE.0.get() = numbers.map(Thread::new).collect();
    }
}

/// Returns the thread with this number of libsel4std.
fn by_number(number: c_int) -> Option<&'static Thread> {
    table().get(usize::try_from(number).ok()?.checked_sub(1)?)
}

/// Returns the running thread; `None` if std does not know it.
fn current() -> Option<&'static Thread> {
    // SAFETY: libsel4std's threads are never freed.
    unsafe {
        let thread = libsel4std::thread_self();
        let number = (!thread.is_null()).then(|| libsel4std::thread_number(thread));
        number.and_then(by_number)
    }
}

impl Thread {
    fn new(number: c_int) -> Self {
        Self {
            number,
            is_taken: Cell::new(number == 1),
            is_detached: Cell::new(false),
            ended: AtomicU32::new(0),
            function: Cell::new(None),
            argument: Cell::new(ptr::null_mut()),
            result: Cell::new(ptr::null_mut()),
            lender: RefCell::new(None),
            destructors: RefCell::new(Vec::new()),
        }
    }

    /// Returns libsel4std's thread.
    fn inner(&self) -> *mut libsel4std::Thread {
        // SAFETY: a plain call; this slot of libsel4std's table is taken.
        unsafe { libsel4std::thread_of(self.number) }
    }

    /// Suspends the thread, ends its lender and frees the slot.
    fn reap(&self) {
        let inner = self.inner();
        // SAFETY: the thread has ended, but may not have suspended itself yet. Its last step was to set `ended` under the
        // lock, so it no longer holds that once another thread has had it.
        unsafe {
            libsel4std::futex_lock();
            libsel4std::futex_unlock();
            libsel4std::thread_stop(inner);
        }
        if let Some(lender) = self.lender.take() {
            // SAFETY: the thread that used it is suspended.
            unsafe { lender.end() };
        }
        self.is_taken.set(false);
        // SAFETY: nothing uses the slot any more.
        unsafe { libsel4std::thread_give_back(inner) };
    }
}

/// First function of every thread.
extern "C" fn run(argument: *mut c_void) -> c_int {
    // SAFETY: `pthread_create` passes a thread of the table.
    let thread: &'static Thread = unsafe { &*argument.cast::<Thread>() };
    let result = match thread.function.get() {
        Some(function) => function(thread.argument.get()),
        None => ptr::null_mut(),
    };
    finish(thread, result)
}

/// Ends a thread: runs its destructors and wakes its joiners.
fn finish(thread: &'static Thread, result: *mut c_void) -> ! {
    loop {
        let last = thread.destructors.borrow_mut().pop();
        let Some((destructor, object)) = last else {
            break;
        };
        // SAFETY: the destructor was registered for this object.
        unsafe { destructor(object) };
    }
    destroy_values();
    thread.result.set(result);
    if LIVE.fetch_sub(1, Relaxed) == 1 {
        // As in muslc, the last thread ends the program.
        // SAFETY: a plain call.
        unsafe { libc::exit(0) };
    }
    // SAFETY: the word lives; a thread may suspend itself.
    unsafe {
        libsel4std::futex_set(thread.ended.as_ptr().cast(), 1);
        thread_stop_self()
    }
}

/// Finds a thread by its `pthread_t`.
fn find(name: pthread_t) -> Option<&'static Thread> {
    table().iter().find(|thread| {
        let lender = thread.lender.borrow();
        thread.is_taken.get()
            && lender
                .as_ref()
                .is_some_and(|lender| lender.thread() == name)
    })
}

mod originals {
    use super::*;
    original! {
        fn pthread_exit(result: *mut c_void) -> ();
        fn gettid() -> libc::pid_t;
    }
}

/// Creates a thread for `pthread_create`. Returns an error number of Linux.
///
/// # Safety
///
/// The contract of `pthread_create`.
unsafe fn create(
    name: *mut pthread_t,
    attributes: *const pthread_attr_t,
    function: Function,
    argument: *mut c_void,
) -> Result<(), c_int> {
    for thread in table() {
        if thread.is_taken.get() && thread.is_detached.get() && thread.ended.load(Acquire) == 1 {
            thread.reap();
        }
    }
    // SAFETY: plain calls of libsel4std, whose slot stays taken; for the rest, as the caller promises.
    unsafe {
        if !libsel4std::futex_prepare()
            || !libsel4std::files_prepare()
            || !libsel4std::thread_can_wait(libsel4std::thread_self())
        {
            return Err(EAGAIN);
        }
        let inner = libsel4std::thread_take();
        if inner.is_null() {
            return Err(EAGAIN);
        }
        let thread = by_number(libsel4std::thread_number(inner)).ok_or(EAGAIN)?;
        let (mut stack, mut detached) = (STACK, libc::PTHREAD_CREATE_JOINABLE);
        if !attributes.is_null() {
            libc::pthread_attr_getstacksize(attributes, &raw mut stack);
            pthread_attr_getdetachstate(attributes, &raw mut detached);
        }
        thread.is_taken.set(true);
        thread
            .is_detached
            .set(detached == libc::PTHREAD_CREATE_DETACHED);
        thread.ended.store(0, Relaxed);
        thread.function.set(Some(function));
        thread.argument.set(argument);
        let Ok(lender) = Lender::new(stack) else {
            thread.reap();
            return Err(EAGAIN);
        };
        // The caller's variable must hold the name before the thread reads it.
        name.write(lender.thread());
        let (stack, tls) = (lender.stack(), lender.base());
        thread.lender.replace(Some(lender));
        LIVE.fetch_add(1, Relaxed);
        libsel4std::thread_set_function(inner, run, ptr::from_ref(thread).cast_mut().cast());
        let stack = ptr::with_exposed_provenance_mut(stack);
        let tls = ptr::with_exposed_provenance_mut(tls);
        if !libsel4std::thread_start(inner, stack, tls) {
            LIVE.fetch_sub(1, Relaxed);
            thread.reap();
            return Err(EAGAIN);
        }
    }
    Ok(())
}

replace! {
    fn pthread_create(
        name: *mut pthread_t,
        attributes: *const pthread_attr_t,
        function: Function,
        argument: *mut c_void,
    ) -> c_int {
        create(name, attributes, function, argument).err().unwrap_or(0)
    }

    fn pthread_join(name: pthread_t, result: *mut *mut c_void) -> c_int {
        let Some(thread) = find(name) else {
            return ESRCH;
        };
        if current().is_some_and(|own| ptr::eq(own, thread)) {
            return EDEADLK;
        }
        let runs = || thread.ended.load(Acquire) == 0;
        while runs() {
            futex::wait(&raw const thread.ended, NEVER, runs, || ());
        }
        if !result.is_null() {
            result.write(thread.result.get());
        }
        thread.reap();
        0
    }

    fn pthread_detach(name: pthread_t) -> c_int {
        let Some(thread) = find(name) else {
            return ESRCH;
        };
        thread.is_detached.set(true);
        if thread.ended.load(Acquire) == 1 {
            thread.reap();
        }
        0
    }

    /// Sets a thread's priority, which is seL4's.
    fn pthread_setschedprio(name: pthread_t, priority: c_int) -> c_int {
        let is_own = libc::pthread_self() == name;
        let Some(thread) = find(name).or_else(|| current().filter(|_| is_own)) else {
            return ESRCH;
        };
        let wanted = libc::sched_param {
            sched_priority: priority,
        };
        -sel4_hosted_syscall(libc::SYS_sched_setparam, thread.number, &raw const wanted) as c_int
    }

    /// Names a thread, also for the kernel.
    fn pthread_setname_np(name: pthread_t, text: *const c_char) -> c_int {
        // Linux' limit.
        if libc::strnlen(text, 16) > 15 {
            return libc::ERANGE;
        }
        if let Some(thread) = find(name) {
            seL4_DebugNameThread(libsel4std::thread_tcb(thread.inner()), text);
        }
        0
    }

    fn sched_yield() -> c_int {
        seL4_Yield();
        0
    }

    fn sched_getaffinity(
        process: libc::pid_t,
        bytes: usize,
        cores: *mut libc::cpu_set_t,
    ) -> c_int {
        cores.cast::<u8>().write_bytes(0, bytes);
        // Threads that std does not know run where the first one may.
        let is_unknown = process == 0 && current().is_none();
        let number = if is_unknown { 1 } else { process };
        match sel4_hosted_syscall(libc::SYS_sched_getaffinity, number, bytes, cores) {
            error @ ..0 => fail(-error as c_int),
            _ => 0,
        }
    }

    /// Registers a destructor that runs at the end of the running thread, in reverse order.
    pub(super) fn __cxa_thread_atexit_impl(
        destructor: Destructor,
        object: *mut c_void,
        image: *mut c_void,
    ) -> c_int {
        match current() {
            Some(thread) if thread.number > 1 => {
                thread.destructors.borrow_mut().push((destructor, object));
                0
            }
            _ => c::__cxa_thread_atexit_impl(destructor, object, image),
        }
    }

    fn pthread_key_create(key: *mut pthread_key_t, destructor: Option<Destructor>) -> c_int {
        let error = c::pthread_key_create(key, destructor);
        if error == 0 {
            set_destructor(*key, destructor);
        }
        error
    }

    fn pthread_key_delete(key: pthread_key_t) -> c_int {
        set_destructor(key, None);
        c::pthread_key_delete(key)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_exit(result: *mut c_void) -> ! {
    if !in_thread() {
        // SAFETY: as the caller promises.
        unsafe { originals::pthread_exit(result) };
    }
    match current() {
        // The first thread, too: the others go on.
        Some(thread) => finish(thread, result),
        // SAFETY: a thread may suspend itself.
        None => unsafe { thread_stop_self() },
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn gettid() -> libc::pid_t {
    match current() {
        Some(thread) if in_thread() => thread.number,
        // SAFETY: a plain call.
        _ => unsafe { originals::gettid() },
    }
}

/// Number of keys for thread-specific values (glibc).
const KEYS: usize = 1024;
/// Number of rounds in which values left by destructors are destroyed (`PTHREAD_DESTRUCTOR_ITERATIONS`).
const ROUNDS: usize = 4;

struct Keys(UnsafeCell<[Option<Destructor>; KEYS]>);
// SAFETY: used without preemption.
unsafe impl Sync for Keys {}
static DESTRUCTORS: Keys = Keys(UnsafeCell::new([None; KEYS]));

fn set_destructor(key: pthread_key_t, destructor: Option<Destructor>) {
    // SAFETY: no other thread accesses it meanwhile.
    let all = unsafe { &mut *DESTRUCTORS.0.get() };
    without_preemption(|| {
        if let Some(place) = all.get_mut(key as usize) {
            *place = destructor;
        }
    });
}

fn destroy_values() {
    for _ in 0..ROUNDS {
        let mut left = false;
        for key in 0..KEYS {
            // SAFETY: a single read, which a tick cannot divide.
            let Some(destructor) = (unsafe { (*DESTRUCTORS.0.get())[key] }) else {
                continue;
            };
            let key = key as pthread_key_t;
            // SAFETY: the key exists, and the destructor is for its values.
            unsafe {
                let value = libc::pthread_getspecific(key);
                if !value.is_null() {
                    libc::pthread_setspecific(key, ptr::null());
                    destructor(value);
                    left = true;
                }
            }
        }
        if !left {
            return;
        }
    }
}
