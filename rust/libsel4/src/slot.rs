// SPDX-License-Identifier: BSD-2-Clause

//! Empty slots, each of which is filled once.

use core::fmt;
use core::ops::Range;

use libsel4_sys as sys;

use crate::cap::{Cap, Slot, Slots};
use crate::error::{Error, Result, check};
use crate::kind::{CNode, Kind};

/// An empty slot of the own CSpace, which nothing else fills and no [`Cap`] names.
///
/// An invocation that fills the slot uses the value up; one that is refused, or that empties the slot
/// again, returns it. The type is neither `Copy` nor `Clone`. So a `Cap` never comes to lead to another
/// object because its slot was filled a second time. Slot 0, C's `seL4_CapNull`, is never one: a
/// thread's missing fault endpoint is looked up there.
///
/// Empty slots come from an [`Allocator`](crate::Allocator) or from
/// [`BootInfo::empty_slots`](crate::BootInfo::empty_slots), and by [`from_slot`](Self::from_slot) from C's
/// allocators.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{CapRights, EmptySlot};
///
/// let slot: EmptySlot = objects.slot()?;
/// let index = slot.slot().index();
/// let copy = slot.cnode_copy(info.tcb(), CapRights::ALL)?;
/// assert_eq!(copy.word(), index);
/// # Ok(()) }) }
/// ```
///
/// ```compile_fail,E0382
/// use libsel4::{Cap, CapRights, EmptySlot, Tcb};
/// fn wrong(slot: EmptySlot, tcb: Cap<Tcb>) {
///     let first = slot.cnode_copy(tcb, CapRights::ALL);
///     let second = slot.cnode_copy(tcb, CapRights::ALL);
/// }
/// ```
///
/// ```compile_fail,E0599
/// use libsel4::EmptySlot;
/// fn wrong(slot: EmptySlot) -> (EmptySlot, EmptySlot) {
///     (slot.clone(), slot)
/// }
/// ```
///
/// ```compile_fail,E0133
/// use libsel4::{EmptySlot, Slot};
/// fn wrong(slot: Slot) -> EmptySlot {
///     EmptySlot::from_slot(slot)
/// }
/// ```
#[derive(PartialEq, Eq, Debug)]
pub struct EmptySlot {
    slot: Slot,
    /// The CNode that the slot is in, as `seL4_Untyped_Retype` names it from the slot's root.
    node_index: usize,
    node_depth: u8,
    /// The slot's place in that CNode.
    offset: usize,
}

impl EmptySlot {
    /// Makes a value for a slot in the root of the own CSpace.
    ///
    /// # Safety
    ///
    /// - The root of `slot` is the root of the own CSpace, of which all bits of a word are resolved, and its
    ///   index is not 0 and no other address at which the kernel looks for a capability that a thread
    ///   does not have.
    /// - Nothing but this value fills the slot: no other `EmptySlot`, no receive path, no code in C.
    /// - Once the slot is empty, no [`Cap`] that names it is used.
    #[inline]
    pub const unsafe fn from_slot(slot: Slot) -> Self {
        // SAFETY: the slot is in the root itself, at its index.
        unsafe { Self::in_node(slot, 0, 0, slot.index()) }
    }

    /// Makes a value for a slot that is not in the root itself, but in a CNode below it. `node_index`,
    /// `node_depth` and `offset` are what `seL4_Untyped_Retype` takes for it: in a `cspacepath_t` of
    /// seL4_libs `dest`, `destDepth` and `offset`.
    ///
    /// # Safety
    ///
    /// Those of [`from_slot`](Self::from_slot), but that the slot is in the root. `slot` and the other
    /// arguments lead to the same slot.
    #[inline]
    pub const unsafe fn in_node(
        slot: Slot,
        node_index: usize,
        node_depth: u8,
        offset: usize,
    ) -> Self {
        Self {
            slot,
            node_index,
            node_depth,
            offset,
        }
    }

    /// Returns the address of the slot. The slot stays empty.
    #[inline]
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns the address of the slot and gives the value up, for code that fills it by its address, such
    /// as C's.
    #[inline]
    pub const fn into_slot(self) -> Slot {
        self.slot
    }

    /// Returns the CNode that the slot is in.
    #[inline]
    pub(crate) const fn node(&self) -> Slot {
        self.slot.root().slot(self.node_index, self.node_depth)
    }

    /// Returns the place of the slot in its CNode.
    #[inline]
    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    /// Calls `invoke` with root, index and depth of the slot, and turns its result into the capability.
    ///
    /// # Safety
    ///
    /// `invoke` fills the slot, and no other, with a capability of the kind `T`; if it returns an error, the slot is
    /// as it was.
    #[inline]
    pub(crate) unsafe fn fill<T: Kind>(
        self,
        invoke: impl FnOnce(usize, usize, u8) -> sys::seL4_Error,
    ) -> Result<Cap<T>, FillError> {
        let slot = self.slot;
        let code = invoke(slot.root().word(), slot.index(), slot.depth());
        // SAFETY: the contract is the same.
        unsafe { self.filled_if(check(code)) }
    }

