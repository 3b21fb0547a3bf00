// SPDX-License-Identifier: GPL-2.0-only

//! Objects that are created from untyped memory, other than TCBs, and their physical addresses.

use std::collections::BTreeMap;

use crate::arch;
use crate::arena::{Arena, Id};
use crate::cap::{Cap, ZombieObject};
use crate::cte::SlotId;
use crate::machine::Access;
use crate::queue::EpQueue;
use crate::refill::Refills;
use crate::reply::Reply;
use crate::thread::Tcb;

/// Table of 2^`radix` slots.
pub struct CNode {
    pub(crate) base: SlotId,
    pub(crate) radix: u8,
}

/// Endpoint. All threads in its queue wait for the same: to send if `sending`, else to receive.
#[derive(Default)]
pub struct Endpoint {
    pub(crate) queue: EpQueue,
    pub(crate) sending: bool,
}

/// Notification: idle, active, or with threads that wait.
#[derive(Default)]
pub struct Notification {
    pub(crate) queue: EpQueue,
    /// Bitwise or of the badges of the signals, if it is active.
    pub(crate) active: Option<usize>,
    pub(crate) bound_tcb: Option<Id<Tcb>>,
    /// Scheduling context that is donated to a waiting thread without one.
    pub(crate) sched_context: Option<Id<SchedContext>>,
}

/// Scheduling context: the right to processor time of the thread that it is bound or donated to.
#[derive(Default)]
pub struct SchedContext {
    pub(crate) refills: Refills,
    pub(crate) tcb: Option<Id<Tcb>>,
    pub(crate) notification: Option<Id<Notification>>,
    /// Head of the call stack: the last call through which it was donated.
    pub(crate) reply: Option<Id<Reply>>,
    /// Thread that has yielded to this scheduling context.
    pub(crate) yield_from: Option<Id<Tcb>>,
    pub(crate) badge: usize,
    pub(crate) sporadic: bool,
    /// Ticks consumed since user level last read them.
    pub(crate) consumed: u64,
}

/// Paging structure. Level 1 maps pages, a higher level maps structures of the level below.
pub struct PageTable {
    pub(crate) level: u8,
    pub(crate) entries: BTreeMap<u16, Pte>,
}

/// Entry of a paging structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pte {
    PageTable(Id<PageTable>),
    /// Frame; `access` is `None` if user level has no rights to it.
    Frame {
        paddr: usize,
        access: Option<Access>,
    },
}

/// ASID pool: VSpaces by the low bits of their ASIDs.
pub struct AsidPool {
    pub(crate) vspaces: BTreeMap<u16, Id<PageTable>>,
}

/// All objects, by type.
#[derive(Default)]
pub(crate) struct Objects {
    pub cnodes: Arena<CNode>,
    pub threads: Arena<Tcb>,
    pub endpoints: Arena<Endpoint>,
    pub notifications: Arena<Notification>,
    pub page_tables: Arena<PageTable>,
    pub asid_pools: Arena<AsidPool>,
    pub replies: Arena<Reply>,
    pub sched_contexts: Arena<SchedContext>,
    /// Set for mixed-criticality scheduling, with which notifications are larger.
    pub mcs: bool,
}

impl Objects {
    /// Returns the memory that a capability refers to: its address, and its size as a power of two.
    pub fn cap_region(&self, cap: Cap) -> Option<(usize, u8)> {
        let cnode = |object| {
            let bits = arch::SLOT_BITS + self.cnodes[object].radix;
            (self.cnodes.paddr(object), bits)
        };
        Some(match cap {
            Cap::Untyped(untyped) => (untyped.paddr, untyped.size_bits),
            Cap::Frame(frame) => (frame.paddr, frame.size_bits),
            Cap::Endpoint { object, .. } => (self.endpoints.paddr(object), arch::ENDPOINT_BITS),
            Cap::Notification { object, .. } => (
                self.notifications.paddr(object),
                arch::notification_bits(self.mcs),
            ),
            Cap::CNode { object, .. } => cnode(object),
            Cap::Zombie {
                object: ZombieObject::CNode(object),
                ..
            } => cnode(object),
            Cap::Thread(thread)
            | Cap::Zombie {
                object: ZombieObject::Thread(thread),
                ..
            } => (self.threads.paddr(thread), arch::TCB_BITS),
            Cap::PageTable { object, .. } | Cap::VSpace { object, .. } => {
                (self.page_tables.paddr(object), arch::PAGE_TABLE_BITS)
            }
            Cap::AsidPool { object, .. } => (self.asid_pools.paddr(object), arch::ASID_POOL_BITS),
            Cap::ReplyObject { object, .. } => (self.replies.paddr(object), arch::REPLY_BITS),
            Cap::SchedContext { object, size_bits } => {
                (self.sched_contexts.paddr(object), size_bits)
            }
            Cap::Null
            | Cap::SchedControl
            | Cap::Reply { .. }
            | Cap::IrqControl
            | Cap::IrqHandler(_)
            | Cap::SgiSignal { .. }
            | Cap::Domain
            | Cap::AsidControl
            | Cap::IoPortControl
            | Cap::IoPort { .. } => return None,
        })
    }
}
