// SPDX-License-Identifier: GPL-2.0-only

//! Faults, which are messages to a thread's fault handler.

use core::fmt;

use crate::arch::{self, Register};
use crate::cap::Cap;
use crate::endpoint::SendOptions;
use crate::error::LookupFailure;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::{MessageInfo, NUM_MSG_REGISTERS};
use crate::thread::{TcbSlot, ThreadId, ThreadState};

/// Fault of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Capability fault: a system call names a capability that is missing.
    Cap {
        /// Address of the capability.
        address: usize,
        /// Set in the receive phase of the system call.
        receiving: bool,
    },
    /// Virtual memory fault.
    Vm {
        /// Faulting address.
        address: usize,
        /// Fault status register.
        status: usize,
        /// Set for an instruction fetch.
        instruction: bool,
    },
    /// Timeout fault: the scheduling context's budget is used up.
    Timeout {
        /// Badge of the scheduling context.
        badge: usize,
    },
    /// Unknown system call, with its number.
    UnknownSyscall(usize),
    /// User exception: an exception of the processor.
    UserException {
        /// Number of the exception.
        number: usize,
        /// Error code of the exception.
        code: usize,
    },
}

impl Fault {
    /// Returns the `seL4_Fault_tag`, which is the label of the fault message.
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
    /// Sends a thread's fault to its fault handler. Without a handler the thread stops.
    pub(crate) fn handle_fault(&mut self, thread: ThreadId, fault: Fault, failure: LookupFailure) {
        self.machine.event(Event::Fault { thread, fault });
        let tcb = &self.objects.threads[thread];
        let handler = match self.config.mcs {
            true => Ok(self.slots.cap(tcb.slot(TcbSlot::FaultHandler))),
            false => self.lookup_cap(thread, tcb.fault_handler),
        };
        let can_donate = tcb.sched_context.is_some();
        match handler {
            Ok(handler @ Cap::Endpoint { .. }) if self.config.mcs => {
                self.objects.threads[thread].lookup_failure = failure;
                self.send_fault_ipc(thread, fault, handler, can_donate);
            }
            Ok(Cap::Endpoint {
                object,
                badge,
                rights,
            }) if rights.allow_write() && rights.allow_reply() => {
                let tcb = &mut self.objects.threads[thread];
                tcb.fault = Some(fault);
                if matches!(fault, Fault::Cap { .. }) {
                    tcb.lookup_failure = failure;
                }
                let options = SendOptions {
                    blocking: true,
                    is_call: true,
                    can_donate: false,
                };
                self.send_ipc(thread, object, badge, rights, options);
            }
            _ => self.handle_no_fault_handler(thread, fault),
        }
    }

    /// Sends a fault, with mixed-criticality scheduling.
    pub(crate) fn send_fault_ipc(
        &mut self,
        thread: ThreadId,
        fault: Fault,
        handler: Cap,
        can_donate: bool,
    ) {
        if let Cap::Endpoint {
            object,
            badge,
            rights,
        } = handler
        {
            self.objects.threads[thread].fault = Some(fault);
            let options = SendOptions {
                blocking: true,
                is_call: false,
                can_donate,
            };
            self.send_ipc(thread, object, badge, rights, options);
        }
    }

    fn handle_no_fault_handler(&mut self, thread: ThreadId, fault: Fault) {
        let tcb = &self.objects.threads[thread];
        let (name, ip, handler) = (&tcb.name, tcb.context[arch::IP], tcb.fault_handler);
        let text = format!(
            "thread `{name}` stops at {ip:#x}: {fault}; it has no fault handler at {handler:#x}\n"
        );
        self.print(&text);
        self.set_thread_state(thread, ThreadState::Inactive);
    }

    /// Transfers the message that describes a fault.
    pub(crate) fn do_fault_transfer(
        &mut self,
        sender: ThreadId,
        fault: Fault,
        badge: usize,
        receiver: ThreadId,
    ) {
        let tcb = &self.objects.threads[sender];
        let (context, lookup_failure) = (tcb.context.clone(), tcb.lookup_failure);
        let registers = |list: &'static [Register]| list.iter().map(|register| context[*register]);
        let ip = context[arch::IP];
        let length = match fault {
            Fault::Cap { address, receiving } => {
                let (words, count) = lookup_failure.words();
                let head = [ip, address, receiving.into()];
                self.set_mrs(
                    receiver,
                    head.into_iter().chain(words.into_iter().take(count)),
                )
            }
            Fault::Vm {
                address,
                status,
                instruction,
            } => self.set_mrs(receiver, [ip, address, instruction.into(), status]),
            Fault::UnknownSyscall(number) => {
                let words = registers(&arch::SYSCALL_MESSAGE).chain([number]);
                self.set_mrs(receiver, words)
            }
            Fault::Timeout { badge } => {
                let sc = tcb.sched_context;
                let consumed = sc.map(|sc| self.sched_context_update_consumed(sc));
                self.set_mrs(receiver, [badge].into_iter().chain(consumed))
            }
            Fault::UserException { number, code } => {
                let words = registers(&arch::EXCEPTION_MESSAGE).chain([number, code]);
                self.set_mrs(receiver, words)
            }
        };
        let info = MessageInfo::new(fault.label(self.config.mcs), 0, 0, length);
        self.set_badge_and_info(receiver, badge, info);
    }

    /// Applies a handler's reply to the registers of the faulting thread. Returns whether the
    /// thread restarts.
    pub(crate) fn handle_fault_reply(
        &mut self,
        fault: Fault,
        thread: ThreadId,
        handler: ThreadId,
    ) -> bool {
        let registers: &[Register] = match fault {
            Fault::Cap { .. } | Fault::Vm { .. } => return true,
            Fault::Timeout { .. } => &arch::TIMEOUT_REPLY,
            Fault::UnknownSyscall(_) => &arch::SYSCALL_MESSAGE,
            Fault::UserException { .. } => &arch::EXCEPTION_MESSAGE,
        };
        let info = self.message_info(handler);
        let buffer = self.lookup_ipc_buffer(handler, false);
        let count = match buffer {
            Some(_) => info.length(),
            None => info.length().min(NUM_MSG_REGISTERS),
        };
        for (index, register) in registers.iter().take(count).enumerate() {
            let word = self.get_mr(handler, buffer, index);
            let context = &mut self.objects.threads[thread].context;
            context.set(*register as usize, word);
        }
        info.label() == 0
    }
}
