// SPDX-License-Identifier: GPL-2.0-only

//! Scheduler: fixed priorities, round robin among equal priorities, and domains.

use crate::arena::{Arena, Id};
use crate::config::Config;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::SchedContext;
use crate::queue::ReadyQueue;
use crate::thread::{Tcb, ThreadId, ThreadState};

/// Number of priorities.
pub(crate) const NUM_PRIORITIES: usize = 256;
/// Duration of the only entry of the domain schedule at boot, and the longest one: 56 bits.
pub(crate) const MAX_DOMAIN_DURATION: u64 = u64::MAX >> 8;

/// Decision about the next thread, as far as it is made during a kernel entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SchedulerAction {
    /// Continue with the current thread.
    ResumeCurrentThread,
    /// Choose the first of the ready queues.
    ChooseNewThread,
    /// Switch to this thread, unless one of higher priority is ready.
    SwitchTo(ThreadId),
}

/// Entry of the domain schedule.
#[derive(Clone, Copy, Default)]
pub(crate) struct DomainSchedule {
    pub domain: u8,
    pub duration: u64,
}

/// State of the scheduler.
pub(crate) struct Scheduler {
    pub cur_thread: Option<ThreadId>,
    action: SchedulerAction,
    /// Queue for each domain and priority.
    ready_queues: Vec<ReadyQueue>,
    /// Bit for each domain and priority, set if the queue is not empty.
    ready_bitmap: Vec<[u64; NUM_PRIORITIES / 64]>,
    pub cur_domain: u8,
    pub domain_time: u64,
    pub dom_schedule: Vec<DomainSchedule>,
    pub dom_schedule_idx: usize,
    pub dom_schedule_start: usize,
    /// Scheduling context that is charged, with mixed-criticality scheduling.
    pub cur_sc: Option<Id<SchedContext>>,
    /// Time of the last look at the clock.
    pub cur_time: u64,
    /// Ticks since the last charge.
    pub consumed: u64,
    /// Threads that wait for budget, in order of the times of their head refills.
    pub release_queue: Vec<ThreadId>,
    /// Kernel entries until the next timer tick.
    pub entries_left: u32,
    random: u64,
}

impl Scheduler {
    pub fn new(config: &Config) -> Self {
        let domains = usize::from(config.domains.max(1));
        let mut dom_schedule = vec![DomainSchedule::default(); config.domain_schedules.max(2)];
        dom_schedule[0].duration = MAX_DOMAIN_DURATION;
        Scheduler {
            cur_thread: None,
            action: SchedulerAction::ChooseNewThread,
            ready_queues: vec![ReadyQueue::default(); domains * NUM_PRIORITIES],
            ready_bitmap: vec![[0; NUM_PRIORITIES / 64]; domains],
            cur_domain: 0,
            domain_time: MAX_DOMAIN_DURATION,
            dom_schedule,
            cur_sc: None,
            cur_time: 0,
            consumed: 0,
            release_queue: Vec::new(),
            dom_schedule_idx: 0,
            dom_schedule_start: 0,
            entries_left: match config.seed {
                None => config.entries_per_tick,
                Some(_) => 1,
            },
            // Xorshift never leaves the state 0.
            random: config.seed.unwrap_or(0) | 1 << 63,
        }
    }

    fn ready_queue_index(&self, thread: &Tcb) -> usize {
        usize::from(thread.domain) * NUM_PRIORITIES + usize::from(thread.priority)
    }

    /// Returns the highest priority with a ready thread in the current domain.
    fn highest_prio(&self) -> Option<u8> {
        let words = self.ready_bitmap[usize::from(self.cur_domain)]
            .iter()
            .enumerate();
        let highest = words.rev().find(|(_, word)| **word != 0);
        highest.map(|(index, word)| (index * 64 + 63 - word.leading_zeros() as usize) as u8)
    }

    /// Sets or clears the bit of a ready queue that has changed.
    fn update_bitmap(&mut self, queue: usize) {
        let (domain, priority) = (queue / NUM_PRIORITIES, queue % NUM_PRIORITIES);
        let (word, bit) = (priority / 64, 1 << (priority % 64));
        match self.ready_queues[queue].is_empty() {
            true => self.ready_bitmap[domain][word] &= !bit,
            false => self.ready_bitmap[domain][word] |= bit,
        }
    }

