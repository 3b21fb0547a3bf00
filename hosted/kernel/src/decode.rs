// SPDX-License-Identifier: GPL-2.0-only

//! Invocations of kernel objects: the request, its arguments, and the reply.

use core::ops::RangeInclusive;

use crate::cap::Cap;
use crate::cte::SlotId;
use crate::error::Error;
use crate::event::Event;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::{ExtraCaps, MessageInfo};
use crate::thread::{ThreadId, ThreadState};

/// Invocation of a kernel object, as it is in the caller's message.
pub(crate) struct Request {
    pub thread: ThreadId,
    /// Invoked capability.
    pub cap: Cap,
    /// Slot of the invoked capability.
    pub slot: SlotId,
    pub invocation: Option<Invocation>,
    pub length: usize,
    pub buffer: Option<usize>,
    pub extra_caps: ExtraCaps,
    /// Set if the caller waits for the reply.
    pub is_call: bool,
}

/// Result of an invocation. `Ok` becomes an empty reply, unless one was written already.
pub(crate) type InvocationResult = Result<(), Error>;

impl Request {
    /// Checks that the message has this many words and extra capabilities.
    pub fn ensure_length(&self, words: usize, caps: usize) -> InvocationResult {
        match self.length < words || caps > 0 && self.extra_caps[caps - 1].is_none() {
            true => Err(Error::TruncatedMessage),
            false => Ok(()),
        }
    }
}

/// Checks that an argument is within its range.
pub(crate) fn range_check(value: usize, range: RangeInclusive<usize>) -> InvocationResult {
    let (min, max) = (*range.start(), *range.end());
    match range.contains(&value) {
        true => Ok(()),
        false => Err(Error::RangeError { min, max }),
    }
}

impl<M: Machine> Kernel<M> {
    /// Passes an invocation to the decoder for the type of its capability.
    pub(crate) fn decode_invocation(&mut self, request: &Request) -> InvocationResult {
        if matches!(
            request.cap,
            Cap::Null
                | Cap::Endpoint { .. }
                | Cap::Notification { .. }
                | Cap::Reply { .. }
                | Cap::ReplyObject { .. }
                | Cap::Zombie { .. }
        ) {
            return Err(Error::InvalidCapability(0));
        }
        if let Some(invocation) = request.invocation {
            let thread = request.thread;
            self.machine.event(Event::Invocation { thread, invocation });
        }
        match request.cap {
            Cap::Untyped(_) => self.decode_untyped_invocation(request),
            Cap::CNode { .. } => self.decode_cnode_invocation(request),
            Cap::Thread(thread) => self.decode_tcb_invocation(request, thread),
            Cap::IrqControl => self.decode_irq_control_invocation(request),
            Cap::IrqHandler(irq) => self.decode_irq_handler_invocation(request, irq),
            Cap::SgiSignal { irq, target } => {
                self.begin_perform(request.thread);
                self.perform_sgi_signal(irq, target);
                Ok(())
            }
            Cap::Domain => self.decode_domain_invocation(request),
            Cap::SchedContext { object, .. } => {
                self.decode_sched_context_invocation(request, object)
            }
            Cap::SchedControl => self.decode_sched_control_invocation(request),
            Cap::Frame(_) => self.decode_frame_invocation(request),
            Cap::PageTable { .. } => self.decode_page_table_invocation(request),
            Cap::VSpace { .. } => self.decode_vspace_invocation(request),
            Cap::AsidControl => self.decode_asid_control_invocation(request),
            Cap::AsidPool { .. } => self.decode_asid_pool_invocation(request),
            Cap::IoPortControl => self.decode_io_port_control_invocation(request),
            Cap::IoPort { first, last } => self.decode_io_port_invocation(request, first, last),
            _ => Err(Error::InvalidCapability(0)),
        }
    }

    /// Ends the decode stage: the invocation is valid and will be performed. A thread that stops
    /// while it is performed makes the system call again.
    pub(crate) fn begin_perform(&mut self, thread: ThreadId) {
        self.objects.threads[thread].state = ThreadState::Restart;
    }

    /// Replies with an error and its details.
    pub(crate) fn reply_from_kernel_error(&mut self, thread: ThreadId, error: Error) {
        let (words, count) = error.words();
        let length = self.set_mrs(thread, words.into_iter().take(count));
        self.set_badge_and_info(thread, 0, MessageInfo::new(error.code(), 0, 0, length));
    }

    /// Replies with an empty message.
    pub(crate) fn reply_from_kernel_success_empty(&mut self, thread: ThreadId) {
        self.set_badge_and_info(thread, 0, MessageInfo::new(0, 0, 0, 0));
    }

    /// Replies with words, which are at most as many as there are message registers.
    pub(crate) fn reply_from_kernel(
        &mut self,
        request: &Request,
        words: &[usize],
    ) -> InvocationResult {
        if request.is_call {
            let length = self.set_mrs(request.thread, words.iter().copied());
            self.set_badge_and_info(request.thread, 0, MessageInfo::new(0, 0, 0, length));
        }
        self.set_thread_state(request.thread, ThreadState::Running);
        Ok(())
    }

    /// Returns a word of the message.
    pub(crate) fn get_syscall_arg(&self, request: &Request, index: usize) -> usize {
        self.get_mr(request.thread, request.buffer, index)
    }

    /// Returns the first `N` words of the message.
    pub(crate) fn get_syscall_args<const N: usize>(&self, request: &Request) -> [usize; N] {
        core::array::from_fn(|index| self.get_syscall_arg(request, index))
    }

    /// Returns an extra capability of the message, and its slot. It exists if `ensure_length` has
    /// checked for it.
    pub(crate) fn extra_cap(
        &self,
        request: &Request,
        index: usize,
    ) -> Result<(Cap, SlotId), Error> {
        let slot = request.extra_caps[index].ok_or(Error::TruncatedMessage)?;
        Ok((self.slots.cap(slot), slot))
    }
}
