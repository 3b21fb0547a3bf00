// SPDX-License-Identifier: GPL-2.0-only

//! Capabilities: what each names, and what can be made of one.

use crate::arch;
use crate::arena::Id;
use crate::config::WORD_BITS;
use crate::irq::Irq;
use crate::objects::{AsidPool, CNode, Endpoint, Notification, PageTable, SchedContext};
use crate::reply::Reply;
use crate::slots::SlotId;
use crate::thread::Tcb;

/// CapRights, as the bits of a `seL4_CapRights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapRights(pub u8);

impl CapRights {
    /// Every right.
    pub const ALL: CapRights = CapRights(0b1111);
    /// What a notification knows.
    pub(crate) const READ_WRITE: CapRights = CapRights(0b0011);

    pub(crate) fn from_word(word: usize) -> Self {
        CapRights(word as u8 & 0b1111)
    }

    /// To send.
    #[must_use]
    pub const fn write(self) -> bool {
        self.0 & 1 != 0
    }

    /// To receive.
    #[must_use]
    pub const fn read(self) -> bool {
        self.0 & 2 != 0
    }

    /// To send capabilities.
    #[must_use]
    pub const fn grant(self) -> bool {
        self.0 & 4 != 0
    }

    /// To be replied to.
    #[must_use]
    pub const fn grant_reply(self) -> bool {
        self.0 & 8 != 0
    }

    const fn and(self, other: CapRights) -> CapRights {
        CapRights(self.0 & other.0)
    }
}

/// What user level may do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmRights {
    /// Nothing.
    KernelOnly,
    /// Read.
    ReadOnly,
    /// Read and write.
    ReadWrite,
}

impl VmRights {
    /// There is no mapping that can be written and not read.
    pub(crate) fn mask_vm_rights(self, mask: CapRights) -> VmRights {
        match self {
            VmRights::ReadOnly if mask.read() => VmRights::ReadOnly,
            VmRights::ReadWrite if mask.read() && mask.write() => VmRights::ReadWrite,
            VmRights::ReadWrite if mask.read() => VmRights::ReadOnly,
            _ => VmRights::KernelOnly,
        }
    }
}

/// What is left to delete of a CNode or a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZombieObject {
    /// Slots of a CNode.
    CNode(Id<CNode>),
    /// Slots of a thread.
    Thread(Id<Tcb>),
}

