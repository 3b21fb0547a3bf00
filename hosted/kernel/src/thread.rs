// SPDX-License-Identifier: BSD-2-Clause

//! Threads: the state of one, and how it is stopped and started.

use crate::arch::{Context, IP};
use crate::arena::Id;
use crate::cap::Cap;
use crate::error::LookupFailure;
use crate::fault::Fault;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::{Endpoint, Notification, SchedContext};
use crate::queue::{Chain, Links};
use crate::reply::Reply;
use crate::slots::SlotId;

/// The number of a thread.
pub type ThreadId = Id<Thread>;

/// The slots that a thread has, from its first.
#[derive(Clone, Copy)]
pub(crate) enum ThreadSlot {
    CSpace = 0,
    VSpace = 1,
    /// The master of the capabilities to reply to it.
    Reply = 2,
    /// The capability to reply to who called it last.
    Caller = 3,
    IpcBuffer = 4,
}

/// With mixed-criticality scheduling two of them hold other things.
impl ThreadSlot {
    #[allow(non_upper_case_globals)] // As the variants are written.
    pub const FaultHandler: ThreadSlot = ThreadSlot::Reply;
    #[allow(non_upper_case_globals)]
    pub const TimeoutHandler: ThreadSlot = ThreadSlot::Caller;
}

/// How many there are.
pub(crate) const THREAD_SLOTS: u32 = 5;
/// Room for them, as a power of two.
pub(crate) const THREAD_SLOT_BITS: u8 = 3;

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing until it is resumed.
    Inactive,
    /// It runs, or could.
    Running,
    /// It could run, and begins with the instruction that entered the kernel.
    Restart,
    /// It waits for a message.
    BlockedOnReceive {
        /// Where.
        endpoint: Id<Endpoint>,
        /// Whether who calls it may be sent capabilities in the reply.
        grant: bool,
    },
    /// It waits for who takes its message.
    BlockedOnSend {
        /// Where.
        endpoint: Id<Endpoint>,
        /// What the receiver will see.
        badge: usize,
        /// Whether it may send capabilities.
        grant: bool,
        /// Whether it may be replied to.
        grant_reply: bool,
        /// Whether it waits for a reply then.
        call: bool,
    },
    /// It waits for the reply to its message or its fault.
    BlockedOnReply,
    /// It waits for a signal.
    BlockedOnNotification(Id<Notification>),
}

impl State {
    /// Whether it could run.
    #[must_use]
    pub const fn is_runnable(self) -> bool {
        matches!(self, State::Running | State::Restart)
    }
}

/// A thread control block.
pub struct Thread {
    pub(crate) context: Context,
    pub(crate) state: State,
    pub(crate) slots: SlotId,
    pub(crate) ipc_buffer: usize,
    pub(crate) fault_handler: usize,
    pub(crate) fault: Option<Fault>,
    pub(crate) lookup_failure: LookupFailure,
    pub(crate) bound: Option<Id<Notification>>,
    pub(crate) priority: u8,
    pub(crate) mcp: u8,
    pub(crate) domain: u8,
    pub(crate) queued: bool,
    /// The reply object that it waits with, for a message or a reply.
    pub(crate) reply: Option<Id<Reply>>,
    pub(crate) context_id: Option<Id<SchedContext>>,
    pub(crate) yield_to: Option<Id<SchedContext>>,
    /// Whether it waits for its budget.
    pub(crate) postponed: bool,
    pub(crate) flags: usize,
    pub(crate) time_slice: u32,
    pub(crate) links: [Links; 2],
    pub(crate) name: String,
    /// When it was made, among all threads.
    pub(crate) serial: u64,
}

const _: () = assert!(Chain::Waiting as usize == 1);

impl Thread {
    pub(crate) fn new(
        slots: SlotId,
        domain: u8,
        time_slice: u32,
        name: String,
        serial: u64,
    ) -> Self {
        Thread {
            context: Context::new(),
            state: State::Inactive,
            slots,
            ipc_buffer: 0,
            fault_handler: 0,
            fault: None,
            lookup_failure: LookupFailure::InvalidRoot,
            bound: None,
            priority: 0,
            mcp: 0,
            domain,
            queued: false,
            reply: None,
            context_id: None,
            yield_to: None,
            postponed: false,
            flags: 0,
            time_slice,
            links: Default::default(),
            name,
            serial,
        }
    }

    pub(crate) fn slot(&self, slot: ThreadSlot) -> SlotId {
        self.slots.plus(slot as usize)
    }
}

impl<M: Machine> Kernel<M> {
    /// Stops a thread, whatever it does.
    pub(crate) fn suspend(&mut self, thread: ThreadId) {
        self.cancel_ipc(thread);
        if self.objects.threads[thread].state == State::Running {
            let context = &mut self.objects.threads[thread].context;
            context[IP] = context.next;
        }
        self.dequeue(thread);
        self.stop_waiting(thread);
        self.cancel_yield(thread);
        self.set_state(thread, State::Inactive);
    }

    /// Lets a thread run that does not.
    pub(crate) fn restart(&mut self, thread: ThreadId) {
        if self.is_runnable(thread) {
            return;
        }
        self.cancel_ipc(thread);
        if self.config.mcs {
            return self.restart_by_context(thread);
        }
        self.set_up_reply(thread);
        self.set_state(thread, State::Restart);
        self.enqueue_first(thread);
        self.wake(thread);
    }

    fn restart_by_context(&mut self, thread: ThreadId) {
        self.set_state(thread, State::Restart);
        self.unblock(thread);
        if let Some(context) = self.objects.threads[thread].context_id {
            self.resume_context(context);
        }
        if self.is_schedulable(thread) {
            self.wake(thread);
        }
    }

    /// The master of the capabilities to reply to it.
    pub(crate) fn set_up_reply(&mut self, thread: ThreadId) {
        let slot = self.objects.threads[thread].slot(ThreadSlot::Reply);
        if self.slots.cap(slot).is_null() {
            let cap = Cap::Reply {
                thread,
                master: true,
                grant: true,
            };
            self.slots.put_root(slot, cap);
        }
    }
}
