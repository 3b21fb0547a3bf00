// SPDX-License-Identifier: GPL-2.0-only

//! Hostile choices, by a seed, where the kernel's specification leaves something open: words in
//! registers, and the moment at which a long operation is preempted.

use crate::arch;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::{MessageInfo, NUM_MSG_REGISTERS};
use crate::thread::ThreadId;

/// Units of work between two looks for an interrupt: `KernelMaxNumWorkUnitsPerPreemption`.
const MAX_WORK_UNITS: u32 = 100;

/// Upper half of a poisoned message register. No architecture has user memory there.
const POISON: u64 = 0xdead_0000_0000_0000;

/// Preemption of a long operation, whose system call the thread makes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preempted;

/// Generator of hostile choices (SplitMix64), if the configuration wants any.
#[derive(Clone, Copy, Default)]
pub(crate) struct Hostile(Option<u64>);

impl Hostile {
    pub fn new(seed: Option<u64>) -> Self {
        Hostile(seed)
    }

    /// Returns the next number, or `None` without hostile choices.
    fn next(&mut self) -> Option<u64> {
        let state = self.0.as_mut()?;
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = *state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(word ^ word >> 31)
    }
}

impl<M: Machine> Kernel<M> {
    /// Overwrites the message info and the message registers of a thread that has received a
    /// signal, or nothing. The kernel sets only the badge then.
    pub(crate) fn poison_message(&mut self, thread: ThreadId) {
        let Some(word) = self.hostile.next() else {
            return;
        };
        // Half of these infos look like that of a small message.
        let info = match word & 1 {
            0 => MessageInfo(word as usize),
            _ => MessageInfo::new(word as usize >> 8 & 7, 0, 0, word as usize >> 16 & 3),
        };
        self.objects.threads[thread].context[arch::INFO] = info.0;
        self.poison_mrs(thread, 0);
    }

    /// Overwrites the message registers from `length` on, which a message of this length leaves
    /// open.
    #[inline]
    pub(crate) fn poison_mrs(&mut self, thread: ThreadId, length: usize) {
        for register in arch::MESSAGE.iter().take(NUM_MSG_REGISTERS).skip(length) {
            let Some(word) = self.hostile.next() else {
                return;
            };
            let word = POISON | word >> 16;
            self.objects.threads[thread].context[*register] = word as usize;
        }
    }

    /// Counts a unit of work of a long operation. Fails if an interrupt is to be handled first.
    pub(crate) fn preemption_point(&mut self) -> Result<(), Preempted> {
        self.work_units += 1;
        if self.work_units < MAX_WORK_UNITS {
            return Ok(());
        }
        self.work_units = 0;
        // A kernel may be interrupted at any of these points, also by an interrupt that changes
        // nothing.
        let mut pending = self.machine.interrupt_pending();
        pending |= self.hostile.next().is_some_and(|word| word % 4 == 0);
        pending |= match self.config.mcs {
            true => self.is_time_over(),
            false => self.count_work(),
        };
        match pending {
            true => Err(Preempted),
            false => Ok(()),
        }
    }

    /// Returns whether the budget or the domain's time has run out during a long operation.
    fn is_time_over(&mut self) -> bool {
        self.update_timestamp();
        let consumed = self.scheduler.consumed;
        let has_budget = self.scheduler.cur_sc.is_some_and(|sc| {
            let refills = &self.objects.sched_contexts[sc].refills;
            refills.is_active() && refills.refill_sufficient(consumed)
        });
        self.is_cur_domain_expired() || !has_budget
    }
}