/// A capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are the API's own words.
pub enum Cap {
    /// None.
    Null,
    /// Memory, of which `used` bytes from its start are taken.
    Untyped {
        paddr: usize,
        free_index: usize,
        size_bits: u8,
        device: bool,
    },
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
    /// The right to answer a thread. A thread holds its own master copy, from which the others
    /// are derived.
    Reply {
        thread: Id<Tcb>,
        master: bool,
        grant: bool,
    },
    /// A reply object, of a kernel with mixed-criticality scheduling.
    ReplyObject {
        object: Id<Reply>,
        grant: bool,
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
    /// A CNode or thread whose deletion has begun: `left` of its slots, from `base`.
    Zombie {
        object: ZombieObject,
        base: SlotId,
        number: u32,
    },
    IrqControl,
    IrqHandler(Irq),
    /// The right to interrupt a processor, by one of the interrupts that software makes.
    #[cfg_attr(
        not(target_arch = "aarch64"),
        expect(dead_code, reason = "Arm has them")
    )]
    SgiSignal {
        irq: Irq,
        target: u8,
    },
    Domain,
    /// Memory for user level; `asid` 0 where it is not mapped.
    Frame {
        paddr: usize,
        vaddr: usize,
        asid: u16,
        size_bits: u8,
        rights: VmRights,
        device: bool,
    },
    /// A paging structure below the root.
    PageTable {
        object: Id<PageTable>,
        vaddr: usize,
        asid: u16,
        mapped: bool,
    },
    /// The root of an address space; `asid` 0 where none is assigned.
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
    /// Whether there is none.
    #[must_use]
    pub const fn is_null(self) -> bool {
        matches!(self, Cap::Null)
    }

    /// With no more rights than these.
    #[must_use]
    pub(crate) fn mask_cap_rights(self, mask: CapRights) -> Cap {
        match self {
            Cap::Endpoint {
                object,
                badge,
                rights,
            } => Cap::Endpoint {
                object,
                badge,
                rights: rights.and(mask),
            },
            Cap::Notification {
                object,
                badge,
                rights,
            } => Cap::Notification {
                object,
                badge,
                rights: rights.and(mask),
            },
            Cap::Reply {
                thread,
                master,
                grant,
            } => Cap::Reply {
                thread,
                master,
                grant: grant && mask.grant(),
            },
            Cap::ReplyObject { object, grant } => Cap::ReplyObject {
                object,
                grant: grant && mask.grant(),
            },
            Cap::Frame {
                paddr,
                vaddr,
                asid,
                size_bits,
                rights,
                device,
            } => Cap::Frame {
                paddr,
                vaddr,
                asid,
                size_bits,
                rights: rights.mask_vm_rights(mask),
                device,
            },
            other => other,
        }
    }

    /// With another badge or guard. `preserve`: it is moved, not copied, and keeps its badge.
    #[must_use]
    pub(crate) fn update_cap_data(self, preserve: bool, data: usize) -> Cap {
        match self {
            Cap::Endpoint {
                object,
                badge,
                rights,
            } => match preserve || badge != 0 {
                true => Cap::Null,
                false => Cap::Endpoint {
                    object,
                    badge: data,
                    rights,
                },
            },
            Cap::Notification {
                object,
                badge,
                rights,
            } => match preserve || badge != 0 {
                true => Cap::Null,
                false => Cap::Notification {
                    object,
                    badge: data,
                    rights,
                },
            },
            Cap::CNode {
                object,
                base,
                radix,
                ..
            } => {
                let guard_size = (data % 64) as u8;
                if u32::from(guard_size) + u32::from(radix) > WORD_BITS {
                    return Cap::Null;
                }
                Cap::CNode {
                    object,
                    base,
                    radix,
                    guard_size,
                    guard: (data >> 6) & low_bits(u32::from(guard_size)),
                }
            }
            other => other,
        }
    }

    /// Whether a copy of `self` that is `derived` is the root of derivations of its own.
    pub(crate) fn is_cap_revocable(self, source: Cap) -> bool {
        match (self, source) {
            (Cap::Endpoint { badge, .. }, Cap::Endpoint { badge: other, .. })
            | (Cap::Notification { badge, .. }, Cap::Notification { badge: other, .. }) => {
                badge != other
            }
            (Cap::IrqHandler(_) | Cap::SgiSignal { .. }, source) => source == Cap::IrqControl,
            (Cap::IoPort { .. }, source) => source == Cap::IoPortControl,
            (Cap::Untyped { .. }, _) => true,
            _ => false,
        }
    }

    /// The number that `seL4_DebugCapIdentify` gives: the kernel's own tag.
    pub(crate) fn cap_type(self, levels: impl Fn(Id<PageTable>) -> u8) -> usize {
        match self {
            Cap::Null => 0,
            Cap::Untyped { .. } => 2,
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
            Cap::Frame { .. } => 1,
            Cap::PageTable { object, .. } => arch::table_tag(levels(object)),
            Cap::VSpace { .. } => 9,
            Cap::AsidControl => 11,
            Cap::AsidPool { .. } => 13,
            Cap::IoPort { .. } => 19,
            Cap::IoPortControl => 31,
        }
    }
}

/// A word with so many low bits set.
pub(crate) const fn low_bits(bits: u32) -> usize {
    if bits >= WORD_BITS {
        usize::MAX
    } else {
        (1 << bits) - 1
    }
}
