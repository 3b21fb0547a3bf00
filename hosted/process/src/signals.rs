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

/// Signal of the watchdog.
pub const WATCHDOG: c_int = libc::SIGALRM;
/// Signal that interrupts a thread that computes, while a timer runs.
const TICK: c_int = libc::SIGVTALRM;
/// CPU time after which a thread gets [`TICK`].
const TICK_INTERVAL: Duration = Duration::from_millis(10);
/// Interval of the watchdog's checks while no timer runs.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Signals of the processor's exceptions.
pub const FAULTS: &[c_int] = &[
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
];
/// Signals that other threads and processes send.
pub const OTHERS: [c_int; 5] = [libc::SIGABRT, libc::SIGINT, libc::SIGTERM, WATCHDOG, TICK];

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
/// Set while a timer runs, so that a thread that computes needs ticks.
static TICKS: AtomicBool = AtomicBool::new(false);
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
        WATCHDOG => Trap::Stuck,
        TICK => Trap::Tick,
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
                WATCHDOG | TICK => {}
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
        } else if signal == TICK
            && (*frame).unmodified == 0
            && (UNPREEMPTIBLE.load(Relaxed) || !is_in_executable(ip))
        {
            ptr::null_mut()
        } else {
            let trap = match signal {
                libc::SIGSYS => Trap::Syscall,
                libc::SIGTRAP if (*frame).stepping != 0 => Trap::Step,
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

/// Enables or disables ticks.
pub fn enable_ticks(enabled: bool) {
    TICKS.store(enabled, Relaxed);
}

/// Starts the watchdog of the calling thread of the host. A thread without a kernel entry gets [`TICK`] at
/// intervals if ticks are enabled, and [`WATCHDOG`] after `limit`. The limit is CPU time, so a debugger may
/// stop the thread for as long as it likes.
pub fn watch(entries: &'static AtomicU64, limit: Option<Duration>) {
    // SAFETY: plain calls of libc.
    let (runner, clock) = unsafe {
        let mut clock = MaybeUninit::uninit();
        let runner = libc::pthread_self();
        if libc::pthread_getcpuclockid(runner, clock.as_mut_ptr()) != 0 {
            return;
        }
        (runner, clock.assume_init())
    };
    let cpu_time = move || {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: a plain call, which fails once the thread has ended.
        let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
        (result == 0).then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    };
    let watchdog = move || {
        // Signals are for the thread that runs the kernel.
        // SAFETY: plain calls of libc.
        unsafe {
            let mut all = MaybeUninit::uninit();
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), ptr::null_mut());
        }
        let (mut seen, mut since, mut ticked) = (0, Duration::ZERO, Duration::ZERO);
        while let Some(now) = cpu_time() {
            let count = entries.load(Relaxed);
            let ticks = TICKS.load(Relaxed);
            if count != seen {
                (seen, since, ticked) = (count, now, now);
            } else if limit.is_some_and(|limit| now - since >= limit) {
                // SAFETY: the thread has not ended, because its clock can be read.
                unsafe { libc::pthread_kill(runner, WATCHDOG) };
                return;
            } else if ticks && now - ticked >= TICK_INTERVAL {
                // SAFETY: as above.
                unsafe { libc::pthread_kill(runner, TICK) };
                ticked = now;
            }
            std::thread::sleep(if ticks { TICK_INTERVAL } else { WATCH_INTERVAL });
        }
    };
    // The program also runs without a watchdog.
    let _ = std::thread::Builder::new()
        .name("watchdog".into())
        .spawn(watchdog);
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
