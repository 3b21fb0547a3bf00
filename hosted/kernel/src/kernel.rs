// SPDX-License-Identifier: GPL-2.0-only

//! The kernel's state.

use crate::arch::{self, Context};
use crate::arena::Id;
use crate::config::Config;
use crate::cte::Slots;
use crate::hostile::Hostile;
use crate::interrupt::InterruptState;
use crate::invocation::Labels;
use crate::io_port::IoPorts;
use crate::machine::Machine;
use crate::objects::{AsidPool, Objects};
use crate::scheduler::Scheduler;
use crate::thread::ThreadId;
use crate::tools::{DelayedSignal, Injection};

/// Kernel on a machine.
pub struct Kernel<M> {
    pub(crate) machine: M,
    pub(crate) config: Config,
    pub(crate) labels: Labels,
    pub(crate) slots: Slots,
    pub(crate) objects: Objects,
    pub(crate) scheduler: Scheduler,
    pub(crate) irqs: InterruptState,
    pub(crate) ports: IoPorts,
    pub(crate) asid_table: [Option<Id<AsidPool>>; arch::ASID_POOLS],
    pub(crate) halted: bool,
    pub(crate) entries: u64,
    pub(crate) threads_created: u64,
    pub(crate) retypes: u64,
    pub(crate) signals: u64,
    /// Units of work since the last look for an interrupt.
    pub(crate) work_units: u32,
    /// Set if the current invocation was preempted.
    pub(crate) preempted: bool,
    pub(crate) hostile: Hostile,
    pub(crate) delayed_signals: Vec<DelayedSignal>,
    pub(crate) injection: Injection,
}

impl<M: Machine> Kernel<M> {
    /// Returns the current thread. `None`: no thread is runnable until an interrupt arrives.
    #[must_use]
    pub fn current(&self) -> Option<ThreadId> {
        match self.halted {
            true => None,
            false => self.scheduler.cur_thread,
        }
    }

    /// Returns whether a thread has halted the system.
    #[must_use]
    pub const fn is_halted(&self) -> bool {
        self.halted
    }

    /// Returns the registers of a thread.
    #[must_use]
    pub fn context(&self, thread: ThreadId) -> &Context {
        &self.objects.threads[thread].context
    }

    /// Returns the registers of a thread, to change them.
    pub fn context_mut(&mut self, thread: ThreadId) -> &mut Context {
        &mut self.objects.threads[thread].context
    }

    /// Returns the machine.
    #[must_use]
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// Returns the machine, to change it.
    pub const fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// Returns the number of kernel entries since boot.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Prints to the console, if the kernel is a debug build.
    pub(crate) fn print(&mut self, text: &str) {
        if self.config.debug {
            for byte in text.bytes() {
                self.machine.put_char(byte);
            }
        }
    }
}
