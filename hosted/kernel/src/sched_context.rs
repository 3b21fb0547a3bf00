// SPDX-License-Identifier: BSD-2-Clause

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
use crate::message::Info;
use crate::objects::{Notification, SchedContext};
use crate::request::{Answer, Request};
use crate::thread::{State, ThreadId, ThreadSlot};

/// Bytes of a scheduling context without its refills, and of a refill.
const CORE_BYTES: usize = 96;
const REFILL_BYTES: usize = 16;
/// A scheduling context has so many refills at least.
pub(crate) const MIN_REFILLS: usize = 2;

impl<M: Machine> Kernel<M> {
    fn ticks_per_us(&self) -> u64 {
        self.config.ticks_per_us.max(1)
    }

    fn context_of(&self, thread: ThreadId) -> Option<Id<SchedContext>> {
        self.objects.threads[thread].context_id
    }

    /// Whether it has budget, and can use it now.
    pub(crate) fn can_run(&self, context: Id<SchedContext>) -> bool {
        let budget = &self.objects.contexts[context].budget;
        budget.is_ready(self.scheduler.now) && budget.is_sufficient(0)
    }

    fn is_blocked(&self, thread: ThreadId) -> bool {
        let state = self.objects.threads[thread].state;
        !state.is_runnable() && state != State::Inactive
    }

    /// A thread that is sporadic begins now.
    pub(crate) fn unblock(&mut self, thread: ThreadId) {
        if let Some(context) = self.context_of(thread)
            && self.scheduler.context != Some(context)
            && self.objects.contexts[context].sporadic
        {
            let now = self.scheduler.now;
            self.objects.contexts[context].budget.unblock(now);
        }
    }

    /// Who has no budget waits for it.
    pub(crate) fn resume_context(&mut self, context: Id<SchedContext>) {
        if let Some(thread) = self.objects.contexts[context].thread
            && self.is_schedulable(thread)
            && !self.can_run(context)
        {
            self.postpone(thread);
        }
    }

    /// A thread waits until its budget is back.
    pub(crate) fn postpone(&mut self, thread: ThreadId) {
        self.dequeue(thread);
        let time = |kernel: &Self, thread: ThreadId| {
            let context = kernel.context_of(thread);
            context.map_or(u64::MAX, |context| {
                kernel.objects.contexts[context].budget.head().time
            })
        };
        let when = time(self, thread);
        let waiting = &self.scheduler.waiting;
        let place = waiting.partition_point(|other| time(self, *other) <= when);
        self.scheduler.waiting.insert(place, thread);
        self.objects.threads[thread].postponed = true;
    }

    /// A thread no longer waits for its budget.
    pub(crate) fn stop_waiting(&mut self, thread: ThreadId) {
        if core::mem::take(&mut self.objects.threads[thread].postponed) {
            self.scheduler.waiting.retain(|other| *other != thread);
        }
    }

    /// Those whose budget is back go on.
    pub(crate) fn awaken(&mut self) {
        while let Some(thread) = self.scheduler.waiting.first().copied() {
            let ready = self.context_of(thread).is_some_and(|context| {
                self.objects.contexts[context]
                    .budget
                    .is_ready(self.scheduler.now)
            });
            if !ready {
                break;
            }
            self.stop_waiting(thread);
            self.wake(thread);
        }
    }

