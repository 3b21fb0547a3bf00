// SPDX-License-Identifier: GPL-2.0-only

//! Capabilities and their rights.

use crate::arch;
use crate::arena::Id;
use crate::config::WORD_BITS;
use crate::cte::SlotId;
use crate::interrupt::Irq;
use crate::objects::{AsidPool, CNode, Endpoint, Notification, PageTable, SchedContext};
use crate::reply::Reply;
use crate::thread::Tcb;

/// Rights of a capability, as the bits of a `seL4_CapRights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapRights(pub u8);

impl CapRights {
    /// All rights.
    pub const ALL: CapRights = CapRights(0b1111);
    /// Rights of a new notification capability.
    pub(crate) const READ_WRITE: CapRights = CapRights(0b0011);

    pub(crate) fn from_word(word: usize) -> Self {
        CapRights(word as u8 & 0b1111)
    }

    /// Returns the right to send.
    #[must_use]
    pub const fn allow_write(self) -> bool {
        self.0 & 1 != 0
    }

    /// Returns the right to receive.
    #[must_use]
    pub const fn allow_read(self) -> bool {
        self.0 & 2 != 0
    }

    /// Returns the right to send capabilities.
    #[must_use]
    pub const fn allow_grant(self) -> bool {
        self.0 & 4 != 0
    }

    /// Returns the right to give the receiver a reply capability.
    #[must_use]
    pub const fn allow_grant_reply(self) -> bool {
        self.0 & 8 != 0
    }

    /// Returns whether a caller can be replied to: each of two rights suffices.
    pub(crate) const fn allow_reply(self) -> bool {
        self.allow_grant() || self.allow_grant_reply()
    }

    const fn and(self, other: CapRights) -> CapRights {
        CapRights(self.0 & other.0)
    }
}

/// Rights of user level to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmRights {
    /// No access from user level.
    KernelOnly,
    /// Read access.
    ReadOnly,
    /// Read and write access.
    ReadWrite,
}

impl VmRights {
    /// Masks the rights. A mapping that can be written but not read does not exist.
    pub(crate) fn mask_vm_rights(self, mask: CapRights) -> VmRights {
        match self {
            VmRights::ReadOnly if mask.allow_read() => VmRights::ReadOnly,
            VmRights::ReadWrite if mask.allow_read() && mask.allow_write() => VmRights::ReadWrite,
            VmRights::ReadWrite if mask.allow_read() => VmRights::ReadOnly,
            _ => VmRights::KernelOnly,
        }
    }
}

/// Object whose deletion a zombie capability continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZombieObject {
    /// CNode, with its slots.
    CNode(Id<CNode>),
    /// Thread, with the slots of its TCB.
    Thread(Id<Tcb>),
}

/// Capability to untyped memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are the manual's words.
pub struct UntypedCap {
    pub paddr: usize,
    /// Bytes from the start that are in use.
    pub free_index: usize,
    pub size_bits: u8,
    pub device: bool,
}

/// Capability to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct FrameCap {
    pub paddr: usize,
    pub vaddr: usize,
    /// ASID of the VSpace that the frame is mapped in; 0 while it is not mapped.
    pub asid: u16,
    pub size_bits: u8,
    pub rights: VmRights,
    pub device: bool,
}

/// Capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are the manual's words.
pub enum Cap {
    /// Content of an empty slot.
    Null,
    Untyped(UntypedCap),
    Endpoint {
        object: Id<Endpoint>,
        badge: usize,
        rights: CapRights,
    },
    Notification {
        object: Id<Notification>,
        badge: usize,
        rights: CapRights,
    },
    /// Right to reply to a thread. The TCB holds the master, from which the others are derived.
    Reply {
        thread: Id<Tcb>,
        master: bool,
        can_grant: bool,
    },
    /// Reply object, with mixed-criticality scheduling.
    ReplyObject {
        object: Id<Reply>,
        can_grant: bool,
    },
    SchedContext {
        object: Id<SchedContext>,
        size_bits: u8,
    },
    SchedControl,
    CNode {
        object: Id<CNode>,
        base: SlotId,
        radix: u8,
        guard_size: u8,
        guard: usize,
    },
    Thread(Id<Tcb>),
    /// CNode or TCB whose deletion has begun: the first `number` slots from `base` remain.
    Zombie {
        object: ZombieObject,
        base: SlotId,
        number: u32,
    },
    IrqControl,
    IrqHandler(Irq),
    /// Right to send a software-generated interrupt to a core.
    #[cfg_attr(
        not(target_arch = "aarch64"),
        expect(dead_code, reason = "Arm has them")
    )]
    SgiSignal {
        irq: Irq,
        target: u8,
    },
    Domain,
    Frame(FrameCap),
    /// Paging structure below the root of a VSpace.
    PageTable {
        object: Id<PageTable>,
        vaddr: usize,
        asid: u16,
        mapped: bool,
    },
    /// Root of a VSpace; `asid` is 0 until one is assigned.
    VSpace {
        object: Id<PageTable>,
        asid: u16,
    },
    AsidControl,
    AsidPool {
        object: Id<AsidPool>,
        base: u16,
    },
    IoPortControl,
    IoPort {
        first: u16,
        last: u16,
    },
}

