// SPDX-License-Identifier: BSD-2-Clause

//! How a process ends, and what its exit code says.
//!
//! | code | |
//! |---|---|
//! | 0 | the root server's thread has suspended itself, or it halted the system |
//! | 1 to 63 | the same, and `main` had returned this |
//! | 80 | deadlock: threads wait, and nothing can wake them |
//! | 81 | the root server's thread went wrong, and has no fault handler |
//! | 82 | `abort`, or a panic in Rust; an image as it is has halted the system |
//! | 83 | a thread ran for long without a kernel entry |
//! | 84 | what the program wants cannot be had on this platform; the message says what |
//! | 85 | an error in the hosted platform itself |
//! | 130, 143 | ended from outside, by Ctrl-C or SIGTERM |

use std::cell::Cell;
use std::ffi::c_int;
use std::fmt::Write as _;
use std::mem::MaybeUninit;
use std::ptr;

use sel4_hosted_kernel::Kernel;

use crate::machine::Process;

/// Why a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All is done; with what `main` returned.
    Done(u8),
    /// Threads wait, and nothing can wake them.
    Deadlock,
    /// The root server's thread went wrong.
    Fault,
    /// An image has halted the system.
    Halted,
    /// `abort` was called.
    Abort,
    /// A thread does not enter the kernel.
    Stuck,
    /// A signal from outside.
    Interrupt(c_int),
}

/// An error in the hosted platform itself.
const CRASH: c_int = 85;
/// What this platform has not.
const REFUSED: c_int = 84;

impl End {
    /// The exit code.
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

    /// Says what happened to whoever watches, if there is something to say.
    pub fn report(self, kernel: &Kernel<Process>) {
        let what = match self {
            Self::Done(_) => return,
            Self::Deadlock => "deadlock: no thread can run, and nothing can wake one",
            Self::Fault => "the root server's thread has stopped, and no other can run",
            Self::Abort => "a thread has called abort()",
            Self::Halted => "a thread has halted the system, as abort() does",
            Self::Stuck => {
                "a thread runs and runs, and does not enter the kernel\nhelp: SEL4_HOSTED_WATCHDOG=SECONDS gives it longer, 0 for ever"
            }
            Self::Interrupt(_) => "interrupted",
        };
        say(&format!("{what}\n{}", kernel.thread_table()));
    }
}

/// What an exit code says, where it is one of those above.
pub fn meaning(code: c_int) -> Option<&'static str> {
    Some(match code {
        80 => "deadlock",
        81 => "the root server's thread went wrong",
        82 => "abort() or a panic",
        83 => "no kernel entry for long",
        REFUSED => "not available on the hosted platform",
        CRASH => "an error in the hosted platform",
        101 => "it panicked",
        _ => return None,
    })
}

/// Says something that is no output of the seL4 program.
pub fn say(text: &str) {
    write(2, format!("hosted: {}\n", text.trim_end()).as_bytes());
}

/// Writes to a file of the host's. Rust's own output is not for the host: an seL4 thread may hold it.
pub(crate) fn write(file: c_int, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the bytes are there.
        let written = unsafe { libc::write(file, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(count) => bytes = &bytes[count..],
            Err(_) if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {
            }
            // A console that is gone takes nothing, and nobody is left to tell.
            Err(_) => return,
        }
    }
}

/// Ends the process: what the program wants cannot be had.
pub fn refuse(text: &str) -> ! {
    say(text);
    exit(REFUSED)
}

/// Ends the process, from a signal handler: a thread in which no kernel runs has called `abort`.
pub fn aborted_elsewhere() -> ! {
    write(2, b"hosted: a thread of Linux has called abort()\n");
    // SAFETY: it may be called anywhere.
    unsafe { libc::_exit(End::Abort.code()) }
}

/// Ends the process, from a signal handler: there is an error in the model, or around it.
pub fn host_crashed(signal: c_int, ip: usize) -> ! {
    // No allocation: the heap may be what is broken.
    let mut text = Fixed {
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
        // What else there is to say may not work any more: then this is all.
        for signal in [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGILL,
            libc::SIGFPE,
            libc::SIGABRT,
            libc::SIGALRM,
        ] {
            let handler: extern "C" fn(c_int) = give_up;
            libc::signal(signal, handler as usize);
        }
        let mut none = MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
        libc::alarm(2);
    }
    let kernel = KERNEL.get();
    if !kernel.is_null() {
        // SAFETY: it is where it was, and nothing goes on that could change it; it may be broken, see above.
        say(&unsafe { &*kernel }.thread_table());
    }
    // SAFETY: a plain call.
    unsafe { libc::_exit(CRASH) }
}

extern "C" fn give_up(_: c_int) {
    // SAFETY: a plain call, which signal handlers may make.
    unsafe { libc::_exit(CRASH) }
}

thread_local! {
    /// The kernel of this thread of the host, for the case that it goes wrong.
    static KERNEL: Cell<*const Kernel<Process>> = const { Cell::new(ptr::null()) };
}

/// Keeps the kernel whose threads [`host_crashed`] tells of; null for none.
pub fn tell_of(kernel: *const Kernel<Process>) {
    KERNEL.set(kernel);
}

struct Fixed {
    bytes: [u8; 200],
    length: usize,
}

impl std::fmt::Write for Fixed {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            *self.bytes.get_mut(self.length).ok_or(std::fmt::Error)? = byte;
            self.length += 1;
        }
        Ok(())
    }
}

/// Ends the process at once. C's output is written out; nothing of C's is called that might enter
/// the kernel.
pub fn exit(code: c_int) -> ! {
    // SAFETY: both may be called here: no seL4 thread runs any more.
    unsafe {
        libc::fflush(std::ptr::null_mut());
        libc::_exit(code)
    }
}
