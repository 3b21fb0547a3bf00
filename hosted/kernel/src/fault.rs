// SPDX-License-Identifier: GPL-2.0-only

//! Faults: what goes wrong in a thread becomes a message to its handler.

use core::fmt;

use crate::arch;
use crate::cap::Cap;
use crate::error::LookupFailure;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::{MSG_REGISTERS, MessageInfo};
use crate::thread::{TcbSlot, ThreadId, ThreadState};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A capability that a system call needs is not there.
    Cap {
        /// Its address.
        address: usize,
        /// Whether something was to be received with it.
        receiving: bool,
    },
    /// Memory that is not there, or not to be used so.
    Vm {
        /// Its address.
        address: usize,
        /// The processor's status word.
        status: usize,
        /// Whether an instruction was to be fetched.
        instruction: bool,
    },
    /// The budget of its scheduling context has ended.
    Timeout {
        /// The scheduling context's badge.
        badge: usize,
    },
    /// A system call that does not exist.
    UnknownSyscall(usize),
    /// An exception of the processor.
    UserException {
        /// Its number.
        number: usize,
        /// Its code.
        code: usize,
    },
}

impl Fault {
    /// The label of the message: `seL4_Fault_tag`.
    fn label(self, mcs: bool) -> usize {
        match self {
            Fault::Cap { .. } => 1,
            Fault::UnknownSyscall(_) => 2,
            Fault::UserException { .. } => 3,
            Fault::Timeout { .. } => 5,
            Fault::Vm { .. } => arch::vm_fault(mcs),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Fault::Cap { address, receiving } => {
                let what = if *receiving {
                    "receive from"
                } else {
                    "send to"
                };
                write!(f, "no capability to {what} at {address:#x}")
            }
            Fault::Vm {
                address,
                status,
                instruction,
            } => {
                let what = if *instruction { "code" } else { "data" };
                write!(f, "no {what} at {address:#x}, status {status:#x}")
            }
            Fault::Timeout { badge } => write!(f, "no budget is left, badge {badge}"),
            Fault::UnknownSyscall(number) => {
                write!(f, "unknown system call {}", number.cast_signed())
            }
            Fault::UserException { number, code } => {
                write!(f, "exception {number}, code {code:#x}")
            }
        }
    }
}

impl<M: Machine> Kernel<M> {
    /// A thread cannot go on: its handler is told, or it stops.
    pub(crate) fn handle_fault(&mut self, thread: ThreadId, fault: Fault, failure: LookupFailure) {
        self.machine.event(Event::Fault { thread, fault });
        let handler = self.objects.threads[thread].fault_handler;
        let found = match self.config.mcs {
            true => Ok(self.objects.threads[thread].slot(TcbSlot::FaultHandler)),
            false => self.lookup_slot(thread, handler),
        };
        match found.map(|slot| self.slots.cap(slot)) {
            Ok(cap @ Cap::Endpoint { .. }) if self.config.mcs => {
                self.objects.threads[thread].lookup_failure = failure;
                let lends = self.objects.threads[thread].sched_context.is_some();
                self.send_fault_ipc(thread, fault, cap, lends);
            }
            Ok(Cap::Endpoint {
                object,
                badge,
                rights,
            }) if rights.write() && (rights.grant() || rights.grant_reply()) => {
                let tcb = &mut self.objects.threads[thread];
                tcb.fault = Some(fault);
                if matches!(fault, Fault::Cap { .. }) {
                    tcb.lookup_failure = failure;
                }
                self.send_ipc(
                    thread,
                    object,
                    badge,
                    rights.grant(),
                    true,
                    true,
                    true,
                    false,
                );
            }
            _ => {
                let tcb = &self.objects.threads[thread];
                let (name, ip) = (&tcb.name, tcb.context[arch::IP]);
                let text = format!(
                    "thread `{name}` stops at {ip:#x}: {fault}; it has no fault handler at {handler:#x}\n"
                );
                self.print(&text);
                self.set_thread_state(thread, ThreadState::Inactive);
            }
        }
    }

