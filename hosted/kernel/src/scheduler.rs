// SPDX-License-Identifier: BSD-2-Clause

//! Which thread runs: strict priorities, in turn among equals, domains in turn.

use crate::arena::{Arena, Id};
use crate::config::Config;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::SchedContext;
use crate::queue::{Chain, Queue};
use crate::thread::{State, Thread, ThreadId};

/// Priorities there are.
pub(crate) const PRIORITIES: usize = 256;
/// Places of the schedule of domains.
pub(crate) const DOMAIN_SCHEDULES: usize = 2;

/// What the end of a kernel entry has to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    /// The thread that entered goes on.
    Resume,
    /// The queues decide.
    Choose,
    /// This one shall, unless a better is ready.
    Switch(ThreadId),
}

/// A place of the schedule of domains.
#[derive(Clone, Copy, Default)]
pub(crate) struct Turn {
    pub domain: u8,
    pub duration: u64,
}

pub(crate) struct Scheduler {
    pub current: Option<ThreadId>,
    action: Action,
    /// Per domain and priority.
    queues: Vec<Queue>,
    /// Per domain, a bit per priority.
    ready: Vec<[u64; PRIORITIES / 64]>,
    pub domain: u8,
    pub domain_time: u64,
    pub turns: [Turn; DOMAIN_SCHEDULES],
    pub turn: usize,
    pub first_turn: usize,
    /// With mixed-criticality scheduling: who is charged, the time, what was used since, and who
    /// waits for budget, the first to get it first.
    pub context: Option<Id<SchedContext>>,
    pub now: u64,
    pub consumed: u64,
    pub waiting: Vec<ThreadId>,
    /// Entries until the next tick.
    pub entries_left: u32,
    random: u64,
}

impl Scheduler {
    pub fn new(config: &Config) -> Self {
        let domains = usize::from(config.domains.max(1));
        Scheduler {
            current: None,
            action: Action::Choose,
            queues: vec![Queue::default(); domains * PRIORITIES],
            ready: vec![[0; PRIORITIES / 64]; domains],
            domain: 0,
            domain_time: 60,
            turns: [
                Turn {
                    domain: 0,
                    duration: 60,
                },
                Turn::default(),
            ],
            context: None,
            now: 0,
            consumed: 0,
            waiting: Vec::new(),
            turn: 0,
            first_turn: 0,
            entries_left: match config.seed {
                None => config.entries_per_tick,
                Some(_) => 1,
            },
            // A generator of this kind never leaves 0.
            random: config.seed.unwrap_or(0) | 1 << 63,
        }
    }

    fn queue_of(&self, thread: &Thread) -> usize {
        usize::from(thread.domain) * PRIORITIES + usize::from(thread.priority)
    }

    /// The highest priority of the domain that has threads.
    fn highest(&self) -> Option<u8> {
        let words = self.ready[usize::from(self.domain)].iter().enumerate();
        let highest = words.rev().find(|(_, word)| **word != 0);
        highest.map(|(index, word)| (index * 64 + 63 - word.leading_zeros() as usize) as u8)
    }