impl Cap {
    /// Returns whether this is the content of an empty slot.
    #[must_use]
    pub const fn is_null(self) -> bool {
        matches!(self, Cap::Null)
    }

    /// Returns the capability without the rights that `mask` lacks.
    #[must_use]
    pub(crate) fn mask_cap_rights(mut self, mask: CapRights) -> Cap {
        match &mut self {
            Cap::Endpoint { rights, .. } | Cap::Notification { rights, .. } => {
                *rights = rights.and(mask);
            }
            Cap::Reply { can_grant, .. } | Cap::ReplyObject { can_grant, .. } => {
                *can_grant &= mask.allow_grant();
            }
            Cap::Frame(frame) => frame.rights = frame.rights.mask_vm_rights(mask),
            _ => {}
        }
        self
    }

    /// Returns the capability with another badge or guard, or `Null` if it cannot have it. With
    /// `preserve` the capability is moved, and its badge cannot change.
    #[must_use]
    pub(crate) fn update_cap_data(mut self, preserve: bool, data: usize) -> Cap {
        match &mut self {
            Cap::Endpoint { badge, .. } | Cap::Notification { badge, .. } => {
                if preserve || *badge != 0 {
                    return Cap::Null;
                }
                *badge = data;
            }
            Cap::CNode {
                radix,
                guard_size,
                guard,
                ..
            } => {
                *guard_size = (data % 64) as u8;
                if u32::from(*guard_size) + u32::from(*radix) > WORD_BITS {
                    return Cap::Null;
                }
                *guard = (data >> 6) & low_bits(u32::from(*guard_size));
            }
            _ => {}
        }
        self
    }

    /// Returns whether this capability, derived from `source`, gets the MDB's revocable flag:
    /// further capabilities can be derived from it.
    pub(crate) fn is_cap_revocable(self, source: Cap) -> bool {
        match (self, source) {
            (Cap::Endpoint { badge, .. }, Cap::Endpoint { badge: other, .. })
            | (Cap::Notification { badge, .. }, Cap::Notification { badge: other, .. }) => {
                badge != other
            }
            (Cap::IrqHandler(_) | Cap::SgiSignal { .. }, source) => source == Cap::IrqControl,
            (Cap::IoPort { .. }, source) => source == Cap::IoPortControl,
            (Cap::Untyped(_), _) => true,
            _ => false,
        }
    }

    /// Returns the kernel's number of the capability's type, for `seL4_DebugCapIdentify`. `level`
    /// returns the level of a paging structure.
    pub(crate) fn cap_type(self, level: impl Fn(Id<PageTable>) -> u8) -> usize {
        match self {
            Cap::Null => 0,
            Cap::Untyped(_) => 2,
            Cap::Endpoint { .. } => 4,
            Cap::Notification { .. } => 6,
            Cap::Reply { .. } | Cap::ReplyObject { .. } => 8,
            Cap::SchedContext { .. } => 22,
            Cap::SchedControl => 24,
            Cap::CNode { .. } => 10,
            Cap::Thread(_) => 12,
            Cap::IrqControl => 14,
            Cap::IrqHandler(_) => 16,
            Cap::SgiSignal { .. } => 27,
            Cap::Zombie { .. } => 18,
            Cap::Domain => 20,
            Cap::Frame(_) => 1,
            Cap::PageTable { object, .. } => arch::page_table_cap_type(level(object)),
            Cap::VSpace { .. } => 9,
            Cap::AsidControl => 11,
            Cap::AsidPool { .. } => 13,
            Cap::IoPort { .. } => 19,
            Cap::IoPortControl => 31,
        }
    }
}

/// Returns a word with the low `bits` bits set.
pub(crate) const fn low_bits(bits: u32) -> usize {
    if bits >= WORD_BITS {
        usize::MAX
    } else {
        (1 << bits) - 1
    }
}
