// SPDX-License-Identifier: GPL-2.0-only

//! Scheduling contexts: who runs by which, for how long, and who waits for its budget.

use crate::arch;
use crate::arena::Id;
use crate::budget::MIN_BUDGET_US;
use crate::cap::Cap;
use crate::error::Error;
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::MessageInfo;
use crate::objects::{Notification, SchedContext};
use crate::request::{InvocationResult, Request};
use crate::thread::{TcbSlot, ThreadId, ThreadState};

/// Bytes of a scheduling context without its refills, and of a refill.
const CORE_BYTES: usize = 96;
const REFILL_BYTES: usize = 16;
/// A scheduling context has so many refills at least.
pub(crate) const MIN_REFILLS: usize = 2;

impl<M: Machine> Kernel<M> {
    fn ticks_per_us(&self) -> u64 {
        self.config.ticks_per_us.max(1)
    }

    fn sched_context_of(&self, thread: ThreadId) -> Option<Id<SchedContext>> {
        self.objects.threads[thread].sched_context
    }

    /// Whether it has budget, and can use it now.
    pub(crate) fn has_usable_budget(&self, context: Id<SchedContext>) -> bool {
        let budget = &self.objects.sched_contexts[context].refills;
        budget.refill_ready(self.scheduler.cur_time) && budget.refill_sufficient(0)
    }

    fn is_blocked(&self, thread: ThreadId) -> bool {
        let state = self.objects.threads[thread].state;
        !state.is_runnable() && state != ThreadState::Inactive
    }

    /// A thread that is sporadic begins now.
    pub(crate) fn refill_unblock_check_sporadic(&mut self, thread: ThreadId) {
        if let Some(context) = self.sched_context_of(thread)
            && self.scheduler.cur_sc != Some(context)
            && self.objects.sched_contexts[context].sporadic
        {
            let now = self.scheduler.cur_time;
            self.objects.sched_contexts[context]
                .refills
                .refill_unblock_check(now);
        }
    }

    /// Who has no budget waits for it.
    pub(crate) fn sched_context_resume(&mut self, context: Id<SchedContext>) {
        if let Some(thread) = self.objects.sched_contexts[context].thread
            && self.is_schedulable(thread)
            && !self.has_usable_budget(context)
        {
            self.postpone(thread);
        }
    }

    /// A thread waits until its budget is back.
    pub(crate) fn postpone(&mut self, thread: ThreadId) {
        self.tcb_sched_dequeue(thread);
        let time = |kernel: &Self, thread: ThreadId| {
            let context = kernel.sched_context_of(thread);
            context.map_or(u64::MAX, |context| {
                kernel.objects.sched_contexts[context]
                    .refills
                    .refill_head()
                    .time
            })
        };
        let when = time(self, thread);
        let waiting = &self.scheduler.release_queue;
        let place = waiting.partition_point(|other| time(self, *other) <= when);
        self.scheduler.release_queue.insert(place, thread);
        self.objects.threads[thread].in_release_queue = true;
    }

    /// A thread no longer waits for its budget.
    pub(crate) fn tcb_release_remove(&mut self, thread: ThreadId) {
        if core::mem::take(&mut self.objects.threads[thread].in_release_queue) {
            self.scheduler
                .release_queue
                .retain(|other| *other != thread);
        }
    }

    /// Those whose budget is back go on.
    pub(crate) fn awaken(&mut self) {
        while let Some(thread) = self.scheduler.release_queue.first().copied() {
            let ready = self.sched_context_of(thread).is_some_and(|context| {
                self.objects.sched_contexts[context]
                    .refills
                    .refill_ready(self.scheduler.cur_time)
            });
            if !ready {
                break;
            }
            self.tcb_release_remove(thread);
            self.possible_switch_to(thread);
        }
    }

