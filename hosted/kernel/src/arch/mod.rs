// SPDX-License-Identifier: GPL-2.0-only

//! Registers, sizes and numbers that depend on the architecture.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(not(target_arch = "aarch64"))]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(not(target_arch = "aarch64"))]
pub use x86_64::*;

pub(crate) const SLOT_BITS: u8 = 5;
pub(crate) const TCB_BITS: u8 = 11;
pub(crate) const ENDPOINT_BITS: u8 = 4;
pub(crate) const REPLY_BITS: u8 = 5;
pub(crate) const MIN_SCHED_CONTEXT_BITS: u8 = 7;
pub(crate) const PAGE_TABLE_BITS: u8 = 12;
pub(crate) const ASID_POOL_BITS: u8 = 12;
pub(crate) const MIN_UNTYPED_BITS: u8 = 4;
pub(crate) const MAX_UNTYPED_BITS: u8 = 47;

pub(crate) const fn notification_bits(mcs: bool) -> u8 {
    if mcs { 6 } else { 5 }
}

/// Alignment of an IPC buffer, as a power of two.
pub(crate) const IPC_BUFFER_BITS: u8 = 10;

/// Level of the root of a VSpace.
pub(crate) const ROOT_LEVEL: u8 = 4;
/// Last address of user level.
pub(crate) const USER_TOP: usize = 0x7fff_ffff_ffff;

/// Number of ASIDs of a pool, as a power of two.
pub(crate) const ASID_LOW_BITS: u32 = 9;

/// Returns the number of address bits below those that index a paging structure of this level.
pub(crate) const fn level_shift(level: u8) -> u32 {
    12 + 9 * (level as u32 - 1)
}

/// Returns the level of the paging structures that map frames of this size.
pub(crate) const fn frame_level(size_bits: u8) -> u8 {
    (size_bits - 12) / 9 + 1
}

/// Returns the index of an address in a paging structure of this level.
pub(crate) const fn table_index(level: u8, vaddr: usize) -> u16 {
    (vaddr >> level_shift(level)) as u16 & 0x1ff
}

/// Object type, as an argument of a retype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectType {
    Untyped,
    Tcb,
    Endpoint,
    Notification,
    CNode,
    /// Frame of 2^n bytes.
    Frame(u8),
    /// Paging structure of this level.
    PageTable(u8),
    SchedContext,
    Reply,
}

impl ObjectType {
    /// Returns the object type with libsel4's number.
    pub fn from_number(number: usize, mcs: bool) -> Option<Self> {
        let number = match (mcs, number) {
            (true, 5) => return Some(ObjectType::SchedContext),
            (true, 6) => return Some(ObjectType::Reply),
            (true, 7..) => number - 2,
            _ => number,
        };
        Some(match number {
            0 => ObjectType::Untyped,
            1 => ObjectType::Tcb,
            2 => ObjectType::Endpoint,
            3 => ObjectType::Notification,
            4 => ObjectType::CNode,
            _ => return OBJECTS.get(number - 5).copied(),
        })
    }
}
