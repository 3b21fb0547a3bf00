// SPDX-License-Identifier: GPL-2.0-only

//! Which thread runs: strict priorities, in turn among equals, domains in turn.

use crate::arena::{Arena, Id};
use crate::config::Config;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::SchedContext;
use crate::queue::{Chain, TcbQueue};
use crate::thread::{Tcb, ThreadId, ThreadState};

/// Priorities there are.
pub(crate) const NUM_PRIORITIES: usize = 256;
/// Places of the schedule of domains.
pub(crate) const NUM_DOMAIN_SCHEDULES: usize = 2;

/// What the end of a kernel entry has to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SchedulerAction {
    /// The thread that entered goes on.
    ResumeCurrentThread,
    /// The ready_queues decide.
    ChooseNewThread,
    /// This one shall, unless a better is ready.
    SwitchToThread(ThreadId),
}

/// A place of the schedule of domains.
#[derive(Clone, Copy, Default)]
pub(crate) struct DomainSchedule {
    pub domain: u8,
    pub duration: u64,
}

pub(crate) struct Scheduler {
    pub cur_thread: Option<ThreadId>,
    action: SchedulerAction,
    /// Per domain and priority.
    ready_queues: Vec<TcbQueue>,
    /// Per domain, a bit per priority.
    ready_bitmap: Vec<[u64; NUM_PRIORITIES / 64]>,
    pub cur_domain: u8,
    pub domain_time: u64,
    pub dom_schedule: [DomainSchedule; NUM_DOMAIN_SCHEDULES],
    pub dom_schedule_idx: usize,
    pub dom_schedule_start: usize,
    /// With mixed-criticality scheduling: who is charged, the time, what was used since, and who
    /// waits for budget, the first to get it first.
    pub cur_sc: Option<Id<SchedContext>>,
    pub cur_time: u64,
    pub consumed: u64,
    pub release_queue: Vec<ThreadId>,
    /// Entries until the next tick.
    pub entries_left: u32,
    random: u64,
}

impl Scheduler {
    pub fn new(config: &Config) -> Self {
        let domains = usize::from(config.domains.max(1));
        Scheduler {
            cur_thread: None,
            action: SchedulerAction::ChooseNewThread,
            ready_queues: vec![TcbQueue::default(); domains * NUM_PRIORITIES],
            ready_bitmap: vec![[0; NUM_PRIORITIES / 64]; domains],
            cur_domain: 0,
            domain_time: 60,
            dom_schedule: [
                DomainSchedule {
                    domain: 0,
                    duration: 60,
                },
                DomainSchedule::default(),
            ],
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
            // A generator of this kind never leaves 0.
            random: config.seed.unwrap_or(0) | 1 << 63,
        }
    }

    fn ready_queue_index(&self, thread: &Tcb) -> usize {
        usize::from(thread.domain) * NUM_PRIORITIES + usize::from(thread.priority)
    }

    /// The highest priority of the domain that has threads.
    fn highest_prio(&self) -> Option<u8> {
        let words = self.ready_bitmap[usize::from(self.cur_domain)]
            .iter()
            .enumerate();
        let highest = words.rev().find(|(_, word)| **word != 0);
        highest.map(|(index, word)| (index * 64 + 63 - word.leading_zeros() as usize) as u8)
    }

    fn update_bitmap(&mut self, queue: usize) {
        let (domain, priority) = (queue / NUM_PRIORITIES, queue % NUM_PRIORITIES);
        let (word, bit) = (priority / 64, 1 << (priority % 64));
        match self.ready_queues[queue].is_empty() {
            true => self.ready_bitmap[domain][word] &= !bit,
            false => self.ready_bitmap[domain][word] |= bit,
        }
    }

    /// The next of a fixed sequence (xorshift).
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// The threads that are ready at a priority of a domain.
    pub fn ready_queue(&self, domain: usize, priority: usize) -> Option<TcbQueue> {
        self.ready_queues
            .get(domain * NUM_PRIORITIES + priority)
            .copied()
    }
}

impl<M: Machine> Kernel<M> {
    /// Puts a thread before others of its priority, if it is not there.
    pub(crate) fn tcb_sched_enqueue(&mut self, id: ThreadId) {
        self.enqueue(id, TcbQueue::prepend);
    }

    /// Puts a thread behind others of its priority, if it is not there.
    pub(crate) fn tcb_sched_append(&mut self, id: ThreadId) {
        self.enqueue(id, TcbQueue::append);
    }

    fn enqueue(&mut self, id: ThreadId, put: fn(&mut TcbQueue, &mut Arena<Tcb>, Chain, ThreadId)) {
        let thread = &mut self.objects.threads[id];
        if !thread.queued {
            thread.queued = true;
            let queue = self.scheduler.ready_queue_index(thread);
            put(
                &mut self.scheduler.ready_queues[queue],
                &mut self.objects.threads,
                Chain::Ready,
                id,
            );
            self.scheduler.update_bitmap(queue);
        }
    }

