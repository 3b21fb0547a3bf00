// SPDX-License-Identifier: BSD-2-Clause

//! End of a process, and the meaning of its exit code.
//!
//! | code | |
//! |---|---|
//! | 0 | the root server's thread has suspended itself, or it halted the system |
//! | 1 to 63 | likewise, and `main` had returned this number |
//! | 80 | deadlock: threads wait, and nothing can wake them |
//! | 81 | the root server's thread has faulted and has no fault handler |
//! | 82 | `abort`, or a panic in Rust; or an unmodified image has halted the system |
//! | 83 | a thread ran for too long without a kernel entry |
//! | 84 | the hosted platform lacks something that the program needs; the message names it |
//! | 85 | an error in the hosted platform itself |
//! | 130, 143 | ended from outside, by Ctrl-C or SIGTERM |

use std::cell::Cell;
use std::ffi::c_int;
use std::fmt::Write as _;
use std::mem::MaybeUninit;
use std::ptr;

use sel4_hosted_kernel::Kernel;

use crate::machine::Process;
use crate::platform::settings;

/// Reason for the end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The root server is done; the number is the result of `main`.
    Done(u8),
    /// Threads wait, and nothing can wake them.
    Deadlock,
    /// The root server's thread has faulted, and nobody handles the fault.
    Fault,
    /// An unmodified image has halted the system.
    Halted,
    /// `abort` was called.
    Abort,
    /// A thread has not entered the kernel for too long.
    Stuck,
    /// A signal from outside has arrived.
    Interrupt(c_int),
}

/// Exit code of an error in the hosted platform itself.
const CRASH: c_int = 85;
/// Exit code of a program that needs something the platform lacks.
const REFUSED: c_int = 84;

impl End {
    /// Returns the exit code.
    pub fn code(self) -> c_int {
        match self {
            Self::Done(code) => code.into(),
            Self::Deadlock => 80,
            Self::Fault => 81,
            Self::Abort | Self::Halted => 82,
            Self::Stuck => 83,
            Self::Interrupt(signal) => 128 + signal,
        }
    }

    /// Reports the reason and the threads' states on standard error, unless the program is simply done. Names the seed of a
    /// run that fails.
    pub fn report(self, kernel: &Kernel<Process>) {
        if self.code() != 0
            && let Some(seed) = settings::seed()
        {
            say(&repeated_by(seed));
        }
        let what = match self {
            Self::Done(_) => return,
            Self::Deadlock => "deadlock: no thread can run, and nothing can wake one",
            Self::Fault => "the root server's thread has faulted, and no other thread can run",
            Self::Abort => "a thread has called abort()",
            Self::Halted => "a thread has halted the system, as abort() does",
            Self::Stuck => {
                "a thread runs for too long and does not enter the kernel\nhelp: set SEL4_HOSTED_WATCHDOG to a larger number of seconds, or to 0 for no limit"
            }
            Self::Interrupt(_) => "interrupted",
        };
        say(&format!("{what}\n{}", kernel.thread_table()));
    }
}

/// Says how to repeat a run with a seed.
pub(crate) fn repeated_by(seed: u64) -> String {
    format!("SEL4_HOSTED_SEED={seed} repeats this run")
}

/// Describes an exit code of the table above; `None` for others.
pub fn describe(code: c_int) -> Option<&'static str> {
    Some(match code {
        80 => "deadlock",
        81 => "the root server's thread has faulted",
        82 => "abort() or a panic",
        83 => "no kernel entry for too long",
        REFUSED => "not available on the hosted platform",
        CRASH => "an error in the hosted platform",
        101 => "it panicked",
        _ => return None,
    })
}

/// Prints a message of the platform on standard error.
pub fn say(text: &str) {
    write(2, format!("hosted: {}\n", text.trim_end()).as_bytes());
}

/// Writes to a file descriptor of Linux. The host must not use Rust's own streams, whose locks an seL4
/// thread may hold.
pub(crate) fn write(file: c_int, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the bytes are there.
        let written = unsafe { libc::write(file, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(count) => bytes = &bytes[count..],
            Err(_) if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {
            }
            // The reader has gone, so there is nobody to tell.
            Err(_) => return,
        }
    }
}

/// Ends the process because the platform lacks something that the program needs.
pub fn refuse(text: &str) -> ! {
    say(text);
    exit(REFUSED)
}

/// Ends the process from a signal handler, after `abort` in a thread in which no kernel runs.
pub fn aborted_outside_kernel() -> ! {
    write(2, b"hosted: a thread of Linux has called abort()\n");
    // SAFETY: it may be called anywhere.
    unsafe { libc::_exit(End::Abort.code()) }
}

/// Ends the process from a signal handler, after an error in the model or the code around it.
pub fn host_crashed(signal: c_int, ip: usize) -> ! {
    // No allocation: the heap may be what is broken.
    let mut text = FixedBuffer {
        bytes: [0; 200],
        length: 0,
    };
    let _ = writeln!(
        text,
        "hosted: signal {signal} at {ip:#x} in the hosted platform itself, which is an error in it"
    );
    // SAFETY: the bytes are there, and these calls may be made in a signal handler.
    unsafe {
        libc::write(2, text.bytes.as_ptr().cast(), text.length);
        // The thread table below may be broken. A second signal, or two seconds, end the attempt to print it.
        for signal in [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGILL,
            libc::SIGFPE,
            libc::SIGABRT,
            libc::SIGALRM,
        ] {
            let handler: extern "C" fn(c_int) = exit_now;
            libc::signal(signal, handler as usize);
        }
        let mut none = MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
        libc::alarm(2);
    }
    let kernel = KERNEL.get();
    if !kernel.is_null() {
        // SAFETY: the kernel lives, and nothing runs that could change it. It may be broken, see above.
        say(&unsafe { &*kernel }.thread_table());
    }
    // SAFETY: a plain call.
    unsafe { libc::_exit(CRASH) }
}

extern "C" fn exit_now(_: c_int) {
    // SAFETY: a plain call, which signal handlers may make.
    unsafe { libc::_exit(CRASH) }
}

thread_local! {
    /// Kernel of this thread of the host, for [`host_crashed`].
    static KERNEL: Cell<*const Kernel<Process>> = const { Cell::new(ptr::null()) };
}

/// Sets the kernel whose threads [`host_crashed`] reports; null for none.
pub fn set_reported_kernel(kernel: *const Kernel<Process>) {
    KERNEL.set(kernel);
}

struct FixedBuffer {
    bytes: [u8; 200],
    length: usize,
}

impl std::fmt::Write for FixedBuffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            *self.bytes.get_mut(self.length).ok_or(std::fmt::Error)? = byte;
            self.length += 1;
        }
        Ok(())
    }
}

/// Ends the process at once. Flushes C's streams and runs no exit handler, which might enter the
/// kernel.
pub fn exit(code: c_int) -> ! {
    // SAFETY: both may be called here: no seL4 thread runs any more.
    unsafe {
        libc::fflush(std::ptr::null_mut());
        libc::_exit(code)
    }
}
