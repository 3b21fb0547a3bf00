// SPDX-License-Identifier: BSD-2-Clause

//! Queues of threads, linked through the threads themselves.

use crate::arena::{Arena, Id};
use crate::thread::Thread;

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
pub(crate) struct Links {
    previous: Option<Id<Thread>>,
    next: Option<Id<Thread>>,
}

impl Links {
    pub const fn next(self) -> Option<Id<Thread>> {
        self.next
    }
}

/// The ends of a queue.
#[derive(Clone, Copy, Default)]
pub(crate) struct Queue {
    head: Option<Id<Thread>>,
    tail: Option<Id<Thread>>,
}

impl Queue {
    pub const fn head(&self) -> Option<Id<Thread>> {
        self.head
    }

    pub const fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    pub fn append(&mut self, threads: &mut Arena<Thread>, chain: Chain, thread: Id<Thread>) {
        threads[thread].links[chain as usize] = Links {
            previous: self.tail,
            next: None,
        };
        match self.tail {
            Some(tail) => threads[tail].links[chain as usize].next = Some(thread),
            None => self.head = Some(thread),
        }
        self.tail = Some(thread);
    }

    pub fn prepend(&mut self, threads: &mut Arena<Thread>, chain: Chain, thread: Id<Thread>) {
        threads[thread].links[chain as usize] = Links {
            previous: None,
            next: self.head,
        };
        match self.head {
            Some(head) => threads[head].links[chain as usize].previous = Some(thread),
            None => self.tail = Some(thread),
        }
        self.head = Some(thread);
    }

    /// Puts a thread behind those of its priority, and before those of lower ones.
    pub fn insert(&mut self, threads: &mut Arena<Thread>, chain: Chain, thread: Id<Thread>) {
        let priority = threads[thread].priority;
        let lower = self
            .iter(threads, chain)
            .find(|other| threads[*other].priority < priority);
        let Some(next) = lower else {
            return self.append(threads, chain, thread);
        };
        let previous = threads[next].links[chain as usize].previous;
        let Some(previous) = previous else {
            return self.prepend(threads, chain, thread);
        };
        threads[thread].links[chain as usize] = Links {
            previous: Some(previous),
            next: Some(next),
        };
        threads[previous].links[chain as usize].next = Some(thread);
        threads[next].links[chain as usize].previous = Some(thread);
    }

    /// Takes a thread out that is in it.
    pub fn remove(&mut self, threads: &mut Arena<Thread>, chain: Chain, thread: Id<Thread>) {
        let Links { previous, next } = core::mem::take(&mut threads[thread].links[chain as usize]);
        match previous {
            Some(previous) => threads[previous].links[chain as usize].next = next,
            None => self.head = next,
        }
        match next {
            Some(next) => threads[next].links[chain as usize].previous = previous,
            None => self.tail = previous,
        }
    }

    /// The threads in it, from its head.
    pub fn iter<'a>(
        &self,
        threads: &'a Arena<Thread>,
        chain: Chain,
    ) -> impl Iterator<Item = Id<Thread>> + 'a {
        core::iter::successors(self.head, move |thread| {
            threads[*thread].links[chain as usize].next
        })
    }
}
