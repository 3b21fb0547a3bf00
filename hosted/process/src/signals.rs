// SPDX-License-Identifier: BSD-2-Clause

//! Signals. An exception in an seL4 thread becomes a fault of that thread, as the processor would report it
//! to the kernel. An exception in the host ends the process.

use std::ffi::{c_int, c_void};
use std::mem::{MaybeUninit, zeroed};
use std::ptr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, compiler_fence};
use std::time::Duration;

use libc::{siginfo_t, ucontext_t};
use sel4_hosted_kernel::Fault;

use crate::end::{self, End};
use crate::stack::Stack;
use crate::switch::{self, Frame};

#[cfg(target_arch = "aarch64")]
#[path = "signals/aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "signals/x86_64.rs"]
mod machine;

/// Reason why a thread has stopped, other than a system call through libsel4.
#[derive(Clone, Copy, Debug)]
pub enum Trap {
    /// An unmodified image has made a system call.
    Syscall,
    /// The single step is done.
    Step,
    /// The thread has faulted.
    Fault(Fault),
    /// The thread has called `abort`.
    Abort,
    /// A signal from outside asks the process to end.
    Interrupt(c_int),
    /// The thread has not entered the kernel for too long.
    Stuck,
    /// The thread has computed for so long that a timer may interrupt.
    Tick,
}

/// Signal that comes after each [`TICK_INTERVAL`].
const TICK: c_int = libc::SIGVTALRM;
/// CPU time between two ticks.
const TICK_INTERVAL: Duration = Duration::from_millis(10);

/// Signals of the processor's exceptions.
pub const FAULTS: &[c_int] = &[
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
];
/// Signals that other threads and processes, and the timer of [`watch`], send.
pub const OTHERS: [c_int; 4] = [libc::SIGABRT, libc::SIGINT, libc::SIGTERM, TICK];

/// Set while a tick must not preempt the running thread.
static UNPREEMPTIBLE: AtomicBool = AtomicBool::new(false);

/// Runs `work` without preemption by other seL4 threads. `work` must make no system call.
pub fn without_preemption<R>(work: impl FnOnce() -> R) -> R {
    let before = UNPREEMPTIBLE.swap(true, Relaxed);
    compiler_fence(SeqCst);
    let result = work();
    compiler_fence(SeqCst);
    UNPREEMPTIBLE.store(before, Relaxed);
    result
}

/// Signal that has arrived while the host ran; 0 for none.
static PENDING: AtomicU64 = AtomicU64::new(0);
/// Set while a timer of seL4 runs, so that a tick preempts a thread that computes.
static TICKS: AtomicBool = AtomicBool::new(false);
/// Number of kernel entries, of all kernels of the process.
static ENTRIES: AtomicU64 = AtomicU64::new(0);
/// Value of [`ENTRIES`] at the last tick.
static SEEN: AtomicU64 = AtomicU64::new(0);
/// Ticks since the last kernel entry.
static QUIET: AtomicU64 = AtomicU64::new(0);
/// Number of [`QUIET`] ticks after which a thread is stuck.
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);
/// Thread of the host that runs a kernel.
static RUNNER: AtomicU64 = AtomicU64::new(0);

/// Bytes of the signal stack.
const STACK: usize = 64 << 10;

/// Installs the signal handlers for this thread of the host. Returns the signal stack, which must live as
/// long as the thread.
#[must_use]
pub fn handle() -> Stack {
    static ONCE: AtomicBool = AtomicBool::new(false);
    let stack = Stack::new(STACK);
    let alternate = libc::stack_t {
        ss_sp: stack.bottom().cast(),
        ss_flags: 0,
        ss_size: STACK,
    };
    // SAFETY: plain calls of libc with what they are documented to take; the handler is async-signal-safe.
    unsafe {
        RUNNER.store(libc::pthread_self(), Relaxed);
        libc::sigaltstack(&raw const alternate, ptr::null_mut());
        if !ONCE.swap(true, Relaxed) {
            for signal in FAULTS.iter().copied().chain(OTHERS) {
                let mut action: libc::sigaction = zeroed();
                let handler: unsafe extern "C" fn(
                    c_int,
                    *mut siginfo_t,
                    *mut c_void,
                ) -> *mut Frame = handler;
                action.sa_sigaction = handler as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
                libc::sigfillset(&raw mut action.sa_mask);
                libc::sigaction(signal, &raw const action, ptr::null_mut());
            }
        }
    }
    stack
}

/// Takes the signal that has arrived while the host ran.
#[inline]
pub fn pending() -> Option<Trap> {
    match PENDING.load(Relaxed) as c_int {
        0 => None,
        signal => {
            PENDING.store(0, Relaxed);
            Some(asynchronous(signal))
        }
    }
}

fn asynchronous(signal: c_int) -> Trap {
    match signal {
        libc::SIGABRT => Trap::Abort,
        other => Trap::Interrupt(other),
    }
}

