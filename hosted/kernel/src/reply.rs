// SPDX-License-Identifier: GPL-2.0-only

//! Reply objects, and the call stacks through which scheduling contexts are donated.

use crate::arena::Id;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::SchedContext;
use crate::thread::{ThreadId, ThreadState};

/// Reply object.
#[derive(Default)]
pub struct Reply {
    /// Thread that waits for the reply, or that receives with this reply object.
    pub(crate) tcb: Option<ThreadId>,
    /// Call before this one in the call stack: the caller owes its reply.
    prev: Option<Id<Reply>>,
    next: CallStack,
}

/// Successor of a reply object in a call stack.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum CallStack {
    /// None: no scheduling context was donated with this call.
    #[default]
    None,
    /// Later call with the same scheduling context.
    Reply(Id<Reply>),
    /// Scheduling context itself: this is the last call.
    SchedContext(Id<SchedContext>),
}

impl<M: Machine> Kernel<M> {
    /// Blocks a caller on a reply object. With `can_donate`, a callee without a scheduling context
    /// gets the caller's, and the call is pushed onto that context's call stack.
    pub(crate) fn reply_push(
        &mut self,
        caller: ThreadId,
        callee: ThreadId,
        reply: Id<Reply>,
        can_donate: bool,
    ) {
        self.objects.replies[reply].tcb = Some(caller);
        self.objects.threads[caller].reply = Some(reply);
        self.set_thread_state(caller, ThreadState::BlockedOnReply);
        let Some(sc) = self.objects.threads[caller].sched_context else {
            return;
        };
        if can_donate && self.objects.threads[callee].sched_context.is_none() {
            let old = self.objects.sched_contexts[sc].reply.replace(reply);
            if let Some(old) = old {
                self.objects.replies[old].next = CallStack::Reply(reply);
            }
            let object = &mut self.objects.replies[reply];
            object.prev = old;
            object.next = CallStack::SchedContext(sc);
            self.sched_context_donate(sc, callee);
        }
    }

    /// Separates a reply object from its thread, and stops the thread.
    pub(crate) fn reply_unlink(&mut self, reply: Id<Reply>, thread: ThreadId) {
        self.objects.replies[reply].tcb = None;
        self.objects.threads[thread].reply = None;
        self.set_thread_state(thread, ThreadState::Inactive);
    }

    /// Removes an answered call from its call stack. If it was the last call, the scheduling
    /// context returns to the caller.
    pub(crate) fn reply_remove(&mut self, reply: Id<Reply>, caller: ThreadId) {
        match self.objects.replies[reply].next {
            CallStack::SchedContext(sc) => self.reply_pop(reply, sc, caller),
            _ => self.unlink_call_stack(reply),
        }
        self.reply_unlink(reply, caller);
    }

    fn reply_pop(&mut self, reply: Id<Reply>, sc: Id<SchedContext>, caller: ThreadId) {
        let Reply { prev, next, .. } = core::mem::take(&mut self.objects.replies[reply]);
        self.objects.sched_contexts[sc].reply = prev;
        if let Some(prev) = prev {
            self.objects.replies[prev].next = next;
        }
        if self.objects.threads[caller].sched_context.is_none() {
            self.sched_context_donate(sc, caller);
        }
    }

    /// Removes the call of a thread that no longer waits for the reply. The scheduling context
    /// does not return.
    pub(crate) fn reply_remove_tcb(&mut self, caller: ThreadId) {
        let Some(reply) = self.objects.threads[caller].reply else {
            return;
        };
        if let CallStack::SchedContext(sc) = self.objects.replies[reply].next {
            self.objects.sched_contexts[sc].reply = None;
        }
        self.unlink_call_stack(reply);
        self.reply_unlink(reply, caller);
    }

    /// Cuts a call stack in two at a reply object, which is then in neither.
    fn unlink_call_stack(&mut self, reply: Id<Reply>) {
        let Reply { prev, next, .. } = core::mem::take(&mut self.objects.replies[reply]);
        if let CallStack::Reply(next) = next {
            self.objects.replies[next].prev = None;
        }
        if let Some(prev) = prev {
            self.objects.replies[prev].next = CallStack::None;
        }
    }

    /// Separates a scheduling context from its call stack: no reply returns it.
    pub(crate) fn sched_context_unbind_reply(&mut self, sc: Id<SchedContext>) {
        if let Some(reply) = self.objects.sched_contexts[sc].reply.take() {
            self.objects.replies[reply].next = CallStack::None;
        }
    }

    /// Finalises a reply object: its thread no longer waits with it.
    pub(crate) fn reply_clear(&mut self, reply: Id<Reply>) {
        if let Some(thread) = self.objects.replies[reply].tcb {
            match self.objects.threads[thread].state {
                ThreadState::BlockedOnReply => self.reply_remove(reply, thread),
                _ => self.cancel_ipc(thread),
            }
        }
    }
}
