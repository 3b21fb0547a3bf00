// SPDX-License-Identifier: BSD-2-Clause

//! Objects out of BootInfo's untypeds, for a Rust library that has them for itself.

use core::fmt;

use libsel4_sys as sys;

use crate::arch::{self, VSpace, VmAttributes};
use crate::bootinfo::{BootInfo, UntypedDesc};
use crate::cap::{Cap, Slots};
use crate::error::{Error, Result};
use crate::ipc::ReplyHandle;
use crate::kind::{FixedSize, Kind, Page, Retype, Untyped};
use crate::slot::{EmptySlot, EmptySlots, FillError};
use crate::value::{Badge, CapRights};

/// Why there is no new object.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{AllocationError, Untyped};
///
/// let refused = objects.make_sized::<Untyped>(60);
/// assert_eq!(refused, Err(AllocationError::Memory { size_bits: 60 }));
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AllocationError {
    /// No untyped has room for 2 to the power of `size_bits` bytes.
    Memory {
        /// Requested size.
        size_bits: usize,
    },
    /// No slot is left.
    Slots,
    /// No untyped of a device has a page there: it is memory, the kernel's own device, or nothing.
    NoDevice {
        /// The physical address that was asked for.
        paddr: usize,
    },
    /// A page of a device, or an object that it would be part of, was made before.
    Taken {
        /// The physical address that was asked for.
        paddr: usize,
    },
    /// No room to keep account of another untyped.
    Account,
    /// The kernel refused for another reason.
    Refused(Error),
}

impl From<Error> for AllocationError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl<S> From<FillError<S>> for AllocationError {
    fn from(refused: FillError<S>) -> Self {
        Self::Refused(refused.error)
    }
}

impl fmt::Display for AllocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { size_bits } => {
                write!(f, "no untyped has room for 2^{size_bits} bytes")
            }
            Self::Slots => f.write_str("no slot is left"),
            Self::NoDevice { paddr } => {
                write!(f, "no untyped of a device has a page at {paddr:#x}")
            }
            Self::Taken { paddr } => write!(f, "the page at {paddr:#x} is taken already"),
            Self::Account => f.write_str("no room to keep account of another untyped"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AllocationError {}

/// An untyped, and how much of it is made into objects.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    cap: Cap<Untyped>,
    size_bits: usize,
    used: usize,
}

impl Chunk {
    const fn size(&self) -> usize {
        1 << self.size_bits
    }

    const fn left(&self) -> usize {
        self.size() - self.used
    }

    /// Returns the used bytes after making an object of 2 to the power of `bits` bytes, if there is room: the
    /// kernel aligns it to its size.
    fn used_after(&self, bits: usize) -> Option<usize> {
        let size = 1_usize.checked_shl(u32::try_from(bits).ok()?)?;
        let used = self
            .used
            .checked_next_multiple_of(size)?
            .checked_add(size)?;
        (used <= self.size()).then_some(used)
    }
}

/// Makes objects out of untypeds, each into an empty slot of the root of the CSpace.
///
/// The allocator needs no heap and no statics. Objects are freed all at once, by [`reset`](Self::reset). It
/// takes the untyped with the least room that suffices, and keeps account of the room itself; where
/// C has made objects of the same untypeds, it finds out and goes on. The slots are its own: where C
/// fills some of BootInfo's empty ones, give it others, by [`with`](Self::with) and
/// [`EmptySlots::split_off`].
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, CapRights, Notification};
///
/// let bell: Cap<Notification> = objects.make()?;
/// let badged = objects.mint(bell, CapRights::WRITE, 4)?;
/// badged.signal();
/// assert_eq!(bell.poll(), Some(4));
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
pub struct Allocator {
    slots: EmptySlots,
    /// First slot that was ever given.
    first: usize,
    chunks: [Chunk; Self::UNTYPEDS],
    count: usize,
}

impl Allocator {
    /// Number of untypeds that an allocator uses, the largest that it is given.
    pub const UNTYPEDS: usize = 64;

    /// Takes all empty slots and the largest [`UNTYPEDS`](Self::UNTYPEDS) untypeds that BootInfo has,
    /// those of devices aside.
    ///
    /// # Safety
    ///
    /// Those of [`BootInfo::empty_slots`].
    pub unsafe fn new(info: &BootInfo) -> Self {
        // SAFETY: the contract is the same.
        let slots = unsafe { info.empty_slots() };
        Self::with(info.untypeds().filter(|untyped| !untyped.is_device), slots)
    }

    /// Takes these slots, and of these untypeds the largest [`UNTYPEDS`](Self::UNTYPEDS).
    pub fn with(untypeds: impl Iterator<Item = UntypedDesc>, slots: EmptySlots) -> Self {
        let unused = Chunk {
            // SAFETY: it is never used: the first `count` chunks are, and they are written first.
            cap: unsafe { Cap::from_word(sys::seL4_CapNull) },
            size_bits: 0,
            used: 0,
        };
        let mut this = Self {
            first: slots.slots().range().start,
            slots,
            chunks: [unused; Self::UNTYPEDS],
            count: 0,
        };
        for untyped in untypeds {
            this.add(untyped);
        }
        this
    }