    /// Turns the result of an invocation that fills the slot into the capability.
    ///
    /// # Safety
    ///
    /// After success there is a capability of the kind `T` in the slot; after an error it is as it was.
    #[inline]
    pub(crate) unsafe fn filled_if<T: Kind>(self, result: Result<()>) -> Result<Cap<T>, FillError> {
        match result {
            // SAFETY: the capability is there, nothing but this value has named the slot, and its root is
            // that of the own CSpace.
            Ok(()) => Ok(unsafe { self.slot.cap() }),
            Err(error) => Err(FillError { error, slot: self }),
        }
    }
}

/// Refusal of an invocation that was to fill an empty slot, with the slot, which is still empty.
///
/// `?` turns the value into an [`Error`] and loses the slot.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{CapRights, Error, FillError, Untyped};
///
/// let untyped = objects.make_sized::<Untyped>(12)?;
/// let slot = objects.slot()?;
/// let Err(FillError { error, slot }) = untyped.untyped_retype::<Untyped>(13, slot) else {
///     unreachable!("more memory than there is");
/// };
/// assert_eq!(error, Error::NotEnoughMemory { bytes_left: 4096 });
/// slot.cnode_copy(untyped, CapRights::ALL)?;
/// # Ok(()) }) }
/// ```
#[derive(PartialEq, Eq, Debug)]
pub struct FillError<S = EmptySlot> {
    /// Reason of the kernel.
    pub error: Error,
    /// The slot, or the slots, for another try.
    pub slot: S,
}

impl<S> From<FillError<S>> for Error {
    fn from(refused: FillError<S>) -> Self {
        refused.error
    }
}

impl<S> fmt::Display for FillError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<S: fmt::Debug> core::error::Error for FillError<S> {}

/// Empty slots next to each other in the root of the own CSpace. As an iterator it gives one after the
/// other, each once.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Endpoint, Untyped};
///
/// let untyped = objects.make_sized::<Untyped>(12)?;
/// let slots = objects.slots(3)?;
/// let endpoints = untyped.untyped_retype_all::<Endpoint>(0, slots)?;
/// assert_eq!(endpoints.len(), 3);
/// # Ok(()) }) }
/// ```
///
/// ```compile_fail,E0599
/// use libsel4::EmptySlots;
/// fn wrong(slots: EmptySlots) -> (EmptySlots, EmptySlots) {
///     (slots.clone(), slots)
/// }
/// ```
#[derive(PartialEq, Eq, Debug)]
pub struct EmptySlots {
    root: Cap<CNode>,
    range: Range<usize>,
}

impl EmptySlots {
    /// Makes a value for the slots with these addresses, but slot 0.
    ///
    /// # Safety
    ///
    /// Those of [`EmptySlot::from_slot`], for each of them.
    #[inline]
    pub unsafe fn new(root: Cap<CNode>, range: Range<usize>) -> Self {
        let range = range.start.max(1)..range.end;
        Self { root, range }
    }

    /// Returns the CNode that they are in.
    #[inline]
    pub const fn root(&self) -> Cap<CNode> {
        self.root
    }

    /// Returns their addresses. The slots stay empty.
    #[inline]
    pub fn slots(&self) -> Slots {
        Slots::new(self.root, self.range.clone())
    }

    /// Returns the first `count` of them, which are then no longer here; `None` if there are fewer.
    #[inline]
    pub fn split_off(&mut self, count: usize) -> Option<EmptySlots> {
        let end = self.range.start.checked_add(count)?;
        if end > self.range.end {
            return None;
        }
        let range = self.range.start..end;
        self.range.start = end;
        Some(Self {
            root: self.root,
            range,
        })
    }

    /// Takes back the slot before the first, which this value gave last.
    #[inline]
    pub(crate) fn give_back(&mut self, slot: EmptySlot) {
        debug_assert_eq!(slot.offset() + 1, self.range.start);
        self.range.start = slot.offset();
    }
}

impl Iterator for EmptySlots {
    type Item = EmptySlot;

    #[inline]
    fn next(&mut self) -> Option<EmptySlot> {
        let index = self.range.next()?;
        let slot = self.root.slot(index, sys::seL4_WordBits as u8);
        // SAFETY: the range names each slot once, under the contract of `new`.
        Some(unsafe { EmptySlot::from_slot(slot) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl ExactSizeIterator for EmptySlots {}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(range: Range<usize>) -> EmptySlots {
        // SAFETY: nothing is done with them.
        unsafe { EmptySlots::new(Cap::from_word(2), range) }
    }

    #[test]
    fn slot_0_is_never_given() {
        let given: [_; 2] = [slots(0..2).next(), slots(0..1).next()];
        assert_eq!(
            given.map(|slot| slot.map(|it| it.slot().index())),
            [Some(1), None]
        );
    }

    #[test]
    fn each_slot_is_given_once() {
        let mut all = slots(5..9);
        let part = all.split_off(2).expect("four are there");
        assert_eq!((part.slots().range(), all.slots().range()), (5..7, 7..9));
        assert_eq!(all.split_off(3), None);
        let first = all.next().expect("two are left");
        all.give_back(first);
        assert_eq!(all.map(|it| it.slot().index()).sum::<usize>(), 7 + 8);
    }
}
