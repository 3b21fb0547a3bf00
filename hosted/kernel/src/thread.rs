// SPDX-License-Identifier: GPL-2.0-only

//! Threads: TCBs, suspending and restarting.

use crate::arch::{Context, IP};
use crate::arena::Id;
use crate::cap::{Cap, CapRights};
use crate::cte::SlotId;
use crate::error::LookupFailure;
use crate::fault::Fault;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::{Endpoint, Notification, SchedContext};
use crate::queue::QueueLinks;
use crate::reply::Reply;

/// Number of a thread.
pub type ThreadId = Id<Tcb>;

/// Slot of a TCB, from its first.
#[derive(Clone, Copy)]
pub(crate) enum TcbSlot {
    CTable = 0,
    VTable = 1,
    /// Master reply capability, from which those to reply to this thread are derived.
    Reply = 2,
    /// Capability to reply to the thread's last caller.
    Caller = 3,
    Buffer = 4,
}

/// Slots with another content, with mixed-criticality scheduling.
impl TcbSlot {
    #[allow(non_upper_case_globals)] // As the variants are written.
    pub const FaultHandler: TcbSlot = TcbSlot::Reply;
    #[allow(non_upper_case_globals)]
    pub const TimeoutHandler: TcbSlot = TcbSlot::Caller;
}

/// Number of slots of a TCB.
pub(crate) const TCB_CNODE_ENTRIES: u32 = 5;
/// Number of slots that are allocated for a TCB, as a power of two.
pub(crate) const TCB_CNODE_RADIX: u8 = 3;

/// State of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadState {
    /// Suspended, until it is resumed.
    Inactive,
    /// Runnable.
    Running,
    /// Runnable, and continues with the instruction that entered the kernel.
    Restart,
    /// Waiting to receive.
    BlockedOnReceive {
        /// Endpoint to receive from.
        endpoint: Id<Endpoint>,
        /// Set if the reply to a caller may transfer capabilities.
        can_grant: bool,
    },
    /// Waiting to send.
    BlockedOnSend {
        /// Endpoint to send to.
        endpoint: Id<Endpoint>,
        /// Badge that the receiver gets.
        badge: usize,
        /// Rights of the capability to the endpoint.
        rights: CapRights,
        /// Set if the thread then waits for a reply.
        is_call: bool,
    },
    /// Waiting for the reply to a call or a fault.
    BlockedOnReply,
    /// Waiting for a signal.
    BlockedOnNotification(Id<Notification>),
}

impl ThreadState {
    /// Returns whether a thread in this state can run.
    #[must_use]
    pub const fn is_runnable(self) -> bool {
        matches!(self, ThreadState::Running | ThreadState::Restart)
    }
}

/// Thread control block.
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
    /// Reply object with which the thread receives or waits for a reply.
    pub(crate) reply: Option<Id<Reply>>,
    pub(crate) sched_context: Option<Id<SchedContext>>,
    pub(crate) yield_to: Option<Id<SchedContext>>,
    /// Set while the thread waits for its budget to be replenished.
    pub(crate) in_release_queue: bool,
    pub(crate) flags: usize,
    pub(crate) time_slice: u32,
    pub(crate) links: [QueueLinks; 2],
    pub(crate) name: String,
    /// Position in the order of creation of all threads.
    pub(crate) serial: u64,
}

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
    /// Stops a thread, in whatever state it is.
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

    /// Makes a thread runnable, if it is not.
    pub(crate) fn restart(&mut self, thread: ThreadId) {
        if self.is_runnable(thread) {
            return;
        }
        self.cancel_ipc(thread);
        if self.config.mcs {
            self.set_thread_state(thread, ThreadState::Restart);
            self.refill_unblock_check_sporadic(thread);
            if let Some(sc) = self.objects.threads[thread].sched_context {
                self.sched_context_resume(sc);
            }
            if self.is_schedulable(thread) {
                self.possible_switch_to(thread);
            }
        } else {
            self.setup_reply_master(thread);
            self.set_thread_state(thread, ThreadState::Restart);
            self.tcb_sched_enqueue(thread);
            self.possible_switch_to(thread);
        }
    }

    /// Fills the slot of the master reply capability, if it is empty.
    pub(crate) fn setup_reply_master(&mut self, thread: ThreadId) {
        let slot = self.objects.threads[thread].slot(TcbSlot::Reply);
        if self.slots.cap(slot).is_null() {
            let cap = Cap::Reply {
                thread,
                master: true,
                can_grant: true,
            };
            self.slots.write_slot(slot, cap);
        }
    }
}
