// SPDX-License-Identifier: GPL-2.0-only

//! Kernel entries: system calls, faults, interrupts.

use crate::arch;
use crate::arena::Id;
use crate::cap::Cap;
use crate::decode::{InvocationResult, Request};
use crate::endpoint::SendOptions;
use crate::error::{Error, LookupFailure};
use crate::event::Event;
use crate::fault::Fault;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::NUM_MSG_REGISTERS;
use crate::reply::Reply;
use crate::thread::{ThreadId, ThreadState};

/// System call other than the debug calls.
#[derive(Clone, Copy)]
enum Syscall {
    Call,
    ReplyRecv,
    NBSendRecv,
    NBSendWait,
    Send,
    NBSend,
    Recv,
    Reply,
    NBRecv,
    Wait,
    NBWait,
    Yield,
}

impl Syscall {
    /// Returns the system call with libsel4's number.
    #[inline]
    const fn from_number(number: isize, mcs: bool) -> Option<Syscall> {
        Some(match (number, mcs) {
            (-1, _) => Syscall::Call,
            (-2, _) => Syscall::ReplyRecv,
            (-3, false) | (-5, true) => Syscall::Send,
            (-4, false) | (-6, true) => Syscall::NBSend,
            (-5, false) | (-7, true) => Syscall::Recv,
            (-6, false) => Syscall::Reply,
            (-7, false) | (-11, true) => Syscall::Yield,
            (-8, _) => Syscall::NBRecv,
            (-3, true) => Syscall::NBSendRecv,
            (-4, true) => Syscall::NBSendWait,
            (-9, true) => Syscall::Wait,
            (-10, true) => Syscall::NBWait,
            _ => return None,
        })
    }
}

/// Variant of an invocation, after the system call that makes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InvocationKind {
    Call,
    Send,
    NBSend,
    /// First phase of a system call that then receives. It never blocks, may donate the scheduling
    /// context, and cannot invoke objects whose invocation could stop the thread.
    FirstPhase,
}

impl InvocationKind {
    fn is_call(self) -> bool {
        self == InvocationKind::Call
    }

    fn is_blocking(self) -> bool {
        matches!(self, InvocationKind::Call | InvocationKind::Send)
    }

    fn can_donate(self) -> bool {
        matches!(self, InvocationKind::Call | InvocationKind::FirstPhase)
    }
}

/// Variant of a receive, after the system call that makes it. A wait takes no reply object.
#[derive(Clone, Copy)]
enum RecvKind {
    Recv,
    NBRecv,
    Wait,
    NBWait,
}

impl RecvKind {
    const fn is_blocking(self) -> bool {
        matches!(self, RecvKind::Recv | RecvKind::Wait)
    }

    const fn can_reply(self) -> bool {
        matches!(self, RecvKind::Recv | RecvKind::NBRecv)
    }
}

impl<M: Machine> Kernel<M> {
    /// Enters the kernel with a system call of the current thread. The thread's registers hold the
    /// arguments, and the result when the thread runs again.
    pub fn syscall(&mut self, number: isize) {
        let Some(current) = self.current() else {
            return;
        };
        self.entries += 1;
        let cptr = self.objects.threads[current].context[arch::CAP];
        self.machine.event(Event::Syscall {
            thread: current,
            number,
            cptr,
        });
        let syscall = Syscall::from_number(number, self.config.mcs);
        if syscall.is_none() && self.handle_debug_syscall(current, number) {
            return;
        }
        if self.check_budget_restart(current) {
            match syscall {
                Some(syscall) => self.handle_syscall(current, syscall, cptr),
                None => {
                    let fault = Fault::UnknownSyscall(number.cast_unsigned());
                    self.handle_fault(current, fault, LookupFailure::InvalidRoot);
                }
            }
        }
        self.exit_syscall();
    }

    /// Enters the kernel with a fault of the current thread, whose registers are those at the
    /// faulting instruction.
    pub fn fault(&mut self, fault: Fault) {
        let Some(current) = self.current() else {
            return;
        };
        self.entries += 1;
        let fault = self.hardware_fault(current, fault);
        if self.check_budget_restart(current) {
            self.handle_fault(current, fault, LookupFailure::InvalidRoot);
        }
        self.exit_syscall();
    }

    /// Enters the kernel with an interrupt.
    pub fn interrupt(&mut self, irq: usize) {
        if self.halted {
            return;
        }
        self.entries += 1;
        self.machine.event(Event::Interrupt(irq));
        // An interrupted thread continues at the instruction that was next.
        if let Some(current) = self.scheduler.cur_thread {
            let thread = &mut self.objects.threads[current];
            if thread.state == ThreadState::Running {
                thread.context[arch::IP] = thread.context.next;
            }
        }
        if self.config.mcs {
            self.update_timestamp();
            self.check_budget();
        }
        self.handle_interrupt(irq);
        self.exit_kernel();
    }

