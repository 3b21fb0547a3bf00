// SPDX-License-Identifier: GPL-2.0-only

//! Notifications: signalling, waiting, and binding to a thread.

use crate::arch;
use crate::arena::Id;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Notification;
use crate::thread::{ThreadId, ThreadState};

impl<M: Machine> Kernel<M> {
    /// Signals a notification, unless [`crate::Injection`] delays this signal.
    pub(crate) fn send_signal(&mut self, notification: Id<Notification>, badge: usize) {
        self.machine.event(Event::Signal { badge });
        if !self.delay_signal(notification, badge) {
            self.deliver_signal(notification, badge);
        }
    }

    /// Wakes the first thread that waits, or the bound thread if it waits to receive; else the
    /// notification becomes active.
    pub(crate) fn deliver_signal(&mut self, notification: Id<Notification>, badge: usize) {
        let object = &mut self.objects.notifications[notification];
        if let Some(active) = &mut object.active {
            *active |= badge;
        } else if let Some(thread) = object.queue.head() {
            object.queue.remove(&mut self.objects.threads, thread);
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
        self.poison_message(thread);
        self.maybe_donate_sched_context(from, thread);
        if self.is_schedulable(thread) {
            self.possible_switch_to(thread);
        }
        self.refill_unblock_check_sporadic(thread);
    }

    /// Receives the signal of an active notification, or waits for one.
    pub(crate) fn receive_signal(
        &mut self,
        thread: ThreadId,
        id: Id<Notification>,
        blocking: bool,
    ) {
        if self.complete_signal(id, thread) {
            return;
        }
        if blocking {
            let queue = &mut self.objects.notifications[id].queue;
            queue.ep_append(&mut self.objects.threads, thread, self.config.mcs);
            self.set_thread_state(thread, ThreadState::BlockedOnNotification(id));
            self.maybe_return_sched_context(id, thread);
        } else {
            self.do_nb_recv_failed_transfer(thread);
        }
    }

    /// Passes the badge of an active notification to a thread. Returns whether it was active.
    pub(crate) fn complete_signal(&mut self, id: Id<Notification>, thread: ThreadId) -> bool {
        let Some(badge) = self.objects.notifications[id].active.take() else {
            return false;
        };
        self.objects.threads[thread].context[arch::CAP] = badge;
        self.poison_message(thread);
        self.maybe_donate_sched_context(id, thread);
        self.refill_unblock_check_sporadic(thread);
        true
    }

    /// Restarts all threads that wait for a signal of a notification, which is being deleted.
    pub(crate) fn cancel_all_signals(&mut self, id: Id<Notification>) {
        let queue = core::mem::take(&mut self.objects.notifications[id].queue);
        self.restart_queued_threads(queue);
    }

    pub(crate) fn bind_notification(&mut self, notification: Id<Notification>, thread: ThreadId) {
        self.objects.notifications[notification].bound_tcb = Some(thread);
        self.objects.threads[thread].bound_notification = Some(notification);
    }

    /// Unbinds a thread from its notification, if it has one.
    pub(crate) fn unbind_notification(&mut self, thread: ThreadId) {
        if let Some(notification) = self.objects.threads[thread].bound_notification.take() {
            self.objects.notifications[notification].bound_tcb = None;
        }
    }

    /// Unbinds a notification from its thread, if it has one.
    pub(crate) fn unbind_maybe_notification(&mut self, notification: Id<Notification>) {
        if let Some(thread) = self.objects.notifications[notification].bound_tcb.take() {
            self.objects.threads[thread].bound_notification = None;
        }
    }
}
