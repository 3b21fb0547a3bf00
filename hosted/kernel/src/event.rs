// SPDX-License-Identifier: GPL-2.0-only

//! Events of the kernel, for traces.

use crate::error::{Error, LookupFailure};
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::thread::ThreadId;

/// Event of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Kernel entry with a system call.
    Syscall {
        /// Calling thread.
        thread: ThreadId,
        /// Number of the system call.
        number: isize,
        /// Address of the invoked capability.
        cptr: usize,
    },
    /// Invocation of a kernel object.
    Invocation {
        /// Calling thread.
        thread: ThreadId,
        /// Label of the invocation.
        invocation: Invocation,
    },
    /// Invocation that failed.
    Refused {
        /// Calling thread.
        thread: ThreadId,
        /// Error that the caller gets.
        error: Error,
    },
    /// Preemption of a long operation. The thread makes its system call again.
    Preempted {
        /// Calling thread.
        thread: ThreadId,
    },
    /// Failed lookup of a capability.
    NotFound {
        /// Calling thread.
        thread: ThreadId,
        /// Address of the capability.
        cptr: usize,
        /// Reason of the failure.
        failure: LookupFailure,
    },
    /// Transfer of a message.
    Transfer {
        /// Sender.
        from: ThreadId,
        /// Receiver.
        to: ThreadId,
        /// Badge that the receiver gets.
        badge: usize,
    },
    /// Signal to a notification.
    Signal {
        /// Badge of the capability.
        badge: usize,
    },
    /// Fault of a thread.
    Fault {
        /// Faulting thread.
        thread: ThreadId,
        /// Type of the fault, and its details.
        fault: Fault,
    },
    /// Switch to another thread. `None`: no thread is runnable.
    Switch(Option<ThreadId>),
    /// Kernel entry with an interrupt.
    Interrupt(usize),
}
