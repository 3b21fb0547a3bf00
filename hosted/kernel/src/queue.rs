// SPDX-License-Identifier: GPL-2.0-only

//! Queues of threads, linked through the TCBs.

use crate::arena::{Arena, Id};
use crate::thread::Tcb;

/// Links of the ready queues, in `Tcb::links`.
const SCHED: usize = 0;
/// Links of the queues at endpoints and notifications, in `Tcb::links`.
const EP: usize = 1;

/// Queue of threads that are ready to run.
pub(crate) type ReadyQueue = TcbQueue<SCHED>;
/// Queue of threads that wait at an endpoint or a notification.
pub(crate) type EpQueue = TcbQueue<EP>;

/// Neighbours of a thread in a queue.
#[derive(Clone, Copy, Default)]
pub(crate) struct QueueLinks {
    prev: Option<Id<Tcb>>,
    next: Option<Id<Tcb>>,
}

/// Head and tail of a queue that uses the links number `LINKS` of its threads.
#[derive(Clone, Copy, Default)]
pub(crate) struct TcbQueue<const LINKS: usize> {
    head: Option<Id<Tcb>>,
    tail: Option<Id<Tcb>>,
}

impl<const LINKS: usize> TcbQueue<LINKS> {
    pub const fn head(&self) -> Option<Id<Tcb>> {
        self.head
    }

    pub const fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Returns the thread behind `thread`, which is in a queue of this kind.
    pub fn next(threads: &Arena<Tcb>, thread: Id<Tcb>) -> Option<Id<Tcb>> {
        threads[thread].links[LINKS].next
    }

    pub fn append(&mut self, threads: &mut Arena<Tcb>, thread: Id<Tcb>) {
        self.link(threads, self.tail, thread, None);
    }

    pub fn prepend(&mut self, threads: &mut Arena<Tcb>, thread: Id<Tcb>) {
        self.link(threads, None, thread, self.head);
    }

    /// Removes a thread, which is in the queue.
    pub fn remove(&mut self, threads: &mut Arena<Tcb>, thread: Id<Tcb>) {
        let QueueLinks { prev, next } = core::mem::take(&mut threads[thread].links[LINKS]);
        *self.next_of(threads, prev) = next;
        *self.prev_of(threads, next) = prev;
    }

    /// Inserts a thread between two neighbours; `None` is the end of the queue.
    fn link(
        &mut self,
        threads: &mut Arena<Tcb>,
        prev: Option<Id<Tcb>>,
        thread: Id<Tcb>,
        next: Option<Id<Tcb>>,
    ) {
        threads[thread].links[LINKS] = QueueLinks { prev, next };
        *self.next_of(threads, prev) = Some(thread);
        *self.prev_of(threads, next) = Some(thread);
    }

    fn next_of<'a>(
        &'a mut self,
        threads: &'a mut Arena<Tcb>,
        prev: Option<Id<Tcb>>,
    ) -> &'a mut Option<Id<Tcb>> {
        match prev {
            Some(prev) => &mut threads[prev].links[LINKS].next,
            None => &mut self.head,
        }
    }

    fn prev_of<'a>(
        &'a mut self,
        threads: &'a mut Arena<Tcb>,
        next: Option<Id<Tcb>>,
    ) -> &'a mut Option<Id<Tcb>> {
        match next {
            Some(next) => &mut threads[next].links[LINKS].prev,
            None => &mut self.tail,
        }
    }

    /// Iterates over the threads in the queue, from its head.
    pub fn iter<'a>(&self, threads: &'a Arena<Tcb>) -> impl Iterator<Item = Id<Tcb>> + 'a {
        core::iter::successors(self.head, move |thread| Self::next(threads, *thread))
    }
}

impl EpQueue {
    /// Appends a thread that blocks. With mixed-criticality scheduling the queue is in order of
    /// priorities, and the thread is appended to those of its own.
    pub fn ep_append(&mut self, threads: &mut Arena<Tcb>, thread: Id<Tcb>, mcs: bool) {
        let priority = threads[thread].priority;
        let lower = |other: &Id<Tcb>| threads[*other].priority < priority;
        let next = match mcs {
            true => self.iter(threads).find(lower),
            false => None,
        };
        let prev = match next {
            Some(next) => threads[next].links[EP].prev,
            None => self.tail,
        };
        self.link(threads, prev, thread, next);
    }
}
