// SPDX-License-Identifier: GPL-2.0-only

//! Budget of a scheduling context: a queue of refills, each an amount of time that can be used from
//! its release time on. Used time is scheduled as a refill one period later.

use std::collections::VecDeque;

/// Amount of time, and its release time, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refill {
    pub amount: u64,
    pub time: u64,
}

/// Minimum budget, in microseconds: enough to enter the kernel and leave it.
pub(crate) const MIN_BUDGET_US: u64 = 20;

/// Refills of a scheduling context; at least one, once it is configured.
#[derive(Debug, Default)]
pub(crate) struct Refills {
    refills: VecDeque<Refill>,
    /// Maximum number of refills; 0 while the scheduling context is not configured.
    pub max_refills: usize,
    /// Period in ticks; 0 for round robin, where the budget is a time slice and never postpones.
    pub period: u64,
    /// Minimum amount that can be used.
    min_budget: u64,
    /// Latest release time; later ones could overflow.
    max_release_time: u64,
}

impl Refills {
    pub const fn is_active(&self) -> bool {
        self.max_refills > 0
    }

    pub const fn is_round_robin(&self) -> bool {
        self.period == 0
    }

    pub fn refill_head(&self) -> Refill {
        let none = Refill {
            amount: 0,
            time: u64::MAX,
        };
        self.refills.front().copied().unwrap_or(none)
    }

    pub fn refill_ready(&self, now: u64) -> bool {
        self.refill_head().time <= now
    }

    /// Returns whether the head refill has enough budget beyond the time that is used already.
    pub fn refill_sufficient(&self, used: u64) -> bool {
        let left = self.refill_head().amount.checked_sub(used);
        left.is_some_and(|left| left >= self.min_budget)
    }

    /// Configures the whole budget as available from now.
    pub fn refill_new(
        &mut self,
        max: usize,
        amount: u64,
        period: u64,
        now: u64,
        ticks_per_us: u64,
    ) {
        self.min_budget = MIN_BUDGET_US * ticks_per_us;
        self.max_release_time = u64::MAX - 5 * (u64::MAX / 8);
        (self.max_refills, self.period) = (max, period);
        self.refills.clear();
        self.refills.push_back(Refill { amount, time: now });
        self.maybe_add_empty_tail();
    }

    /// Configures other parameters while the scheduling context is in use. No period gets more than
    /// the budget.
    pub fn refill_update(&mut self, max: usize, amount: u64, period: u64, now: u64) {
        let mut head = self.refill_head();
        (self.max_refills, self.period) = (max, period);
        if head.time <= now {
            head.time = now;
        }
        let rest = amount.saturating_sub(head.amount);
        head.amount = head.amount.min(amount);
        self.refills.clear();
        self.refills.push_back(head);
        if rest == 0 {
            self.maybe_add_empty_tail();
        } else {
            self.refills.push_back(Refill {
                amount: rest,
                time: head.time + period,
            });
        }
    }

    /// Adds an empty refill for the used time, with round robin.
    fn maybe_add_empty_tail(&mut self) {
        if self.is_round_robin() {
            let time = self.refill_head().time;
            self.refills.push_back(Refill { amount: 0, time });
        }
    }

    /// Makes the used time available again, with round robin.
    pub fn refill_reset_rr(&mut self) {
        let used = self
            .refills
            .back_mut()
            .map_or(0, |tail| core::mem::take(&mut tail.amount));
        if let Some(head) = self.refills.front_mut() {
            head.amount += used;
        }
    }

    /// Moves used time from the head to the tail refill, with round robin.
    pub fn charge_round_robin(&mut self, used: u64) {
        if let Some(head) = self.refills.front_mut() {
            let used = used.min(head.amount);
            head.amount -= used;
            if let Some(tail) = self.refills.back_mut() {
                tail.amount += used;
            }
        }
    }

    /// Charges used time, which becomes a refill one period later.
    pub fn refill_budget_check(&mut self, used: u64) {
        let mut used = used;
        while self.refill_head().amount <= used && self.refill_head().time < self.max_release_time {
            let Some(mut head) = self.refills.pop_front() else {
                return;
            };
            used -= head.amount;
            head.time += self.period;
            match self.refills.is_empty() {
                true => self.refills.push_back(head),
                false => self.schedule_used(head),
            }
        }
        let head = self.refill_head();
        if used > 0 && head.time < self.max_release_time {
            if let Some(head) = self.refills.front_mut() {
                head.amount -= used;
                head.time += used;
            }
            self.schedule_used(Refill {
                amount: used,
                time: head.time + self.period,
            });
        }
        while self.refills.len() > 1 && self.refill_head().amount < self.min_budget {
            let amount = self.refills.pop_front().map_or(0, |head| head.amount);
            if let Some(head) = self.refills.front_mut() {
                head.amount += amount;
                head.time = head.time.saturating_sub(amount);
            }
        }
    }

    /// Adds a refill behind the others, or merges it with the tail.
    fn schedule_used(&mut self, refill: Refill) {
        let full = self.refills.len() >= self.max_refills;
        match self.refills.back_mut() {
            Some(tail) if tail.time + tail.amount >= refill.time => tail.amount += refill.amount,
            Some(tail) if full => {
                tail.time = refill.time.saturating_sub(tail.amount);
                tail.amount += refill.amount;
            }
            _ => self.refills.push_back(refill),
        }
    }

    /// Releases the head refill now rather than in the past, so that unused time does not
    /// accumulate.
    pub fn refill_unblock_check(&mut self, now: u64) {
        if self.is_round_robin() || !self.refill_ready(now) {
            return;
        }
        if let Some(head) = self.refills.front_mut() {
            head.time = now;
        }
        while let [head, next, ..] = *self.refills.make_contiguous()
            && next.time <= head.time + head.amount
        {
            self.refills.pop_front();
            if let Some(first) = self.refills.front_mut() {
                first.time = head.time;
                first.amount += head.amount;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(budget: &Refills) -> u64 {
        budget.refills.iter().map(|refill| refill.amount).sum()
    }

    #[test]
    fn used_time_is_replenished_a_period_later() {
        let mut budget = Refills::default();
        budget.refill_new(4, 1000, 5000, 100, 1);
        budget.refill_budget_check(300);
        assert_eq!(
            budget.refill_head(),
            Refill {
                amount: 700,
                time: 400
            }
        );
        budget.refill_budget_check(700);
        assert_eq!(
            budget.refill_head(),
            Refill {
                amount: 1000,
                time: 5100
            }
        );
        assert!(!budget.refill_ready(5099) && budget.refill_ready(5100));
    }

    #[test]
    fn the_sum_of_refills_is_constant() {
        let mut budget = Refills::default();
        budget.refill_new(3, 1000, 10_000, 0, 1);
        let mut now = 0;
        for step in 1..200 {
            budget.refill_budget_check(step * 7 % 400);
            assert_eq!(sum(&budget), 1000);
            assert!(budget.refill_sufficient(0) && budget.refills.len() <= 3);
            now += step * 13 % 3000;
            budget.refill_unblock_check(now);
            assert_eq!(sum(&budget), 1000);
        }
    }

    #[test]
    fn round_robin_never_runs_out_of_budget() {
        let mut budget = Refills::default();
        budget.refill_new(2, 500, 0, 0, 1);
        budget.charge_round_robin(490);
        assert!(!budget.refill_sufficient(0));
        budget.refill_reset_rr();
        assert!(budget.refill_sufficient(0) && budget.refill_ready(0));
    }
}