    fn note(&mut self, queue: usize) {
        let (domain, priority) = (queue / PRIORITIES, queue % PRIORITIES);
        let (word, bit) = (priority / 64, 1 << (priority % 64));
        match self.queues[queue].is_empty() {
            true => self.ready[domain][word] &= !bit,
            false => self.ready[domain][word] |= bit,
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
    pub fn ready(&self, domain: usize, priority: usize) -> Option<Queue> {
        self.queues.get(domain * PRIORITIES + priority).copied()
    }
}

impl<M: Machine> Kernel<M> {
    /// Puts a thread before others of its priority, if it is not there.
    pub(crate) fn enqueue_first(&mut self, id: ThreadId) {
        self.enqueue(id, Queue::prepend);
    }

    /// Puts a thread behind others of its priority, if it is not there.
    pub(crate) fn enqueue_last(&mut self, id: ThreadId) {
        self.enqueue(id, Queue::append);
    }

    fn enqueue(&mut self, id: ThreadId, put: fn(&mut Queue, &mut Arena<Thread>, Chain, ThreadId)) {
        let thread = &mut self.objects.threads[id];
        if !thread.queued {
            thread.queued = true;
            let queue = self.scheduler.queue_of(thread);
            put(
                &mut self.scheduler.queues[queue],
                &mut self.objects.threads,
                Chain::Ready,
                id,
            );
            self.scheduler.note(queue);
        }
    }

    pub(crate) fn dequeue(&mut self, id: ThreadId) {
        let thread = &mut self.objects.threads[id];
        if thread.queued {
            thread.queued = false;
            let queue = self.scheduler.queue_of(thread);
            self.scheduler.queues[queue].remove(&mut self.objects.threads, Chain::Ready, id);
            self.scheduler.note(queue);
        }
    }

    pub(crate) fn is_runnable(&self, id: ThreadId) -> bool {
        self.objects.threads[id].state.is_runnable()
    }

    /// Whether it could run, and has something to run by.
    pub(crate) fn is_schedulable(&self, id: ThreadId) -> bool {
        let thread = &self.objects.threads[id];
        let has_context = || {
            let context = thread.context_id;
            let active = |context| self.objects.contexts[context].budget.is_active();
            !thread.postponed && context.is_some_and(active)
        };
        thread.state.is_runnable() && (!self.config.mcs || has_context())
    }

    /// Whether it shall run at the end of this entry.
    pub(crate) fn is_candidate(&self, id: ThreadId) -> bool {
        self.scheduler.action == Action::Switch(id)
    }

    pub(crate) fn set_state(&mut self, id: ThreadId, state: State) {
        self.objects.threads[id].state = state;
        if self.scheduler.current == Some(id)
            && self.scheduler.action == Action::Resume
            && !self.is_schedulable(id)
        {
            self.scheduler.action = Action::Choose;
        }
    }

    /// The queues decide at the end of this entry.
    pub(crate) fn reschedule(&mut self) {
        if let Action::Switch(candidate) = self.scheduler.action
            && self.is_schedulable(candidate)
        {
            self.enqueue_first(candidate);
        }
        self.scheduler.action = Action::Choose;
    }

    /// A thread has become ready, and shall run if that is right.
    pub(crate) fn wake(&mut self, id: ThreadId) {
        let thread = &self.objects.threads[id];
        if self.config.mcs && (thread.context_id.is_none() || thread.postponed) {
            return;
        }
        if thread.domain != self.scheduler.domain {
            self.enqueue_first(id);
        } else if self.scheduler.action != Action::Resume {
            self.reschedule();
            self.enqueue_first(id);
        } else {
            self.scheduler.action = Action::Switch(id);
        }
    }

    /// Ends a kernel entry: decides who runs.
    pub(crate) fn schedule(&mut self) {
        if !self.delayed.is_empty() {
            self.deliver(false);
        }
        self.decide();
        if self.scheduler.current.is_none() && !self.delayed.is_empty() {
            self.deliver(true);
            self.decide();
        }
    }

    fn decide(&mut self) {
        if self.config.mcs {
            self.awaken();
        }
        if self.scheduler.action != Action::Resume {
            let current = self.scheduler.current;
            let runnable = current.filter(|id| self.is_schedulable(*id));
            if let Some(current) = runnable {
                self.enqueue_first(current);
            }
            match self.scheduler.action {
                Action::Switch(candidate) => {
                    let priority = self.objects.threads[candidate].priority;
                    let than = current.map(|id| self.objects.threads[id].priority);
                    // Nobody is ready before the thread that ran.
                    let must_look = than.is_none_or(|than| priority < than);
                    if must_look && self.scheduler.highest().is_some_and(|best| best > priority) {
                        self.enqueue_first(candidate);
                        self.choose();
                    } else if runnable.is_some() && than == Some(priority) {
                        self.enqueue_last(candidate);
                        self.choose();
                    } else {
                        self.switch_to(Some(candidate));
                    }
                }
                _ => self.choose(),
            }
            self.scheduler.action = Action::Resume;
        }
        if self.config.mcs {
            self.switch_context();
        }
        self.activate();
    }

    fn choose(&mut self) {
        if self.scheduler.domain_time == 0 {
            self.next_domain();
        }
        let domain = usize::from(self.scheduler.domain);
        let queue = self
            .scheduler
            .highest()
            .and_then(|priority| self.scheduler.ready(domain, usize::from(priority)));
        self.switch_to(queue.and_then(|queue| queue.head()));
    }

    fn next_domain(&mut self) {
        let scheduler = &mut self.scheduler;
        scheduler.turn += 1;
        let at_end = |turn: usize| {
            scheduler
                .turns
                .get(turn)
                .is_none_or(|turn| turn.duration == 0)
        };
        if at_end(scheduler.turn) {
            scheduler.turn = scheduler.first_turn;
        }
        let turn = scheduler
            .turns
            .get(scheduler.turn)
            .copied()
            .unwrap_or_default();
        scheduler.domain = turn.domain;
        scheduler.domain_time = turn.duration;
    }

    fn switch_to(&mut self, thread: Option<ThreadId>) {
        if let Some(thread) = thread {
            self.dequeue(thread);
        }
        if self.scheduler.current != thread {
            self.scheduler.current = thread;
            self.machine.event(Event::Switch(thread));
        }
    }

    /// Who is to be restarted begins with the instruction that entered the kernel.
    fn activate(&mut self) {
        if let Some(current) = self.scheduler.current {
            if let Some(context) = self.objects.threads[current].yield_to {
                self.complete_yield(context);
            }
            let thread = &mut self.objects.threads[current];
            if thread.state == State::Restart {
                thread.context.next = thread.context[crate::arch::IP];
                thread.state = State::Running;
            }
        }
    }

    /// The timer has ticked.
    pub(crate) fn tick(&mut self) {
        if let Some(current) = self.scheduler.current {
            let thread = &mut self.objects.threads[current];
            if thread.state == State::Running {
                if thread.time_slice > 1 {
                    thread.time_slice -= 1;
                } else {
                    thread.time_slice = self.config.time_slice;
                    self.enqueue_last(current);
                    self.reschedule();
                }
            }
        }
        if self.config.domains > 1 {
            self.scheduler.domain_time = self.scheduler.domain_time.saturating_sub(1);
            if self.scheduler.domain_time == 0 {
                self.reschedule();
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
            self.tick();
        }
    }

    /// It gives way to others of its priority.
    pub(crate) fn yield_now(&mut self, current: ThreadId) {
        self.dequeue(current);
        self.enqueue_last(current);
        self.reschedule();
    }

    pub(crate) fn set_priority(&mut self, id: ThreadId, priority: u8) {
        if self.config.mcs {
            return self.set_priority_in_place(id, priority);
        }
        self.dequeue(id);
        self.objects.threads[id].priority = priority;
        if self.is_runnable(id) {
            match self.scheduler.current == Some(id) {
                true => self.reschedule(),
                false => self.wake(id),
            }
        }
    }

    /// Queues are in order of priorities: it changes its place.
    fn set_priority_in_place(&mut self, id: ThreadId, priority: u8) {
        let thread = &mut self.objects.threads[id];
        if thread.state.is_runnable() {
            if thread.queued || self.scheduler.current == Some(id) {
                self.dequeue(id);
                self.objects.threads[id].priority = priority;
                self.enqueue_first(id);
                self.reschedule();
            } else {
                thread.priority = priority;
            }
        } else {
            thread.priority = priority;
            self.requeue(id);
        }
    }

    pub(crate) fn set_domain(&mut self, id: ThreadId, domain: u8) {
        self.dequeue(id);
        self.objects.threads[id].domain = domain;
        if self.is_schedulable(id) {
            self.enqueue_first(id);
        }
        if self.scheduler.current == Some(id) {
            self.reschedule();
        }
    }

    /// Ends the turn of the domain that runs.
    pub(crate) fn restart_domains(&mut self, first: usize) {
        self.scheduler.first_turn = first;
        self.scheduler.domain_time = 0;
        self.scheduler.turn = DOMAIN_SCHEDULES - 2;
        self.reschedule();
    }
}