    pub(crate) fn tcb_sched_dequeue(&mut self, id: ThreadId) {
        let thread = &mut self.objects.threads[id];
        if thread.queued {
            thread.queued = false;
            let queue = self.scheduler.ready_queue_index(thread);
            self.scheduler.ready_queues[queue].remove(&mut self.objects.threads, Chain::Ready, id);
            self.scheduler.update_bitmap(queue);
        }
    }

    pub(crate) fn is_runnable(&self, id: ThreadId) -> bool {
        self.objects.threads[id].state.is_runnable()
    }

    /// Whether it could run, and has something to run by.
    pub(crate) fn is_schedulable(&self, id: ThreadId) -> bool {
        let thread = &self.objects.threads[id];
        let has_context = || {
            let context = thread.sched_context;
            let active = |context| self.objects.sched_contexts[context].refills.is_active();
            !thread.in_release_queue && context.is_some_and(active)
        };
        thread.state.is_runnable() && (!self.config.mcs || has_context())
    }

    /// Whether it shall run at the end of this entry.
    pub(crate) fn is_switch_candidate(&self, id: ThreadId) -> bool {
        self.scheduler.action == SchedulerAction::SwitchToThread(id)
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

    /// The ready_queues decide at the end of this entry.
    pub(crate) fn reschedule_required(&mut self) {
        if let SchedulerAction::SwitchToThread(candidate) = self.scheduler.action
            && self.is_schedulable(candidate)
        {
            self.tcb_sched_enqueue(candidate);
        }
        self.scheduler.action = SchedulerAction::ChooseNewThread;
    }

    /// A thread has become ready, and shall run if that is right.
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
            self.scheduler.action = SchedulerAction::SwitchToThread(id);
        }
    }

    /// Ends a kernel entry: decides who runs.
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

    fn schedule(&mut self) {
        if self.config.mcs {
            self.awaken();
        }
        if self.scheduler.action != SchedulerAction::ResumeCurrentThread {
            let current = self.scheduler.cur_thread;
            let runnable = current.filter(|id| self.is_schedulable(*id));
            if let Some(current) = runnable {
                self.tcb_sched_enqueue(current);
            }
            match self.scheduler.action {
                SchedulerAction::SwitchToThread(candidate) => {
                    let priority = self.objects.threads[candidate].priority;
                    let than = current.map(|id| self.objects.threads[id].priority);
                    // Nobody is ready before the thread that ran.
                    let must_look = than.is_none_or(|than| priority < than);
                    if must_look
                        && self
                            .scheduler
                            .highest_prio()
                            .is_some_and(|best| best > priority)
                    {
                        self.tcb_sched_enqueue(candidate);
                        self.schedule_choose_new_thread();
                    } else if runnable.is_some() && than == Some(priority) {
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

    fn next_domain(&mut self) {
        let scheduler = &mut self.scheduler;
        scheduler.dom_schedule_idx += 1;
        let at_end = |turn: usize| {
            scheduler
                .dom_schedule
                .get(turn)
                .is_none_or(|turn| turn.duration == 0)
        };
        if at_end(scheduler.dom_schedule_idx) {
            scheduler.dom_schedule_idx = scheduler.dom_schedule_start;
        }
        let turn = scheduler
            .dom_schedule
            .get(scheduler.dom_schedule_idx)
            .copied()
            .unwrap_or_default();
        scheduler.cur_domain = turn.domain;
        scheduler.domain_time = turn.duration;
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

    /// Who is to be restarted begins with the instruction that entered the kernel.
    fn activate_thread(&mut self) {
        if let Some(current) = self.scheduler.cur_thread {
            if let Some(context) = self.objects.threads[current].yield_to {
                self.sched_context_complete_yield_to(context);
            }
            let thread = &mut self.objects.threads[current];
            if thread.state == ThreadState::Restart {
                thread.context.next = thread.context[crate::arch::IP];
                thread.state = ThreadState::Running;
            }
        }
    }

    /// The timer has ticked.
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
                // Between one and a few entries, so that slices end anywhere.
                Some(_) => 1 + (self.scheduler.random() % 8) as u32,
            };
            self.timer_tick();
        }
    }

    /// It gives way to others of its priority.
    pub(crate) fn handle_yield(&mut self, current: ThreadId) {
        self.tcb_sched_dequeue(current);
        self.tcb_sched_append(current);
        self.reschedule_required();
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

    /// Queues are in order of priorities: it changes its place.
    fn set_priority_mcs(&mut self, id: ThreadId, priority: u8) {
        let thread = &mut self.objects.threads[id];
        if thread.state.is_runnable() {
            if thread.queued || self.scheduler.cur_thread == Some(id) {
                self.tcb_sched_dequeue(id);
                self.objects.threads[id].priority = priority;
                self.tcb_sched_enqueue(id);
                self.reschedule_required();
            } else {
                thread.priority = priority;
            }
        } else {
            thread.priority = priority;
            self.reorder_ipc_queue(id);
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

    /// Ends the turn of the domain that runs.
    pub(crate) fn set_domain_schedule_start(&mut self, first: usize) {
        self.scheduler.dom_schedule_start = first;
        self.scheduler.domain_time = 0;
        self.scheduler.dom_schedule_idx = NUM_DOMAIN_SCHEDULES - 2;
        self.reschedule_required();
    }
}
