// SPDX-License-Identifier: BSD-2-Clause

//! Time, which passes with the actions of threads, and the timer interrupts.

use super::Platform;
use crate::machine::NEVER;
use crate::signals;

impl Platform {
    /// Counts a kernel entry, which takes a microsecond.
    #[inline]
    pub(super) fn count_entry(&mut self) {
        signals::count_entry();
        self.kernel.machine_mut().time += 1;
        if !self.is_mcs {
            return;
        }
        if let Some(state) = &mut self.seed {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            if state.is_multiple_of(8) {
                self.advance_to_next_deadline();
            }
        }
    }

    /// Advances the time to the next timer interrupt. Returns whether there is one.
    pub(super) fn advance_to_next_deadline(&mut self) -> bool {
        let deadline = self.kernel.deadline().filter(|_| self.is_mcs);
        let of_device = self.device_deadline().map_or(NEVER, |(time, _)| time);
        let next = deadline
            .unwrap_or(NEVER)
            .min(self.kernel.machine().next_alarm)
            .min(of_device);
        let time = &mut self.kernel.machine_mut().time;
        if next != NEVER {
            *time = next.max(*time);
        }
        next != NEVER
    }

    /// Sets the alarm of interrupt `irq`, or clears it with [`NEVER`].
    pub(super) fn set_alarm(&mut self, irq: usize, deadline: u64) {
        self.alarms.retain(|alarm| alarm.1 != irq);
        if deadline != NEVER {
            self.alarms.insert((deadline, irq));
        }
        self.find_next_alarm();
    }

    fn find_next_alarm(&mut self) {
        self.kernel.machine_mut().next_alarm = self.alarms.first().map_or(NEVER, |alarm| alarm.0);
        self.update_ticks();
    }

    /// Enables ticks, which interrupt a thread that computes, while a timer runs.
    pub(super) fn update_ticks(&self) {
        let runs = self.kernel.machine().next_alarm != NEVER || self.device_deadline().is_some();
        signals::enable_ticks(self.is_mcs || runs);
    }

    /// Advances the time to the next timer interrupt while no thread can run. Returns whether there is one.
    pub(super) fn skip_idle_time(&mut self) -> bool {
        let waits = !self.kernel.is_halted()
            && (self.advance_to_next_deadline() || self.kernel.skip_domain());
        if waits {
            self.deliver_due_interrupts();
        }
        waits
    }

    /// Delivers the timer interrupts that are due.
    #[inline]
    pub(super) fn deliver_due_interrupts(&mut self) {
        let time = self.kernel.machine().time;
        while self.kernel.machine().next_alarm <= time {
            let Some((_, irq)) = self.alarms.pop_first() else {
                break;
            };
            self.find_next_alarm();
            self.kernel.interrupt(irq);
        }
        if self.is_mcs && self.kernel.deadline().is_some_and(|at| at <= time) {
            self.kernel.timer();
        }
        self.deliver_device_interrupt();
    }

    /// Returns the device timer's deadline and interrupt, if a thread receives that interrupt.
    fn device_deadline(&self) -> Option<(u64, usize)> {
        let machine = self.kernel.machine();
        let irq = machine
            .timer_irq
            .filter(|irq| self.kernel.can_deliver_irq(*irq))?;
        Some((machine.timer.deadline()?, irq))
    }

    /// Delivers the device timer's interrupt if it is due.
    #[inline]
    fn deliver_device_interrupt(&mut self) {
        let machine = self.kernel.machine_mut();
        if !machine.timer.is_used {
            return;
        }
        machine.timer.update(machine.time);
        let now = machine.time;
        if let Some((_, irq)) = self.device_deadline().filter(|(time, _)| *time <= now) {
            self.kernel.interrupt(irq);
        }
    }
}
