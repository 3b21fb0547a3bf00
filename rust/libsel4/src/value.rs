// SPDX-License-Identifier: BSD-2-Clause

//! Values that are one word in C: what a message is like, rights, and a CNode's guard.

use core::fmt;
use core::ops::BitOr;

use libsel4_sys as sys;

/// Badge of a capability: a word, 0 if there is none. On 32-bit machines the kernel keeps
/// `seL4_BadgeBits`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Badge, CapRights, Notification};
///
/// let bits: Badge = 1 << 3;
/// let bell = objects.make::<Notification>()?;
/// objects.mint(bell, CapRights::ALL, bits)?.signal();
/// assert_eq!(bell.wait(), bits);
/// # Ok(()) }) }
/// ```
pub type Badge = usize;

/// Priority of a thread, or the highest that it may give: from 0 to `seL4_MaxPrio`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Priority, Tcb};
///
/// let thread = objects.make::<Tcb>()?;
/// thread.tcb_set_priority(info.tcb(), Priority::new(100))?;
/// assert!(thread.tcb_set_priority(info.tcb(), Priority::new(1000)).is_err());
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Priority(usize);

impl Priority {
    /// Corresponds to `seL4_MinPrio`. The lowest priority, 0.
    #[doc(alias = "seL4_MinPrio")]
    pub const MIN: Self = Self(sys::seL4_MinPrio);
    /// Corresponds to `seL4_MaxPrio`. The highest priority that this kernel has.
    #[doc(alias = "seL4_MaxPrio")]
    pub const MAX: Self = Self(sys::seL4_MaxPrio);

    /// The priority with this number. The kernel refuses one above [`MAX`](Self::MAX) with
    /// [`RangeError`](crate::Error::RangeError).
    #[inline]
    pub const fn new(priority: usize) -> Self {
        Self(priority)
    }

    /// The word that C has for it.
    #[inline]
    pub const fn word(self) -> usize {
        self.0
    }
}

/// Corresponds to `seL4_MessageInfo_t`. How long a message is, and what comes with it.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::MessageInfo;
///
/// let info = MessageInfo::labelled(5).with_length(2);
/// assert_eq!((info.label(), info.length(), info.extra_caps()), (5, 2, 0));
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_MessageInfo_t")]
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct MessageInfo(usize);

const LENGTH_BITS: usize = sys::seL4_MsgLengthBits;
const EXTRA_CAPS_BITS: usize = sys::seL4_MsgExtraCapBits;
/// One for each capability that a message can carry.
const UNWRAPPED_BITS: usize = sys::seL4_MsgMaxExtraCaps;
const UNWRAPPED_SHIFT: usize = LENGTH_BITS + EXTRA_CAPS_BITS;
const LABEL_SHIFT: usize = UNWRAPPED_SHIFT + UNWRAPPED_BITS;

const fn low(word: usize, bits: usize) -> usize {
    word & ((1 << bits) - 1)
}

impl MessageInfo {
    /// Corresponds to `seL4_MessageInfo_new`. Of each argument those bits count that its field has:
    /// 7 of the length, 2 of the number of capabilities, 3 of those unwrapped, and of the label what
    /// a word has left.
    #[doc(alias = "seL4_MessageInfo_new")]
    #[inline]
    pub const fn new(
        label: usize,
        caps_unwrapped: usize,
        extra_caps: usize,
        length: usize,
    ) -> Self {
        Self(
            label << LABEL_SHIFT
                | low(caps_unwrapped, UNWRAPPED_BITS) << UNWRAPPED_SHIFT
                | low(extra_caps, EXTRA_CAPS_BITS) << LENGTH_BITS
                | low(length, LENGTH_BITS),
        )
    }

    /// Corresponds to `seL4_MessageInfo_get_label`. What sender and receiver agreed on; in what the
    /// kernel sends, which fault it is.
    #[doc(alias = "seL4_MessageInfo_get_label")]
    #[inline]
    pub const fn label(self) -> usize {
        self.0 >> LABEL_SHIFT
    }

