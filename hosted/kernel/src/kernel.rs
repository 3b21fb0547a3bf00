// SPDX-License-Identifier: GPL-2.0-only

//! The kernel: its state, and how threads, faults and interrupts enter it.

use crate::arch::{self, Context};
use crate::config::Config;
use crate::error::LookupFailure;
use crate::event::Event;
use crate::fault::Fault;
use crate::invocation::Labels;
use crate::irq::InterruptState;
use crate::machine::Machine;
use crate::objects::{AsidPool, Objects};
use crate::ports::IoPorts;
use crate::request::Manner;
use crate::scheduler::Scheduler;
use crate::slots::Slots;
use crate::thread::{ThreadId, ThreadState};
use crate::tools::{DelayedSignal, Injection};

/// A kernel, on a machine.
pub struct Kernel<M> {
    pub(crate) machine: M,
    pub(crate) config: Config,
    pub(crate) labels: Labels,
    pub(crate) slots: Slots,
    pub(crate) objects: Objects,
    pub(crate) scheduler: Scheduler,
    pub(crate) irqs: InterruptState,
    pub(crate) ports: IoPorts,
    pub(crate) asid_table: [Option<crate::arena::Id<AsidPool>>; arch::ASID_POOLS],
    pub(crate) halted: bool,
    pub(crate) entries: u64,
    pub(crate) threads_created: u64,
    pub(crate) retypes: u64,
    pub(crate) signals: u64,
    pub(crate) delayed_signals: Vec<DelayedSignal>,
    pub(crate) injection: Injection,
}

/// System calls that are no debug calls.
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
    /// By libsel4's number.
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

impl<M: Machine> Kernel<M> {
    /// The thread that runs. None: nobody can, until an interrupt comes.
    #[must_use]
    pub fn current(&self) -> Option<ThreadId> {
        match self.halted {
            true => None,
            false => self.scheduler.cur_thread,
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

    #[inline]
    fn handle_syscall(&mut self, current: ThreadId, syscall: Syscall, cptr: usize) {
        let send = Manner {
            call: false,
            blocking: true,
            donate: false,
            first: false,
        };
        // What it sends first, where it receives then.
        let first = Manner {
            blocking: false,
            donate: true,
            first: true,
            ..send
        };
        let register = |kernel: &Self, register| kernel.objects.threads[current].context[register];
        match syscall {
            Syscall::Call => {
                let manner = Manner {
                    call: true,
                    donate: true,
                    ..send
                };
                self.handle_invocation(current, cptr, manner);
            }
            Syscall::Send => self.handle_invocation(current, cptr, send),
            Syscall::NBSend => {
                let manner = Manner {
                    blocking: false,
                    ..send
                };
                self.handle_invocation(current, cptr, manner);
            }
            Syscall::ReplyRecv if self.config.mcs => {
                self.handle_invocation(current, register(self, arch::REPLY), first);
                self.handle_recv(current, true, true);
            }
            Syscall::ReplyRecv => {
                self.handle_reply(current);
                self.handle_recv(current, true, true);
            }
            Syscall::NBSendRecv => {
                self.handle_invocation(current, register(self, arch::DESTINATION), first);
                self.handle_recv(current, true, true);
            }
            Syscall::NBSendWait => {
                self.handle_invocation(current, register(self, arch::REPLY), first);
                self.handle_recv(current, true, false);
            }
            Syscall::Recv => self.handle_recv(current, true, true),
            Syscall::NBRecv => self.handle_recv(current, false, true),
            Syscall::Wait => self.handle_recv(current, true, false),
            Syscall::NBWait => self.handle_recv(current, false, false),
            Syscall::Reply => self.handle_reply(current),
            Syscall::Yield if self.config.mcs => self.yield_sched_context(),
            Syscall::Yield => self.handle_yield(current),
        }
    }

    /// Whether who enters has budget for it, where that counts; else it begins again later.
    #[inline]
    fn check_budget_restart(&mut self, current: ThreadId) -> bool {
        if !self.config.mcs {
            return true;
        }
        self.update_timestamp();
        let has = self.check_budget();
        if !has && self.is_runnable(current) {
            self.set_thread_state(current, ThreadState::Restart);
        }
        has
    }

    /// The current thread cannot go on by itself. Its context has it at the instruction that
    /// went wrong.
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

    /// An interrupt has come.
    pub fn interrupt(&mut self, irq: usize) {
        if self.halted {
            return;
        }
        self.entries += 1;
        self.machine.event(Event::Interrupt(irq));
        // A thread that is interrupted goes on where it was.
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

    /// Ends an entry by a thread.
    #[inline]
    fn exit_syscall(&mut self) {
        if !self.config.mcs {
            self.count_entry();
        }
        self.exit_kernel();
    }

    /// Prints, where the kernel does.
    pub(crate) fn print(&mut self, text: &str) {
        if self.config.debug {
            for byte in text.bytes() {
                self.machine.put_char(byte);
            }
        }
    }
}
