// SPDX-License-Identifier: GPL-2.0-only

//! What differs between architectures, and what those of 64 bits share.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(not(target_arch = "aarch64"))]
mod x86_64;

use crate::objects::PageTable;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(not(target_arch = "aarch64"))]
pub use x86_64::*;

pub(crate) const SLOT_BITS: u8 = 5;
pub(crate) const TCB_BITS: u8 = 11;
pub(crate) const ENDPOINT_BITS: u8 = 4;
pub(crate) const REPLY_BITS: u8 = 5;
pub(crate) const MIN_SCHED_CONTEXT_BITS: u8 = 7;
pub(crate) const TABLE_BITS: u8 = 12;
pub(crate) const ASID_POOL_BITS: u8 = 12;
pub(crate) const MIN_UNTYPED_BITS: u8 = 4;
pub(crate) const MAX_UNTYPED_BITS: u8 = 47;
pub(crate) const fn notification_bits(mcs: bool) -> u8 {
    if mcs { 6 } else { 5 }
}

/// Where an IPC buffer must be aligned.
pub(crate) const IPC_BUFFER_BITS: u8 = 10;

/// The level of the root of an address space.
pub(crate) const ROOT_LEVEL: u8 = 4;
/// The last address of user level.
pub(crate) const USER_TOP: usize = 0x7fff_ffff_ffff;

/// Address spaces of a pool, as a power of two.
pub(crate) const ASID_LOW_BITS: u32 = 9;

/// Bits of an address below those that index a table of this level.
pub(crate) const fn level_shift(level: u8) -> u32 {
    12 + 9 * (level as u32 - 1)
}

/// The level of the table that maps frames of this size.
pub(crate) const fn frame_level(size_bits: u8) -> u8 {
    (size_bits - 12) / 9 + 1
}

/// Which entry of a table of this level an address has.
pub(crate) const fn table_index(level: u8, vaddr: usize) -> u16 {
    (vaddr >> level_shift(level)) as u16 & 0x1ff
}

/// What untyped memory can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectType {
    Untyped,
    Tcb,
    Endpoint,
    Notification,
    CNode,
    /// A frame of so many bits.
    Frame(u8),
    /// A paging structure of this level.
    Table(u8),
    SchedContext,
    Reply,
}

impl ObjectType {
    /// By libsel4's number.
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

impl PageTable {
    /// The bits of an address that are missing where a table of this level is.
    pub(crate) const fn bits_missing(level: u8) -> usize {
        level_shift(level + 1) as usize
    }
}
