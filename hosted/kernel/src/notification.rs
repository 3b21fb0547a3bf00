// SPDX-License-Identifier: BSD-2-Clause

//! Notifications: signalling and waiting.

use crate::arch;
use crate::arena::Id;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Notification;
use crate::queue::{Chain, Queue};
use crate::thread::{State, ThreadId};

impl<M: Machine> Kernel<M> {
    /// Signals it: who waits goes on, else the signal waits.
    pub(crate) fn signal(&mut self, notification: Id<Notification>, badge: usize) {
        self.machine.event(Event::Signal { badge });
        if !self.delays(notification, badge) {
            self.arrive(notification, badge);
        }
    }

    /// A signal arrives.
    pub(crate) fn arrive(&mut self, notification: Id<Notification>, badge: usize) {
        let object = &mut self.objects.notifications[notification];
        if let Some(pending) = &mut object.pending {
            *pending |= badge;
        } else if let Some(thread) = object.queue.head() {
            let queue = &mut object.queue;
            queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
            self.hand_signal(notification, thread, badge);
        } else if let Some(thread) = object.bound
            && matches!(
                self.objects.threads[thread].state,
                State::BlockedOnReceive { .. }
            )
        {
            self.cancel_ipc(thread);
            self.hand_signal(notification, thread, badge);
        } else {
            object.pending = Some(badge);
        }
    }

    fn hand_signal(&mut self, from: Id<Notification>, thread: ThreadId, badge: usize) {
        self.set_state(thread, State::Running);
        self.objects.threads[thread].context[arch::CAP] = badge;
        if self.config.mcs {
            self.lend(from, thread);
        }
        if self.is_schedulable(thread) {
            self.wake(thread);
        }
        self.unblock(thread);
    }

    /// A thread takes the signal that is there, or waits for one.
    pub(crate) fn wait(&mut self, thread: ThreadId, id: Id<Notification>, blocking: bool) {
        let object = &mut self.objects.notifications[id];
        match object.pending.take() {
            Some(badge) => {
                self.objects.threads[thread].context[arch::CAP] = badge;
                if self.config.mcs {
                    self.lend(id, thread);
                    self.unblock(thread);
                }
            }
            None if blocking => {
                let queue = &mut object.queue;
                match self.config.mcs {
                    true => queue.insert(&mut self.objects.threads, Chain::Waiting, thread),
                    false => queue.append(&mut self.objects.threads, Chain::Waiting, thread),
                }
                self.set_state(thread, State::BlockedOnNotification(id));
                if self.config.mcs {
                    self.give_back(id, thread);
                }
            }
            None => self.objects.threads[thread].context[arch::CAP] = 0,
        }
    }

    /// All that wait for a signal begin again: it is no more.
    pub(crate) fn cancel_signals(&mut self, id: Id<Notification>) {
        let queue = core::mem::take(&mut self.objects.notifications[id].queue);
        if !queue.is_empty() {
            self.restart_all(queue);
        }
    }

    /// All that waited in a queue, which is no more, begin again.
    pub(crate) fn restart_all(&mut self, queue: Queue) {
        let mut next = queue.head();
        while let Some(thread) = next {
            next = self.next_waiting(thread);
            self.begin_again(thread);
        }
        self.reschedule();
    }

    /// A thread that waited in a queue, which is no more or which it has left, begins again; or
    /// stops, if it waited to tell a fault to a handler that has a reply object.
    pub(crate) fn begin_again(&mut self, thread: ThreadId) {
        if !self.config.mcs {
            self.set_state(thread, State::Restart);
            return self.enqueue_first(thread);
        }
        if let Some(reply) = self.objects.threads[thread].reply {
            self.unlink_reply(reply, thread);
        }
        if self.objects.threads[thread].fault.is_some() {
            return self.set_state(thread, State::Inactive);
        }
        self.set_state(thread, State::Restart);
        self.unblock(thread);
        self.wake(thread);
    }

    /// A thread whose priority has changed changes its place among those that wait.
    pub(crate) fn requeue(&mut self, thread: ThreadId) {
        let queue = match self.objects.threads[thread].state {
            State::BlockedOnSend { endpoint, .. } | State::BlockedOnReceive { endpoint, .. } => {
                &mut self.objects.endpoints[endpoint].queue
            }
            State::BlockedOnNotification(notification) => {
                &mut self.objects.notifications[notification].queue
            }
            _ => return,
        };
        queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
        queue.insert(&mut self.objects.threads, Chain::Waiting, thread);
    }

    /// Who waits behind a thread.
    pub(crate) fn next_waiting(&self, thread: ThreadId) -> Option<ThreadId> {
        self.objects.threads[thread].links[Chain::Waiting as usize].next()
    }

    pub(crate) fn unbind_thread(&mut self, thread: ThreadId) {
        if let Some(notification) = self.objects.threads[thread].bound.take() {
            self.objects.notifications[notification].bound = None;
        }
    }

    pub(crate) fn unbind_notification(&mut self, notification: Id<Notification>) {
        if let Some(thread) = self.objects.notifications[notification].bound.take() {
            self.objects.threads[thread].bound = None;
        }
    }
}
