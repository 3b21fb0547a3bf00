// SPDX-License-Identifier: BSD-2-Clause

//! Threads: those of std, and of C's `pthread_create`, are seL4 threads, made as on a kernel. C's library
//! makes a thread of Linux for each, which lends its stack and its thread-local storage and sleeps.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use libc::{EAGAIN, EDEADLK, ESRCH, pthread_attr_t, pthread_key_t, pthread_t};
use sel4_hosted::{in_thread, without_preemption};
use sel4_hosted_libsel4::api::*;

use super::objects::{self, FRAME};
use super::{futex, hooks};
use crate::lender::Lender;
use crate::original::original;

/// The first, and those that can live beside it.
pub(super) const THREADS: usize = 1 + count(option_env!("SEL4_RUST_STD_THREADS"));

/// A number; 16 if none is given.
const fn count(text: Option<&str>) -> usize {
    let Some(text) = text else { return 16 };
    let (bytes, mut number, mut i) = (text.as_bytes(), 0, 0);
    while i < bytes.len() {
        number = number * 10 + (bytes[i] - b'0') as usize;
        i += 1;
    }
    number
}

/// Bytes of stack of a thread that asks for no other size in C: muslc's default.
const STACK: usize = 128 << 10;

/// Where IPC buffers are mapped: beside that of the root server, whose page tables serve.
const BUFFERS: usize = 0x10_0000;

/// The interrupts of threads' timers: the last, downwards.
#[cfg(target_arch = "x86_64")]
const LAST_IRQ: usize = 107;
#[cfg(target_arch = "aarch64")]
const LAST_IRQ: usize = 159;
/// What is added to such a number to have the processor's.
#[cfg(target_arch = "x86_64")]
const FIRST_IRQ: usize = 16;
#[cfg(target_arch = "aarch64")]
const FIRST_IRQ: usize = 0;

unsafe extern "C" {
    fn pthread_attr_getdetachstate(attributes: *const pthread_attr_t, state: *mut c_int) -> c_int;
}

type Function = extern "C" fn(*mut c_void) -> *mut c_void;
type Destructor = unsafe extern "C" fn(*mut c_void);

/// A place for a thread.
pub(super) struct Thread {
    /// From 1.
    number: usize,
    taken: Cell<bool>,
    detached: Cell<bool>,
    /// Becomes 1 at its end. Others sleep on it.
    ended: AtomicU32,
    tcb: Cell<seL4_CPtr>,
    notification: Cell<seL4_CPtr>,
    timer: Cell<Option<usize>>,
    buffer: Cell<usize>,
    /// Whether it has all of these.
    made: Cell<bool>,
    function: Cell<Option<Function>>,
    argument: Cell<*mut c_void>,
    result: Cell<*mut c_void>,
    lender: RefCell<Option<Lender>>,
    /// Of its thread-local variables.
    destructors: RefCell<Vec<(Destructor, *mut c_void)>>,
}

struct Table(UnsafeCell<Vec<Thread>>);
// SAFETY: exactly one seL4 thread runs at a time, and all of them on one thread of Linux.
unsafe impl Sync for Table {}
static TABLE: Table = Table(UnsafeCell::new(Vec::new()));

thread_local! {
    /// The running thread. Null in one that is not made here.
    static CURRENT: Cell<*const Thread> = const { Cell::new(ptr::null()) };
}

fn table() -> &'static [Thread] {
    // SAFETY: it is filled before there is a second thread, and stays as it is.
    unsafe { &*TABLE.0.get() }
}

/// The running thread; none if std does not know it.
pub(super) fn current() -> Option<&'static Thread> {
    // SAFETY: threads of the table stay.
    unsafe { CURRENT.get().as_ref() }
}

