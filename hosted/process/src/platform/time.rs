// SPDX-License-Identifier: BSD-2-Clause

//! The time, which goes on with what threads do, and the interrupts that it brings.

use std::sync::atomic::Ordering::Relaxed;

use super::{ENTRIES, Platform};
use crate::signals;

/// A deadline that never comes.
pub const NEVER: u64 = u64::MAX;

impl Platform {
    /// A thread enters the kernel, which takes a microsecond.
    #[inline]
    pub(super) fn count_entry(&mut self) {
        ENTRIES.store(ENTRIES.load(Relaxed).wrapping_add(1), Relaxed);
        self.kernel.machine_mut().time += 1;
        if !self.timed {
            return;
        }
        if let Some(state) = &mut self.seed {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            if state.is_multiple_of(8) {
                self.let_time_pass();
            }
        }
    }

    /// Time passes until a timer interrupts; whether one does.
    pub(super) fn let_time_pass(&mut self) -> bool {
        let deadline = self.kernel.deadline().filter(|_| self.timed);
        let of_device = self.device_deadline().map_or(NEVER, |(time, _)| time);
        let next = deadline
            .unwrap_or(NEVER)
            .min(self.next_alarm)
            .min(of_device);
        let time = &mut self.kernel.machine_mut().time;
        if next != NEVER {
            *time = next.max(*time);
        }
        next != NEVER
    }

    /// Has a timer end at `deadline`, and no more before.
    pub(super) fn set_alarm(&mut self, irq: usize, deadline: u64) {
        self.alarms.retain(|alarm| alarm.1 != irq);
        if deadline != NEVER {
            self.alarms.insert((deadline, irq));
        }
        self.find_next_alarm();
    }

    fn find_next_alarm(&mut self) {
        self.next_alarm = self.alarms.first().map_or(NEVER, |alarm| alarm.0);
        self.choose_ticks();
    }

    /// A thread that computes is interrupted now and then while a timer runs.
    pub(super) fn choose_ticks(&self) {
        let runs = self.next_alarm != NEVER || self.device_deadline().is_some();
        signals::want_ticks(self.timed || runs);
    }

    /// Nobody runs until a timer interrupts; whether one does.
    pub(super) fn skip_idle_time(&mut self) -> bool {
        let waits = !self.kernel.is_halted() && self.let_time_pass();
        if waits {
            self.look_at_clock();
        }
        waits
    }

    /// Timers interrupt whose time has come.
    #[inline]
    pub(super) fn look_at_clock(&mut self) {
        let time = self.kernel.machine().time;
        while self.next_alarm <= time {
            let Some((_, irq)) = self.alarms.pop_first() else {
                break;
            };
            self.find_next_alarm();
            self.kernel.interrupt(irq);
        }
        if self.timed && self.kernel.deadline().is_some_and(|at| at <= time) {
            self.kernel.timer();
        }
        self.look_at_device();
    }

    /// When the timer that is a device interrupts, and by which number.
    fn device_deadline(&self) -> Option<(u64, usize)> {
        let machine = self.kernel.machine();
        let irq = machine.timer_irq.filter(|irq| self.kernel.takes(*irq))?;
        Some((machine.timer.deadline()?, irq))
    }

    /// That timer interrupts, if it wants to.
    #[inline]
    fn look_at_device(&mut self) {
        let machine = self.kernel.machine_mut();
        if !machine.timer.is_used {
            return;
        }
        machine.timer.look(machine.time);
        let now = machine.time;
        if let Some((_, irq)) = self.device_deadline().filter(|(time, _)| *time <= now) {
            self.kernel.interrupt(irq);
        }
    }
}
