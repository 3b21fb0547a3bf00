// SPDX-License-Identifier: GPL-2.0-only

//! Queues of threads, linked through the threads themselves.

use crate::arena::{Arena, Id};
use crate::thread::Tcb;

/// Which of a thread's pairs of links a queue uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// Threads that are ready.
    Ready,
    /// Threads that wait at an endpoint or notification.
    Waiting,
}

/// A thread's neighbours in a queue.
#[derive(Clone, Copy, Default)]
pub(crate) struct QueueLinks {
    prev: Option<Id<Tcb>>,
    next: Option<Id<Tcb>>,
}

impl QueueLinks {
    pub const fn next(self) -> Option<Id<Tcb>> {
        self.next
    }
}

/// The ends of a queue.
#[derive(Clone, Copy, Default)]
pub(crate) struct TcbQueue {
    head: Option<Id<Tcb>>,
    tail: Option<Id<Tcb>>,
}

impl TcbQueue {
    pub const fn head(&self) -> Option<Id<Tcb>> {
        self.head
    }

    pub const fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    pub fn append(&mut self, threads: &mut Arena<Tcb>, chain: Chain, thread: Id<Tcb>) {
        threads[thread].links[chain as usize] = QueueLinks {
            prev: self.tail,
            next: None,
        };
        match self.tail {
            Some(tail) => threads[tail].links[chain as usize].next = Some(thread),
            None => self.head = Some(thread),
        }
        self.tail = Some(thread);
    }

    pub fn prepend(&mut self, threads: &mut Arena<Tcb>, chain: Chain, thread: Id<Tcb>) {
        threads[thread].links[chain as usize] = QueueLinks {
            prev: None,
            next: self.head,
        };
        match self.head {
            Some(head) => threads[head].links[chain as usize].prev = Some(thread),
            None => self.tail = Some(thread),
        }
        self.head = Some(thread);
    }

    /// Puts a thread behind those of its priority, and before those of lower ones.
    pub fn insert(&mut self, threads: &mut Arena<Tcb>, chain: Chain, thread: Id<Tcb>) {
        let priority = threads[thread].priority;
        let lower = self
            .iter(threads, chain)
            .find(|other| threads[*other].priority < priority);
        let Some(next) = lower else {
            return self.append(threads, chain, thread);
        };
        let prev = threads[next].links[chain as usize].prev;
        let Some(prev) = prev else {
            return self.prepend(threads, chain, thread);
        };
        threads[thread].links[chain as usize] = QueueLinks {
            prev: Some(prev),
            next: Some(next),
        };
        threads[prev].links[chain as usize].next = Some(thread);
        threads[next].links[chain as usize].prev = Some(thread);
    }

    /// Takes a thread out that is in it.
    pub fn remove(&mut self, threads: &mut Arena<Tcb>, chain: Chain, thread: Id<Tcb>) {
        let QueueLinks { prev, next } = core::mem::take(&mut threads[thread].links[chain as usize]);
        match prev {
            Some(prev) => threads[prev].links[chain as usize].next = next,
            None => self.head = next,
        }
        match next {
            Some(next) => threads[next].links[chain as usize].prev = prev,
            None => self.tail = prev,
        }
    }

    /// The threads in it, from its head.
    pub fn iter<'a>(
        &self,
        threads: &'a Arena<Tcb>,
        chain: Chain,
    ) -> impl Iterator<Item = Id<Tcb>> + 'a {
        core::iter::successors(self.head, move |thread| {
            threads[*thread].links[chain as usize].next
        })
    }
}
