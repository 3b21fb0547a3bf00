// SPDX-License-Identifier: GPL-2.0-only

//! Invocations: what a thread asks of an object by a capability, and the answer.

use crate::cap::Cap;
use crate::error::{Error, LookupFailure};
use crate::event::Event;
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::{ExtraCaps, MSG_REGISTERS, MessageInfo};
use crate::slots::SlotId;
use crate::thread::{ThreadId, ThreadState};

/// What is asked for.
pub(crate) struct Request {
    pub thread: ThreadId,
    /// The invoked capability, and where it is.
    pub cap: Cap,
    pub slot: SlotId,
    pub invocation: Option<Invocation>,
    pub length: usize,
    pub buffer: Option<usize>,
    pub extra: ExtraCaps,
    /// Whether an answer is wanted.
    pub call: bool,
}

/// How a message is sent.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// Whether an answer is wanted.
    pub call: bool,
    /// Whether the sender waits until somebody receives.
    pub blocking: bool,
    /// Whether it lends its scheduling context.
    pub donate: bool,
    /// Whether it is to receive next: then few objects can be asked.
    pub first: bool,
}

/// What an invocation gives: nothing, with or without an answer that says so.
pub(crate) type InvocationResult = Result<(), Error>;

impl Request {
    /// The message has so many words, and capabilities.
    pub fn ensure_length(&self, words: usize, caps: usize) -> InvocationResult {
        match self.length < words || caps > 0 && self.extra[caps - 1].is_none() {
            true => Err(Error::TruncatedMessage),
            false => Ok(()),
        }
    }
}

impl<M: Machine> Kernel<M> {
    /// A thread sends a message by a capability: to an endpoint, or to an object of the kernel.
    pub(crate) fn handle_invocation(&mut self, thread: ThreadId, cptr: usize, manner: Manner) {
        let Manner {
            call,
            blocking,
            donate,
            first,
        } = manner;
        let info = self.message_info(thread);
        let (slot, cap) = match self.lookup_slot(thread, cptr) {
            Ok(slot) => (slot, self.slots.cap(slot)),
            Err(failure) => return self.handle_missing_cap(thread, cptr, failure, blocking),
        };
        let needs_caps = info.extra_caps() != 0 || info.length() > MSG_REGISTERS;
        let buffer = match needs_caps {
            true => self.lookup_ipc_buffer(thread, false),
            false => None,
        };
        let extra = match self.lookup_extra_caps(thread, buffer, info) {
            Ok(extra) => extra,
            Err((cptr, failure)) => {
                return self.handle_missing_cap(thread, cptr, failure, blocking);
            }
        };
        let refused = match cap {
            Cap::Endpoint {
                object,
                badge,
                rights,
            } if rights.write() => {
                self.objects.threads[thread].state = ThreadState::Restart;
                let (grant, grant_reply) = (rights.grant(), rights.grant_reply());
                self.send_ipc(
                    thread,
                    object,
                    badge,
                    grant,
                    grant_reply,
                    call,
                    blocking,
                    donate,
                );
                Ok(())
            }
            Cap::Notification {
                object,
                badge,
                rights,
            } if rights.write() => {
                self.begin_perform(thread);
                self.send_signal(object, badge);
                Ok(())
            }
            Cap::Reply {
                thread: to,
                master: false,
                grant,
            } => {
                self.begin_perform(thread);
                self.do_reply_transfer(thread, to, slot, grant);
                Ok(())
            }
            Cap::ReplyObject { object, grant } => {
                self.begin_perform(thread);
                self.do_reply_transfer_mcs(thread, object, grant);
                Ok(())
            }
            Cap::Endpoint { .. }
            | Cap::Notification { .. }
            | Cap::Reply { .. }
            | Cap::Null
            | Cap::Zombie { .. } => Err(Error::InvalidCapability(0)),
            Cap::Thread(_)
            | Cap::Domain
            | Cap::CNode { .. }
            | Cap::SchedControl
            | Cap::SchedContext { .. }
                if first =>
            {
                Err(Error::InvalidCapability(0))
            }
            _ => {
                let length = match buffer {
                    Some(_) => info.length(),
                    None => info.length().min(MSG_REGISTERS),
                };
                let invocation = self.labels.get(info.label());
                if let Some(invocation) = invocation {
                    self.machine.event(Event::Invocation { thread, invocation });
                }
                self.decode_invocation(&Request {
                    thread,
                    cap,
                    slot,
                    invocation,
                    length,
                    buffer,
                    extra,
                    call,
                })
            }
        };
        self.finish_invocation(thread, call, refused);
    }

