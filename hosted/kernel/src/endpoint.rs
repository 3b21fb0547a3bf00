// SPDX-License-Identifier: BSD-2-Clause

//! Endpoints: sending, receiving, calling and replying.

use crate::arch;
use crate::arena::Id;
use crate::cap::{Cap, Rights};
use crate::error::LookupFailure;
use crate::fault::Fault;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Endpoint;
use crate::queue::Chain;
use crate::reply::Reply;
use crate::slots::SlotId;
use crate::thread::{State, ThreadId, ThreadSlot};

impl<M: Machine> Kernel<M> {
    /// A thread sends, or waits until somebody takes it.
    #[allow(clippy::too_many_arguments)] // They are the sender's rights, each of its own meaning.
    pub(crate) fn send(
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
                let state = State::BlockedOnSend {
                    endpoint,
                    badge,
                    grant,
                    grant_reply,
                    call,
                };
                self.set_state(sender, state);
            }
            return;
        };
        let queue = &mut object.queue;
        queue.remove(&mut self.objects.threads, Chain::Waiting, receiver);
        self.transfer(sender, Some(endpoint), badge, grant, receiver);
        let reply_grant = match self.objects.threads[receiver].state {
            State::BlockedOnReceive { grant, .. } => grant,
            _ => false,
        };
        if self.config.mcs {
            self.take_message(sender, receiver, grant || grant_reply, call, donate);
        }
        self.set_state(receiver, State::Running);
        self.unblock(receiver);
        self.wake(receiver);
        if call && !self.config.mcs {
            self.wait_for_reply(sender, receiver, grant || grant_reply, reply_grant);
        }
    }

    /// With reply objects: who has received may have one, with which the sender is replied to.
    fn take_message(
        &mut self,
        sender: ThreadId,
        receiver: ThreadId,
        can_reply: bool,
        call: bool,
        donate: bool,
    ) {
        let reply = self.objects.threads[receiver].reply;
        if let Some(reply) = reply {
            self.unlink_reply(reply, receiver);
        }
        if call || self.objects.threads[sender].fault.is_some() {
            match reply.filter(|_| can_reply) {
                Some(reply) => self.push_reply(sender, receiver, reply, donate),
                None => self.set_state(sender, State::Inactive),
            }
        } else if donate
            && self.objects.threads[receiver].context_id.is_none()
            && let Some(context) = self.objects.threads[sender].context_id
        {
            self.donate(context, receiver);
        }
    }

    /// A thread receives, or waits until somebody sends.
    pub(crate) fn receive(
        &mut self,
        receiver: ThreadId,
        endpoint: Id<Endpoint>,
        rights: Rights,
        blocking: bool,
        reply: Option<Id<Reply>>,
    ) {
        if let Some(reply) = reply
            && let Some(other) = self.objects.replies[reply].thread
            && other != receiver
        {
            self.cancel_ipc(other);
        }
        if let Some(bound) = self.objects.threads[receiver].bound {
            if let Some(badge) = self.objects.notifications[bound].pending.take() {
                self.objects.threads[receiver].context[arch::CAP] = badge;
                self.lend(bound, receiver);
                return self.unblock(receiver);
            }
            if blocking {
                self.give_back(bound, receiver);
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
                self.set_state(receiver, State::BlockedOnReceive { endpoint, grant });
            } else {
                self.objects.threads[receiver].context[arch::CAP] = 0;
            }
            return;
        };
        let queue = &mut object.queue;
        queue.remove(&mut self.objects.threads, Chain::Waiting, sender);
        object.sending = !object.queue.is_empty();
        let State::BlockedOnSend {
            badge,
            grant,
            grant_reply,
            call,
            ..
        } = self.objects.threads[sender].state
        else {
            return;
        };
        self.transfer(sender, Some(endpoint), badge, grant, receiver);
        self.unblock(sender);
        let fault = self.objects.threads[sender].fault;
        if self.config.mcs && (call || fault.is_some()) {
            let lends = self.objects.threads[sender].context_id.is_some()
                && !matches!(fault, Some(Fault::Timeout { .. }));
            match reply.filter(|_| grant || grant_reply) {
                Some(reply) => self.push_reply(sender, receiver, reply, lends),
                None => self.set_state(sender, State::Inactive),
            }
        } else if call {
            self.wait_for_reply(sender, receiver, grant || grant_reply, rights.grant());
        } else {
            self.set_state(sender, State::Running);
            self.wake(sender);
        }
    }

    /// Who has called waits for the reply, if there can be one.
    fn wait_for_reply(&mut self, sender: ThreadId, receiver: ThreadId, can_be: bool, grant: bool) {
        if !can_be {
            return self.set_state(sender, State::Inactive);
        }
        self.set_state(sender, State::BlockedOnReply);
        let master = self.objects.threads[sender].slot(ThreadSlot::Reply);
        let caller = self.objects.threads[receiver].slot(ThreadSlot::Caller);
        let cap = Cap::Reply {
            thread: sender,
            master: false,
            grant,
        };
        self.slots.put_behind(master, caller, cap, false);
    }

    /// A thread replies to another, which waits for it, by the capability in `slot`.
    pub(crate) fn reply(&mut self, by: ThreadId, to: ThreadId, slot: SlotId, grant: bool) {
        match self.objects.threads[to].fault {
            None => {
                self.transfer(by, None, 0, grant, to);
                self.slots.clear(slot);
                self.set_state(to, State::Running);
                self.wake(to);
            }
            Some(fault) => {
                self.slots.clear(slot);
                let goes_on = self.take_fault_reply(fault, to, by);
                self.objects.threads[to].fault = None;
                if goes_on {
                    self.set_state(to, State::Restart);
                    self.wake(to);
                } else {
                    self.set_state(to, State::Inactive);
                }
            }
        }
    }

    /// A thread replies by a reply object.
    pub(crate) fn reply_by(&mut self, by: ThreadId, reply: Id<Reply>, grant: bool) {
        let waiting = self.objects.replies[reply].thread;
        let Some(to) =
            waiting.filter(|to| self.objects.threads[*to].state == State::BlockedOnReply)
        else {
            return;
        };
        self.remove_reply(reply, to);
        self.unblock(to);
        let fault = self.objects.threads[to].fault;
        match fault {
            None => {
                self.transfer(by, None, 0, grant, to);
                self.set_state(to, State::Running);
            }
            Some(fault) => {
                let goes_on = self.take_fault_reply(fault, to, by);
                self.objects.threads[to].fault = None;
                let state = if goes_on {
                    State::Restart
                } else {
                    State::Inactive
                };
                self.set_state(to, state);
            }
        }
        let Some(context) = self.objects.threads[to].context_id else {
            return;
        };
        if !self.is_runnable(to) {
            return;
        }
        if self.can_run(context) {
            self.wake(to);
        } else if self.has_timeout_handler(to) && !matches!(fault, Some(Fault::Timeout { .. })) {
            self.time_out(to, context);
        } else {
            self.postpone(to);
        }
    }

    /// It replies to who called it last, if somebody did.
    pub(crate) fn reply_to_caller(&mut self, current: ThreadId) {
        let slot = self.objects.threads[current].slot(ThreadSlot::Caller);
        if let Cap::Reply {
            thread,
            master: false,
            grant,
        } = self.slots.cap(slot)
        {
            self.reply(current, thread, slot, grant);
        }
    }

    /// It receives by a capability, from an endpoint or a notification.
    pub(crate) fn receive_by(&mut self, current: ThreadId, blocking: bool, can_reply: bool) {
        let cptr = self.objects.threads[current].context[arch::CAP];
        let missing = LookupFailure::MissingCapability { bits_left: 0 };
        let failure = match self.lookup(current, cptr).map(|slot| self.slots.cap(slot)) {
            Ok(Cap::Endpoint { object, rights, .. }) if rights.read() && self.config.mcs => {
                let reply = match can_reply {
                    true => self.reply_object(current).map(Some),
                    false => Ok(None),
                };
                match reply {
                    Ok(reply) => return self.receive(current, object, rights, blocking, reply),
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
                let caller = self.objects.threads[current].slot(ThreadSlot::Caller);
                if !self.slots.cap(caller).is_null() {
                    self.delete_simple(caller);
                }
                return self.receive(current, object, rights, blocking, None);
            }
            Ok(Cap::Notification { object, rights, .. })
                if rights.read() && {
                    let bound = self.objects.notifications[object].bound;
                    bound.is_none_or(|bound| bound == current)
                } =>
            {
                return self.wait(current, object, blocking);
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
    fn reply_object(&self, thread: ThreadId) -> Result<Id<Reply>, (usize, LookupFailure)> {
        let cptr = self.objects.threads[thread].context[arch::REPLY];
        let slot = self
            .lookup(thread, cptr)
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
            State::BlockedOnSend { endpoint, .. } | State::BlockedOnReceive { endpoint, .. } => {
                let object = &mut self.objects.endpoints[endpoint];
                let queue = &mut object.queue;
                queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
                object.sending &= !object.queue.is_empty();
                if let Some(reply) = self.objects.threads[thread].reply {
                    self.unlink_reply(reply, thread);
                }
                self.set_state(thread, State::Inactive);
            }
            State::BlockedOnNotification(notification) => {
                let queue = &mut self.objects.notifications[notification].queue;
                queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
                self.set_state(thread, State::Inactive);
            }
            State::BlockedOnReply if self.config.mcs => self.cancel_reply(thread),
            State::BlockedOnReply => {
                self.objects.threads[thread].fault = None;
                let master = self.objects.threads[thread].slot(ThreadSlot::Reply);
                if let Some(reply) = self.slots.next(master) {
                    self.delete_simple(reply);
                }
            }
            State::Inactive | State::Running | State::Restart => {}
        }
    }

    /// All that wait at an endpoint begin again: it is no more.
    pub(crate) fn cancel_all(&mut self, endpoint: Id<Endpoint>) {
        let object = &mut self.objects.endpoints[endpoint];
        object.sending = false;
        let queue = core::mem::take(&mut object.queue);
        if !queue.is_empty() {
            self.restart_all(queue);
        }
    }

    /// Those that wait to send with this badge begin again.
    pub(crate) fn cancel_badged(&mut self, endpoint: Id<Endpoint>, badge: usize) {
        let object = &mut self.objects.endpoints[endpoint];
        if !object.sending {
            return;
        }
        let mut next = object.queue.head();
        while let Some(thread) = next {
            next = self.next_waiting(thread);
            let state = self.objects.threads[thread].state;
            if matches!(state, State::BlockedOnSend { badge: of, .. } if of == badge) {
                let queue = &mut self.objects.endpoints[endpoint].queue;
                queue.remove(&mut self.objects.threads, Chain::Waiting, thread);
                self.begin_again(thread);
            }
        }
        let object = &mut self.objects.endpoints[endpoint];
        object.sending = !object.queue.is_empty();
        self.reschedule();
    }
}
