// SPDX-License-Identifier: GPL-2.0-only

//! Threads: the state of one, and how it is stopped and started.

use crate::arch::{Context, IP};
use crate::arena::Id;
use crate::cap::Cap;
use crate::error::LookupFailure;
use crate::fault::Fault;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::{Endpoint, Notification, SchedContext};
use crate::queue::{Chain, QueueLinks};
use crate::reply::Reply;
use crate::slots::SlotId;

/// The number of a thread.
pub type ThreadId = Id<Tcb>;

/// The slots that a thread has, from its first.
#[derive(Clone, Copy)]
pub(crate) enum TcbSlot {
    CTable = 0,
    VTable = 1,
    /// The master of the capabilities to reply to it.
    Reply = 2,
    /// The capability to reply to who called it last.
    Caller = 3,
    Buffer = 4,
}

/// With mixed-criticality scheduling two of them hold other things.
impl TcbSlot {
    #[allow(non_upper_case_globals)] // As the variants are written.
    pub const FaultHandler: TcbSlot = TcbSlot::Reply;
    #[allow(non_upper_case_globals)]
    pub const TimeoutHandler: TcbSlot = TcbSlot::Caller;
}

/// How many there are.
pub(crate) const TCB_CNODE_ENTRIES: u32 = 5;
/// Room for them, as a power of two.
pub(crate) const TCB_CNODE_RADIX: u8 = 3;

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadState {
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

impl ThreadState {
    /// Whether it could run.
    #[must_use]
    pub const fn is_runnable(self) -> bool {
        matches!(self, ThreadState::Running | ThreadState::Restart)
    }
}

/// A thread control block.
pub struct Tcb {
    pub(crate) context: Context,
    pub(crate) state: ThreadState,
    pub(crate) slots: SlotId,
    pub(crate) ipc_buffer: usize,
    pub(crate) fault_handler: usize,
    pub(crate) fault: Option<Fault>,
    pub(crate) lookup_failure: LookupFailure,
    pub(crate) bound_notification: Option<Id<Notification>>,
    pub(crate) priority: u8,
    pub(crate) mcp: u8,
    pub(crate) domain: u8,
    pub(crate) queued: bool,
    /// The reply object that it waits with, for a message or a reply.
    pub(crate) reply: Option<Id<Reply>>,
    pub(crate) sched_context: Option<Id<SchedContext>>,
    pub(crate) yield_to: Option<Id<SchedContext>>,
    /// Whether it waits for its budget.
    pub(crate) in_release_queue: bool,
    pub(crate) flags: usize,
    pub(crate) time_slice: u32,
    pub(crate) links: [QueueLinks; 2],
    pub(crate) name: String,
    /// When it was made, among all threads.
    pub(crate) serial: u64,
}

const _: () = assert!(Chain::Waiting as usize == 1);

impl Tcb {
    pub(crate) fn new(
        slots: SlotId,
        domain: u8,
        time_slice: u32,
        name: String,
        serial: u64,
    ) -> Self {
        Tcb {
            context: Context::new(),
            state: ThreadState::Inactive,
            slots,
            ipc_buffer: 0,
            fault_handler: 0,
            fault: None,
            lookup_failure: LookupFailure::InvalidRoot,
            bound_notification: None,
            priority: 0,
            mcp: 0,
            domain,
            queued: false,
            reply: None,
            sched_context: None,
            yield_to: None,
            in_release_queue: false,
            flags: 0,
            time_slice,
            links: Default::default(),
            name,
            serial,
        }
    }

    pub(crate) fn slot(&self, slot: TcbSlot) -> SlotId {
        self.slots.plus(slot as usize)
    }
}

impl<M: Machine> Kernel<M> {
    /// Stops a thread, whatever it does.
    pub(crate) fn suspend(&mut self, thread: ThreadId) {
        self.cancel_ipc(thread);
        if self.objects.threads[thread].state == ThreadState::Running {
            let context = &mut self.objects.threads[thread].context;
            context[IP] = context.next;
        }
        self.tcb_sched_dequeue(thread);
        self.tcb_release_remove(thread);
        self.sched_context_cancel_yield_to(thread);
        self.set_thread_state(thread, ThreadState::Inactive);
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
        self.setup_reply_master(thread);
        self.set_thread_state(thread, ThreadState::Restart);
        self.tcb_sched_enqueue(thread);
        self.possible_switch_to(thread);
    }

    fn restart_by_context(&mut self, thread: ThreadId) {
        self.set_thread_state(thread, ThreadState::Restart);
        self.refill_unblock_check_sporadic(thread);
        if let Some(context) = self.objects.threads[thread].sched_context {
            self.sched_context_resume(context);
        }
        if self.is_schedulable(thread) {
            self.possible_switch_to(thread);
        }
    }

    /// The master of the capabilities to reply to it.
    pub(crate) fn setup_reply_master(&mut self, thread: ThreadId) {
        let slot = self.objects.threads[thread].slot(TcbSlot::Reply);
        if self.slots.cap(slot).is_null() {
            let cap = Cap::Reply {
                thread,
                master: true,
                grant: true,
            };
            self.slots.write_slot(slot, cap);
        }
    }
}
