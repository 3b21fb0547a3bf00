// SPDX-License-Identifier: GPL-2.0-only

//! Endpoints: sending, receiving, calling and replying.

use crate::arch;
use crate::arena::Id;
use crate::cap::{Cap, CapRights};
use crate::error::LookupFailure;
use crate::fault::Fault;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Endpoint;
use crate::queue::Chain;
use crate::reply::Reply;
use crate::slots::SlotId;
use crate::thread::{TcbSlot, ThreadId, ThreadState};

impl<M: Machine> Kernel<M> {
    /// A thread sends, or waits until somebody takes it.
    #[allow(clippy::too_many_arguments)] // They are the sender's rights, each of its own meaning.
    pub(crate) fn send_ipc(
        &mut self,
        sender: ThreadId,
        endpoint: Id<Endpoint>,
        badge: usize,
        grant: bool,
        grant_reply: bool,
        call: bool,
        blocking: bool,
        donate: bool,
    ) {
        let object = &mut self.objects.endpoints[endpoint];
        let receiver = match object.sending {
            false => object.queue.head(),
            true => None,
        };
        let Some(receiver) = receiver else {
            if blocking {
                object.sending = true;
                let queue = &mut object.queue;
                match self.config.mcs {
                    true => queue.insert(&mut self.objects.threads, Chain::Waiting, sender),
                    false => queue.append(&mut self.objects.threads, Chain::Waiting, sender),
                }
                let state = ThreadState::BlockedOnSend {
                    endpoint,
                    badge,
                    grant,
                    grant_reply,
                    call,
                };
                self.set_thread_state(sender, state);
            }
            return;
        };
        let queue = &mut object.queue;
        queue.remove(&mut self.objects.threads, Chain::Waiting, receiver);
        self.do_ipc_transfer(sender, Some(endpoint), badge, grant, receiver);
        let reply_grant = match self.objects.threads[receiver].state {
            ThreadState::BlockedOnReceive { grant, .. } => grant,
            _ => false,
        };
        if self.config.mcs {
            self.donate_or_wait_for_reply(sender, receiver, grant || grant_reply, call, donate);
        }
        self.set_thread_state(receiver, ThreadState::Running);
        self.refill_unblock_check_sporadic(receiver);
        self.possible_switch_to(receiver);
        if call && !self.config.mcs {
            self.setup_caller_cap(sender, receiver, grant || grant_reply, reply_grant);
        }
    }

    /// With reply objects: who has received may have one, with which the sender is replied to.
    fn donate_or_wait_for_reply(
        &mut self,
        sender: ThreadId,
        receiver: ThreadId,
        can_reply: bool,
        call: bool,
        donate: bool,
    ) {
        let reply = self.objects.threads[receiver].reply;
        if let Some(reply) = reply {
            self.reply_unlink(reply, receiver);
        }
        if call || self.objects.threads[sender].fault.is_some() {
            match reply.filter(|_| can_reply) {
                Some(reply) => self.reply_push(sender, receiver, reply, donate),
                None => self.set_thread_state(sender, ThreadState::Inactive),
            }
        } else if donate
            && self.objects.threads[receiver].sched_context.is_none()
            && let Some(context) = self.objects.threads[sender].sched_context
        {
            self.sched_context_donate(context, receiver);
        }
    }

