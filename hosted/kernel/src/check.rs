// SPDX-License-Identifier: GPL-2.0-only

//! Invariants that hold between kernel entries.

use crate::arena::Id;
use crate::cap::{Cap, ZombieObject};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Endpoint;
use crate::scheduler::NUM_PRIORITIES;
use crate::thread::{ThreadId, ThreadState};

impl<M: Machine> Kernel<M> {
    /// Checks all invariants, of the MDB, queues, references and untyped memory. For tests, since
    /// it is slow.
    ///
    /// # Errors
    ///
    /// Describes the first invariant that does not hold.
    pub fn check(&self) -> Result<(), String> {
        self.check_mdb()?;
        self.check_references()?;
        self.check_untypeds()?;
        self.check_ready_queues()?;
        self.check_ep_queues()?;
        match self.scheduler.cur_thread {
            Some(current) if !self.objects.threads.is_live(current) => {
                Err(format!("the current thread {current:?} is deleted"))
            }
            Some(current) if self.objects.threads[current].state != ThreadState::Running => {
                let state = self.objects.threads[current].state;
                Err(format!("the current thread {current:?} is {state:?}"))
            }
            _ => Ok(()),
        }
    }

    fn check_mdb(&self) -> Result<(), String> {
        match self.slots.find_inconsistent() {
            Some(slot) => Err(format!("{slot:?} and its neighbours contradict each other")),
            None => Ok(()),
        }
    }

    /// Checks that nothing refers to a deleted object, and that references are mutual.
    fn check_references(&self) -> Result<(), String> {
        let objects = &self.objects;
        for (slot, cap) in self.slots.occupied() {
            let live = match cap {
                Cap::Endpoint { object, .. } => objects.endpoints.is_live(object),
                Cap::Notification { object, .. } => objects.notifications.is_live(object),
                Cap::CNode { object, .. } => objects.cnodes.is_live(object),
                Cap::Thread(thread) | Cap::Reply { thread, .. } => objects.threads.is_live(thread),
                Cap::Zombie {
                    object: ZombieObject::CNode(cnode),
                    ..
                } => objects.cnodes.is_live(cnode),
                Cap::Zombie {
                    object: ZombieObject::Thread(thread),
                    ..
                } => objects.threads.is_live(thread),
                Cap::PageTable { object, .. } | Cap::VSpace { object, .. } => {
                    objects.page_tables.is_live(object)
                }
                Cap::AsidPool { object, .. } => objects.asid_pools.is_live(object),
                Cap::ReplyObject { object, .. } => objects.replies.is_live(object),
                Cap::SchedContext { object, .. } => objects.sched_contexts.is_live(object),
                _ => true,
            };
            if !live {
                return Err(format!("{slot:?} holds {cap:?}, whose object is deleted"));
            }
        }
        for (id, thread) in objects.threads.iter() {
            let waits = matches!(
                thread.state,
                ThreadState::BlockedOnReply | ThreadState::BlockedOnReceive { .. }
            );
            if let Some(reply) = thread.reply
                && (!waits || objects.replies.get(reply).and_then(|reply| reply.tcb) != Some(id))
            {
                return Err(format!(
                    "{id:?} waits with {reply:?}, which has another thread or none"
                ));
            }
            if let Some(sc) = thread.sched_context
                && objects.sched_contexts.get(sc).and_then(|sc| sc.tcb) != Some(id)
            {
                return Err(format!(
                    "{id:?} has {sc:?}, which has another thread or none"
                ));
            }
            if thread.in_release_queue != self.scheduler.release_queue.contains(&id) {
                return Err(format!(
                    "{id:?} and the release queue contradict each other"
                ));
            }
            if let Some(bound) = thread.bound_notification
                && objects
                    .notifications
                    .get(bound)
                    .and_then(|bound| bound.bound_tcb)
                    != Some(id)
            {
                return Err(format!(
                    "{id:?} is bound to {bound:?}, which is bound to another thread or none"
                ));
            }
        }
        Ok(())
    }

