// SPDX-License-Identifier: GPL-2.0-only

//! Scheduling contexts: binding and donation, budgets, and the release queue.

use crate::arch;
use crate::arena::Id;
use crate::cap::Cap;
use crate::decode::{InvocationResult, Request, range_check};
use crate::error::Error;
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::MessageInfo;
use crate::objects::{Notification, SchedContext};
use crate::refill::MIN_BUDGET_US;
use crate::thread::{TcbSlot, ThreadId, ThreadState};

/// Bytes of a scheduling context without its refills.
const CORE_BYTES: usize = 96;
/// Bytes of a refill.
const REFILL_BYTES: usize = 16;
/// Minimum number of refills of a scheduling context.
pub(crate) const MIN_REFILLS: usize = 2;
/// Flag of `seL4_SchedControl_ConfigureFlags`: `seL4_SchedContext_Sporadic`.
const SPORADIC: usize = 1;

impl<M: Machine> Kernel<M> {
    fn ticks_per_us(&self) -> u64 {
        self.config.ticks_per_us.max(1)
    }

    fn sched_context_of(&self, thread: ThreadId) -> Option<Id<SchedContext>> {
        self.objects.threads[thread].sched_context
    }

    /// Returns whether the head refill is ready, and sufficient.
    pub(crate) fn has_usable_budget(&self, sc: Id<SchedContext>) -> bool {
        let refills = &self.objects.sched_contexts[sc].refills;
        refills.refill_ready(self.scheduler.cur_time) && refills.refill_sufficient(0)
    }

    /// Checks the refills of a thread that unblocks, if its scheduling context is sporadic.
    pub(crate) fn refill_unblock_check_sporadic(&mut self, thread: ThreadId) {
        if let Some(sc) = self.sched_context_of(thread)
            && self.scheduler.cur_sc != Some(sc)
            && self.objects.sched_contexts[sc].sporadic
        {
            let refills = &mut self.objects.sched_contexts[sc].refills;
            refills.refill_unblock_check(self.scheduler.cur_time);
        }
    }

    /// Postpones the thread of a scheduling context that has no usable budget.
    pub(crate) fn sched_context_resume(&mut self, sc: Id<SchedContext>) {
        if let Some(thread) = self.objects.sched_contexts[sc].tcb
            && self.is_schedulable(thread)
            && !self.has_usable_budget(sc)
        {
            self.postpone(thread);
        }
    }

    /// Moves a thread to the release queue, until its budget is replenished.
    pub(crate) fn postpone(&mut self, thread: ThreadId) {
        self.tcb_sched_dequeue(thread);
        let ready_time = |thread: ThreadId| match self.sched_context_of(thread) {
            Some(sc) => self.objects.sched_contexts[sc].refills.refill_head().time,
            None => u64::MAX,
        };
        let time = ready_time(thread);
        let queue = &self.scheduler.release_queue;
        let index = queue.partition_point(|other| ready_time(*other) <= time);
        self.scheduler.release_queue.insert(index, thread);
        self.objects.threads[thread].in_release_queue = true;
    }

    /// Removes a thread from the release queue, if it is there.
    pub(crate) fn tcb_release_remove(&mut self, thread: ThreadId) {
        if core::mem::take(&mut self.objects.threads[thread].in_release_queue) {
            self.scheduler
                .release_queue
                .retain(|other| *other != thread);
        }
    }

    /// Releases the threads whose budget is replenished.
    pub(crate) fn awaken(&mut self) {
        let now = self.scheduler.cur_time;
        while let Some(thread) = self.scheduler.release_queue.first().copied()
            && let Some(sc) = self.sched_context_of(thread)
            && self.objects.sched_contexts[sc].refills.refill_ready(now)
        {
            self.tcb_release_remove(thread);
            self.possible_switch_to(thread);
        }
    }