    /// Sends a fault to a handler that has a reply object.
    pub(crate) fn send_fault_ipc(
        &mut self,
        thread: ThreadId,
        fault: Fault,
        handler: Cap,
        lends: bool,
    ) {
        if let Cap::Endpoint {
            object,
            badge,
            rights,
        } = handler
        {
            self.objects.threads[thread].fault = Some(fault);
            let (grant, grant_reply) = (rights.grant(), rights.grant_reply());
            self.send_ipc(
                thread,
                object,
                badge,
                grant,
                grant_reply,
                false,
                true,
                lends,
            );
        }
    }

    /// Describes a thread's fault to its handler.
    pub(crate) fn do_fault_transfer(&mut self, from: ThreadId, badge: usize, to: ThreadId) {
        let Some(fault) = self.objects.threads[from].fault else {
            return;
        };
        let buffer = self.lookup_ipc_buffer(to, true);
        let ip = self.objects.threads[from].context[arch::IP];
        let consumed = match (fault, self.objects.threads[from].sched_context) {
            (Fault::Timeout { .. }, Some(context)) => {
                Some(self.sched_context_update_consumed(context))
            }
            _ => None,
        };
        let mut length = 0;
        let mut put = |kernel: &mut Self, index: usize, word: usize| {
            length = kernel.set_mr(to, buffer, index, word);
        };
        match fault {
            Fault::Cap { address, receiving } => {
                let (words, count) = self.objects.threads[from].lookup_failure.words();
                let head = [ip, address, receiving.into()];
                let all = head.iter().chain(&words[..count]);
                for (index, word) in all.enumerate() {
                    put(self, index, *word);
                }
            }
            Fault::Vm {
                address,
                status,
                instruction,
            } => {
                let words = [ip, address, instruction.into(), status];
                for (index, word) in words.into_iter().enumerate() {
                    put(self, index, word);
                }
            }
            Fault::UnknownSyscall(number) => {
                for (index, register) in arch::SYSCALL_MESSAGE.into_iter().enumerate() {
                    let word = self.objects.threads[from].context[register];
                    put(self, index, word);
                }
                put(self, arch::SYSCALL_MESSAGE.len(), number);
            }
            Fault::Timeout { badge } => {
                put(self, 0, badge);
                if let Some(consumed) = consumed {
                    put(self, 1, consumed);
                }
            }
            Fault::UserException { number, code } => {
                for (index, register) in arch::EXCEPTION_MESSAGE.into_iter().enumerate() {
                    let word = self.objects.threads[from].context[register];
                    put(self, index, word);
                }
                put(self, arch::EXCEPTION_MESSAGE.len(), number);
                put(self, arch::EXCEPTION_MESSAGE.len() + 1, code);
            }
        }
        self.set_badge_and_info(
            to,
            badge,
            MessageInfo::new(fault.label(self.config.mcs), 0, 0, length),
        );
    }

    /// Takes what a handler replies to a fault. Whether the thread goes on.
    pub(crate) fn handle_fault_reply(
        &mut self,
        fault: Fault,
        thread: ThreadId,
        by: ThreadId,
    ) -> bool {
        let registers: &[arch::Register] = match fault {
            Fault::Cap { .. } | Fault::Vm { .. } => return true,
            Fault::Timeout { .. } => &arch::TIMEOUT_REPLY,
            Fault::UnknownSyscall(_) => &arch::SYSCALL_MESSAGE,
            Fault::UserException { .. } => &arch::EXCEPTION_MESSAGE,
        };
        let info = self.message_info(by);
        let buffer = self.lookup_ipc_buffer(by, false);
        let count = match buffer {
            Some(_) => info.length(),
            None => info.length().min(MSG_REGISTERS),
        };
        for (index, register) in registers.iter().take(count).enumerate() {
            let word = self.get_mr(by, buffer, index);
            self.objects.threads[thread]
                .context
                .set(*register as usize, word);
        }
        info.label() == 0
    }
}
