// SPDX-License-Identifier: BSD-2-Clause

//! Invocations: what a thread asks of an object by a capability, and the answer.

use crate::cap::Cap;
use crate::error::{Error, LookupFailure};
use crate::event::Event;
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::{Extra, Info, REGISTERS};
use crate::slots::SlotId;
use crate::thread::{State, ThreadId};

/// What is asked for.
pub(crate) struct Request {
    pub thread: ThreadId,
    /// The invoked capability, and where it is.
    pub cap: Cap,
    pub slot: SlotId,
    pub invocation: Option<Invocation>,
    pub length: usize,
    pub buffer: Option<usize>,
    pub extra: Extra,
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
pub(crate) type Answer = Result<(), Error>;

impl Request {
    /// The message has so many words, and capabilities.
    pub fn ensure(&self, words: usize, caps: usize) -> Answer {
        match self.length < words || caps > 0 && self.extra[caps - 1].is_none() {
            true => Err(Error::TruncatedMessage),
            false => Ok(()),
        }
    }
}

impl<M: Machine> Kernel<M> {
    /// A thread sends a message by a capability: to an endpoint, or to an object of the kernel.
    pub(crate) fn invoke(&mut self, thread: ThreadId, cptr: usize, manner: Manner) {
        let Manner {
            call,
            blocking,
            donate,
            first,
        } = manner;
        let info = self.info(thread);
        let (slot, cap) = match self.lookup(thread, cptr) {
            Ok(slot) => (slot, self.slots.cap(slot)),
            Err(failure) => return self.not_found(thread, cptr, failure, blocking),
        };
        let needs_caps = info.extra_caps() != 0 || info.length() > REGISTERS;
        let buffer = match needs_caps {
            true => self.buffer(thread, false),
            false => None,
        };
        let extra = match self.extra(thread, buffer, info) {
            Ok(extra) => extra,
            Err((cptr, failure)) => return self.not_found(thread, cptr, failure, blocking),
        };
        let refused = match cap {
            Cap::Endpoint {
                object,
                badge,
                rights,
            } if rights.write() => {
                self.objects.threads[thread].state = State::Restart;
                let (grant, grant_reply) = (rights.grant(), rights.grant_reply());
                self.send(
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
                self.commit(thread);
                self.signal(object, badge);
                Ok(())
            }
            Cap::Reply {
                thread: to,
                master: false,
                grant,
            } => {
                self.commit(thread);
                self.reply(thread, to, slot, grant);
                Ok(())
            }
            Cap::ReplyObject { object, grant } => {
                self.commit(thread);
                self.reply_by(thread, object, grant);
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
                    None => info.length().min(REGISTERS),
                };
                let invocation = self.labels.get(info.label());
                if let Some(invocation) = invocation {
                    self.machine.event(Event::Invocation { thread, invocation });
                }
                self.ask(&Request {
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
        self.answer(thread, call, refused);
    }

    /// Hands a request to what its capability is to.
    fn ask(&mut self, request: &Request) -> Answer {
        match request.cap {
            Cap::Untyped { .. } => self.ask_untyped(request),
            Cap::CNode { .. } => self.ask_cnode(request),
            Cap::Thread(thread) => self.ask_thread(request, thread),
            Cap::IrqControl => self.ask_irq_control(request),
            Cap::IrqHandler(irq) => self.ask_irq_handler(request, irq),
            // Whatever it is asked for.
            Cap::SgiSignal { irq, target } => {
                self.commit(request.thread);
                // The others of the interrupt controller have no processor.
                if target == 0 {
                    self.raise(irq);
                }
                Ok(())
            }
            Cap::Domain => self.ask_domain(request),
            Cap::SchedContext { object, .. } => self.ask_sched_context(request, object),
            Cap::SchedControl => self.ask_sched_control(request),
            Cap::Frame { .. } => self.ask_frame(request),
            Cap::Table { .. } => self.ask_table(request),
            Cap::VSpace { .. } => self.ask_space(request),
            Cap::AsidControl => self.ask_asid_control(request),
            Cap::AsidPool { .. } => self.ask_asid_pool(request),
            Cap::IoPortControl => self.ask_port_control(request),
            Cap::IoPort { first, last } => self.ask_port(request, first, last),
            Cap::Null
            | Cap::Endpoint { .. }
            | Cap::Notification { .. }
            | Cap::Reply { .. }
            | Cap::ReplyObject { .. }
            | Cap::Zombie { .. } => Err(Error::InvalidCapability(0)),
        }
    }

    /// What is asked for is right, and will be done. Who stops while it is done begins it again.
    pub(crate) fn commit(&mut self, thread: ThreadId) {
        self.objects.threads[thread].state = State::Restart;
    }

    fn answer(&mut self, thread: ThreadId, call: bool, answer: Answer) {
        if let Err(error) = answer {
            self.machine.event(Event::Refused { thread, error });
            if call {
                let buffer = self.buffer(thread, true);
                let (words, count) = error.words();
                let mut length = 0;
                for (index, word) in words[..count].iter().enumerate() {
                    length = self.set_word(thread, buffer, index, *word);
                }
                self.set_head(thread, 0, Info::new(error.code(), 0, 0, length));
            }
        } else if self.objects.threads[thread].state == State::Restart {
            if call {
                self.set_head(thread, 0, Info::new(0, 0, 0, 0));
            }
            self.set_state(thread, State::Running);
        }
    }

    /// Answers with words, of which there are fewer than the message has registers.
    pub(crate) fn answer_words(&mut self, request: &Request, words: &[usize]) -> Answer {
        if request.call {
            let buffer = self.buffer(request.thread, true);
            for (index, word) in words.iter().enumerate() {
                self.set_word(request.thread, buffer, index, *word);
            }
            self.set_head(request.thread, 0, Info::new(0, 0, 0, words.len()));
        }
        self.set_state(request.thread, State::Running);
        Ok(())
    }

    fn not_found(&mut self, thread: ThreadId, cptr: usize, failure: LookupFailure, blocking: bool) {
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
    pub(crate) fn argument(&self, request: &Request, index: usize) -> usize {
        self.word(request.thread, request.buffer, index)
    }

    /// Arguments, from the first.
    pub(crate) fn arguments<const N: usize>(&self, request: &Request) -> [usize; N] {
        core::array::from_fn(|index| self.argument(request, index))
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