/// Handles a signal. Returns the frame of the thread whose registers it has saved, or null if the
/// interrupted code continues.
///
/// # Safety
///
/// Linux calls this as a signal handler.
pub unsafe extern "C" fn handler(
    signal: c_int,
    _: *mut siginfo_t,
    context: *mut c_void,
) -> *mut Frame {
    let frame = sel4_hosted_libsel4::current().cast_mut().cast::<Frame>();
    // SAFETY: Linux passes the context; an installed frame lives.
    unsafe {
        let machine = &mut (*context.cast::<ucontext_t>()).uc_mcontext;
        let ip = machine::ip(machine);
        let expected = OTHERS.contains(&signal);
        if frame.is_null() {
            match signal {
                libc::SIGINT | libc::SIGTERM => {
                    PENDING.store(signal as u64, Relaxed);
                    libc::pthread_kill(RUNNER.load(Relaxed), signal);
                }
                TICK => {}
                libc::SIGABRT => end::aborted_outside_kernel(),
                _ => end::host_crashed(signal, ip),
            }
            ptr::null_mut()
        } else if machine::load_thread(&mut *frame, machine) {
            ptr::null_mut()
        } else if (*frame).in_thread == 0 || switch::is_switching(ip) {
            if !expected || signal == libc::SIGABRT {
                end::host_crashed(signal, ip);
            }
            if signal != TICK {
                PENDING.store(signal as u64, Relaxed);
            }
            ptr::null_mut()
        } else {
            let trap = match signal {
                libc::SIGSYS => Trap::Syscall,
                libc::SIGTRAP if (*frame).stepping != 0 => Trap::Step,
                TICK => {
                    let preemptible = (*frame).unmodified != 0
                        || !UNPREEMPTIBLE.load(Relaxed) && is_in_executable(ip);
                    match tick() {
                        Some(Trap::Tick) if !preemptible => return ptr::null_mut(),
                        Some(trap) => trap,
                        None => return ptr::null_mut(),
                    }
                }
                _ if expected => asynchronous(signal),
                _ => Trap::Fault(machine::fault(signal, machine)),
            };
            (*frame).in_thread = 0;
            machine::save_thread(&mut *frame, machine, trap);
            (*frame).trap = Some(trap);
            frame
        }
    }
}

/// Returns whether an instruction is part of the executable. One of a shared library may hold a lock for
/// which the next thread would wait in vain.
fn is_in_executable(ip: usize) -> bool {
    unsafe extern "C" {
        /// The linker's symbols for the start of the executable and the end of its code.
        static __executable_start: u8;
        static etext: u8;
    }
    (&raw const __executable_start as usize..&raw const etext as usize).contains(&ip)
}

/// Counts a tick in a thread. Returns what becomes of the thread, or `None` if it continues.
fn tick() -> Option<Trap> {
    let entries = ENTRIES.load(Relaxed);
    if SEEN.swap(entries, Relaxed) != entries {
        QUIET.store(0, Relaxed);
        return None;
    }
    let quiet = QUIET.fetch_add(1, Relaxed) + 1;
    if quiet >= LIMIT.load(Relaxed) {
        Some(Trap::Stuck)
    } else {
        TICKS.load(Relaxed).then_some(Trap::Tick)
    }
}

/// Counts a kernel entry.
#[inline]
pub fn count_entry() {
    ENTRIES.store(ENTRIES.load(Relaxed).wrapping_add(1), Relaxed);
}

/// Enables or disables preemption by ticks.
pub fn enable_ticks(enabled: bool) {
    TICKS.store(enabled, Relaxed);
}

/// Timer that sends [`TICK`] to the thread that has made it. It is no thread of its own: while a second thread
/// runs, gdb may lose a process that ends.
pub struct Watch(libc::timer_t);

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: the timer exists.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// Watches the calling thread of the host. A thread of seL4 that computes without a kernel entry is preempted
/// at the next tick if ticks are enabled, and is stuck after `limit`. Both count CPU time, so a debugger may
/// stop the thread for as long as it likes. Returns `None`, and watches nothing, if Linux has no timer left.
#[must_use]
pub fn watch(limit: Option<Duration>) -> Option<Watch> {
    let ticks = limit.map_or(u64::MAX, |limit| {
        (limit.as_millis() / TICK_INTERVAL.as_millis()) as u64
    });
    LIMIT.store(ticks, Relaxed);
    let interval = libc::timespec {
        tv_sec: 0,
        tv_nsec: TICK_INTERVAL.subsec_nanos().into(),
    };
    let times = libc::itimerspec {
        it_interval: interval,
        it_value: interval,
    };
    let mut timer = MaybeUninit::uninit();
    // SAFETY: plain calls of libc; the timer is initialised if the first succeeds.
    unsafe {
        let mut event: libc::sigevent = zeroed();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_notify_thread_id = libc::gettid();
        event.sigev_signo = TICK;
        let clock = libc::CLOCK_THREAD_CPUTIME_ID;
        if libc::timer_create(clock, &raw mut event, timer.as_mut_ptr()) != 0 {
            return None;
        }
        let watch = Watch(timer.assume_init());
        libc::timer_settime(watch.0, 0, &raw const times, ptr::null_mut());
        Some(watch)
    }
}

/// Returns the end of the process that `trap` leads to, if any.
pub fn end_for(trap: Trap) -> Option<End> {
    match trap {
        Trap::Fault(_) | Trap::Syscall | Trap::Step | Trap::Tick => None,
        Trap::Abort => Some(End::Abort),
        Trap::Interrupt(signal) => Some(End::Interrupt(signal)),
        Trap::Stuck => Some(End::Stuck),
    }
}