    /// Puts an untyped among the others, the largest first; the smallest gives way.
    fn add(&mut self, untyped: UntypedDesc) {
        if untyped.size_bits >= sys::seL4_WordBits {
            return;
        }
        let place = self.chunks[..self.count]
            .iter()
            .position(|chunk| chunk.size_bits < untyped.size_bits)
            .unwrap_or(self.count);
        if place == Self::UNTYPEDS {
            return;
        }
        self.count = Self::UNTYPEDS.min(self.count + 1);
        self.chunks[place..self.count].rotate_right(1);
        self.chunks[place] = Chunk {
            cap: untyped.cap,
            size_bits: untyped.size_bits,
            used: 0,
        };
    }

    /// Gives an empty slot, for what is not made here: a capability that arrives with a message, or an
    /// interrupt's.
    pub fn slot(&mut self) -> core::result::Result<EmptySlot, AllocationError> {
        self.slots.next().ok_or(AllocationError::Slots)
    }

    /// Gives empty slots next to each other, for objects that are made
    /// [at once](Cap::untyped_retype_all).
    pub fn slots(&mut self, count: usize) -> core::result::Result<EmptySlots, AllocationError> {
        self.slots.split_off(count).ok_or(AllocationError::Slots)
    }

    /// Has `fill` fill an empty slot, which is given again if the kernel refuses.
    fn fill<T: Kind>(
        &mut self,
        fill: impl FnOnce(EmptySlot) -> Result<Cap<T>, FillError>,
    ) -> core::result::Result<Cap<T>, AllocationError> {
        fill(self.slot()?).map_err(|FillError { error, slot }| {
            self.slots.give_back(slot);
            error.into()
        })
    }

    /// Makes what [`recv`](Cap::recv) needs to receive calls: a reply object with MCS, and without MCS
    /// nothing.
    pub fn make_reply(&mut self) -> core::result::Result<ReplyHandle, AllocationError> {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.make();
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return Ok(crate::ipc::LastCaller);
    }

    /// Makes an object of a kind that has one size.
    pub fn make<T: FixedSize>(&mut self) -> core::result::Result<Cap<T>, AllocationError> {
        self.make_sized(T::SIZE_BITS)
    }

    /// Makes an object of the size that `size_bits` means to
    /// [`untyped_retype`](Cap::untyped_retype): for a CNode slots, else bytes.
    pub fn make_sized<T: Retype>(
        &mut self,
        size_bits: usize,
    ) -> core::result::Result<Cap<T>, AllocationError> {
        let bits = T::memory_bits(size_bits);
        let full = AllocationError::Memory { size_bits: bits };
        loop {
            let fitting = self.chunks[..self.count]
                .iter()
                .enumerate()
                .filter_map(|(index, chunk)| Some((chunk.left(), index, chunk.used_after(bits)?)));
            let (_, index, used) = fitting.min().ok_or(full)?;
            let untyped = self.chunks[index].cap;
            let made = self.make_of(untyped, size_bits);
            let chunk = &mut self.chunks[index];
            match made {
                Err(AllocationError::Refused(Error::NotEnoughMemory { bytes_left })) => {
                    // Somebody else has made something of it. As the kernel found no room, less than
                    // now is left in any case, so that this comes to an end.
                    let known = chunk.size().saturating_sub(bytes_left);
                    chunk.used = known.max(chunk.used);
                    if chunk.used_after(bits).is_some() {
                        chunk.used = chunk.size();
                    }
                }
                made => {
                    if made.is_ok() {
                        chunk.used = used;
                    }
                    return made;
                }
            }
        }
    }

    /// Makes an object of this untyped, whatever is known of its room.
    pub(crate) fn make_of<T: Retype>(
        &mut self,
        untyped: Cap<Untyped>,
        size_bits: usize,
    ) -> core::result::Result<Cap<T>, AllocationError> {
        self.fill(|slot| untyped.untyped_retype(size_bits, slot))
    }

    /// Corresponds to `seL4_CNode_Copy`. A copy of a capability of the own CSpace, with at most `rights`.
    #[doc(alias = "seL4_CNode_Copy")]
    pub fn copy<T: Kind>(
        &mut self,
        cap: Cap<T>,
        rights: CapRights,
    ) -> core::result::Result<Cap<T>, AllocationError> {
        self.fill(|slot| slot.cnode_copy(cap, rights))
    }

    /// Corresponds to `seL4_CNode_Mint`. The same, with a badge.
    #[doc(alias = "seL4_CNode_Mint")]
    pub fn mint<T: Kind>(
        &mut self,
        cap: Cap<T>,
        rights: CapRights,
        badge: Badge,
    ) -> core::result::Result<Cap<T>, AllocationError> {
        self.fill(|slot| slot.cnode_mint(cap, rights, badge))
    }

