// SPDX-License-Identifier: GPL-2.0-only

//! Reply objects: who waits for which reply, and the calls through which a scheduling context came.

use crate::arena::Id;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::SchedContext;
use crate::thread::{ThreadId, ThreadState};

/// A reply object.
#[derive(Default)]
pub struct Reply {
    /// Who waits for the reply, or will be given it with the next message.
    pub(crate) thread: Option<ThreadId>,
    /// The call that the caller itself answers with the same scheduling context.
    previous: Option<Id<Reply>>,
    next: Next,
}

/// What a call gave its scheduling context to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    None,
    /// The call that was made on with it.
    Reply(Id<Reply>),
    /// It is the last call.
    Context(Id<SchedContext>),
}

impl<M: Machine> Kernel<M> {
    /// A caller waits for the reply, and may lend its scheduling context to who is called.
    pub(crate) fn reply_push(
        &mut self,
        caller: ThreadId,
        callee: ThreadId,
        reply: Id<Reply>,
        donate: bool,
    ) {
        self.objects.replies[reply].thread = Some(caller);
        self.objects.threads[caller].reply = Some(reply);
        self.set_thread_state(caller, ThreadState::BlockedOnReply);
        let Some(context) = self.objects.threads[caller].sched_context else {
            return;
        };
        if donate && self.objects.threads[callee].sched_context.is_none() {
            let old = self.objects.sched_contexts[context].reply.replace(reply);
            if let Some(old) = old {
                self.objects.replies[old].next = Next::Reply(reply);
            }
            let object = &mut self.objects.replies[reply];
            object.previous = old;
            object.next = Next::Context(context);
            self.sched_context_donate(context, callee);
        }
    }

    /// A thread is no longer to be given a reply, or waits for none.
    pub(crate) fn reply_unlink(&mut self, reply: Id<Reply>, thread: ThreadId) {
        self.objects.replies[reply].thread = None;
        self.objects.threads[thread].reply = None;
        self.set_thread_state(thread, ThreadState::Inactive);
    }

    /// A call is answered: what was lent is given back.
    pub(crate) fn reply_remove(&mut self, reply: Id<Reply>, thread: ThreadId) {
        let Reply { previous, next, .. } = self.objects.replies[reply];
        if let Next::Context(context) = next {
            self.objects.sched_contexts[context].reply = previous;
            if let Some(previous) = previous {
                self.objects.replies[previous].next = next;
            }
            if self.objects.threads[thread].sched_context.is_none() {
                self.sched_context_donate(context, thread);
            }
        } else {
            self.unlink_call_stack(previous, next);
        }
        self.clear_call_stack_links(reply);
        self.reply_unlink(reply, thread);
    }

    /// A caller no longer waits: nothing is given back.
    pub(crate) fn reply_remove_tcb(&mut self, thread: ThreadId) {
        let Some(reply) = self.objects.threads[thread].reply else {
            return;
        };
        let Reply { previous, next, .. } = self.objects.replies[reply];
        if let Next::Context(context) = next {
            self.objects.sched_contexts[context].reply = None;
        }
        self.unlink_call_stack(previous, next);
        self.clear_call_stack_links(reply);
        self.reply_unlink(reply, thread);
    }

    fn unlink_call_stack(&mut self, previous: Option<Id<Reply>>, next: Next) {
        if let Next::Reply(next) = next {
            self.objects.replies[next].previous = None;
        }
        if let Some(previous) = previous {
            self.objects.replies[previous].next = Next::None;
        }
    }

    fn clear_call_stack_links(&mut self, reply: Id<Reply>) {
        let object = &mut self.objects.replies[reply];
        (object.previous, object.next) = (None, Next::None);
    }

    /// The scheduling context is no more, or belongs to nobody: no call gives it back.
    pub(crate) fn sched_context_unbind_reply(&mut self, context: Id<SchedContext>) {
        if let Some(reply) = self.objects.sched_contexts[context].reply.take() {
            self.objects.replies[reply].next = Next::None;
        }
    }

    /// The last capability to a reply object goes.
    pub(crate) fn reply_clear(&mut self, reply: Id<Reply>) {
        if let Some(thread) = self.objects.replies[reply].thread {
            match self.objects.threads[thread].state {
                ThreadState::BlockedOnReply => self.reply_remove(reply, thread),
                _ => self.cancel_ipc(thread),
            }
        }
    }
}
