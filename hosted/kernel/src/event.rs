// SPDX-License-Identifier: GPL-2.0-only

//! What the kernel does, as it happens: the material of a trace.

use crate::error::{Error, LookupFailure};
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::thread::ThreadId;

/// Something that the kernel did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A thread entered by a system call.
    Syscall {
        /// Who.
        thread: ThreadId,
        /// The system call.
        number: isize,
        /// The capability it names.
        cptr: usize,
    },
    /// A thread invoked a capability to an object of the kernel.
    Invocation {
        /// Who.
        thread: ThreadId,
        /// What it asks for.
        invocation: Invocation,
    },
    /// It was refused.
    Refused {
        /// Who.
        thread: ThreadId,
        /// Why.
        error: Error,
    },
    /// A capability was not found.
    NotFound {
        /// Who.
        thread: ThreadId,
        /// Its address.
        cptr: usize,
        /// Why.
        failure: LookupFailure,
    },
    /// A message was handed over.
    Transfer {
        /// From whom.
        from: ThreadId,
        /// To whom.
        to: ThreadId,
        /// What the receiver sees.
        badge: usize,
    },
    /// A notification was signalled.
    Signal {
        /// With this badge.
        badge: usize,
    },
    /// A thread went wrong.
    Fault {
        /// Who.
        thread: ThreadId,
        /// How.
        fault: Fault,
    },
    /// Another thread runs. None: nobody can.
    Switch(Option<ThreadId>),
    /// An interrupt came.
    Interrupt(usize),
}