    /// Returns the next number of a fixed sequence (xorshift).
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// Returns the ready queue of a priority in a domain.
    pub fn ready_queue(&self, domain: usize, priority: usize) -> Option<ReadyQueue> {
        self.ready_queues
            .get(domain * NUM_PRIORITIES + priority)
            .copied()
    }
}

impl<M: Machine> Kernel<M> {
    /// Puts a thread before the others of its priority, if it is in no ready queue.
    pub(crate) fn tcb_sched_enqueue(&mut self, id: ThreadId) {
        self.enqueue(id, ReadyQueue::prepend);
    }

    /// Puts a thread behind the others of its priority, if it is in no ready queue.
    pub(crate) fn tcb_sched_append(&mut self, id: ThreadId) {
        self.enqueue(id, ReadyQueue::append);
    }

    fn enqueue(&mut self, id: ThreadId, put: fn(&mut ReadyQueue, &mut Arena<Tcb>, ThreadId)) {
        let thread = &mut self.objects.threads[id];
        if !thread.queued {
            thread.queued = true;
            let index = self.scheduler.ready_queue_index(thread);
            let queue = &mut self.scheduler.ready_queues[index];
            put(queue, &mut self.objects.threads, id);
            self.scheduler.update_bitmap(index);
        }
    }

    /// Removes a thread from its ready queue, if it is in one.
    pub(crate) fn tcb_sched_dequeue(&mut self, id: ThreadId) {
        let thread = &mut self.objects.threads[id];
        if thread.queued {
            thread.queued = false;
            let index = self.scheduler.ready_queue_index(thread);
            self.scheduler.ready_queues[index].remove(&mut self.objects.threads, id);
            self.scheduler.update_bitmap(index);
        }
    }

    pub(crate) fn is_runnable(&self, id: ThreadId) -> bool {
        self.objects.threads[id].state.is_runnable()
    }

    /// Returns whether a thread is runnable and, with mixed-criticality scheduling, has an active
    /// scheduling context and need not wait for budget.
    pub(crate) fn is_schedulable(&self, id: ThreadId) -> bool {
        let thread = &self.objects.threads[id];
        let has_active_sc = || {
            let is_active = |sc| self.objects.sched_contexts[sc].refills.is_active();
            !thread.in_release_queue && thread.sched_context.is_some_and(is_active)
        };
        thread.state.is_runnable() && (!self.config.mcs || has_active_sc())
    }

    /// Returns whether the scheduler action is to switch to this thread.
    pub(crate) fn is_switch_candidate(&self, id: ThreadId) -> bool {
        self.scheduler.action == SchedulerAction::SwitchTo(id)
    }

    pub(crate) fn set_thread_state(&mut self, id: ThreadId, state: ThreadState) {
        self.objects.threads[id].state = state;
        if self.scheduler.cur_thread == Some(id)
            && self.scheduler.action == SchedulerAction::ResumeCurrentThread
            && !self.is_schedulable(id)
        {
            self.scheduler.action = SchedulerAction::ChooseNewThread;
        }
    }

    /// Leaves the decision to the ready queues.
    pub(crate) fn reschedule_required(&mut self) {
        if let SchedulerAction::SwitchTo(candidate) = self.scheduler.action
            && self.is_schedulable(candidate)
        {
            self.tcb_sched_enqueue(candidate);
        }
        self.scheduler.action = SchedulerAction::ChooseNewThread;
    }

    /// Makes a thread that has become ready the candidate to switch to. If there was a candidate
    /// already, both go to the ready queues.
    pub(crate) fn possible_switch_to(&mut self, id: ThreadId) {
        let thread = &self.objects.threads[id];
        if self.config.mcs && (thread.sched_context.is_none() || thread.in_release_queue) {
            return;
        }
        if thread.domain != self.scheduler.cur_domain {
            self.tcb_sched_enqueue(id);
        } else if self.scheduler.action != SchedulerAction::ResumeCurrentThread {
            self.reschedule_required();
            self.tcb_sched_enqueue(id);
        } else {
            self.scheduler.action = SchedulerAction::SwitchTo(id);
        }
    }

    /// Ends a kernel entry: delivers the delayed signals that are due, and schedules.
    pub(crate) fn exit_kernel(&mut self) {
        if !self.delayed_signals.is_empty() {
            self.deliver_delayed_signals(false);
        }
        self.schedule();
        if self.scheduler.cur_thread.is_none() && !self.delayed_signals.is_empty() {
            self.deliver_delayed_signals(true);
            self.schedule();
        }
    }

