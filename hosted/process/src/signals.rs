// SPDX-License-Identifier: BSD-2-Clause

//! Signals: what goes wrong in an seL4 thread becomes a fault of that thread, as the processor would
//! tell the kernel of it. What goes wrong in the host is told apart.

use std::ffi::{c_int, c_void};
use std::mem::{MaybeUninit, zeroed};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use libc::{siginfo_t, ucontext_t};
use sel4_hosted_kernel::{Fault, Register};

use crate::end::{self, End};
use crate::stack::Stack;
use crate::switch::{self, FpState, Frame};

/// Why a thread came back without a system call.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Unmodified code has made a system call.
    Syscall,
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

/// What the processor's exceptions arrive as.
pub const FAULTS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];
/// What others send.
pub const OTHERS: [c_int; 5] = [libc::SIGABRT, libc::SIGINT, libc::SIGTERM, WATCHDOG, TICK];

/// A signal that came while the host ran; 0 if none did.
static PENDING: AtomicU64 = AtomicU64::new(0);
/// The thread of the host that runs a kernel.
static RUNNER: AtomicU64 = AtomicU64::new(0);

/// Processor exceptions, by their numbers.
const PAGE_FAULT: i64 = 14;
/// In the code of a page fault: an instruction was fetched.
const FETCH: usize = 1 << 4;

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
            for signal in FAULTS.into_iter().chain(OTHERS) {
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
        let registers = &mut machine.gregs;
        let ip = registers[libc::REG_RIP as usize] as usize;
        let expected = OTHERS.contains(&signal);
        if frame.is_null() {
            match signal {
                libc::SIGINT | libc::SIGTERM => {
                    PENDING.store(signal as u64, Relaxed);
                    libc::pthread_kill(RUNNER.load(Relaxed), signal);
                }
                WATCHDOG | TICK => {}
                _ => end::host_crashed(signal, ip),
            }
            ptr::null_mut()
        } else if (*frame).in_thread == 0 || switch::is_between(ip) {
            if !expected || signal == libc::SIGABRT {
                end::host_crashed(signal, ip);
            }
            if signal != TICK {
                PENDING.store(signal as u64, Relaxed);
            }
            ptr::null_mut()
        } else if signal == TICK && (*frame).foreign == 0 && !is_programs_own(ip) {
            ptr::null_mut()
        } else {
            let trouble = match signal {
                libc::SIGSYS => Trouble::Syscall,
                _ if expected => asynchronous(signal),
                _ => Trouble::Fault(fault(signal, registers)),
            };
            leave_thread(&mut *frame, registers, trouble);
            if (*frame).foreign != 0 {
                keep_fp((*frame).fp, machine.fpregs.cast());
            }
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

/// What the processor would tell a kernel.
fn fault(signal: c_int, registers: &[i64; 23]) -> Fault {
    let number = registers[libc::REG_TRAPNO as usize];
    let code = registers[libc::REG_ERR as usize] as usize;
    if number == PAGE_FAULT || signal == libc::SIGBUS {
        Fault::Vm {
            address: registers[libc::REG_CR2 as usize] as usize,
            // Where pages can forbid execution the processor tells of fetches; seL4's cannot.
            status: code & !FETCH,
            instruction: false,
        }
    } else {
        Fault::UserException {
            number: number as usize,
            code,
        }
    }
}

/// Takes the registers of the running thread, and has the handler return into the host.
///
/// # Safety
///
/// They are those of the thread that the frame tells of.
unsafe fn leave_thread(frame: &mut Frame, registers: &mut [i64; 23], trouble: Trouble) {
    use Register::*;
    // SAFETY: the frame has the context of the running thread.
    let context = unsafe { &mut *frame.context };
    for (register, index) in [
        (Rip, libc::REG_RIP),
        (Rsp, libc::REG_RSP),
        (Rflags, libc::REG_EFL),
        (Rax, libc::REG_RAX),
        (Rbx, libc::REG_RBX),
        (Rcx, libc::REG_RCX),
        (Rdx, libc::REG_RDX),
        (Rsi, libc::REG_RSI),
        (Rdi, libc::REG_RDI),
        (Rbp, libc::REG_RBP),
        (R8, libc::REG_R8),
        (R9, libc::REG_R9),
        (R10, libc::REG_R10),
        (R11, libc::REG_R11),
        (R12, libc::REG_R12),
        (R13, libc::REG_R13),
        (R14, libc::REG_R14),
        (R15, libc::REG_R15),
    ] {
        context[register] = registers[index as usize] as usize;
    }
    context.next = context[Rip];
    if matches!(trouble, Trouble::Syscall) {
        // A thread that is restarted begins with the instruction, which has two bytes.
        context[Rip] = context.next - 2;
    }
    frame.trouble = Some(trouble);
    frame.in_thread = 0;
    registers[libc::REG_RIP as usize] = switch::returned as *const () as i64;
    registers[libc::REG_RSP as usize] = frame.stack as i64;
    registers[libc::REG_RDI as usize] = (&raw mut *frame) as i64;
    // No direction flag, no trap flag.
    registers[libc::REG_EFL as usize] = 0x202;
}

/// Keeps the state of floating-point numbers that Linux has put at `from`, in the form of `xsave`.
///
/// # Safety
///
/// Linux has put it there.
unsafe fn keep_fp(to: *mut FpState, from: *const u8) {
    /// Where the parts are named that are there: x87 and SSE, and others behind these.
    const PARTS: usize = 512;
    const HEADER_END: usize = 576;
    /// Where Linux tells how much there is.
    const SIZE: usize = 480;
    // SAFETY: as the caller promises; the state's own room is respected.
    unsafe {
        let behind = from.add(PARTS).cast::<u64>().read() & !3 != 0;
        let size = from.add(SIZE).cast::<u32>().read() as usize;
        let bytes = if behind { size } else { HEADER_END };
        to.cast::<u8>()
            .copy_from_nonoverlapping(from, bytes.min(size_of::<FpState>()));
    }
}

/// Watches over a thread of the host: one that computes for so long without a kernel entry gets
/// [`WATCHDOG`], and `ticks` meanwhile if these are wanted. What counts is its own time on a processor,
/// so a debugger may hold it as long as it likes.
pub fn watch(entries: &'static AtomicU64, limit: Option<Duration>, ticks: bool) {
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
        let pause = if ticks {
            COMPUTES
        } else {
            Duration::from_secs(1)
        };
        let (mut seen, mut since, mut ticked) = (0, Duration::ZERO, Duration::ZERO);
        while let Some(now) = used() {
            let count = entries.load(Relaxed);
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
            std::thread::sleep(pause);
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
        Trouble::Fault(_) | Trouble::Syscall | Trouble::Tick => None,
        Trouble::Abort => Some(End::Abort),
        Trouble::Interrupt(signal) => Some(End::Interrupt(signal)),
        Trouble::Stuck => Some(End::Stuck),
    }
}
