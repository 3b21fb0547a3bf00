// SPDX-License-Identifier: GPL-2.0-only

//! Notifications: signalling and waiting.

use crate::arch;
use crate::arena::Id;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Notification;
use crate::queue::{Chain, TcbQueue};
use crate::thread::{ThreadId, ThreadState};

impl<M: Machine> Kernel<M> {
    /// Signals it: who waits goes on, else the signal waits.
    pub(crate) fn send_signal(&mut self, notification: Id<Notification>, badge: usize) {
        self.machine.event(Event::Signal { badge });
        if !self.delay_signal(notification, badge) {
            self.deliver_signal(notification, badge);
        }
    }

    /// A signal arrives.
    pub(crate) fn deliver_signal(&mut self, notification: Id<Notification>, badge: usize) {
        let object = &mut self.objects.notifications[notification];
        if let Some(active) = &mut object.active {
            *active |= badge;
        } else if let Some(thread) = object.queue.head() {
            let queue = &mut object.queue;
            queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
            self.wake_with_badge(notification, thread, badge);
        } else if let Some(thread) = object.bound_tcb
            && matches!(
                self.objects.threads[thread].state,
                ThreadState::BlockedOnReceive { .. }
            )
        {
            self.cancel_ipc(thread);
            self.wake_with_badge(notification, thread, badge);
        } else {
            object.active = Some(badge);
        }
    }

    fn wake_with_badge(&mut self, from: Id<Notification>, thread: ThreadId, badge: usize) {
        self.set_thread_state(thread, ThreadState::Running);
        self.objects.threads[thread].context[arch::CAP] = badge;
        if self.config.mcs {
            self.maybe_donate_sched_context(from, thread);
        }
        if self.is_schedulable(thread) {
            self.possible_switch_to(thread);
        }
        self.refill_unblock_check_sporadic(thread);
    }

    /// A thread takes the signal that is there, or waits for one.
    pub(crate) fn receive_signal(
        &mut self,
        thread: ThreadId,
        id: Id<Notification>,
        blocking: bool,
    ) {
        let object = &mut self.objects.notifications[id];
        match object.active.take() {
            Some(badge) => {
                self.objects.threads[thread].context[arch::CAP] = badge;
                if self.config.mcs {
                    self.maybe_donate_sched_context(id, thread);
                    self.refill_unblock_check_sporadic(thread);
                }
            }
            None if blocking => {
                let queue = &mut object.queue;
                match self.config.mcs {
                    true => queue.insert(&mut self.objects.threads, Chain::Waiting, thread),
                    false => queue.append(&mut self.objects.threads, Chain::Waiting, thread),
                }
                self.set_thread_state(thread, ThreadState::BlockedOnNotification(id));
                if self.config.mcs {
                    self.maybe_return_sched_context(id, thread);
                }
            }
            None => self.objects.threads[thread].context[arch::CAP] = 0,
        }
    }

    /// All that wait for a signal begin again: it is no more.
    pub(crate) fn cancel_all_signals(&mut self, id: Id<Notification>) {
        let queue = core::mem::take(&mut self.objects.notifications[id].queue);
        if !queue.is_empty() {
            self.restart_queued_threads(queue);
        }
    }

    /// All that waited in a queue, which is no more, begin again.
    pub(crate) fn restart_queued_threads(&mut self, queue: TcbQueue) {
        let mut next = queue.head();
        while let Some(thread) = next {
            next = self.ep_next(thread);
            self.restart_thread_if_no_fault(thread);
        }
        self.reschedule_required();
    }

    /// A thread that waited in a queue, which is no more or which it has left, begins again; or
    /// stops, if it waited to tell a fault to a handler that has a reply object.
    pub(crate) fn restart_thread_if_no_fault(&mut self, thread: ThreadId) {
        if !self.config.mcs {
            self.set_thread_state(thread, ThreadState::Restart);
            return self.tcb_sched_enqueue(thread);
        }
        if let Some(reply) = self.objects.threads[thread].reply {
            self.reply_unlink(reply, thread);
        }
        if self.objects.threads[thread].fault.is_some() {
            return self.set_thread_state(thread, ThreadState::Inactive);
        }
        self.set_thread_state(thread, ThreadState::Restart);
        self.refill_unblock_check_sporadic(thread);
        self.possible_switch_to(thread);
    }

    /// A thread whose priority has changed changes its place among those that wait.
    pub(crate) fn reorder_ipc_queue(&mut self, thread: ThreadId) {
        let queue = match self.objects.threads[thread].state {
            ThreadState::BlockedOnSend { endpoint, .. }
            | ThreadState::BlockedOnReceive { endpoint, .. } => {
                &mut self.objects.endpoints[endpoint].queue
            }
            ThreadState::BlockedOnNotification(notification) => {
                &mut self.objects.notifications[notification].queue
            }
            _ => return,
        };
        queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
        queue.insert(&mut self.objects.threads, Chain::Waiting, thread);
    }

    /// Who waits behind a thread.
    pub(crate) fn ep_next(&self, thread: ThreadId) -> Option<ThreadId> {
        self.objects.threads[thread].links[Chain::Waiting as usize].next()
    }

    pub(crate) fn unbind_notification(&mut self, thread: ThreadId) {
        if let Some(notification) = self.objects.threads[thread].bound_notification.take() {
            self.objects.notifications[notification].bound_tcb = None;
        }
    }

    pub(crate) fn unbind_maybe_notification(&mut self, notification: Id<Notification>) {
        if let Some(thread) = self.objects.notifications[notification].bound_tcb.take() {
            self.objects.threads[thread].bound_notification = None;
        }
    }
}