    /// Carries out the scheduler action, and prepares the chosen thread to run.
    fn schedule(&mut self) {
        if self.config.mcs {
            self.awaken();
            if self.is_cur_domain_expired() {
                self.reschedule_required();
            }
        }
        if self.scheduler.action != SchedulerAction::ResumeCurrentThread {
            let current = self.scheduler.cur_thread;
            let runnable = current.filter(|id| self.is_schedulable(*id));
            if let Some(current) = runnable {
                self.tcb_sched_enqueue(current);
            }
            match self.scheduler.action {
                SchedulerAction::SwitchTo(candidate) => {
                    let priority = self.objects.threads[candidate].priority;
                    let current_priority = current.map(|id| self.objects.threads[id].priority);
                    // No ready thread has a higher priority than the current thread had.
                    let must_look = current_priority.is_none_or(|current| priority < current);
                    let highest = self.scheduler.highest_prio();
                    if must_look && highest.is_some_and(|highest| highest > priority) {
                        self.tcb_sched_enqueue(candidate);
                        self.schedule_choose_new_thread();
                    } else if runnable.is_some() && current_priority == Some(priority) {
                        self.tcb_sched_append(candidate);
                        self.schedule_choose_new_thread();
                    } else {
                        self.switch_to_thread(Some(candidate));
                    }
                }
                _ => self.schedule_choose_new_thread(),
            }
            self.scheduler.action = SchedulerAction::ResumeCurrentThread;
        }
        if self.config.mcs {
            self.switch_sched_context();
        }
        self.activate_thread();
    }

    /// Switches to the first ready thread of the current domain, or of the next one if its time is
    /// over.
    fn schedule_choose_new_thread(&mut self) {
        if self.scheduler.domain_time == 0 {
            self.next_domain();
        }
        let domain = usize::from(self.scheduler.cur_domain);
        let queue = self
            .scheduler
            .highest_prio()
            .and_then(|priority| self.scheduler.ready_queue(domain, usize::from(priority)));
        self.switch_to_thread(queue.and_then(|queue| queue.head()));
    }

    /// Starts the next entry of the domain schedule. An entry without duration ends the schedule.
    fn next_domain(&mut self) {
        let scheduler = &mut self.scheduler;
        let next = scheduler.dom_schedule.get(scheduler.dom_schedule_idx + 1);
        scheduler.dom_schedule_idx = match next {
            Some(entry) if entry.duration != 0 => scheduler.dom_schedule_idx + 1,
            _ => scheduler.dom_schedule_start,
        };
        let entry = scheduler.dom_schedule.get(scheduler.dom_schedule_idx);
        let DomainSchedule { domain, duration } = entry.copied().unwrap_or_default();
        (scheduler.cur_domain, scheduler.domain_time) = (domain, duration);
        self.work_units = 0;
    }

    fn switch_to_thread(&mut self, thread: Option<ThreadId>) {
        if let Some(thread) = thread {
            self.tcb_sched_dequeue(thread);
        }
        if self.scheduler.cur_thread != thread {
            self.scheduler.cur_thread = thread;
            self.machine.event(Event::Switch(thread));
        }
    }

    /// Completes the current thread's yield-to. In the state `Restart`, sets the next instruction
    /// to that which entered the kernel.
    fn activate_thread(&mut self) {
        if let Some(current) = self.scheduler.cur_thread {
            if let Some(sc) = self.objects.threads[current].yield_to {
                self.sched_context_complete_yield_to(sc);
            }
            let thread = &mut self.objects.threads[current];
            if thread.state == ThreadState::Restart {
                thread.context.next = thread.context[crate::arch::IP];
                thread.state = ThreadState::Running;
            }
        }
    }

    /// Counts down the time slice of the current thread, and the time of the domain.
    pub(crate) fn timer_tick(&mut self) {
        if let Some(current) = self.scheduler.cur_thread {
            let thread = &mut self.objects.threads[current];
            if thread.state == ThreadState::Running {
                if thread.time_slice > 1 {
                    thread.time_slice -= 1;
                } else {
                    thread.time_slice = self.config.time_slice;
                    self.tcb_sched_append(current);
                    self.reschedule_required();
                }
            }
        }
        if self.config.domains > 1 {
            self.scheduler.domain_time = self.scheduler.domain_time.saturating_sub(1);
            if self.scheduler.domain_time == 0 {
                self.reschedule_required();
            }
        }
    }