    /// Returns the time of the next timer interrupt, if one is necessary: the current budget ends,
    /// that of a postponed thread is replenished, or the time of the domain is over.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let scheduler = &self.scheduler;
        let head = |sc: Id<SchedContext>| self.objects.sched_contexts[sc].refills.refill_head();
        let end = scheduler
            .cur_sc
            .map(|sc| scheduler.cur_time + head(sc).amount);
        let first = scheduler.release_queue.first();
        let release = first
            .and_then(|thread| self.sched_context_of(*thread))
            .map(|sc| head(sc).time);
        let domain_end = (scheduler.cur_thread.is_some() || self.is_other_domain_ready())
            .then(|| scheduler.cur_time.saturating_add(scheduler.domain_time))
            .filter(|_| self.config.domains > 1);
        end.into_iter().chain(release).chain(domain_end).min()
    }

    /// Enters the kernel with the timer's interrupt.
    pub fn timer(&mut self) {
        self.interrupt(arch::TIMER_IRQ);
    }

    /// Reads the clock. The current scheduling context has consumed the time since the last look.
    pub(crate) fn update_timestamp(&mut self) {
        let now = self.machine.now().max(self.scheduler.cur_time);
        let consumed = now - self.scheduler.cur_time;
        self.scheduler.consumed += consumed;
        self.scheduler.cur_time = now;
        if self.config.domains > 1 {
            // The rest of a domain's time is not used if it is too short for a budget.
            let used = consumed + MIN_BUDGET_US * self.ticks_per_us();
            self.scheduler.domain_time = match used >= self.scheduler.domain_time {
                true => 0,
                false => self.scheduler.domain_time - consumed,
            };
        }
    }

    /// Returns whether the current scheduling context has enough budget left, and the domain time.
    /// Charges the scheduling context if its budget is not enough.
    pub(crate) fn check_budget(&mut self) -> bool {
        let Some(sc) = self.scheduler.cur_sc else {
            self.scheduler.consumed = 0;
            return true;
        };
        let consumed = self.scheduler.consumed;
        if self.objects.sched_contexts[sc]
            .refills
            .refill_sufficient(consumed)
        {
            return !self.is_cur_domain_expired();
        }
        self.charge_budget(consumed, true);
        false
    }

    /// Charges the current scheduling context, and ends the current thread's time slice.
    pub(crate) fn charge_budget(&mut self, consumed: u64, can_timeout_fault: bool) {
        if let Some(sc) = self.scheduler.cur_sc {
            let sc = &mut self.objects.sched_contexts[sc];
            match sc.refills.is_round_robin() {
                true => sc.refills.refill_reset_rr(),
                false => sc.refills.refill_budget_check(consumed),
            }
            sc.consumed += consumed;
        }
        self.scheduler.consumed = 0;
        if let Some(current) = self.scheduler.cur_thread
            && self.is_schedulable(current)
        {
            self.end_timeslice(current, can_timeout_fault);
            self.reschedule_required();
        }
    }

    fn end_timeslice(&mut self, current: ThreadId, can_timeout_fault: bool) {
        let Some(sc) = self.sched_context_of(current) else {
            return;
        };
        let round_robin = self.objects.sched_contexts[sc].refills.is_round_robin();
        if can_timeout_fault && !round_robin && self.valid_timeout_handler(current) {
            self.handle_timeout(current, sc);
        } else if self.has_usable_budget(sc) {
            self.tcb_sched_append(current);
        } else {
            self.postpone(current);
        }
    }

    pub(crate) fn valid_timeout_handler(&self, thread: ThreadId) -> bool {
        let slot = self.objects.threads[thread].slot(TcbSlot::TimeoutHandler);
        matches!(self.slots.cap(slot), Cap::Endpoint { .. })
    }

    /// Sends a timeout fault to the thread's timeout handler.
    pub(crate) fn handle_timeout(&mut self, thread: ThreadId, sc: Id<SchedContext>) {
        let badge = self.objects.sched_contexts[sc].badge;
        let slot = self.objects.threads[thread].slot(TcbSlot::TimeoutHandler);
        let handler = self.slots.cap(slot);
        self.send_fault_ipc(thread, Fault::Timeout { badge }, handler, false);
    }

    /// Charges the current scheduling context before another becomes the current one.
    pub(crate) fn commit_time(&mut self) {
        let consumed = core::mem::take(&mut self.scheduler.consumed);
        if let Some(sc) = self.scheduler.cur_sc {
            let sc = &mut self.objects.sched_contexts[sc];
            if consumed > 0 && sc.refills.is_active() {
                match sc.refills.is_round_robin() {
                    true => sc.refills.charge_round_robin(consumed),
                    false => sc.refills.refill_budget_check(consumed),
                }
                sc.consumed += consumed;
            }
        }
    }

    /// Makes the current thread's scheduling context the current one.
    pub(crate) fn switch_sched_context(&mut self) {
        let current = self.scheduler.cur_thread;
        let sc = current.and_then(|current| self.sched_context_of(current));
        if self.scheduler.cur_sc != sc {
            if let Some(sc) = sc {
                let sc = &mut self.objects.sched_contexts[sc];
                if !sc.sporadic {
                    sc.refills.refill_unblock_check(self.scheduler.cur_time);
                }
            }
            self.commit_time();
            self.scheduler.cur_sc = sc;
        }
    }

    /// Moves a scheduling context from its thread, if it has one, to another.
    pub(crate) fn sched_context_donate(&mut self, sc: Id<SchedContext>, to: ThreadId) {
        if let Some(from) = self.objects.sched_contexts[sc].tcb {
            self.tcb_sched_dequeue(from);
            self.tcb_release_remove(from);
            self.objects.threads[from].sched_context = None;
            if self.scheduler.cur_thread == Some(from) || self.is_switch_candidate(from) {
                self.reschedule_required();
            }
        }
        self.objects.sched_contexts[sc].tcb = Some(to);
        self.objects.threads[to].sched_context = Some(sc);
    }

    /// Donates a notification's scheduling context to a thread that has none, if it is free.
    pub(crate) fn maybe_donate_sched_context(
        &mut self,
        notification: Id<Notification>,
        to: ThreadId,
    ) {
        if self.sched_context_of(to).is_none()
            && let Some(sc) = self.objects.notifications[notification].sched_context
            && self.objects.sched_contexts[sc].tcb.is_none()
        {
            self.sched_context_donate(sc, to);
            self.sched_context_resume(sc);
        }
    }

    /// Returns the scheduling context that a notification has donated to a thread that blocks.
    pub(crate) fn maybe_return_sched_context(
        &mut self,
        notification: Id<Notification>,
        thread: ThreadId,
    ) {
        if let Some(sc) = self.objects.notifications[notification].sched_context
            && self.sched_context_of(thread) == Some(sc)
        {
            self.objects.threads[thread].sched_context = None;
            self.objects.sched_contexts[sc].tcb = None;
            if self.scheduler.cur_thread == Some(thread) {
                self.reschedule_required();
            }
        }
    }

    pub(crate) fn sched_context_bind_tcb(&mut self, sc: Id<SchedContext>, thread: ThreadId) {
        self.objects.threads[thread].sched_context = Some(sc);
        self.objects.sched_contexts[sc].tcb = Some(thread);
        if self.objects.sched_contexts[sc].refills.is_active() {
            self.refill_unblock_check_sporadic(thread);
        }
        self.sched_context_resume(sc);
        if self.is_schedulable(thread) {
            self.tcb_sched_enqueue(thread);
            self.reschedule_required();
        }
    }

    /// Unbinds a scheduling context from its thread, if it has one.
    pub(crate) fn sched_context_unbind_tcb(&mut self, sc: Id<SchedContext>) {
        if let Some(thread) = self.objects.sched_contexts[sc].tcb {
            if self.scheduler.cur_thread == Some(thread) {
                self.reschedule_required();
            }
            self.tcb_sched_dequeue(thread);
            self.tcb_release_remove(thread);
            self.objects.threads[thread].sched_context = None;
            self.objects.sched_contexts[sc].tcb = None;
        }
    }

    /// Unbinds a scheduling context from its notification, if it has one.
    pub(crate) fn sched_context_unbind_ntfn(&mut self, sc: Id<SchedContext>) {
        if let Some(notification) = self.objects.sched_contexts[sc].notification.take() {
            self.objects.notifications[notification].sched_context = None;
        }
    }

    /// Checks that a scheduling context can be bound to a thread: a blocked thread needs one that
    /// is released.
    pub(crate) fn ensure_can_bind(
        &self,
        sc: Id<SchedContext>,
        thread: ThreadId,
    ) -> InvocationResult {
        let state = self.objects.threads[thread].state;
        let is_blocked = !state.is_runnable() && state != ThreadState::Inactive;
        let refills = &self.objects.sched_contexts[sc].refills;
        let is_released = refills.is_active() && refills.refill_ready(self.scheduler.cur_time);
        match is_blocked && !is_released {
            true => Err(Error::IllegalOperation),
            false => Ok(()),
        }
    }

    /// Finalises a scheduling context: unbinds it from everything.
    pub(crate) fn finalise_sched_context(&mut self, sc: Id<SchedContext>) {
        self.sched_context_unbind_tcb(sc);
        self.sched_context_unbind_ntfn(sc);
        self.sched_context_unbind_reply(sc);
        self.sched_context_complete_yield_to(sc);
        let object = &mut self.objects.sched_contexts[sc];
        (object.refills.max_refills, object.sporadic) = (0, false);
        if self.scheduler.cur_sc == Some(sc) {
            self.scheduler.cur_sc = None;
            self.scheduler.consumed = 0;
        }
    }

    /// Replies to the thread that has yielded to a scheduling context, if one has, with the
    /// consumed time.
    pub(crate) fn sched_context_complete_yield_to(&mut self, sc: Id<SchedContext>) {
        if let Some(from) = self.objects.sched_contexts[sc].yield_from.take() {
            self.objects.threads[from].yield_to = None;
            let consumed = self.sched_context_update_consumed(sc);
            let length = self.set_mrs(from, [consumed]);
            self.set_badge_and_info(from, 0, MessageInfo::new(0, 0, 0, length));
        }
    }

    /// Ends a thread's yield-to without a reply.
    pub(crate) fn sched_context_cancel_yield_to(&mut self, thread: ThreadId) {
        if let Some(sc) = self.objects.threads[thread].yield_to.take() {
            self.objects.sched_contexts[sc].yield_from = None;
        }
    }

    /// Returns the time consumed since the last call, in microseconds.
    pub(crate) fn sched_context_update_consumed(&mut self, sc: Id<SchedContext>) -> usize {
        let consumed = core::mem::take(&mut self.objects.sched_contexts[sc].consumed);
        (consumed / self.ticks_per_us()) as usize
    }

    pub(crate) fn decode_sched_context_invocation(
        &mut self,
        request: &Request,
        sc: Id<SchedContext>,
    ) -> InvocationResult {
        use Invocation::*;
        match request.invocation {
            Some(SchedContextConsumed) => {
                let consumed = self.sched_context_update_consumed(sc);
                self.reply_from_kernel(request, &[consumed])
            }
            Some(SchedContextBind) => self.decode_sched_context_bind(request, sc),
            Some(SchedContextUnbindObject) => self.decode_sched_context_unbind_object(request, sc),
            Some(SchedContextUnbind) => {
                if self.objects.sched_contexts[sc].tcb == Some(request.thread) {
                    return Err(Error::IllegalOperation);
                }
                self.begin_perform(request.thread);
                self.sched_context_unbind_tcb(sc);
                self.sched_context_unbind_ntfn(sc);
                self.sched_context_unbind_reply(sc);
                Ok(())
            }
            Some(SchedContextYieldTo) => self.decode_sched_context_yield_to(request, sc),
            _ => Err(Error::IllegalOperation),
        }
    }

    fn decode_sched_context_bind(
        &mut self,
        request: &Request,
        sc: Id<SchedContext>,
    ) -> InvocationResult {
        request.ensure_length(0, 1)?;
        let object = &self.objects.sched_contexts[sc];
        match self.extra_cap(request, 0)? {
            (Cap::Thread(thread), _) => {
                if object.tcb.is_some() || self.sched_context_of(thread).is_some() {
                    return Err(Error::IllegalOperation);
                }
                self.ensure_can_bind(sc, thread)?;
                self.begin_perform(request.thread);
                self.sched_context_bind_tcb(sc, thread);
            }
            (Cap::Notification { object: id, .. }, _) => {
                let notification = &self.objects.notifications[id];
                if object.notification.is_some() || notification.sched_context.is_some() {
                    return Err(Error::IllegalOperation);
                }
                self.begin_perform(request.thread);
                self.objects.notifications[id].sched_context = Some(sc);
                self.objects.sched_contexts[sc].notification = Some(id);
            }
            _ => return Err(Error::InvalidCapability(1)),
        }
        Ok(())
    }

    fn decode_sched_context_unbind_object(
        &mut self,
        request: &Request,
        sc: Id<SchedContext>,
    ) -> InvocationResult {
        request.ensure_length(0, 1)?;
        let object = &self.objects.sched_contexts[sc];
        match self.extra_cap(request, 0)? {
            (Cap::Thread(thread), _) => {
                if object.tcb != Some(thread) || thread == request.thread {
                    return Err(Error::IllegalOperation);
                }
                self.begin_perform(request.thread);
                self.sched_context_unbind_tcb(sc);
            }
            (Cap::Notification { object: id, .. }, _) => {
                if object.notification != Some(id) {
                    return Err(Error::IllegalOperation);
                }
                self.begin_perform(request.thread);
                self.sched_context_unbind_ntfn(sc);
            }
            _ => return Err(Error::InvalidCapability(1)),
        }
        Ok(())
    }

    /// Lets the scheduling context's thread run, if the priorities allow it. The reply comes when
    /// it has run, or at once if it cannot run now.
    fn decode_sched_context_yield_to(
        &mut self,
        request: &Request,
        sc: Id<SchedContext>,
    ) -> InvocationResult {
        let Some(thread) = self.objects.sched_contexts[sc].tcb else {
            return Err(Error::IllegalOperation);
        };
        let current = request.thread;
        let (priority, mcp) = (
            self.objects.threads[thread].priority,
            self.objects.threads[current].mcp,
        );
        if thread == current || priority > mcp {
            return Err(Error::IllegalOperation);
        }
        self.begin_perform(current);
        self.sched_context_complete_yield_to(sc);
        self.sched_context_resume(sc);
        let can_run_now = priority >= self.objects.threads[current].priority;
        if self.is_schedulable(thread) {
            self.tcb_sched_dequeue(thread);
            if can_run_now {
                self.objects.threads[current].yield_to = Some(sc);
                self.objects.sched_contexts[sc].yield_from = Some(current);
                self.tcb_sched_enqueue(current);
                self.tcb_sched_enqueue(thread);
                self.reschedule_required();
                return Ok(());
            }
            self.tcb_sched_enqueue(thread);
        }
        let consumed = self.sched_context_update_consumed(sc);
        self.reply_from_kernel(request, &[consumed])
    }

    pub(crate) fn decode_sched_control_invocation(
        &mut self,
        request: &Request,
    ) -> InvocationResult {
        if request.invocation != Some(Invocation::SchedControlConfigureFlags) {
            return Err(Error::IllegalOperation);
        }
        request.ensure_length(5, 1)?;
        let [budget_us, period_us, extra_refills, badge, flags] = self.get_syscall_args(request);
        let ticks = self.ticks_per_us();
        let min_us = MIN_BUDGET_US as usize;
        let max_us = (u64::MAX / ticks / 8) as usize;
        range_check(budget_us, min_us..=max_us)?;
        range_check(period_us, min_us..=max_us)?;
        range_check(budget_us, min_us..=period_us)?;
        let (Cap::SchedContext { object, size_bits }, _) = self.extra_cap(request, 0)? else {
            return Err(Error::InvalidCapability(1));
        };
        let max_extra = ((1 << size_bits) - CORE_BYTES) / REFILL_BYTES - MIN_REFILLS;
        range_check(extra_refills, 0..=max_extra)?;
        self.begin_perform(request.thread);
        let [budget, period] = [budget_us, period_us].map(|time| time as u64 * ticks);
        self.perform_sched_control_configure_flags(object, budget, period, extra_refills);
        let object = &mut self.objects.sched_contexts[object];
        object.badge = badge;
        object.sporadic = flags & SPORADIC != 0;
        Ok(())
    }

    fn perform_sched_control_configure_flags(
        &mut self,
        sc: Id<SchedContext>,
        budget: u64,
        period: u64,
        extra_refills: usize,
    ) {
        let thread = self.objects.sched_contexts[sc].tcb;
        if let Some(thread) = thread {
            self.tcb_release_remove(thread);
            self.tcb_sched_dequeue(thread);
            if self.scheduler.cur_sc == Some(sc) {
                self.commit_time();
            }
        }
        let is_runnable = thread.is_some_and(|thread| self.is_runnable(thread));
        let (now, ticks) = (self.scheduler.cur_time, self.ticks_per_us());
        let max_refills = extra_refills + MIN_REFILLS;
        let refills = &mut self.objects.sched_contexts[sc].refills;
        if budget == period {
            refills.refill_new(MIN_REFILLS, budget, 0, now, ticks);
        } else if refills.is_active() && is_runnable {
            refills.refill_update(max_refills, budget, period, now);
        } else {
            refills.refill_new(max_refills, budget, period, now, ticks);
        }
        if let Some(thread) = thread {
            self.sched_context_resume(sc);
            if self.scheduler.cur_thread == Some(thread) {
                self.reschedule_required();
            } else if is_runnable {
                self.possible_switch_to(thread);
            }
        }
    }

    /// Creates the initial thread's scheduling context, which is round robin.
    pub(crate) fn create_root_sched_context(&mut self, paddr: usize, thread: ThreadId) -> Cap {
        let ticks = self.ticks_per_us();
        let mut sc = SchedContext {
            tcb: Some(thread),
            ..SchedContext::default()
        };
        self.scheduler.cur_time = self.machine.now();
        sc.refills
            .refill_new(MIN_REFILLS, 5000 * ticks, 0, self.scheduler.cur_time, ticks);
        let object = self.objects.sched_contexts.insert(paddr, sc);
        self.objects.threads[thread].sched_context = Some(object);
        Cap::SchedContext {
            object,
            size_bits: arch::MIN_SCHED_CONTEXT_BITS,
        }
    }
}
