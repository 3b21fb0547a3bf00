// SPDX-License-Identifier: GPL-2.0-only

//! The objects that untyped memory becomes, other than threads, and where each lies.

use std::collections::BTreeMap;

use crate::arch;
use crate::arena::{Arena, Id};
use crate::budget::Refills;
use crate::cap::{Cap, ZombieObject};
use crate::machine::Access;
use crate::queue::TcbQueue;
use crate::reply::Reply;
use crate::slots::SlotId;
use crate::thread::Tcb;

/// A table of capabilities.
pub struct CNode {
    pub(crate) base: SlotId,
    pub(crate) radix: u8,
}

/// Where threads meet: all that wait either send or receive.
#[derive(Default)]
pub struct Endpoint {
    pub(crate) queue: TcbQueue,
    pub(crate) sending: bool,
}

/// Signals that wait, or threads that wait for one.
#[derive(Default)]
pub struct Notification {
    pub(crate) queue: TcbQueue,
    /// The badges of the signals that came, if one did.
    pub(crate) active: Option<usize>,
    pub(crate) bound_tcb: Option<Id<Tcb>>,
    /// What it lends to who waits for it and has none.
    pub(crate) sched_context: Option<Id<SchedContext>>,
}

/// A scheduling context: time on the processor, for who has it.
#[derive(Default)]
pub struct SchedContext {
    pub(crate) refills: Refills,
    pub(crate) thread: Option<Id<Tcb>>,
    pub(crate) notification: Option<Id<Notification>>,
    /// The last of the calls through which it came to its thread.
    pub(crate) reply: Option<Id<Reply>>,
    /// Who waits until it has run.
    pub(crate) yield_from: Option<Id<Tcb>>,
    pub(crate) badge: usize,
    pub(crate) sporadic: bool,
    /// Ticks that were used since somebody asked.
    pub(crate) consumed: u64,
}

/// A paging structure. Level 1 maps pages; each further one maps those below it.
pub struct PageTable {
    pub(crate) level: u8,
    pub(crate) entries: BTreeMap<u16, Pte>,
}

/// What an entry of a paging structure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pte {
    PageTable(Id<PageTable>),
    /// A frame; `access` is none where user level has no rights to it.
    Frame {
        paddr: usize,
        access: Option<Access>,
    },
}

/// A pool of address space identifiers.
pub struct AsidPool {
    pub(crate) vspaces: BTreeMap<u16, Id<PageTable>>,
}

/// All objects.
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
    /// Whether scheduling is mixed-criticality: then notifications are larger.
    pub mcs: bool,
}

impl Objects {
    /// The memory that a capability is to: its address and size as a power of two.
    pub fn cap_region(&self, cap: Cap) -> Option<(usize, u8)> {
        let cnode = |object| {
            let bits = arch::SLOT_BITS + self.cnodes[object].radix;
            (self.cnodes.paddr(object), bits)
        };
        Some(match cap {
            Cap::Untyped {
                paddr, size_bits, ..
            }
            | Cap::Frame {
                paddr, size_bits, ..
            } => (paddr, size_bits),
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
                (self.page_tables.paddr(object), arch::TABLE_BITS)
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