    /// Counts a kernel entry, which may make the timer tick.
    #[inline]
    pub(crate) fn count_entry(&mut self) {
        if self.scheduler.entries_left == 0 {
            return;
        }
        self.scheduler.entries_left -= 1;
        if self.scheduler.entries_left == 0 {
            self.scheduler.entries_left = match self.config.seed {
                None => self.config.entries_per_tick,
                // Between one and a few entries, so that time slices end anywhere.
                Some(_) => 1 + (self.scheduler.random() % 8) as u32,
            };
            self.timer_tick();
        }
    }

    /// Counts the time of a long operation as a kernel entry. Returns whether the timer is about to
    /// tick, at the end of this entry.
    pub(crate) fn count_work(&mut self) -> bool {
        let left = &mut self.scheduler.entries_left;
        if *left > 1 {
            *left -= 1;
        }
        *left == 1
    }

    /// Returns whether a thread is ready that runs once a later domain of the schedule begins.
    pub(crate) fn is_other_domain_ready(&self) -> bool {
        let scheduler = &self.scheduler;
        let entries = &scheduler.dom_schedule[scheduler.dom_schedule_start..];
        let entries = entries.iter().take_while(|entry| entry.duration != 0);
        self.config.domains > 1
            && entries
                .map(|entry| scheduler.ready_bitmap[usize::from(entry.domain)])
                .any(|bitmap| bitmap.iter().any(|word| *word != 0))
    }

    /// Lets the rest of the current domain's time pass while none of its threads can run. Returns
    /// whether another domain has a thread that is ready. With mixed-criticality scheduling,
    /// [`Kernel::deadline`] is the time at which the domain ends.
    pub fn skip_domain(&mut self) -> bool {
        let skips = !self.config.mcs
            && !self.halted
            && self.scheduler.cur_thread.is_none()
            && self.is_other_domain_ready();
        if skips {
            self.scheduler.domain_time = 0;
            self.reschedule_required();
            self.exit_kernel();
        }
        skips
    }

    /// Returns whether the time of the current domain is over.
    pub(crate) fn is_cur_domain_expired(&self) -> bool {
        self.config.domains > 1 && self.scheduler.domain_time == 0
    }

    pub(crate) fn set_priority(&mut self, id: ThreadId, priority: u8) {
        if self.config.mcs {
            return self.set_priority_mcs(id, priority);
        }
        self.tcb_sched_dequeue(id);
        self.objects.threads[id].priority = priority;
        if self.is_runnable(id) {
            match self.scheduler.cur_thread == Some(id) {
                true => self.reschedule_required(),
                false => self.possible_switch_to(id),
            }
        }
    }

    /// Sets a priority where all queues are in order of priorities, which the thread's place
    /// follows.
    fn set_priority_mcs(&mut self, id: ThreadId, priority: u8) {
        let thread = &mut self.objects.threads[id];
        if !thread.state.is_runnable() {
            thread.priority = priority;
            self.reorder_ipc_queue(id);
        } else if thread.queued || self.scheduler.cur_thread == Some(id) {
            self.tcb_sched_dequeue(id);
            self.objects.threads[id].priority = priority;
            self.tcb_sched_enqueue(id);
            self.reschedule_required();
        } else {
            thread.priority = priority;
        }
    }

    pub(crate) fn set_domain(&mut self, id: ThreadId, domain: u8) {
        self.tcb_sched_dequeue(id);
        self.objects.threads[id].domain = domain;
        if self.is_schedulable(id) {
            self.tcb_sched_enqueue(id);
        }
        if self.scheduler.cur_thread == Some(id) {
            self.reschedule_required();
        }
    }

    /// Ends the time of the current domain, and continues at an entry of the domain schedule.
    pub(crate) fn set_domain_schedule_start(&mut self, start: usize) {
        self.scheduler.dom_schedule_start = start;
        self.scheduler.domain_time = 0;
        self.scheduler.dom_schedule_idx = self.scheduler.dom_schedule.len() - 2;
        self.reschedule_required();
    }
}