    /// Checks that objects lie below the free index of their untyped.
    fn check_untypeds(&self) -> Result<(), String> {
        for (slot, cap) in self.slots.occupied() {
            let Cap::Untyped(untyped) = cap else {
                continue;
            };
            if untyped.free_index > 1 << untyped.size_bits {
                return Err(format!("{slot:?} has a free index beyond its end: {cap:?}"));
            }
            let mut next = self.slots.mdb_next(slot);
            while let Some(child) = next.filter(|child| self.is_mdb_parent_of(slot, *child)) {
                let (at, bits) = self
                    .objects
                    .cap_region(self.slots.cap(child))
                    .unwrap_or_default();
                if at + (1 << bits) > untyped.paddr + untyped.free_index {
                    return Err(format!("{child:?} lies in free memory of {slot:?}"));
                }
                next = self.slots.mdb_next(child);
            }
        }
        Ok(())
    }

    /// Checks that each schedulable thread but the current one is in its ready queue, once, and no
    /// other thread is in one.
    fn check_ready_queues(&self) -> Result<(), String> {
        let mut queued = 0;
        for domain in 0..usize::from(self.config.domains.max(1)) {
            for priority in 0..NUM_PRIORITIES {
                let Some(queue) = self.scheduler.ready_queue(domain, priority) else {
                    continue;
                };
                for id in queue.iter(&self.objects.threads) {
                    queued += 1;
                    let thread = &self.objects.threads[id];
                    let right = thread.queued
                        && self.is_schedulable(id)
                        && self.objects.threads.is_live(id)
                        && usize::from(thread.domain) == domain
                        && usize::from(thread.priority) == priority;
                    if !right {
                        return Err(format!("{id:?} is in a ready queue it does not belong to"));
                    }
                }
            }
        }
        let threads = self.objects.threads.iter();
        let ready: Vec<(ThreadId, bool)> = threads
            .filter(|(id, _)| self.is_schedulable(*id) && self.scheduler.cur_thread != Some(*id))
            .map(|(id, thread)| (id, thread.queued))
            .collect();
        match ready.iter().find(|(_, queued)| !queued) {
            Some((id, _)) => Err(format!("{id:?} is ready and in no queue")),
            None if ready.len() != queued => Err("a thread is in two ready queues".into()),
            None => Ok(()),
        }
    }

    /// Checks that each thread that waits at an endpoint or notification is in its queue, once, and
    /// no other thread is in one.
    fn check_ep_queues(&self) -> Result<(), String> {
        let threads = &self.objects.threads;
        let mut queued = 0;
        let waits_at = |state: ThreadState, sending: bool, endpoint: Id<Endpoint>| match state {
            ThreadState::BlockedOnSend { endpoint: at, .. } => sending && at == endpoint,
            ThreadState::BlockedOnReceive { endpoint: at, .. } => !sending && at == endpoint,
            _ => false,
        };
        for (id, endpoint) in self.objects.endpoints.iter() {
            for thread in endpoint.queue.iter(threads) {
                queued += 1;
                if !waits_at(threads[thread].state, endpoint.sending, id) {
                    return Err(format!("{thread:?} is in the queue of endpoint {id:?}"));
                }
            }
            if endpoint.sending && endpoint.queue.is_empty() {
                return Err(format!(
                    "endpoint {id:?} is in the state of sending, and its queue is empty"
                ));
            }
        }
        for (id, notification) in self.objects.notifications.iter() {
            for thread in notification.queue.iter(threads) {
                queued += 1;
                if threads[thread].state != ThreadState::BlockedOnNotification(id) {
                    return Err(format!("{thread:?} is in the queue of notification {id:?}"));
                }
            }
            if notification.active.is_some() && !notification.queue.is_empty() {
                return Err(format!("notification {id:?} is active, and threads wait"));
            }
        }
        let waiting = threads.iter().filter(|(_, thread)| {
            matches!(
                thread.state,
                ThreadState::BlockedOnSend { .. }
                    | ThreadState::BlockedOnReceive { .. }
                    | ThreadState::BlockedOnNotification(_)
            )
        });
        match waiting.count() == queued {
            true => Ok(()),
            false => Err("a thread waits in no queue".into()),
        }
    }
}
