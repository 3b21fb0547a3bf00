// SPDX-License-Identifier: GPL-2.0-only

//! Endpoints: sending, receiving, replying, and cancelling these.

use crate::arch;
use crate::arena::Id;
use crate::cap::{Cap, CapRights};
use crate::cte::SlotId;
use crate::fault::Fault;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Endpoint;
use crate::queue::EpQueue;
use crate::reply::Reply;
use crate::thread::{TcbSlot, ThreadId, ThreadState};

/// Variant of a send.
#[derive(Clone, Copy)]
pub(crate) struct SendOptions {
    /// Blocks the sender until a thread receives.
    pub blocking: bool,
    /// Blocks the sender until the receiver replies.
    pub is_call: bool,
    /// Donates the sender's scheduling context to a receiver without one.
    pub can_donate: bool,
}

impl<M: Machine> Kernel<M> {
    /// Sends the message in the sender's registers and IPC buffer, or the sender's fault, through
    /// a capability with this badge and these rights.
    pub(crate) fn send_ipc(
        &mut self,
        sender: ThreadId,
        endpoint: Id<Endpoint>,
        badge: usize,
        rights: CapRights,
        options: SendOptions,
    ) {
        let SendOptions {
            blocking,
            is_call,
            can_donate,
        } = options;
        let object = &mut self.objects.endpoints[endpoint];
        let receiver = match object.sending {
            false => object.queue.head(),
            true => None,
        };
        let Some(receiver) = receiver else {
            if blocking {
                object.sending = true;
                let threads = &mut self.objects.threads;
                object.queue.ep_append(threads, sender, self.config.mcs);
                let state = ThreadState::BlockedOnSend {
                    endpoint,
                    badge,
                    rights,
                    is_call,
                };
                self.set_thread_state(sender, state);
            }
            return;
        };
        object.queue.remove(&mut self.objects.threads, receiver);
        self.do_ipc_transfer(
            sender,
            Some(endpoint),
            badge,
            rights.allow_grant(),
            receiver,
        );
        let receiver_can_grant = match self.objects.threads[receiver].state {
            ThreadState::BlockedOnReceive { can_grant, .. } => can_grant,
            _ => false,
        };
        if self.config.mcs {
            let reply = self.objects.threads[receiver].reply;
            if let Some(reply) = reply {
                self.reply_unlink(reply, receiver);
            }
            if is_call || self.objects.threads[sender].fault.is_some() {
                let reply = reply.filter(|_| rights.allow_reply());
                self.block_on_reply(sender, receiver, reply, can_donate);
            } else if can_donate
                && self.objects.threads[receiver].sched_context.is_none()
                && let Some(sc) = self.objects.threads[sender].sched_context
            {
                self.sched_context_donate(sc, receiver);
            }
        }
        self.set_thread_state(receiver, ThreadState::Running);
        self.refill_unblock_check_sporadic(receiver);
        self.possible_switch_to(receiver);
        if is_call && !self.config.mcs {
            self.setup_caller_cap(sender, rights, receiver, receiver_can_grant);
        }
    }

    /// Receives a message, through a capability with these rights. With mixed-criticality
    /// scheduling, a caller is given `reply` to wait for its reply.
    pub(crate) fn receive_ipc(
        &mut self,
        receiver: ThreadId,
        endpoint: Id<Endpoint>,
        rights: CapRights,
        blocking: bool,
        reply: Option<Id<Reply>>,
    ) {
        if let Some(reply) = reply
            && let Some(other) = self.objects.replies[reply].tcb
            && other != receiver
        {
            self.cancel_ipc(other);
        }
        if let Some(bound) = self.objects.threads[receiver].bound_notification {
            if self.complete_signal(bound, receiver) {
                return;
            }
            if blocking {
                self.maybe_return_sched_context(bound, receiver);
            }
        }
        let object = &mut self.objects.endpoints[endpoint];
        let sender = match object.sending {
            true => object.queue.head(),
            false => None,
        };
        let Some(sender) = sender else {
            if blocking {
                object.sending = false;
                let threads = &mut self.objects.threads;
                object.queue.ep_append(threads, receiver, self.config.mcs);
                threads[receiver].reply = reply;
                if let Some(reply) = reply {
                    self.objects.replies[reply].tcb = Some(receiver);
                }
                let state = ThreadState::BlockedOnReceive {
                    endpoint,
                    can_grant: rights.allow_grant(),
                };
                self.set_thread_state(receiver, state);
            } else {
                self.do_nb_recv_failed_transfer(receiver);
            }
            return;
        };
        object.queue.remove(&mut self.objects.threads, sender);
        object.sending = !object.queue.is_empty();
        let ThreadState::BlockedOnSend {
            badge,
            rights: sender_rights,
            is_call,
            ..
        } = self.objects.threads[sender].state
        else {
            return;
        };
        let can_grant = sender_rights.allow_grant();
        self.do_ipc_transfer(sender, Some(endpoint), badge, can_grant, receiver);
        self.refill_unblock_check_sporadic(sender);
        let fault = self.objects.threads[sender].fault;
        if self.config.mcs && (is_call || fault.is_some()) {
            let can_donate = self.objects.threads[sender].sched_context.is_some()
                && !matches!(fault, Some(Fault::Timeout { .. }));
            let reply = reply.filter(|_| sender_rights.allow_reply());
            self.block_on_reply(sender, receiver, reply, can_donate);
        } else if is_call {
            self.setup_caller_cap(sender, sender_rights, receiver, rights.allow_grant());
        } else {
            self.set_thread_state(sender, ThreadState::Running);
            self.possible_switch_to(sender);
        }
    }

