// SPDX-License-Identifier: BSD-2-Clause

//! Signals: what goes wrong in an seL4 thread becomes a fault of that thread, as the processor would
//! tell the kernel of it. What goes wrong in the host is told apart.

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

/// Why a thread came back without a system call.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Unmodified code has made a system call.
    Syscall,
    /// It has executed the one instruction that it was to.
    Step,
    /// It cannot go on by itself.
    Fault(Fault),
    /// It called `abort`.
    Abort,
    /// Someone wants the process to end, by this signal.
    Interrupt(c_int),
    /// It has not entered the kernel for a long time.
    Stuck,
    /// It has computed for so long that the timer may interrupt.
    Tick,
}

/// What the watchdog sends.
pub const WATCHDOG: c_int = libc::SIGALRM;
/// What interrupts a thread that computes, where time slices need no kernel entry to end.
const TICK: c_int = libc::SIGVTALRM;
/// How long it computes before that, in its own time.
const COMPUTES: Duration = Duration::from_millis(10);
/// How often somebody looks at it where no timer runs.
const PAUSE: Duration = Duration::from_secs(1);

/// What the processor's exceptions arrive as.
pub const FAULTS: &[c_int] = &[
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
];
/// What others send.
pub const OTHERS: [c_int; 5] = [libc::SIGABRT, libc::SIGINT, libc::SIGTERM, WATCHDOG, TICK];

/// Whether the running thread is in the middle of something that another must not see.
static UNDIVIDED: AtomicBool = AtomicBool::new(false);

/// Does something that no other seL4 thread comes between. It makes no system call.
pub fn undivided<R>(work: impl FnOnce() -> R) -> R {
    let before = UNDIVIDED.swap(true, Relaxed);
    compiler_fence(SeqCst);
    let result = work();
    compiler_fence(SeqCst);
    UNDIVIDED.store(before, Relaxed);
    result
}

/// A signal that came while the host ran; 0 if none did.
static PENDING: AtomicU64 = AtomicU64::new(0);
/// Whether a timer runs, which interrupts a thread that computes.
static TICKS: AtomicBool = AtomicBool::new(false);
/// The thread of the host that runs a kernel.
static RUNNER: AtomicU64 = AtomicU64::new(0);

/// Bytes of the stack that signals are handled on.
const STACK: usize = 64 << 10;

/// Handles signals of this thread of the host. What is given must be kept until the thread ends.
#[must_use]
pub fn handle() -> Stack {
    static ONCE: AtomicBool = AtomicBool::new(false);
    let stack = Stack::new(STACK);
    let alternate = libc::stack_t {
        ss_sp: stack.bottom().cast(),
        ss_flags: 0,
        ss_size: STACK,
    };
    // SAFETY: plain calls of libc with what they are documented to take; the handler keeps to what
    // signal handlers may do.
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

/// A signal that came while the host ran.
#[inline]
pub fn pending() -> Option<Trouble> {
    match PENDING.load(Relaxed) as c_int {
        0 => None,
        signal => {
            PENDING.store(0, Relaxed);
            Some(asynchronous(signal))
        }
    }
}

fn asynchronous(signal: c_int) -> Trouble {
    match signal {
        WATCHDOG => Trouble::Stuck,
        TICK => Trouble::Tick,
        libc::SIGABRT => Trouble::Abort,
        other => Trouble::Interrupt(other),
    }
}

/// Handles a signal. Gives the frame of a thread whose registers it has taken, and else null: then
/// what was interrupted goes on.
///
/// # Safety
///
/// Linux calls it.
pub unsafe extern "C" fn handler(
    signal: c_int,
    _: *mut siginfo_t,
    context: *mut c_void,
) -> *mut Frame {
    let frame = sel4_hosted_libsel4::current().cast_mut().cast::<Frame>();
    // SAFETY: the kernel of the host gives a context; a frame that is installed lives.
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
                libc::SIGABRT => end::aborted_elsewhere(),
                _ => end::host_crashed(signal, ip),
            }
            ptr::null_mut()
        } else if machine::resumes(&mut *frame, machine) {
            ptr::null_mut()
        } else if (*frame).in_thread == 0 || switch::is_between(ip) {
            if !expected || signal == libc::SIGABRT {
                end::host_crashed(signal, ip);
            }
            if signal != TICK {
                PENDING.store(signal as u64, Relaxed);
            }
            ptr::null_mut()
        } else if signal == TICK
            && (*frame).foreign == 0
            && (UNDIVIDED.load(Relaxed) || !is_programs_own(ip))
        {
            ptr::null_mut()
        } else {
            let trouble = match signal {
                libc::SIGSYS => Trouble::Syscall,
                libc::SIGTRAP if (*frame).stepping != 0 => Trouble::Step,
                _ if expected => asynchronous(signal),
                _ => Trouble::Fault(machine::fault(signal, machine)),
            };
            (*frame).in_thread = 0;
            machine::leave_thread(&mut *frame, machine, trouble);
            (*frame).trouble = Some(trouble);
            frame
        }
    }
}

/// Whether an instruction is the program's, and not of a library of Linux: that may hold a lock, which
/// the next thread would wait for in vain.
fn is_programs_own(ip: usize) -> bool {
    unsafe extern "C" {
        /// The linker's names for the beginning of the program and the end of its instructions.
        static __executable_start: u8;
        static etext: u8;
    }
    (&raw const __executable_start as usize..&raw const etext as usize).contains(&ip)
}

/// A timer runs, or does no more.
pub fn want_ticks(wanted: bool) {
    TICKS.store(wanted, Relaxed);
}

/// Watches over a thread of the host: one that computes for so long without a kernel entry gets
/// [`WATCHDOG`] when `limit` is over, and ticks meanwhile if a timer runs. What counts is its own time on a processor,
/// so a debugger may hold it as long as it likes.
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
    let used = move || {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: as above; fails once the thread has ended.
        let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
        (result == 0).then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    };
    let watching = move || {
        // Signals are the runner's.
        // SAFETY: plain calls of libc.
        unsafe {
            let mut all = MaybeUninit::uninit();
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), ptr::null_mut());
        }
        let (mut seen, mut since, mut ticked) = (0, Duration::ZERO, Duration::ZERO);
        while let Some(now) = used() {
            let count = entries.load(Relaxed);
            let ticks = TICKS.load(Relaxed);
            if count != seen {
                (seen, since, ticked) = (count, now, now);
            } else if limit.is_some_and(|limit| now - since >= limit) {
                // SAFETY: the thread has not ended, for its clock runs.
                unsafe { libc::pthread_kill(runner, WATCHDOG) };
                return;
            } else if ticks && now - ticked >= COMPUTES {
                // SAFETY: as above.
                unsafe { libc::pthread_kill(runner, TICK) };
                ticked = now;
            }
            std::thread::sleep(if ticks { COMPUTES } else { PAUSE });
        }
    };
    // Without one there is no watchdog, which is no reason not to run.
    let _ = std::thread::Builder::new()
        .name("watchdog".into())
        .spawn(watching);
}

/// Ends the process by what a handler found in a thread.
pub fn end_of(trouble: Trouble) -> Option<End> {
    match trouble {
        Trouble::Fault(_) | Trouble::Syscall | Trouble::Step | Trouble::Tick => None,
        Trouble::Abort => Some(End::Abort),
        Trouble::Interrupt(signal) => Some(End::Interrupt(signal)),
        Trouble::Stuck => Some(End::Stuck),
    }
}