impl Thread {
    fn new(number: usize) -> Self {
        Self {
            number,
            taken: Cell::new(false),
            detached: Cell::new(false),
            ended: AtomicU32::new(0),
            tcb: Cell::new(0),
            notification: Cell::new(0),
            timer: Cell::new(None),
            buffer: Cell::new(0),
            made: Cell::new(false),
            function: Cell::new(None),
            argument: Cell::new(ptr::null_mut()),
            result: Cell::new(ptr::null_mut()),
            lender: RefCell::new(None),
            destructors: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn tcb(&self) -> seL4_CPtr {
        self.tcb.get()
    }

    pub(super) fn notification(&self) -> seL4_CPtr {
        self.notification.get()
    }

    /// The number of the interrupt of its timer.
    pub(super) fn timer(&self) -> Option<usize> {
        self.timer.get()
    }

    /// What it sleeps on, and the timer that wakes it.
    fn make_notification(&self) -> Option<()> {
        if self.notification.get() == 0 {
            let (kind, bits) = (seL4_NotificationObject as seL4_Word, seL4_NotificationBits);
            self.notification
                .set(objects::new(kind, bits as seL4_Word)?);
        }
        if self.timer.get().is_none() {
            let number = (LAST_IRQ - FIRST_IRQ).checked_sub(self.number - 1)?;
            let (control, root) = (
                seL4_CapIRQControl as seL4_CPtr,
                seL4_CapInitThreadCNode as seL4_CPtr,
            );
            let (slot, depth) = (objects::new_slot()?, seL4_WordBits as u8);
            // SAFETY: nobody else has this interrupt, or the call fails.
            #[cfg(target_arch = "x86_64")]
            let error =
                unsafe { seL4_IRQControl_GetMSI(control, root, slot, depth, 0, 0, 0, 0, number) };
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            let error =
                unsafe { seL4_IRQControl_GetTrigger(control, number, 1, root, slot, depth) };
            // SAFETY: it is signalled, and no more.
            let set = || unsafe { seL4_IRQHandler_SetNotification(slot, self.notification.get()) };
            if error != seL4_NoError || set() != seL4_NoError {
                return None;
            }
            self.timer.set(Some(number + FIRST_IRQ));
        }
        Some(())
    }

    /// Its kernel objects.
    fn make(&self) -> Option<()> {
        if self.made.get() {
            return Some(());
        }
        let (root, vspace) = (
            seL4_CapInitThreadCNode as seL4_CPtr,
            seL4_CapInitThreadVSpace as seL4_CPtr,
        );
        let faults = hooks::fault_endpoint(self.number as c_int);
        let priority = hooks::priority(self.number as c_int);
        if self.tcb.get() == 0 {
            let (kind, bits) = (seL4_TCBObject as seL4_Word, seL4_TCBBits as seL4_Word);
            self.tcb.set(objects::new(kind, bits)?);
        }
        self.make_notification()?;
        let tcb = self.tcb.get();
        // SAFETY: the frame is new, and nobody has the address; what is made of it is this thread's.
        unsafe {
            let frame = objects::new(FRAME, seL4_PageBits as seL4_Word)?;
            let place = sel4_hosted::boot_info().addr() & !0x1f_ffff;
            let buffer = place + BUFFERS + (self.number << seL4_PageBits);
            let rights = seL4_CapRights_new(0, 0, 1, 1);
            #[cfg(target_arch = "x86_64")]
            let error =
                seL4_X86_Page_Map(frame, vspace, buffer, rights, seL4_X86_Default_VMAttributes);
            #[cfg(target_arch = "aarch64")]
            let error =
                seL4_ARM_Page_Map(frame, vspace, buffer, rights, seL4_ARM_Default_VMAttributes);
            if error != seL4_NoError {
                return None;
            }
            self.buffer.set(buffer);
            let authority = seL4_CapInitThreadTCB as seL4_CPtr;
            #[cfg(not(feature = "mcs"))]
            let errors = [
                seL4_TCB_Configure(tcb, faults, root, 0, vspace, 0, buffer, frame),
                seL4_TCB_SetPriority(tcb, authority, priority),
            ];
            #[cfg(feature = "mcs")]
            let errors = {
                /// Microseconds. A budget as long as its period means: as long as no other wants to run.
                const SLICE: seL4_Time = 5000;
                let (kind, bits) = (
                    seL4_SchedContextObject as seL4_Word,
                    seL4_MinSchedContextBits as seL4_Word,
                );
                let context = objects::new(kind, bits)?;
                let control = (*sel4_hosted::boot_info()).schedcontrol.start;
                [
                    seL4_SchedControl_Configure(control, context, SLICE, SLICE, 0, 0),
                    seL4_TCB_Configure(tcb, root, 0, vspace, 0, buffer, frame),
                    seL4_TCB_SetSchedParams(tcb, authority, 0, priority, context, faults),
                ]
            };
            if errors.iter().any(|error| *error != seL4_NoError) {
                return None;
            }
        }
        self.made.set(true);
        Some(())
    }

    /// Starts it.
    fn resume(&self, stack: usize, tls: usize) -> bool {
        // SAFETY: plain integers.
        let mut registers: seL4_UserContext = unsafe { std::mem::zeroed() };
        let (function, argument) = (run as *const () as usize, ptr::from_ref(self).addr());
        #[cfg(target_arch = "x86_64")]
        {
            registers.rip = function;
            registers.rsp = stack - size_of::<usize>();
            registers.rdi = argument;
            registers.fs_base = tls;
        }
        #[cfg(target_arch = "aarch64")]
        {
            registers.pc = function;
            registers.sp = stack;
            registers.x0 = argument;
            registers.tpidr_el0 = tls;
        }
        let words = size_of::<seL4_UserContext>() / size_of::<seL4_Word>();
        // SAFETY: the stack is the thread's own, and what it calls there is for it.
        unsafe {
            seL4_TCB_WriteRegisters(self.tcb.get(), 1, 0, words, &raw mut registers) == seL4_NoError
        }
    }

    /// Gives back what it had; its place is for another.
    fn reap(&self) {
        // It may not have come to suspend itself.
        // SAFETY: it has ended, and does nothing any more that matters.
        unsafe { seL4_TCB_Suspend(self.tcb.get()) };
        if let Some(lender) = self.lender.take() {
            // SAFETY: the thread that had it does not run.
            unsafe { lender.end() };
        }
        self.taken.set(false);
    }
}

/// The first thread is one, too.
pub(super) fn begin_first() {
    // SAFETY: there is no other thread yet.
    unsafe { *TABLE.0.get() = (1..=THREADS).map(Thread::new).collect() };
    let first = &table()[0];
    first.taken.set(true);
    first.tcb.set(seL4_CapInitThreadTCB as seL4_CPtr);
    first.make_notification();
    CURRENT.set(first);
}

/// Nothing of the program runs any more: suspends all threads, that which calls last.
pub(super) fn suspend_all() -> ! {
    let own = CURRENT.get();
    let others = table()
        .iter()
        .filter(|thread| thread.tcb.get() != 0 && !ptr::eq(*thread, own));
    for thread in others {
        // SAFETY: it does nothing any more that matters.
        unsafe { seL4_TCB_Suspend(thread.tcb.get()) };
    }
    let own = current().map_or(seL4_CapInitThreadTCB as seL4_CPtr, Thread::tcb);
    loop {
        // SAFETY: a thread may suspend itself.
        unsafe { seL4_TCB_Suspend(own) };
    }
}

/// What every thread begins with.
unsafe extern "C" fn run(thread: *const Thread) -> ! {
    // SAFETY: threads of the table stay; who has made this one has told it what to do.
    unsafe {
        let thread = &*thread;
        seL4_SetIPCBuffer(ptr::with_exposed_provenance_mut(thread.buffer.get()));
        CURRENT.set(thread);
        let result = match thread.function.get() {
            Some(function) => function(thread.argument.get()),
            None => ptr::null_mut(),
        };
        finish(thread, result)
    }
}

/// The end of a thread.
fn finish(thread: &'static Thread, result: *mut c_void) -> ! {
    loop {
        let last = thread.destructors.borrow_mut().pop();
        let Some((destructor, object)) = last else {
            break;
        };
        // SAFETY: it was given for this object.
        unsafe { destructor(object) };
    }
    destroy_values();
    thread.result.set(result);
    thread.ended.store(1, Release);
    futex::wake(&raw const thread.ended, usize::MAX, futex::ANY);
    loop {
        // SAFETY: a thread may suspend itself.
        unsafe { seL4_TCB_Suspend(thread.tcb.get()) };
    }
}

/// The thread of this name in C.
fn find(name: pthread_t) -> Option<&'static Thread> {
    table().iter().find(|thread| {
        let lender = thread.lender.borrow();
        thread.taken.get()
            && lender
                .as_ref()
                .is_some_and(|lender| lender.thread() == name)
    })
}

mod c {
    use super::*;
    original! {
        fn pthread_create(
            name: *mut pthread_t,
            attributes: *const pthread_attr_t,
            function: Function,
            argument: *mut c_void,
        ) -> c_int;
        fn pthread_join(name: pthread_t, result: *mut *mut c_void) -> c_int;
        fn pthread_detach(name: pthread_t) -> c_int;
        fn pthread_exit(result: *mut c_void) -> ();
        fn pthread_setschedprio(name: pthread_t, priority: c_int) -> c_int;
        fn pthread_setname_np(name: pthread_t, text: *const c_char) -> c_int;
        fn pthread_key_create(key: *mut pthread_key_t, destructor: Option<Destructor>) -> c_int;
        fn pthread_key_delete(key: pthread_key_t) -> c_int;
        fn __cxa_thread_atexit_impl(destructor: Destructor, object: *mut c_void, image: *mut c_void) -> c_int;
        fn gettid() -> libc::pid_t;
        fn sched_yield() -> c_int;
        fn sched_getaffinity(process: libc::pid_t, bytes: usize, cores: *mut libc::cpu_set_t) -> c_int;
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    name: *mut pthread_t,
    attributes: *const pthread_attr_t,
    function: Function,
    argument: *mut c_void,
) -> c_int {
    if !in_thread() {
        // SAFETY: as the caller promises.
        return unsafe { c::pthread_create(name, attributes, function, argument) };
    }
    for thread in table() {
        if thread.taken.get() && thread.detached.get() && thread.ended.load(Acquire) == 1 {
            thread.reap();
        }
    }
    let free = without_preemption(|| {
        let free = table().iter().find(|thread| !thread.taken.get());
        free.inspect(|thread| thread.taken.set(true))
    });
    let Some(thread) = free else {
        return EAGAIN;
    };
    let (mut stack, mut detached) = (STACK, libc::PTHREAD_CREATE_JOINABLE);
    if !attributes.is_null() {
        // SAFETY: as the caller promises.
        unsafe {
            libc::pthread_attr_getstacksize(attributes, &raw mut stack);
            pthread_attr_getdetachstate(attributes, &raw mut detached);
        }
    }
    thread
        .detached
        .set(detached == libc::PTHREAD_CREATE_DETACHED);
    thread.ended.store(0, Relaxed);
    thread.function.set(Some(function));
    thread.argument.set(argument);
    let lender = thread.make().and_then(|()| Lender::new(stack).ok());
    let Some(lender) = lender else {
        thread.taken.set(false);
        return EAGAIN;
    };
    // SAFETY: as the caller promises. It is there before the thread may look.
    unsafe { name.write(lender.thread()) };
    let (stack, tls) = (lender.stack(), lender.base());
    thread.lender.replace(Some(lender));
    if !thread.resume(stack, tls) {
        thread.reap();
        return EAGAIN;
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_join(name: pthread_t, result: *mut *mut c_void) -> c_int {
    if !in_thread() {
        // SAFETY: as the caller promises.
        return unsafe { c::pthread_join(name, result) };
    }
    let Some(thread) = find(name) else {
        return ESRCH;
    };
    if current().is_some_and(|own| ptr::eq(own, thread)) {
        return EDEADLK;
    }
    while thread.ended.load(Acquire) == 0 {
        let ended = &raw const thread.ended;
        futex::wait(ended, futex::ANY, None, || thread.ended.load(Acquire) == 0);
    }
    if !result.is_null() {
        // SAFETY: as the caller promises.
        unsafe { result.write(thread.result.get()) };
    }
    thread.reap();
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_detach(name: pthread_t) -> c_int {
    if !in_thread() {
        // SAFETY: as the caller promises.
        return unsafe { c::pthread_detach(name) };
    }
    let Some(thread) = find(name) else {
        return ESRCH;
    };
    thread.detached.set(true);
    if thread.ended.load(Acquire) == 1 {
        thread.reap();
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_exit(result: *mut c_void) -> ! {
    if !in_thread() {
        // SAFETY: as the caller promises.
        unsafe { c::pthread_exit(result) };
    }
    match current() {
        Some(thread) if thread.number > 1 => finish(thread, result),
        // The first thread may end before the others.
        _ => loop {
            // SAFETY: a thread may suspend itself.
            unsafe { seL4_TCB_Suspend(seL4_CapInitThreadTCB as seL4_CPtr) };
        },
    }
}

/// Priorities are those of seL4.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_setschedprio(name: pthread_t, priority: c_int) -> c_int {
    if !in_thread() {
        // SAFETY: as the caller promises.
        return unsafe { c::pthread_setschedprio(name, priority) };
    }
    // SAFETY: a plain call.
    let is_own = unsafe { libc::pthread_self() } == name;
    let Some(thread) = find(name).or_else(|| current().filter(|_| is_own)) else {
        return ESRCH;
    };
    let authority = seL4_CapInitThreadTCB as seL4_CPtr;
    let Ok(priority) = seL4_Word::try_from(priority) else {
        return libc::EINVAL;
    };
    // SAFETY: it changes who runs, and no more.
    let error = unsafe { seL4_TCB_SetPriority(thread.tcb.get(), authority, priority) };
    if error == seL4_NoError {
        0
    } else {
        libc::EINVAL
    }
}

/// The kernel's name of a thread is that of std.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_setname_np(name: pthread_t, text: *const c_char) -> c_int {
    if !in_thread() {
        // SAFETY: as the caller promises.
        return unsafe { c::pthread_setname_np(name, text) };
    }
    if let Some(thread) = find(name) {
        // SAFETY: as the caller promises.
        unsafe { seL4_DebugNameThread(thread.tcb.get(), text) };
    }
    0
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn gettid() -> libc::pid_t {
    match current() {
        Some(thread) if in_thread() => thread.number as libc::pid_t,
        // SAFETY: a plain call.
        _ => unsafe { c::gettid() },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sched_yield() -> c_int {
    if in_thread() {
        // SAFETY: any thread may.
        unsafe { seL4_Yield() };
        return 0;
    }
    // SAFETY: a plain call.
    unsafe { c::sched_yield() }
}

/// There is one core.
#[unsafe(no_mangle)]
unsafe extern "C" fn sched_getaffinity(
    process: libc::pid_t,
    bytes: usize,
    cores: *mut libc::cpu_set_t,
) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !in_thread() {
            return c::sched_getaffinity(process, bytes, cores);
        }
        cores.cast::<u8>().write_bytes(0, bytes);
        cores.cast::<u8>().write(1);
    }
    0
}

/// Called at the end of the running thread, the last one first.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn __cxa_thread_atexit_impl(
    destructor: Destructor,
    object: *mut c_void,
    image: *mut c_void,
) -> c_int {
    match current() {
        Some(thread) if thread.number > 1 && in_thread() => {
            thread.destructors.borrow_mut().push((destructor, object));
            0
        }
        // SAFETY: as the caller promises.
        _ => unsafe { c::__cxa_thread_atexit_impl(destructor, object, image) },
    }
}

/// Values that threads have by keys: what becomes of each at the end of its thread.
const KEYS: usize = 1024;
/// How often C's library looks for values that destructors have left.
const ROUNDS: usize = 4;

struct Keys(UnsafeCell<[Option<Destructor>; KEYS]>);
// SAFETY: it is read and written without_preemption.
unsafe impl Sync for Keys {}
static DESTRUCTORS: Keys = Keys(UnsafeCell::new([None; KEYS]));

fn set_destructor(key: pthread_key_t, destructor: Option<Destructor>) {
    // SAFETY: nobody else looks meanwhile.
    let all = unsafe { &mut *DESTRUCTORS.0.get() };
    without_preemption(|| {
        if let Some(place) = all.get_mut(key as usize) {
            *place = destructor;
        }
    });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_key_create(
    key: *mut pthread_key_t,
    destructor: Option<Destructor>,
) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        let error = c::pthread_key_create(key, destructor);
        if error == 0 && in_thread() {
            set_destructor(*key, destructor);
        }
        error
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_key_delete(key: pthread_key_t) -> c_int {
    set_destructor(key, None);
    // SAFETY: as the caller promises.
    unsafe { c::pthread_key_delete(key) }
}

fn destroy_values() {
    for _ in 0..ROUNDS {
        let mut left = false;
        for key in 0..KEYS {
            // SAFETY: read without_preemption, as nothing comes between.
            let Some(destructor) = (unsafe { (*DESTRUCTORS.0.get())[key] }) else {
                continue;
            };
            let key = key as pthread_key_t;
            // SAFETY: the key is there, and the destructor is for its values.
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