    /// Corresponds to `seL4_MessageInfo_get_capsUnwrapped`. In what was received: bit `i` says that
    /// capability `i` arrived as the badge of one to the endpoint that it came through.
    #[doc(alias = "seL4_MessageInfo_get_capsUnwrapped")]
    #[inline]
    pub const fn caps_unwrapped(self) -> usize {
        low(self.0 >> UNWRAPPED_SHIFT, UNWRAPPED_BITS)
    }

    /// Corresponds to `seL4_MessageInfo_get_extraCaps`. How many capabilities are sent or came.
    #[doc(alias = "seL4_MessageInfo_get_extraCaps")]
    #[inline]
    pub const fn extra_caps(self) -> usize {
        low(self.0 >> LENGTH_BITS, EXTRA_CAPS_BITS)
    }

    /// Corresponds to `seL4_MessageInfo_get_length`. How many message registers count.
    #[doc(alias = "seL4_MessageInfo_get_length")]
    #[inline]
    pub const fn length(self) -> usize {
        low(self.0, LENGTH_BITS)
    }

    /// Returns the info of a message with this label, without registers and capabilities:
    /// `MessageInfo::labelled(5).with_length(2)`.
    #[inline]
    pub const fn labelled(label: usize) -> Self {
        Self::new(label, 0, 0, 0)
    }

    /// Returns the same message info with this many message registers.
    #[inline]
    pub const fn with_length(self, length: usize) -> Self {
        let (unwrapped, extra) = (self.caps_unwrapped(), self.extra_caps());
        Self::new(self.label(), unwrapped, extra, length)
    }

    /// Returns the same message info with this many capabilities, whose addresses
    /// [`set_cap`](crate::message::set_cap) writes.
    #[inline]
    pub const fn with_extra_caps(self, count: usize) -> Self {
        Self::new(self.label(), self.caps_unwrapped(), count, self.length())
    }

    /// The word that C has for it.
    #[inline]
    pub const fn word(self) -> usize {
        self.0
    }
}

impl fmt::Debug for MessageInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageInfo")
            .field("label", &self.label())
            .field("caps_unwrapped", &self.caps_unwrapped())
            .field("extra_caps", &self.extra_caps())
            .field("length", &self.length())
            .finish()
    }
}

impl From<sys::seL4_MessageInfo_t> for MessageInfo {
    fn from(info: sys::seL4_MessageInfo_t) -> Self {
        Self(info.words[0] as usize)
    }
}

impl From<MessageInfo> for sys::seL4_MessageInfo_t {
    fn from(info: MessageInfo) -> Self {
        Self {
            words: [info.0 as _],
        }
    }
}

/// Corresponds to `seL4_CapRights_t`. What a copy of a capability is good for, at most what the
/// original is.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{CapRights, Endpoint};
///
/// let server = objects.make::<Endpoint>()?;
/// let rights = CapRights::WRITE | CapRights::GRANT_REPLY;
/// let client = objects.mint(server, rights, 7)?;
/// assert_ne!(client, server);
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_CapRights_t")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct CapRights(usize);

impl CapRights {
    /// Corresponds to `seL4_NoRights`.
    #[doc(alias = "seL4_NoRights")]
    pub const NONE: Self = Self::new(false, false, false, false);
    /// Corresponds to `seL4_CanRead`.
    #[doc(alias = "seL4_CanRead")]
    pub const READ: Self = Self::new(false, false, true, false);
    /// Corresponds to `seL4_CanWrite`.
    #[doc(alias = "seL4_CanWrite")]
    pub const WRITE: Self = Self::new(false, false, false, true);
    /// Corresponds to `seL4_CanGrant`.
    #[doc(alias = "seL4_CanGrant")]
    pub const GRANT: Self = Self::new(false, true, false, false);
    /// Corresponds to `seL4_CanGrantReply`.
    #[doc(alias = "seL4_CanGrantReply")]
    pub const GRANT_REPLY: Self = Self::new(true, false, false, false);
    /// Corresponds to `seL4_ReadWrite`.
    #[doc(alias = "seL4_ReadWrite")]
    pub const READ_WRITE: Self = Self::new(false, false, true, true);
    /// Corresponds to `seL4_AllRights`.
    #[doc(alias = "seL4_AllRights")]
    pub const ALL: Self = Self::new(true, true, true, true);