    /// Ends a kernel entry of a thread.
    #[inline]
    fn exit_syscall(&mut self) {
        if !self.config.mcs {
            self.count_entry();
        }
        self.exit_kernel();
    }

    /// Returns whether the current thread has enough budget for a kernel entry. If not, charges it
    /// and restarts the system call.
    #[inline]
    fn check_budget_restart(&mut self, current: ThreadId) -> bool {
        if !self.config.mcs {
            return true;
        }
        self.update_timestamp();
        let sufficient = self.check_budget();
        if !sufficient && self.is_runnable(current) {
            self.set_thread_state(current, ThreadState::Restart);
        }
        sufficient
    }

    #[inline]
    fn handle_syscall(&mut self, current: ThreadId, syscall: Syscall, cptr: usize) {
        let first_phase = |kernel: &mut Self, register| {
            let cptr = kernel.objects.threads[current].context[register];
            kernel.handle_invocation(current, cptr, InvocationKind::FirstPhase);
            !kernel.preempted
        };
        match syscall {
            Syscall::Call => self.handle_invocation(current, cptr, InvocationKind::Call),
            Syscall::Send => self.handle_invocation(current, cptr, InvocationKind::Send),
            Syscall::NBSend => self.handle_invocation(current, cptr, InvocationKind::NBSend),
            Syscall::ReplyRecv => {
                let can_receive = match self.config.mcs {
                    true => first_phase(self, arch::REPLY),
                    false => {
                        self.handle_reply(current);
                        true
                    }
                };
                if can_receive {
                    self.handle_recv(current, RecvKind::Recv);
                }
            }
            Syscall::NBSendRecv => {
                if first_phase(self, arch::DESTINATION) {
                    self.handle_recv(current, RecvKind::Recv);
                }
            }
            Syscall::NBSendWait => {
                if first_phase(self, arch::REPLY) {
                    self.handle_recv(current, RecvKind::Wait);
                }
            }
            Syscall::Recv => self.handle_recv(current, RecvKind::Recv),
            Syscall::NBRecv => self.handle_recv(current, RecvKind::NBRecv),
            Syscall::Wait => self.handle_recv(current, RecvKind::Wait),
            Syscall::NBWait => self.handle_recv(current, RecvKind::NBWait),
            Syscall::Reply => self.handle_reply(current),
            Syscall::Yield => self.handle_yield(current),
        }
        if core::mem::take(&mut self.preempted) {
            self.handle_preemption(current);
        }
    }

    /// Invokes a capability: sends to an endpoint or a notification, replies, or invokes an object
    /// of the kernel.
    fn handle_invocation(&mut self, thread: ThreadId, cptr: usize, kind: InvocationKind) {
        let info = self.message_info(thread);
        let (slot, cap) = match self.lookup_slot(thread, cptr) {
            Ok(slot) => (slot, self.slots.cap(slot)),
            Err(failure) => return self.handle_missing_cap(thread, cptr, failure, kind),
        };
        let uses_buffer = info.extra_caps() != 0 || info.length() > NUM_MSG_REGISTERS;
        let buffer = match uses_buffer {
            true => self.lookup_ipc_buffer(thread, false),
            false => None,
        };
        let extra_caps = match self.lookup_extra_caps(thread, buffer, info) {
            Ok(extra_caps) => extra_caps,
            Err((cptr, failure)) => return self.handle_missing_cap(thread, cptr, failure, kind),
        };
        let result = match cap {
            Cap::Endpoint {
                object,
                badge,
                rights,
            } if rights.allow_write() => {
                self.begin_perform(thread);
                let options = SendOptions {
                    blocking: kind.is_blocking(),
                    is_call: kind.is_call(),
                    can_donate: kind.can_donate(),
                };
                self.send_ipc(thread, object, badge, rights, options);
                Ok(())
            }
            Cap::Notification {
                object,
                badge,
                rights,
            } if rights.allow_write() => {
                self.begin_perform(thread);
                self.send_signal(object, badge);
                Ok(())
            }
            Cap::Reply {
                thread: receiver,
                master: false,
                can_grant,
            } => {
                self.begin_perform(thread);
                self.do_reply_transfer(thread, receiver, slot, can_grant);
                Ok(())
            }
            Cap::ReplyObject { object, can_grant } => {
                self.begin_perform(thread);
                self.do_reply_transfer_mcs(thread, object, can_grant);
                Ok(())
            }
            Cap::Thread(_)
            | Cap::Domain
            | Cap::CNode { .. }
            | Cap::SchedControl
            | Cap::SchedContext { .. }
                if kind == InvocationKind::FirstPhase =>
            {
                Err(Error::InvalidCapability(0))
            }
            _ => self.decode_invocation(&Request {
                thread,
                cap,
                slot,
                invocation: self.labels.get(info.label()),
                length: match buffer {
                    Some(_) => info.length(),
                    None => info.length().min(NUM_MSG_REGISTERS),
                },
                buffer,
                extra_caps,
                is_call: kind.is_call(),
            }),
        };
        self.finish_invocation(thread, kind, result);
    }