    /// When the timer must interrupt, if it must: somebody's budget ends, or comes back.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let scheduler = &self.scheduler;
        let budget = |context: Id<SchedContext>| &self.objects.sched_contexts[context].refills;
        let end = scheduler
            .cur_sc
            .map(|context| scheduler.cur_time + budget(context).refill_head().amount);
        let first = scheduler.release_queue.first();
        let back = first
            .and_then(|thread| self.sched_context_of(*thread))
            .map(|context| budget(context).refill_head().time);
        end.into_iter().chain(back).min()
    }

    /// The timer has interrupted.
    pub fn timer(&mut self) {
        self.interrupt(arch::TIMER_IRQ);
    }

    /// Looks at the clock: who runs has used the time since.
    pub(crate) fn update_timestamp(&mut self) {
        let now = self.machine.now().max(self.scheduler.cur_time);
        self.scheduler.consumed += now - self.scheduler.cur_time;
        self.scheduler.cur_time = now;
    }

    /// Whether who runs has budget for what it wants; else it waits, and begins again.
    pub(crate) fn check_budget(&mut self) -> bool {
        let Some(context) = self.scheduler.cur_sc else {
            self.scheduler.consumed = 0;
            return true;
        };
        let used = self.scheduler.consumed;
        if self.objects.sched_contexts[context]
            .refills
            .refill_sufficient(used)
        {
            return true;
        }
        self.charge_budget(used, true);
        false
    }

    /// Takes what was used from the budget, and ends the turn.
    pub(crate) fn charge_budget(&mut self, used: u64, can_fault: bool) {
        if let Some(context) = self.scheduler.cur_sc {
            let context = &mut self.objects.sched_contexts[context];
            match context.refills.is_round_robin() {
                true => context.refills.refill_reset_rr(),
                false => context.refills.refill_budget_check(used),
            }
            context.consumed += used;
        }
        self.scheduler.consumed = 0;
        if let Some(current) = self.scheduler.cur_thread
            && self.is_schedulable(current)
        {
            self.end_timeslice(current, can_fault);
            self.reschedule_required();
        }
    }

    fn end_timeslice(&mut self, current: ThreadId, can_fault: bool) {
        let Some(context) = self.sched_context_of(current) else {
            return;
        };
        let turns = self.objects.sched_contexts[context]
            .refills
            .is_round_robin();
        if can_fault && !turns && self.valid_timeout_handler(current) {
            self.handle_timeout(current, context);
        } else if self.has_usable_budget(context) {
            self.tcb_sched_append(current);
        } else {
            self.postpone(current);
        }
    }

    pub(crate) fn valid_timeout_handler(&self, thread: ThreadId) -> bool {
        let slot = self.objects.threads[thread].slot(TcbSlot::TimeoutHandler);
        matches!(self.slots.cap(slot), Cap::Endpoint { .. })
    }

    /// A thread's handler is told that its budget has ended.
    pub(crate) fn handle_timeout(&mut self, thread: ThreadId, context: Id<SchedContext>) {
        let badge = self.objects.sched_contexts[context].badge;
        let slot = self.objects.threads[thread].slot(TcbSlot::TimeoutHandler);
        let handler = self.slots.cap(slot);
        self.send_fault_ipc(thread, Fault::Timeout { badge }, handler, false);
    }

    /// What was used is taken away before another scheduling context is used.
    pub(crate) fn commit_time(&mut self) {
        let used = core::mem::take(&mut self.scheduler.consumed);
        if let Some(context) = self.scheduler.cur_sc {
            let context = &mut self.objects.sched_contexts[context];
            if used > 0 && context.refills.is_active() {
                match context.refills.is_round_robin() {
                    true => context.refills.charge_round_robin(used),
                    false => context.refills.refill_budget_check(used),
                }
                context.consumed += used;
            }
        }
    }

    /// The thread that was chosen runs by its own.
    pub(crate) fn switch_sched_context(&mut self) {
        let context = self
            .scheduler
            .cur_thread
            .and_then(|current| self.sched_context_of(current));
        if self.scheduler.cur_sc != context {
            if let Some(context) = context {
                let now = self.scheduler.cur_time;
                let context = &mut self.objects.sched_contexts[context];
                if !context.sporadic {
                    context.refills.refill_unblock_check(now);
                }
            }
            self.commit_time();
            self.scheduler.cur_sc = context;
        }
    }

    /// All that is left of a turn is given up.
    pub(crate) fn yield_sched_context(&mut self) {
        if let Some(context) = self.scheduler.cur_sc {
            let used = self.objects.sched_contexts[context].consumed + self.scheduler.consumed;
            let left = self.objects.sched_contexts[context]
                .refills
                .refill_head()
                .amount;
            self.charge_budget(left, false);
            self.objects.sched_contexts[context].consumed = used;
        }
    }

    /// A thread runs by another's scheduling context.
    pub(crate) fn sched_context_donate(&mut self, context: Id<SchedContext>, to: ThreadId) {
        if let Some(from) = self.objects.sched_contexts[context].thread {
            self.tcb_sched_dequeue(from);
            self.tcb_release_remove(from);
            self.objects.threads[from].sched_context = None;
            if self.scheduler.cur_thread == Some(from) || self.is_switch_candidate(from) {
                self.reschedule_required();
            }
        }
        self.objects.sched_contexts[context].thread = Some(to);
        self.objects.threads[to].sched_context = Some(context);
    }

    /// Who has none is lent a notification's.
    pub(crate) fn maybe_donate_sched_context(
        &mut self,
        notification: Id<Notification>,
        to: ThreadId,
    ) {
        if self.sched_context_of(to).is_none()
            && let Some(context) = self.objects.notifications[notification].sched_context
            && self.objects.sched_contexts[context].thread.is_none()
        {
            self.sched_context_donate(context, to);
            self.sched_context_resume(context);
        }
    }

    /// Who waits again gives back what a notification has lent.
    pub(crate) fn maybe_return_sched_context(
        &mut self,
        notification: Id<Notification>,
        thread: ThreadId,
    ) {
        let context = self.objects.notifications[notification].sched_context;
        if let Some(context) = context
            && self.sched_context_of(thread) == Some(context)
        {
            self.objects.threads[thread].sched_context = None;
            self.objects.sched_contexts[context].thread = None;
            if self.scheduler.cur_thread == Some(thread) {
                self.reschedule_required();
            }
        }
    }

    fn sched_context_bind_tcb(&mut self, context: Id<SchedContext>, thread: ThreadId) {
        self.objects.threads[thread].sched_context = Some(context);
        self.objects.sched_contexts[context].thread = Some(thread);
        if self.objects.sched_contexts[context].refills.is_active() {
            self.refill_unblock_check_sporadic(thread);
        }
        self.sched_context_resume(context);
        if self.is_schedulable(thread) {
            self.tcb_sched_enqueue(thread);
            self.reschedule_required();
        }
    }

    /// The thread that runs by it does so no longer.
    pub(crate) fn sched_context_unbind_tcb(&mut self, context: Id<SchedContext>) {
        if let Some(thread) = self.objects.sched_contexts[context].thread {
            if self.scheduler.cur_thread == Some(thread) {
                self.reschedule_required();
            }
            self.tcb_sched_dequeue(thread);
            self.tcb_release_remove(thread);
            self.objects.threads[thread].sched_context = None;
            self.objects.sched_contexts[context].thread = None;
        }
    }

    pub(crate) fn sched_context_unbind_ntfn(&mut self, context: Id<SchedContext>) {
        if let Some(notification) = self.objects.sched_contexts[context].notification.take() {
            self.objects.notifications[notification].sched_context = None;
        }
    }

    /// Gives a thread another scheduling context, or none.
    pub(crate) fn set_sched_context(
        &mut self,
        thread: ThreadId,
        context: Option<Id<SchedContext>>,
    ) {
        match (context, self.sched_context_of(thread)) {
            (Some(context), _) => self.sched_context_bind_tcb(context, thread),
            (None, Some(context)) => self.sched_context_unbind_tcb(context),
            (None, None) => {}
        }
    }

    /// A thread that is to have this scheduling context can have it.
    pub(crate) fn ensure_can_bind(
        &self,
        context: Id<SchedContext>,
        thread: ThreadId,
    ) -> InvocationResult {
        let budget = &self.objects.sched_contexts[context].refills;
        let released = budget.is_active() && budget.refill_ready(self.scheduler.cur_time);
        match self.is_blocked(thread) && !released {
            true => Err(Error::IllegalOperation),
            false => Ok(()),
        }
    }

    /// The last capability to it goes.
    pub(crate) fn finalise_sched_context(&mut self, context: Id<SchedContext>) {
        self.sched_context_unbind_tcb(context);
        self.sched_context_unbind_ntfn(context);
        self.sched_context_unbind_reply(context);
        self.sched_context_complete_yield_to(context);
        let object = &mut self.objects.sched_contexts[context];
        (object.refills.max_refills, object.sporadic) = (0, false);
        if self.scheduler.cur_sc == Some(context) {
            self.scheduler.cur_sc = None;
            self.scheduler.consumed = 0;
        }
    }

    /// Who has yielded to it is told what was used.
    pub(crate) fn sched_context_complete_yield_to(&mut self, context: Id<SchedContext>) {
        if let Some(from) = self.objects.sched_contexts[context].yield_from.take() {
            self.objects.threads[from].yield_to = None;
            let used = self.sched_context_update_consumed(context);
            let buffer = self.lookup_ipc_buffer(from, true);
            let length = self.set_mr(from, buffer, 0, used);
            self.set_badge_and_info(from, 0, MessageInfo::new(0, 0, 0, length));
        }
    }

    /// Who yielded does something else.
    pub(crate) fn sched_context_cancel_yield_to(&mut self, thread: ThreadId) {
        if let Some(context) = self.objects.threads[thread].yield_to.take() {
            self.objects.sched_contexts[context].yield_from = None;
        }
    }

    /// What was used since this was asked last, in microseconds.
    pub(crate) fn sched_context_update_consumed(&mut self, context: Id<SchedContext>) -> usize {
        let consumed = core::mem::take(&mut self.objects.sched_contexts[context].consumed);
        (consumed / self.ticks_per_us()) as usize
    }

    pub(crate) fn decode_sched_context_invocation(
        &mut self,
        request: &Request,
        context: Id<SchedContext>,
    ) -> InvocationResult {
        use Invocation::*;
        match request.invocation {
            Some(SchedContextConsumed) => {
                let consumed = self.sched_context_update_consumed(context);
                self.reply_from_kernel(request, &[consumed])
            }
            Some(SchedContextBind) => self.decode_sched_context_bind(request, context),
            Some(SchedContextUnbindObject) => {
                request.ensure_length(0, 1)?;
                let object = &self.objects.sched_contexts[context];
                match self.extra_cap(request, 0)? {
                    (Cap::Thread(thread), _) => {
                        if object.thread != Some(thread) || thread == request.thread {
                            return Err(Error::IllegalOperation);
                        }
                        self.begin_perform(request.thread);
                        self.sched_context_unbind_tcb(context);
                    }
                    (Cap::Notification { object: bound, .. }, _) => {
                        if object.notification != Some(bound) {
                            return Err(Error::IllegalOperation);
                        }
                        self.begin_perform(request.thread);
                        self.sched_context_unbind_ntfn(context);
                    }
                    _ => return Err(Error::InvalidCapability(1)),
                }
                Ok(())
            }
            Some(SchedContextUnbind) => {
                if self.objects.sched_contexts[context].thread == Some(request.thread) {
                    return Err(Error::IllegalOperation);
                }
                self.begin_perform(request.thread);
                self.sched_context_unbind_tcb(context);
                self.sched_context_unbind_ntfn(context);
                self.sched_context_unbind_reply(context);
                Ok(())
            }
            Some(SchedContextYieldTo) => self.decode_sched_context_yield_to(request, context),
            _ => Err(Error::IllegalOperation),
        }
    }

    fn decode_sched_context_bind(
        &mut self,
        request: &Request,
        context: Id<SchedContext>,
    ) -> InvocationResult {
        request.ensure_length(0, 1)?;
        let object = &self.objects.sched_contexts[context];
        match self.extra_cap(request, 0)? {
            (Cap::Thread(thread), _) => {
                if object.thread.is_some() || self.sched_context_of(thread).is_some() {
                    return Err(Error::IllegalOperation);
                }
                self.ensure_can_bind(context, thread)?;
                self.begin_perform(request.thread);
                self.sched_context_bind_tcb(context, thread);
            }
            (Cap::Notification { object: id, .. }, _) => {
                if object.notification.is_some()
                    || self.objects.notifications[id].sched_context.is_some()
                {
                    return Err(Error::IllegalOperation);
                }
                self.begin_perform(request.thread);
                self.objects.notifications[id].sched_context = Some(context);
                self.objects.sched_contexts[context].notification = Some(id);
            }
            _ => return Err(Error::InvalidCapability(1)),
        }
        Ok(())
    }

    fn decode_sched_context_yield_to(
        &mut self,
        request: &Request,
        context: Id<SchedContext>,
    ) -> InvocationResult {
        let Some(thread) = self.objects.sched_contexts[context].thread else {
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
        self.sched_context_complete_yield_to(context);
        self.sched_context_resume(context);
        let higher = priority >= self.objects.threads[current].priority;
        if self.is_schedulable(thread) && higher {
            self.objects.threads[current].yield_to = Some(context);
            self.objects.sched_contexts[context].yield_from = Some(current);
            self.tcb_sched_dequeue(thread);
            self.tcb_sched_enqueue(current);
            self.tcb_sched_enqueue(thread);
            self.reschedule_required();
            return Ok(());
        }
        if self.is_schedulable(thread) {
            self.tcb_sched_dequeue(thread);
            self.tcb_sched_enqueue(thread);
        }
        let consumed = self.sched_context_update_consumed(context);
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
        let [budget_us, period_us, extra, badge, flags] = self.get_syscall_args(request);
        let ticks = self.ticks_per_us();
        let max_us = u64::MAX / ticks / 8;
        let range = |max: u64| Error::RangeError {
            min: MIN_BUDGET_US as usize,
            max: max as usize,
        };
        let allowed = MIN_BUDGET_US..=max_us;
        let times = [budget_us as u64, period_us as u64];
        if times.iter().any(|time| !allowed.contains(time)) {
            return Err(range(max_us));
        }
        if budget_us > period_us {
            return Err(range(period_us as u64));
        }
        let (Cap::SchedContext { object, size_bits }, _) = self.extra_cap(request, 0)? else {
            return Err(Error::InvalidCapability(1));
        };
        let most = ((1 << size_bits) - CORE_BYTES) / REFILL_BYTES - MIN_REFILLS;
        if extra > most {
            return Err(Error::RangeError { min: 0, max: most });
        }
        self.begin_perform(request.thread);
        let [budget, period] = times.map(|time| time * ticks);
        self.perform_sched_control_configure_flags(object, budget, period, extra + MIN_REFILLS);
        let object = &mut self.objects.sched_contexts[object];
        object.badge = badge;
        object.sporadic = flags & 1 != 0;
        Ok(())
    }

    fn perform_sched_control_configure_flags(
        &mut self,
        id: Id<SchedContext>,
        budget: u64,
        period: u64,
        max: usize,
    ) {
        let thread = self.objects.sched_contexts[id].thread;
        if let Some(thread) = thread {
            self.tcb_release_remove(thread);
            self.tcb_sched_dequeue(thread);
            if self.scheduler.cur_sc == Some(id) {
                self.commit_time();
            }
        }
        let runs = thread.is_some_and(|thread| self.is_runnable(thread));
        let (now, ticks) = (self.scheduler.cur_time, self.ticks_per_us());
        let refills = &mut self.objects.sched_contexts[id].refills;
        if budget == period {
            refills.refill_new(MIN_REFILLS, budget, 0, now, ticks);
        } else if refills.is_active() && runs {
            refills.refill_update(max, budget, period, now);
        } else {
            refills.refill_new(max, budget, period, now, ticks);
        }
        if let Some(thread) = thread {
            self.sched_context_resume(id);
            if self.scheduler.cur_thread == Some(thread) {
                self.reschedule_required();
            } else if self.is_runnable(thread) {
                self.possible_switch_to(thread);
            }
        }
    }

    /// The first thread's scheduling context: it takes turns.
    pub(crate) fn create_root_sched_context(&mut self, paddr: usize, thread: ThreadId) -> Cap {
        let ticks = self.ticks_per_us();
        let mut context = SchedContext {
            thread: Some(thread),
            ..SchedContext::default()
        };
        self.scheduler.cur_time = self.machine.now();
        context
            .refills
            .refill_new(MIN_REFILLS, 5000 * ticks, 0, self.scheduler.cur_time, ticks);
        let object = self.objects.sched_contexts.insert(paddr, context);
        self.objects.threads[thread].sched_context = Some(object);
        Cap::SchedContext {
            object,
            size_bits: arch::MIN_SCHED_CONTEXT_BITS,
        }
    }
}