    /// Corresponds to `seL4_CapRights_new`, with its order of arguments.
    #[doc(alias = "seL4_CapRights_new")]
    #[inline]
    pub const fn new(grant_reply: bool, grant: bool, read: bool, write: bool) -> Self {
        Self(
            (grant_reply as usize) << 3
                | (grant as usize) << 2
                | (read as usize) << 1
                | write as usize,
        )
    }

    /// Those that are in this or in `other`.
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The word that C has for it.
    #[inline]
    pub const fn word(self) -> usize {
        self.0
    }
}

impl BitOr for CapRights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl From<CapRights> for sys::seL4_CapRights_t {
    fn from(rights: CapRights) -> Self {
        Self {
            words: [rights.0 as _],
        }
    }
}

/// Corresponds to `seL4_CNode_CapData_t`. The guard of a CNode: the bits that an address must have
/// before those that choose a slot.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{CNode, CapRights, Guard};
///
/// // 16 slots, at the addresses from 0x50 on.
/// let node = objects.make_sized::<CNode>(4)?;
/// let guarded = objects.mint(node, CapRights::ALL, Guard::new(5, 4).word())?;
/// let slot = guarded.slot(0x53, 8);
/// assert_eq!(slot.root(), guarded);
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_CNode_CapData_t")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct Guard(usize);

/// On 32-bit machines the lowest bits are free.
const GUARD_SIZE_SHIFT: usize = if sys::seL4_WordBits == 32 { 3 } else { 0 };

impl Guard {
    /// No guard, and in [`Cap<Tcb>::tcb_configure`](crate::Cap) the guard that the CNode has.
    pub const NONE: Self = Self(0);

    /// Corresponds to `seL4_CNode_CapData_new`. A guard with the value `guard`, of which
    /// `seL4_GuardBits` count, and `bits` bits, less than a word has.
    #[doc(alias = "seL4_CNode_CapData_new")]
    #[doc(alias = "seL4_CapData_Guard_new")]
    #[inline]
    pub const fn new(guard: usize, bits: usize) -> Self {
        let guard = low(guard, sys::seL4_GuardBits) << sys::seL4_GuardSizeBits;
        Self((guard | low(bits, sys::seL4_GuardSizeBits)) << GUARD_SIZE_SHIFT)
    }

    /// The word that C has for it.
    #[inline]
    pub const fn word(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_into_a_message_info_comes_out() {
        for label in [0, 1, 5, usize::MAX >> LABEL_SHIFT] {
            for (unwrapped, extra, length) in
                (0..8).flat_map(|u| (0..4).flat_map(move |e| (0..128).map(move |l| (u, e, l))))
            {
                let info = MessageInfo::new(label, unwrapped, extra, length);
                let found = (
                    info.label(),
                    info.caps_unwrapped(),
                    info.extra_caps(),
                    info.length(),
                );
                assert_eq!(found, (label, unwrapped, extra, length));
            }
        }
    }

    #[test]
    fn a_field_does_not_spill_into_the_next() {
        let info = MessageInfo::new(0, 0, 0, usize::MAX);
        assert_eq!(
            (info.label(), info.caps_unwrapped(), info.extra_caps()),
            (0, 0, 0)
        );
        assert_eq!(MessageInfo::new(0, usize::MAX, 0, 0).label(), 0);
        assert_eq!(info.with_extra_caps(usize::MAX).caps_unwrapped(), 0);
    }
}