    /// Replies to the system call with the invocation's result, unless performing it has done so.
    fn finish_invocation(
        &mut self,
        thread: ThreadId,
        kind: InvocationKind,
        result: InvocationResult,
    ) {
        if self.preempted {
            // The thread stays in the state `Restart`, and makes the system call again.
        } else if let Err(error) = result {
            self.machine.event(Event::Refused { thread, error });
            if kind.is_call() {
                self.reply_from_kernel_error(thread, error);
            }
        } else if self.objects.threads[thread].state == ThreadState::Restart {
            if kind.is_call() {
                self.reply_from_kernel_success_empty(thread);
            }
            self.set_thread_state(thread, ThreadState::Running);
        }
    }

    /// Ends a kernel entry in the middle of a long operation. The interrupt is handled at the end
    /// of the entry, and the thread makes the system call again.
    fn handle_preemption(&mut self, thread: ThreadId) {
        self.machine.event(Event::Preempted { thread });
        if !self.config.mcs {
            return;
        }
        if self.is_schedulable(thread) {
            self.check_budget();
        } else {
            self.charge_budget(self.scheduler.consumed, false);
        }
    }

    /// Raises the capability fault of a failed lookup, if the invocation is blocking.
    fn handle_missing_cap(
        &mut self,
        thread: ThreadId,
        cptr: usize,
        failure: LookupFailure,
        kind: InvocationKind,
    ) {
        self.machine.event(Event::NotFound {
            thread,
            cptr,
            failure,
        });
        if kind.is_blocking() {
            let fault = Fault::Cap {
                address: cptr,
                receiving: false,
            };
            self.handle_fault(thread, fault, failure);
        }
    }

    /// Replies with the capability in the thread's caller slot, if there is one.
    fn handle_reply(&mut self, current: ThreadId) {
        let slot = self.objects.threads[current].slot(crate::thread::TcbSlot::Caller);
        if let Cap::Reply {
            thread,
            master: false,
            can_grant,
        } = self.slots.cap(slot)
        {
            self.do_reply_transfer(current, thread, slot, can_grant);
        }
    }

    /// Receives from an endpoint, or waits for a notification.
    fn handle_recv(&mut self, current: ThreadId, kind: RecvKind) {
        if let Err((address, failure)) = self.try_recv(current, kind) {
            let fault = Fault::Cap {
                address,
                receiving: true,
            };
            self.handle_fault(current, fault, failure);
        }
    }

    /// Receives, unless a capability is missing. Returns the address of the missing one.
    fn try_recv(
        &mut self,
        current: ThreadId,
        kind: RecvKind,
    ) -> Result<(), (usize, LookupFailure)> {
        let cptr = self.objects.threads[current].context[arch::CAP];
        match self.lookup_cap(current, cptr) {
            Ok(Cap::Endpoint { object, rights, .. }) if rights.allow_read() => {
                let mut reply = None;
                if !self.config.mcs {
                    self.delete_caller_cap(current);
                } else if kind.can_reply() {
                    reply = Some(self.lookup_reply(current)?);
                }
                self.receive_ipc(current, object, rights, kind.is_blocking(), reply);
                Ok(())
            }
            Ok(Cap::Notification { object, rights, .. })
                if rights.allow_read() && {
                    let bound = self.objects.notifications[object].bound_tcb;
                    bound.is_none_or(|bound| bound == current)
                } =>
            {
                self.receive_signal(current, object, kind.is_blocking());
                Ok(())
            }
            Ok(_) => Err((cptr, LookupFailure::MissingCapability { bits_left: 0 })),
            Err(failure) => Err((cptr, failure)),
        }
    }

    /// Looks up the reply object that a receiving thread names. Fails with the address that names
    /// none.
    fn lookup_reply(&self, thread: ThreadId) -> Result<Id<Reply>, (usize, LookupFailure)> {
        let cptr = self.objects.threads[thread].context[arch::REPLY];
        match self.lookup_cap(thread, cptr) {
            Ok(Cap::ReplyObject { object, .. }) => Ok(object),
            Ok(_) => Err((cptr, LookupFailure::MissingCapability { bits_left: 0 })),
            Err(failure) => Err((cptr, failure)),
        }
    }

    /// Yields to the other threads of this priority. With mixed-criticality scheduling, gives up
    /// the rest of the head refill.
    fn handle_yield(&mut self, current: ThreadId) {
        if !self.config.mcs {
            self.tcb_sched_dequeue(current);
            self.tcb_sched_append(current);
            self.reschedule_required();
        } else if let Some(sc) = self.scheduler.cur_sc {
            let consumed = self.objects.sched_contexts[sc].consumed + self.scheduler.consumed;
            let left = self.objects.sched_contexts[sc].refills.refill_head().amount;
            self.charge_budget(left, false);
            self.objects.sched_contexts[sc].consumed = consumed;
        }
    }
}