    /// Blocks a caller on a reply object. Without one, the caller stops: no reply is possible.
    fn block_on_reply(
        &mut self,
        caller: ThreadId,
        callee: ThreadId,
        reply: Option<Id<Reply>>,
        can_donate: bool,
    ) {
        match reply {
            Some(reply) => self.reply_push(caller, callee, reply, can_donate),
            None => self.set_thread_state(caller, ThreadState::Inactive),
        }
    }

    /// Blocks a caller until the receiver replies with the reply capability in its caller slot.
    /// Without the right to be replied to, the caller stops.
    fn setup_caller_cap(
        &mut self,
        sender: ThreadId,
        sender_rights: CapRights,
        receiver: ThreadId,
        can_grant: bool,
    ) {
        if !sender_rights.allow_reply() {
            return self.set_thread_state(sender, ThreadState::Inactive);
        }
        self.set_thread_state(sender, ThreadState::BlockedOnReply);
        let master = self.objects.threads[sender].slot(TcbSlot::Reply);
        let caller = self.objects.threads[receiver].slot(TcbSlot::Caller);
        let cap = Cap::Reply {
            thread: sender,
            master: false,
            can_grant,
        };
        self.slots.mdb_insert(master, caller, cap, false);
    }

    /// Replies through the reply capability in `slot`, which is deleted.
    pub(crate) fn do_reply_transfer(
        &mut self,
        sender: ThreadId,
        receiver: ThreadId,
        slot: SlotId,
        can_grant: bool,
    ) {
        let state = self.transfer_reply(sender, receiver, can_grant);
        self.slots.clear_slot(slot);
        self.set_thread_state(receiver, state);
        if state.is_runnable() {
            self.possible_switch_to(receiver);
        }
    }

    /// Replies through a reply object. Does nothing if no thread waits for the reply.
    pub(crate) fn do_reply_transfer_mcs(
        &mut self,
        sender: ThreadId,
        reply: Id<Reply>,
        can_grant: bool,
    ) {
        let is_caller =
            |thread: &ThreadId| self.objects.threads[*thread].state == ThreadState::BlockedOnReply;
        let Some(receiver) = self.objects.replies[reply].tcb.filter(is_caller) else {
            return;
        };
        self.reply_remove(reply, receiver);
        self.refill_unblock_check_sporadic(receiver);
        let fault = self.objects.threads[receiver].fault;
        let state = self.transfer_reply(sender, receiver, can_grant);
        self.set_thread_state(receiver, state);
        let Some(sc) = self.objects.threads[receiver].sched_context else {
            return;
        };
        if !self.is_runnable(receiver) {
            return;
        }
        if self.has_usable_budget(sc) {
            self.possible_switch_to(receiver);
        } else if self.valid_timeout_handler(receiver)
            && !matches!(fault, Some(Fault::Timeout { .. }))
        {
            self.handle_timeout(receiver, sc);
        } else {
            self.postpone(receiver);
        }
    }