    /// Maps a page as [`page_map`](Cap::page_map) does, and makes the page tables that are missing.
    ///
    /// # Safety
    ///
    /// Those of [`page_map`](Cap::page_map).
    pub unsafe fn map_page<T: Page>(
        &mut self,
        vspace: Cap<VSpace>,
        page: Cap<T>,
        address: usize,
        rights: CapRights,
        attributes: VmAttributes,
    ) -> core::result::Result<(), AllocationError> {
        loop {
            // SAFETY: nobody uses what the mapping replaces, as `page_map` asks of this function as well.
            match unsafe { page.page_map(vspace, address, rights, attributes) } {
                Err(Error::FailedLookup { failure, .. }) => {
                    // A table that cannot be mapped either is an error, so that this comes to an end.
                    arch::map_missing_table(self, vspace, address, failure)?;
                }
                result => return Ok(result?),
            }
        }
    }

    /// Destroys all that was made of the untypeds, by whomever, and empties all slots that were given:
    /// everything can be made anew.
    ///
    /// # Safety
    ///
    /// Those of [`cnode_revoke`](crate::Slot::cnode_revoke) on each untyped and
    /// [`cnode_delete`](crate::Slot::cnode_delete) on each slot; no [`EmptySlot`] of this allocator and no
    /// receive path of theirs is used any more.
    pub unsafe fn reset(&mut self) -> Result<()> {
        let root = self.slots.root();
        for chunk in &mut self.chunks[..self.count] {
            // SAFETY: nobody uses what was made of the untyped, by the contract of this function.
            unsafe { root.slot_of(chunk.cap).cnode_revoke()? };
            chunk.used = 0;
        }
        let slots = self.slots.slots().range();
        for slot in Slots::new(root, self.first..slots.start) {
            // SAFETY: nobody uses what was made, by the contract of this function.
            unsafe { slot.cnode_delete()? };
        }
        // SAFETY: these slots are empty again, and no other value names them.
        self.slots = unsafe { EmptySlots::new(root, self.first..slots.end) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn untyped(word: usize, size_bits: usize) -> UntypedDesc {
        UntypedDesc {
            // SAFETY: nothing is done with it.
            cap: unsafe { Cap::from_word(word) },
            paddr: 0,
            size_bits,
            is_device: false,
        }
    }

    fn slots(range: core::ops::Range<usize>) -> EmptySlots {
        // SAFETY: nothing is done with it.
        unsafe { EmptySlots::new(Cap::from_word(2), range) }
    }

    #[test]
    fn the_largest_untypeds_are_kept_in_order() {
        let sizes = |count: usize| (0..count).map(|i| untyped(i, [12, 20, 4, 30, 20, 16][i % 6]));
        let kept = |allocator: &Allocator| {
            allocator
                .chunks
                .map(|chunk| (chunk.size_bits, chunk.cap.word()))
        };
        let allocator = Allocator::with(sizes(6), slots(1..9));
        assert_eq!(allocator.count, 6);
        let expected = [(30, 3), (20, 1), (20, 4), (16, 5), (12, 0), (4, 2)];
        assert_eq!(kept(&allocator)[..6], expected);
        // The smallest give way.
        let allocator = Allocator::with(sizes(6 * 15), slots(1..9));
        assert_eq!(allocator.count, Allocator::UNTYPEDS);
        let kept = kept(&allocator);
        assert!(kept[..15].iter().all(|(bits, _)| *bits == 30));
        assert!(kept[15..45].iter().all(|(bits, _)| *bits == 20));
        assert_eq!(kept[Allocator::UNTYPEDS - 1].0, 12);
    }

    #[test]
    fn a_size_that_no_untyped_has_is_left_out() {
        let allocator = Allocator::with([untyped(7, 64)].into_iter(), slots(1..9));
        assert_eq!(allocator.count, 0);
    }

    #[test]
    fn room_is_counted_as_the_kernel_does() {
        let mut chunk = Chunk {
            cap: untyped(1, 0).cap,
            size_bits: 12,
            used: 0,
        };
        assert_eq!(chunk.used_after(4), Some(16));
        chunk.used = 16;
        // Aligned to its size.
        assert_eq!(chunk.used_after(11), Some(4096));
        chunk.used = 2049;
        assert_eq!(chunk.used_after(11), None);
        assert_eq!(chunk.used_after(12), None);
        assert_eq!(chunk.used_after(usize::MAX), None);
    }

    #[test]
    fn a_slot_that_is_not_filled_is_given_again() {
        let mut allocator = Allocator::with([].into_iter(), slots(5..7));
        let index = |slot: EmptySlot| slot.slot().index();
        assert_eq!(allocator.slot().map(index), Ok(5));
        let refused = allocator.fill::<Untyped>(|slot| {
            let error = Error::IllegalOperation;
            Err(FillError { error, slot })
        });
        assert_eq!(
            refused,
            Err(AllocationError::Refused(Error::IllegalOperation))
        );
        assert_eq!(allocator.slot().map(index), Ok(6));
        assert_eq!(allocator.slot(), Err(AllocationError::Slots));
    }

    #[test]
    fn without_memory_an_object_is_an_error() {
        let mut allocator = Allocator::with([].into_iter(), slots(5..7));
        let size_bits = <crate::Tcb as FixedSize>::SIZE_BITS;
        assert_eq!(
            allocator.make::<crate::Tcb>(),
            Err(AllocationError::Memory { size_bits })
        );
    }
}