    /// When the timer must interrupt, if it must: somebody's budget ends, or comes back.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let scheduler = &self.scheduler;
        let budget = |context: Id<SchedContext>| &self.objects.contexts[context].budget;
        let end = scheduler
            .context
            .map(|context| scheduler.now + budget(context).head().amount);
        let first = scheduler.waiting.first();
        let back = first
            .and_then(|thread| self.context_of(*thread))
            .map(|context| budget(context).head().time);
        end.into_iter().chain(back).min()
    }

    /// The timer has interrupted.
    pub fn timer(&mut self) {
        self.interrupt(arch::TIMER_IRQ);
    }

    /// Looks at the clock: who runs has used the time since.
    pub(crate) fn update_time(&mut self) {
        let now = self.machine.now().max(self.scheduler.now);
        self.scheduler.consumed += now - self.scheduler.now;
        self.scheduler.now = now;
    }

    /// Whether who runs has budget for what it wants; else it waits, and begins again.
    pub(crate) fn check_budget(&mut self) -> bool {
        let Some(context) = self.scheduler.context else {
            self.scheduler.consumed = 0;
            return true;
        };
        let used = self.scheduler.consumed;
        if self.objects.contexts[context].budget.is_sufficient(used) {
            return true;
        }
        self.charge(used, true);
        false
    }

    /// Takes what was used from the budget, and ends the turn.
    pub(crate) fn charge(&mut self, used: u64, can_fault: bool) {
        if let Some(context) = self.scheduler.context {
            let context = &mut self.objects.contexts[context];
            match context.budget.takes_turns() {
                true => context.budget.end_turn(),
                false => context.budget.charge(used),
            }
            context.consumed += used;
        }
        self.scheduler.consumed = 0;
        if let Some(current) = self.scheduler.current
            && self.is_schedulable(current)
        {
            self.end_turn(current, can_fault);
            self.reschedule();
        }
    }

    fn end_turn(&mut self, current: ThreadId, can_fault: bool) {
        let Some(context) = self.context_of(current) else {
            return;
        };
        let turns = self.objects.contexts[context].budget.takes_turns();
        if can_fault && !turns && self.has_timeout_handler(current) {
            self.time_out(current, context);
        } else if self.can_run(context) {
            self.enqueue_last(current);
        } else {
            self.postpone(current);
        }
    }

    pub(crate) fn has_timeout_handler(&self, thread: ThreadId) -> bool {
        let slot = self.objects.threads[thread].slot(ThreadSlot::TimeoutHandler);
        matches!(self.slots.cap(slot), Cap::Endpoint { .. })
    }

    /// A thread's handler is told that its budget has ended.
    pub(crate) fn time_out(&mut self, thread: ThreadId, context: Id<SchedContext>) {
        let badge = self.objects.contexts[context].badge;
        let slot = self.objects.threads[thread].slot(ThreadSlot::TimeoutHandler);
        let handler = self.slots.cap(slot);
        self.send_fault(thread, Fault::Timeout { badge }, handler, false);
    }

    /// What was used is taken away before another scheduling context is used.
    pub(crate) fn commit_time(&mut self) {
        let used = core::mem::take(&mut self.scheduler.consumed);
        if let Some(context) = self.scheduler.context {
            let context = &mut self.objects.contexts[context];
            if used > 0 && context.budget.is_active() {
                match context.budget.takes_turns() {
                    true => context.budget.use_turn(used),
                    false => context.budget.charge(used),
                }
                context.consumed += used;
            }
        }
    }

    /// The thread that was chosen runs by its own.
    pub(crate) fn switch_context(&mut self) {
        let context = self
            .scheduler
            .current
            .and_then(|current| self.context_of(current));
        if self.scheduler.context != context {
            if let Some(context) = context {
                let now = self.scheduler.now;
                let context = &mut self.objects.contexts[context];
                if !context.sporadic {
                    context.budget.unblock(now);
                }
            }
            self.commit_time();
            self.scheduler.context = context;
        }
    }

    /// All that is left of a turn is given up.
    pub(crate) fn yield_budget(&mut self) {
        if let Some(context) = self.scheduler.context {
            let used = self.objects.contexts[context].consumed + self.scheduler.consumed;
            let left = self.objects.contexts[context].budget.head().amount;
            self.charge(left, false);
            self.objects.contexts[context].consumed = used;
        }
    }

    /// A thread runs by another's scheduling context.
    pub(crate) fn donate(&mut self, context: Id<SchedContext>, to: ThreadId) {
        if let Some(from) = self.objects.contexts[context].thread {
            self.dequeue(from);
            self.stop_waiting(from);
            self.objects.threads[from].context_id = None;
            if self.scheduler.current == Some(from) || self.is_candidate(from) {
                self.reschedule();
            }
        }
        self.objects.contexts[context].thread = Some(to);
        self.objects.threads[to].context_id = Some(context);
    }

    /// Who has none is lent a notification's.
    pub(crate) fn lend(&mut self, notification: Id<Notification>, to: ThreadId) {
        if self.context_of(to).is_none()
            && let Some(context) = self.objects.notifications[notification].context
            && self.objects.contexts[context].thread.is_none()
        {
            self.donate(context, to);
            self.resume_context(context);
        }
    }

    /// Who waits again gives back what a notification has lent.
    pub(crate) fn give_back(&mut self, notification: Id<Notification>, thread: ThreadId) {
        let context = self.objects.notifications[notification].context;
        if let Some(context) = context
            && self.context_of(thread) == Some(context)
        {
            self.objects.threads[thread].context_id = None;
            self.objects.contexts[context].thread = None;
            if self.scheduler.current == Some(thread) {
                self.reschedule();
            }
        }
    }

    fn bind_thread(&mut self, context: Id<SchedContext>, thread: ThreadId) {
        self.objects.threads[thread].context_id = Some(context);
        self.objects.contexts[context].thread = Some(thread);
        if self.objects.contexts[context].budget.is_active() {
            self.unblock(thread);
        }
        self.resume_context(context);
        if self.is_schedulable(thread) {
            self.enqueue_first(thread);
            self.reschedule();
        }
    }

    /// The thread that runs by it does so no longer.
    pub(crate) fn unbind_context(&mut self, context: Id<SchedContext>) {
        if let Some(thread) = self.objects.contexts[context].thread {
            if self.scheduler.current == Some(thread) {
                self.reschedule();
            }
            self.dequeue(thread);
            self.stop_waiting(thread);
            self.objects.threads[thread].context_id = None;
            self.objects.contexts[context].thread = None;
        }
    }

    pub(crate) fn unbind_context_notification(&mut self, context: Id<SchedContext>) {
        if let Some(notification) = self.objects.contexts[context].notification.take() {
            self.objects.notifications[notification].context = None;
        }
    }

    /// Gives a thread another scheduling context, or none.
    pub(crate) fn set_context(&mut self, thread: ThreadId, context: Option<Id<SchedContext>>) {
        match (context, self.context_of(thread)) {
            (Some(context), _) => self.bind_thread(context, thread),
            (None, Some(context)) => self.unbind_context(context),
            (None, None) => {}
        }
    }

    /// A thread that is to have this scheduling context can have it.
    pub(crate) fn ensure_bindable(&self, context: Id<SchedContext>, thread: ThreadId) -> Answer {
        let budget = &self.objects.contexts[context].budget;
        let released = budget.is_active() && budget.is_ready(self.scheduler.now);
        match self.is_blocked(thread) && !released {
            true => Err(Error::IllegalOperation),
            false => Ok(()),
        }
    }

    /// The last capability to it goes.
    pub(crate) fn finalise_context(&mut self, context: Id<SchedContext>) {
        self.unbind_context(context);
        self.unbind_context_notification(context);
        self.unbind_reply(context);
        self.complete_yield(context);
        let object = &mut self.objects.contexts[context];
        (object.budget.max, object.sporadic) = (0, false);
        if self.scheduler.context == Some(context) {
            self.scheduler.context = None;
            self.scheduler.consumed = 0;
        }
    }

    /// Who has yielded to it is told what was used.
    pub(crate) fn complete_yield(&mut self, context: Id<SchedContext>) {
        if let Some(from) = self.objects.contexts[context].yield_from.take() {
            self.objects.threads[from].yield_to = None;
            let used = self.take_consumed(context);
            let buffer = self.buffer(from, true);
            let length = self.set_word(from, buffer, 0, used);
            self.set_head(from, 0, Info::new(0, 0, 0, length));
        }
    }

    /// Who yielded does something else.
    pub(crate) fn cancel_yield(&mut self, thread: ThreadId) {
        if let Some(context) = self.objects.threads[thread].yield_to.take() {
            self.objects.contexts[context].yield_from = None;
        }
    }

    /// What was used since this was asked last, in microseconds.
    pub(crate) fn take_consumed(&mut self, context: Id<SchedContext>) -> usize {
        let consumed = core::mem::take(&mut self.objects.contexts[context].consumed);
        (consumed / self.ticks_per_us()) as usize
    }

    pub(crate) fn ask_sched_context(
        &mut self,
        request: &Request,
        context: Id<SchedContext>,
    ) -> Answer {
        use Invocation::*;
        match request.invocation {
            Some(SchedContextConsumed) => {
                let consumed = self.take_consumed(context);
                self.answer_words(request, &[consumed])
            }
            Some(SchedContextBind) => self.bind_context(request, context),
            Some(SchedContextUnbindObject) => {
                request.ensure(0, 1)?;
                let object = &self.objects.contexts[context];
                match self.extra_cap(request, 0)? {
                    (Cap::Thread(thread), _) => {
                        if object.thread != Some(thread) || thread == request.thread {
                            return Err(Error::IllegalOperation);
                        }
                        self.commit(request.thread);
                        self.unbind_context(context);
                    }
                    (Cap::Notification { object: bound, .. }, _) => {
                        if object.notification != Some(bound) {
                            return Err(Error::IllegalOperation);
                        }
                        self.commit(request.thread);
                        self.unbind_context_notification(context);
                    }
                    _ => return Err(Error::InvalidCapability(1)),
                }
                Ok(())
            }
            Some(SchedContextUnbind) => {
                if self.objects.contexts[context].thread == Some(request.thread) {
                    return Err(Error::IllegalOperation);
                }
                self.commit(request.thread);
                self.unbind_context(context);
                self.unbind_context_notification(context);
                self.unbind_reply(context);
                Ok(())
            }
            Some(SchedContextYieldTo) => self.yield_to(request, context),
            _ => Err(Error::IllegalOperation),
        }
    }

    fn bind_context(&mut self, request: &Request, context: Id<SchedContext>) -> Answer {
        request.ensure(0, 1)?;
        let object = &self.objects.contexts[context];
        match self.extra_cap(request, 0)? {
            (Cap::Thread(thread), _) => {
                if object.thread.is_some() || self.context_of(thread).is_some() {
                    return Err(Error::IllegalOperation);
                }
                self.ensure_bindable(context, thread)?;
                self.commit(request.thread);
                self.bind_thread(context, thread);
            }
            (Cap::Notification { object: id, .. }, _) => {
                if object.notification.is_some() || self.objects.notifications[id].context.is_some()
                {
                    return Err(Error::IllegalOperation);
                }
                self.commit(request.thread);
                self.objects.notifications[id].context = Some(context);
                self.objects.contexts[context].notification = Some(id);
            }
            _ => return Err(Error::InvalidCapability(1)),
        }
        Ok(())
    }

    fn yield_to(&mut self, request: &Request, context: Id<SchedContext>) -> Answer {
        let Some(thread) = self.objects.contexts[context].thread else {
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
        self.commit(current);
        self.complete_yield(context);
        self.resume_context(context);
        let higher = priority >= self.objects.threads[current].priority;
        if self.is_schedulable(thread) && higher {
            self.objects.threads[current].yield_to = Some(context);
            self.objects.contexts[context].yield_from = Some(current);
            self.dequeue(thread);
            self.enqueue_first(current);
            self.enqueue_first(thread);
            self.reschedule();
            return Ok(());
        }
        if self.is_schedulable(thread) {
            self.dequeue(thread);
            self.enqueue_first(thread);
        }
        let consumed = self.take_consumed(context);
        self.answer_words(request, &[consumed])
    }

    pub(crate) fn ask_sched_control(&mut self, request: &Request) -> Answer {
        if request.invocation != Some(Invocation::SchedControlConfigureFlags) {
            return Err(Error::IllegalOperation);
        }
        request.ensure(5, 1)?;
        let [budget_us, period_us, extra, badge, flags] = self.arguments(request);
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
        self.commit(request.thread);
        let [budget, period] = times.map(|time| time * ticks);
        self.configure_context(object, budget, period, extra + MIN_REFILLS);
        let object = &mut self.objects.contexts[object];
        object.badge = badge;
        object.sporadic = flags & 1 != 0;
        Ok(())
    }

    fn configure_context(&mut self, id: Id<SchedContext>, budget: u64, period: u64, max: usize) {
        let thread = self.objects.contexts[id].thread;
        if let Some(thread) = thread {
            self.stop_waiting(thread);
            self.dequeue(thread);
            if self.scheduler.context == Some(id) {
                self.commit_time();
            }
        }
        let runs = thread.is_some_and(|thread| self.is_runnable(thread));
        let (now, ticks) = (self.scheduler.now, self.ticks_per_us());
        let refills = &mut self.objects.contexts[id].budget;
        if budget == period {
            refills.renew(MIN_REFILLS, budget, 0, now, ticks);
        } else if refills.is_active() && runs {
            refills.update(max, budget, period, now);
        } else {
            refills.renew(max, budget, period, now, ticks);
        }
        if let Some(thread) = thread {
            self.resume_context(id);
            if self.scheduler.current == Some(thread) {
                self.reschedule();
            } else if self.is_runnable(thread) {
                self.wake(thread);
            }
        }
    }

    /// The first thread's scheduling context: it takes turns.
    pub(crate) fn first_context(&mut self, paddr: usize, thread: ThreadId) -> Cap {
        let ticks = self.ticks_per_us();
        let mut context = SchedContext {
            thread: Some(thread),
            ..SchedContext::default()
        };
        self.scheduler.now = self.machine.now();
        context
            .budget
            .renew(MIN_REFILLS, 5000 * ticks, 0, self.scheduler.now, ticks);
        let object = self.objects.contexts.insert(paddr, context);
        self.objects.threads[thread].context_id = Some(object);
        Cap::SchedContext {
            object,
            size_bits: arch::MIN_SCHED_CONTEXT_BITS,
        }
    }
}