    /// A thread receives, or waits until somebody sends.
    pub(crate) fn receive_ipc(
        &mut self,
        receiver: ThreadId,
        endpoint: Id<Endpoint>,
        rights: CapRights,
        blocking: bool,
        reply: Option<Id<Reply>>,
    ) {
        if let Some(reply) = reply
            && let Some(other) = self.objects.replies[reply].thread
            && other != receiver
        {
            self.cancel_ipc(other);
        }
        if let Some(bound) = self.objects.threads[receiver].bound_notification {
            if let Some(badge) = self.objects.notifications[bound].active.take() {
                self.objects.threads[receiver].context[arch::CAP] = badge;
                self.maybe_donate_sched_context(bound, receiver);
                return self.refill_unblock_check_sporadic(receiver);
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
                let queue = &mut object.queue;
                match self.config.mcs {
                    true => queue.insert(&mut self.objects.threads, Chain::Waiting, receiver),
                    false => queue.append(&mut self.objects.threads, Chain::Waiting, receiver),
                }
                self.objects.threads[receiver].reply = reply;
                if let Some(reply) = reply {
                    self.objects.replies[reply].thread = Some(receiver);
                }
                let grant = rights.grant();
                self.set_thread_state(receiver, ThreadState::BlockedOnReceive { endpoint, grant });
            } else {
                self.objects.threads[receiver].context[arch::CAP] = 0;
            }
            return;
        };
        let queue = &mut object.queue;
        queue.remove(&mut self.objects.threads, Chain::Waiting, sender);
        object.sending = !object.queue.is_empty();
        let ThreadState::BlockedOnSend {
            badge,
            grant,
            grant_reply,
            call,
            ..
        } = self.objects.threads[sender].state
        else {
            return;
        };
        self.do_ipc_transfer(sender, Some(endpoint), badge, grant, receiver);
        self.refill_unblock_check_sporadic(sender);
        let fault = self.objects.threads[sender].fault;
        if self.config.mcs && (call || fault.is_some()) {
            let lends = self.objects.threads[sender].sched_context.is_some()
                && !matches!(fault, Some(Fault::Timeout { .. }));
            match reply.filter(|_| grant || grant_reply) {
                Some(reply) => self.reply_push(sender, receiver, reply, lends),
                None => self.set_thread_state(sender, ThreadState::Inactive),
            }
        } else if call {
            self.setup_caller_cap(sender, receiver, grant || grant_reply, rights.grant());
        } else {
            self.set_thread_state(sender, ThreadState::Running);
            self.possible_switch_to(sender);
        }
    }

    /// Who has called waits for the reply, if there can be one.
    fn setup_caller_cap(
        &mut self,
        sender: ThreadId,
        receiver: ThreadId,
        can_be: bool,
        grant: bool,
    ) {
        if !can_be {
            return self.set_thread_state(sender, ThreadState::Inactive);
        }
        self.set_thread_state(sender, ThreadState::BlockedOnReply);
        let master = self.objects.threads[sender].slot(TcbSlot::Reply);
        let caller = self.objects.threads[receiver].slot(TcbSlot::Caller);
        let cap = Cap::Reply {
            thread: sender,
            master: false,
            grant,
        };
        self.slots.mdb_insert(master, caller, cap, false);
    }

    /// A thread replies to another, which waits for it, by the capability in `slot`.
    pub(crate) fn do_reply_transfer(
        &mut self,
        by: ThreadId,
        to: ThreadId,
        slot: SlotId,
        grant: bool,
    ) {
        match self.objects.threads[to].fault {
            None => {
                self.do_ipc_transfer(by, None, 0, grant, to);
                self.slots.clear_slot(slot);
                self.set_thread_state(to, ThreadState::Running);
                self.possible_switch_to(to);
            }
            Some(fault) => {
                self.slots.clear_slot(slot);
                let goes_on = self.handle_fault_reply(fault, to, by);
                self.objects.threads[to].fault = None;
                if goes_on {
                    self.set_thread_state(to, ThreadState::Restart);
                    self.possible_switch_to(to);
                } else {
                    self.set_thread_state(to, ThreadState::Inactive);
                }
            }
        }
    }

    /// A thread replies by a reply object.
    pub(crate) fn do_reply_transfer_mcs(&mut self, by: ThreadId, reply: Id<Reply>, grant: bool) {
        let waiting = self.objects.replies[reply].thread;
        let Some(to) =
            waiting.filter(|to| self.objects.threads[*to].state == ThreadState::BlockedOnReply)
        else {
            return;
        };
        self.reply_remove(reply, to);
        self.refill_unblock_check_sporadic(to);
        let fault = self.objects.threads[to].fault;
        match fault {
            None => {
                self.do_ipc_transfer(by, None, 0, grant, to);
                self.set_thread_state(to, ThreadState::Running);
            }
            Some(fault) => {
                let goes_on = self.handle_fault_reply(fault, to, by);
                self.objects.threads[to].fault = None;
                let state = if goes_on {
                    ThreadState::Restart
                } else {
                    ThreadState::Inactive
                };
                self.set_thread_state(to, state);
            }
        }
        let Some(context) = self.objects.threads[to].sched_context else {
            return;
        };
        if !self.is_runnable(to) {
            return;
        }
        if self.has_usable_budget(context) {
            self.possible_switch_to(to);
        } else if self.valid_timeout_handler(to) && !matches!(fault, Some(Fault::Timeout { .. })) {
            self.handle_timeout(to, context);
        } else {
            self.postpone(to);
        }
    }

