// SPDX-License-Identifier: BSD-2-Clause

//! The kernel: its state, and how threads, faults and interrupts enter it.

use crate::arch::{self, Context};
use crate::config::Config;
use crate::error::LookupFailure;
use crate::event::Event;
use crate::fault::Fault;
use crate::invocation::Labels;
use crate::irq::Irqs;
use crate::machine::Machine;
use crate::objects::{Objects, Pool};
use crate::ports::Ports;
use crate::scheduler::Scheduler;
use crate::slots::Slots;
use crate::thread::{State, ThreadId};

/// A kernel, on a machine.
pub struct Kernel<M> {
    pub(crate) machine: M,
    pub(crate) config: Config,
    pub(crate) labels: Labels,
    pub(crate) slots: Slots,
    pub(crate) objects: Objects,
    pub(crate) scheduler: Scheduler,
    pub(crate) irqs: Irqs,
    pub(crate) ports: Ports,
    pub(crate) pools: [Option<crate::arena::Id<Pool>>; arch::ASID_POOLS],
    pub(crate) halted: bool,
    pub(crate) entries: u64,
    pub(crate) threads_made: u64,
    pub(crate) retypes: u64,
    pub(crate) injection: crate::tools::Injection,
}

/// System calls, by libsel4's numbers.
mod number {
    pub const CALL: isize = -1;
    pub const REPLY_RECV: isize = -2;
    pub const SEND: isize = -3;
    pub const NB_SEND: isize = -4;
    pub const RECV: isize = -5;
    pub const REPLY: isize = -6;
    pub const YIELD: isize = -7;
    pub const NB_RECV: isize = -8;
}

impl<M: Machine> Kernel<M> {
    /// The thread that runs. None: nobody can, until an interrupt comes.
    #[must_use]
    pub fn current(&self) -> Option<ThreadId> {
        match self.halted {
            true => None,
            false => self.scheduler.current,
        }
    }

    /// Whether a thread has halted the system.
    #[must_use]
    pub const fn is_halted(&self) -> bool {
        self.halted
    }

    /// The registers of a thread.
    #[must_use]
    pub fn context(&self, thread: ThreadId) -> &Context {
        &self.objects.threads[thread].context
    }

    /// The registers of a thread.
    pub fn context_mut(&mut self, thread: ThreadId) -> &mut Context {
        &mut self.objects.threads[thread].context
    }

    /// The machine.
    #[must_use]
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// The machine.
    pub const fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// How often the kernel was entered.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// The current thread makes a system call. Its context has the arguments, and the answer when
    /// it runs again.
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
        match number {
            number::CALL => self.invoke(current, cptr, true, true),
            number::REPLY_RECV => {
                self.reply_to_caller(current);
                self.receive_by(current, true);
            }
            number::SEND => self.invoke(current, cptr, false, true),
            number::NB_SEND => self.invoke(current, cptr, false, false),
            number::RECV => self.receive_by(current, true),
            number::REPLY => self.reply_to_caller(current),
            number::YIELD => self.yield_now(current),
            number::NB_RECV => self.receive_by(current, false),
            other => {
                if self.debug_call(current, other) {
                    return;
                }
                let fault = Fault::UnknownSyscall(other.cast_unsigned());
                self.handle_fault(current, fault, LookupFailure::InvalidRoot);
            }
        }
        self.leave();
    }

    /// The current thread cannot go on by itself. Its context has it at the instruction that
    /// went wrong.
    pub fn fault(&mut self, fault: Fault) {
        let Some(current) = self.current() else {
            return;
        };
        self.entries += 1;
        self.handle_fault(current, fault, LookupFailure::InvalidRoot);
        self.leave();
    }

    /// An interrupt has come.
    pub fn interrupt(&mut self, irq: usize) {
        if self.halted {
            return;
        }
        self.entries += 1;
        self.machine.event(Event::Interrupt(irq));
        // A thread that is interrupted goes on where it was.
        if let Some(current) = self.scheduler.current {
            let thread = &mut self.objects.threads[current];
            if thread.state == State::Running {
                thread.context[arch::IP] = thread.context.next;
            }
        }
        self.handle_interrupt(irq);
        self.schedule();
    }

    /// Ends an entry by a thread.
    #[inline]
    fn leave(&mut self) {
        self.count_entry();
        self.schedule();
    }

    /// Prints, where the kernel does.
    pub(crate) fn say(&mut self, text: &str) {
        if self.config.debug {
            for byte in text.bytes() {
                self.machine.put_char(byte);
            }
        }
    }
}