    /// Hands a request to what its capability is to.
    fn decode_invocation(&mut self, request: &Request) -> InvocationResult {
        match request.cap {
            Cap::Untyped { .. } => self.decode_untyped_invocation(request),
            Cap::CNode { .. } => self.decode_cnode_invocation(request),
            Cap::Thread(thread) => self.decode_tcb_invocation(request, thread),
            Cap::IrqControl => self.decode_irq_control_invocation(request),
            Cap::IrqHandler(irq) => self.decode_irq_handler_invocation(request, irq),
            // Whatever it is asked for.
            Cap::SgiSignal { irq, target } => {
                self.begin_perform(request.thread);
                // The others of the interrupt controller have no processor.
                if target == 0 {
                    self.raise_sgi(irq);
                }
                Ok(())
            }
            Cap::Domain => self.decode_domain_invocation(request),
            Cap::SchedContext { object, .. } => {
                self.decode_sched_context_invocation(request, object)
            }
            Cap::SchedControl => self.decode_sched_control_invocation(request),
            Cap::Frame { .. } => self.decode_frame_invocation(request),
            Cap::PageTable { .. } => self.decode_page_table_invocation(request),
            Cap::VSpace { .. } => self.decode_vspace_invocation(request),
            Cap::AsidControl => self.decode_asid_control_invocation(request),
            Cap::AsidPool { .. } => self.decode_asid_pool_invocation(request),
            Cap::IoPortControl => self.decode_io_port_control_invocation(request),
            Cap::IoPort { first, last } => self.decode_io_port_invocation(request, first, last),
            Cap::Null
            | Cap::Endpoint { .. }
            | Cap::Notification { .. }
            | Cap::Reply { .. }
            | Cap::ReplyObject { .. }
            | Cap::Zombie { .. } => Err(Error::InvalidCapability(0)),
        }
    }

    /// What is asked for is right, and will be done. Who stops while it is done begins it again.
    pub(crate) fn begin_perform(&mut self, thread: ThreadId) {
        self.objects.threads[thread].state = ThreadState::Restart;
    }

    fn finish_invocation(&mut self, thread: ThreadId, call: bool, answer: InvocationResult) {
        if let Err(error) = answer {
            self.machine.event(Event::Refused { thread, error });
            if call {
                let buffer = self.lookup_ipc_buffer(thread, true);
                let (words, count) = error.words();
                let mut length = 0;
                for (index, word) in words[..count].iter().enumerate() {
                    length = self.set_mr(thread, buffer, index, *word);
                }
                self.set_badge_and_info(thread, 0, MessageInfo::new(error.code(), 0, 0, length));
            }
        } else if self.objects.threads[thread].state == ThreadState::Restart {
            if call {
                self.set_badge_and_info(thread, 0, MessageInfo::new(0, 0, 0, 0));
            }
            self.set_thread_state(thread, ThreadState::Running);
        }
    }

    /// Answers with words, of which there are fewer than the message has registers.
    pub(crate) fn reply_from_kernel(
        &mut self,
        request: &Request,
        words: &[usize],
    ) -> InvocationResult {
        if request.call {
            let buffer = self.lookup_ipc_buffer(request.thread, true);
            for (index, word) in words.iter().enumerate() {
                self.set_mr(request.thread, buffer, index, *word);
            }
            self.set_badge_and_info(request.thread, 0, MessageInfo::new(0, 0, 0, words.len()));
        }
        self.set_thread_state(request.thread, ThreadState::Running);
        Ok(())
    }

    fn handle_missing_cap(
        &mut self,
        thread: ThreadId,
        cptr: usize,
        failure: LookupFailure,
        blocking: bool,
    ) {
        self.machine.event(Event::NotFound {
            thread,
            cptr,
            failure,
        });
        if blocking {
            let fault = Fault::Cap {
                address: cptr,
                receiving: false,
            };
            self.handle_fault(thread, fault, failure);
        }
    }

    /// An argument.
    pub(crate) fn get_syscall_arg(&self, request: &Request, index: usize) -> usize {
        self.get_mr(request.thread, request.buffer, index)
    }

    /// Arguments, from the first.
    pub(crate) fn get_syscall_args<const N: usize>(&self, request: &Request) -> [usize; N] {
        core::array::from_fn(|index| self.get_syscall_arg(request, index))
    }

    /// A capability of the message, and where it is. There is one: `ensure` has looked.
    pub(crate) fn extra_cap(
        &self,
        request: &Request,
        index: usize,
    ) -> Result<(Cap, SlotId), Error> {
        let slot = request.extra[index].ok_or(Error::TruncatedMessage)?;
        Ok((self.slots.cap(slot), slot))
    }
}