    /// It replies to who called it last, if somebody did.
    pub(crate) fn handle_reply(&mut self, current: ThreadId) {
        let slot = self.objects.threads[current].slot(TcbSlot::Caller);
        if let Cap::Reply {
            thread,
            master: false,
            grant,
        } = self.slots.cap(slot)
        {
            self.do_reply_transfer(current, thread, slot, grant);
        }
    }

    /// It receives by a capability, from an endpoint or a notification.
    pub(crate) fn handle_recv(&mut self, current: ThreadId, blocking: bool, can_reply: bool) {
        let cptr = self.objects.threads[current].context[arch::CAP];
        let missing = LookupFailure::MissingCapability { bits_left: 0 };
        let failure = match self
            .lookup_slot(current, cptr)
            .map(|slot| self.slots.cap(slot))
        {
            Ok(Cap::Endpoint { object, rights, .. }) if rights.read() && self.config.mcs => {
                let reply = match can_reply {
                    true => self.lookup_reply(current).map(Some),
                    false => Ok(None),
                };
                match reply {
                    Ok(reply) => return self.receive_ipc(current, object, rights, blocking, reply),
                    Err((address, failure)) => {
                        let receiving = true;
                        return self.handle_fault(
                            current,
                            Fault::Cap { address, receiving },
                            failure,
                        );
                    }
                }
            }
            Ok(Cap::Endpoint { object, rights, .. }) if rights.read() => {
                let caller = self.objects.threads[current].slot(TcbSlot::Caller);
                if !self.slots.cap(caller).is_null() {
                    self.cte_delete_one(caller);
                }
                return self.receive_ipc(current, object, rights, blocking, None);
            }
            Ok(Cap::Notification { object, rights, .. })
                if rights.read() && {
                    let bound = self.objects.notifications[object].bound_tcb;
                    bound.is_none_or(|bound| bound == current)
                } =>
            {
                return self.receive_signal(current, object, blocking);
            }
            Ok(_) => missing,
            Err(failure) => failure,
        };
        let fault = Fault::Cap {
            address: cptr,
            receiving: true,
        };
        self.handle_fault(current, fault, failure);
    }

    /// The reply object that a thread names; else the address that leads to none.
    fn lookup_reply(&self, thread: ThreadId) -> Result<Id<Reply>, (usize, LookupFailure)> {
        let cptr = self.objects.threads[thread].context[arch::REPLY];
        let slot = self
            .lookup_slot(thread, cptr)
            .map_err(|failure| (cptr, failure))?;
        match self.slots.cap(slot) {
            Cap::ReplyObject { object, .. } => Ok(object),
            _ => Err((cptr, LookupFailure::MissingCapability { bits_left: 0 })),
        }
    }

    /// Whatever a thread waits for, it no longer does.
    pub(crate) fn cancel_ipc(&mut self, thread: ThreadId) {
        if self.config.mcs {
            self.objects.threads[thread].fault = None;
        }
        match self.objects.threads[thread].state {
            ThreadState::BlockedOnSend { endpoint, .. }
            | ThreadState::BlockedOnReceive { endpoint, .. } => {
                let object = &mut self.objects.endpoints[endpoint];
                let queue = &mut object.queue;
                queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
                object.sending &= !object.queue.is_empty();
                if let Some(reply) = self.objects.threads[thread].reply {
                    self.reply_unlink(reply, thread);
                }
                self.set_thread_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnNotification(notification) => {
                let queue = &mut self.objects.notifications[notification].queue;
                queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
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

    /// All that wait at an endpoint begin again: it is no more.
    pub(crate) fn cancel_all_ipc(&mut self, endpoint: Id<Endpoint>) {
        let object = &mut self.objects.endpoints[endpoint];
        object.sending = false;
        let queue = core::mem::take(&mut object.queue);
        if !queue.is_empty() {
            self.restart_queued_threads(queue);
        }
    }

    /// Those that wait to send with this badge begin again.
    pub(crate) fn cancel_badged_sends(&mut self, endpoint: Id<Endpoint>, badge: usize) {
        let object = &mut self.objects.endpoints[endpoint];
        if !object.sending {
            return;
        }
        let mut next = object.queue.head();
        while let Some(thread) = next {
            next = self.ep_next(thread);
            let state = self.objects.threads[thread].state;
            if matches!(state, ThreadState::BlockedOnSend { badge: of, .. } if of == badge) {
                let queue = &mut self.objects.endpoints[endpoint].queue;
                queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
                self.restart_thread_if_no_fault(thread);
            }
        }
        let object = &mut self.objects.endpoints[endpoint];
        object.sending = !object.queue.is_empty();
        self.reschedule_required();
    }
}