    /// Transfers a reply's message, or applies the reply to the receiver's fault. Returns the
    /// state in which the receiver continues.
    fn transfer_reply(
        &mut self,
        sender: ThreadId,
        receiver: ThreadId,
        can_grant: bool,
    ) -> ThreadState {
        let Some(fault) = self.objects.threads[receiver].fault else {
            self.do_ipc_transfer(sender, None, 0, can_grant, receiver);
            return ThreadState::Running;
        };
        let restarts = self.handle_fault_reply(fault, receiver, sender);
        self.objects.threads[receiver].fault = None;
        match restarts {
            true => ThreadState::Restart,
            false => ThreadState::Inactive,
        }
    }

    /// Deletes the capability to reply to the thread's last caller.
    pub(crate) fn delete_caller_cap(&mut self, receiver: ThreadId) {
        let slot = self.objects.threads[receiver].slot(TcbSlot::Caller);
        if !self.slots.cap(slot).is_null() {
            self.cte_delete_one(slot);
        }
    }

    /// Sets the badge to 0, which tells a non-blocking receiver that nothing was received.
    pub(crate) fn do_nb_recv_failed_transfer(&mut self, thread: ThreadId) {
        self.objects.threads[thread].context[arch::CAP] = 0;
        self.poison_message(thread);
    }

    /// Cancels the operation that a thread is blocked on, if it is blocked, and stops the thread.
    pub(crate) fn cancel_ipc(&mut self, thread: ThreadId) {
        if self.config.mcs {
            self.objects.threads[thread].fault = None;
        }
        match self.objects.threads[thread].state {
            ThreadState::BlockedOnSend { endpoint, .. }
            | ThreadState::BlockedOnReceive { endpoint, .. } => {
                let object = &mut self.objects.endpoints[endpoint];
                object.queue.remove(&mut self.objects.threads, thread);
                object.sending &= !object.queue.is_empty();
                if let Some(reply) = self.objects.threads[thread].reply {
                    self.reply_unlink(reply, thread);
                }
                self.set_thread_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnNotification(notification) => {
                let queue = &mut self.objects.notifications[notification].queue;
                queue.remove(&mut self.objects.threads, thread);
                self.set_thread_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnReply if self.config.mcs => self.reply_remove_tcb(thread),
            ThreadState::BlockedOnReply => {
                self.objects.threads[thread].fault = None;
                let master = self.objects.threads[thread].slot(TcbSlot::Reply);
                if let Some(reply) = self.slots.mdb_next(master) {
                    self.cte_delete_one(reply);
                }
            }
            ThreadState::Inactive | ThreadState::Running | ThreadState::Restart => {}
        }
    }

    /// Restarts all threads that wait at an endpoint, which is being deleted.
    pub(crate) fn cancel_all_ipc(&mut self, endpoint: Id<Endpoint>) {
        let object = &mut self.objects.endpoints[endpoint];
        object.sending = false;
        let queue = core::mem::take(&mut object.queue);
        self.restart_queued_threads(queue);
    }

    /// Restarts the threads that wait to send with this badge.
    pub(crate) fn cancel_badged_sends(&mut self, endpoint: Id<Endpoint>, badge: usize) {
        let object = &mut self.objects.endpoints[endpoint];
        if !object.sending {
            return;
        }
        let mut next = object.queue.head();
        while let Some(thread) = next {
            next = EpQueue::next(&self.objects.threads, thread);
            let state = self.objects.threads[thread].state;
            if matches!(state, ThreadState::BlockedOnSend { badge: of, .. } if of == badge) {
                let queue = &mut self.objects.endpoints[endpoint].queue;
                queue.remove(&mut self.objects.threads, thread);
                self.restart_thread_if_no_fault(thread);
            }
        }
        let object = &mut self.objects.endpoints[endpoint];
        object.sending = !object.queue.is_empty();
        self.reschedule_required();
    }

    /// Restarts all threads of a queue whose endpoint or notification is being deleted.
    pub(crate) fn restart_queued_threads(&mut self, queue: EpQueue) {
        if queue.is_empty() {
            return;
        }
        let mut next = queue.head();
        while let Some(thread) = next {
            next = EpQueue::next(&self.objects.threads, thread);
            self.restart_thread_if_no_fault(thread);
        }
        self.reschedule_required();
    }

    /// Restarts a thread that was removed from the queue it waited in. With mixed-criticality
    /// scheduling, a thread that waited to send a fault stops instead.
    fn restart_thread_if_no_fault(&mut self, thread: ThreadId) {
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

    /// Moves a blocked thread to the place in its queue that its new priority gives it.
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
        queue.remove(&mut self.objects.threads, thread);
        queue.ep_append(&mut self.objects.threads, thread, self.config.mcs);
    }
}
