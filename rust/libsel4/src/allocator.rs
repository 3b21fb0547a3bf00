// SPDX-License-Identifier: BSD-2-Clause

//! Objects out of BootInfo's untypeds, for a Rust library that has them for itself.

use core::fmt;

use libsel4_sys as sys;

use crate::arch::{self, VSpace, VmAttributes};
use crate::bootinfo::{BootInfo, UntypedDesc};
use crate::cap::{Cap, Slot, Slots};
use crate::error::{Error, Result};
use crate::kind::{FixedSize, Kind, Page, Retype, Untyped};
use crate::value::{Badge, CapRights};

/// Why there is no new object.
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

/// Makes objects out of at most `N` untypeds, each into an empty slot of the root of the CSpace.
///
/// The allocator needs no heap and no statics. Objects are freed all at once, by [`reset`](Self::reset). It
/// takes the untyped with the least room that suffices, and keeps account of the room itself; where
/// C has made objects of the same untypeds, it finds out and goes on. The slots are its own: where C
/// fills some of BootInfo's empty ones, give it others, by [`with`](Self::with) and
/// [`Slots::split_off`].
#[derive(Debug)]
pub struct Allocator<const N: usize = 64> {
    slots: Slots,
    given: Slots,
    chunks: [Chunk; N],
    count: usize,
}

impl<const N: usize> Allocator<N> {
    /// All empty slots and the largest `N` untypeds that BootInfo has, those of devices aside.
    pub fn new(info: &BootInfo) -> Self {
        Self::with(
            info.untypeds().filter(|untyped| !untyped.is_device),
            info.empty(),
        )
    }

    /// These slots, and of these untypeds the largest `N`.
    pub fn with(untypeds: impl Iterator<Item = UntypedDesc>, slots: Slots) -> Self {
        let unused = Chunk {
            // SAFETY: it is never used: the first `count` chunks are, and they are written first.
            cap: unsafe { Cap::from_word(sys::seL4_CapNull) },
            size_bits: 0,
            used: 0,
        };
        let mut this = Self {
            given: Slots::new(slots.root(), 0..0),
            slots,
            chunks: [unused; N],
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
        if place == N {
            return;
        }
        self.count = N.min(self.count + 1);
        self.chunks[place..self.count].rotate_right(1);
        self.chunks[place] = Chunk {
            cap: untyped.cap,
            size_bits: untyped.size_bits,
            used: 0,
        };
    }

    /// An empty slot, for what is not made here: a capability that arrives with a message, or a copy.
    pub fn slot(&mut self) -> core::result::Result<Slot, AllocationError> {
        let slot = self.slots.next().ok_or(AllocationError::Slots)?;
        if self.given.len() == 0 {
            self.given = Slots::new(slot.root(), slot.index()..slot.index());
        }
        self.given.extend_to(slot.index() + 1);
        Ok(slot)
    }

    /// Has `fill` fill an empty slot; returns what it then holds.
    ///
    /// # Safety
    ///
    /// After success there is a capability of the kind `T` in the slot.
    unsafe fn fill<T: Kind>(
        &mut self,
        fill: impl FnOnce(Slot) -> Result<()>,
    ) -> core::result::Result<Cap<T>, AllocationError> {
        let slot = self.slot()?;
        match fill(slot) {
            // SAFETY: the caller promises it, and the slot is in the root of the own CSpace.
            Ok(()) => Ok(unsafe { slot.cap() }),
            Err(error) => {
                self.give_back(slot);
                Err(error.into())
            }
        }
    }

    /// The slot that was given last stays empty, and is given again.
    fn give_back(&mut self, slot: Slot) {
        self.slots.extend_back_to(slot.index());
        self.given.shrink_to(slot.index());
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
        // SAFETY: a retype that succeeds has put such a capability there.
        unsafe {
            self.fill(|slot| {
                untyped.untyped_retype::<T>(size_bits, slot.root().itself(), slot.index(), 1)
            })
        }
    }

    /// Corresponds to `seL4_CNode_Copy`. A copy of a capability of the own CSpace, with at most `rights`.
    #[doc(alias = "seL4_CNode_Copy")]
    pub fn copy<T: Kind>(
        &mut self,
        cap: Cap<T>,
        rights: CapRights,
    ) -> core::result::Result<Cap<T>, AllocationError> {
        // SAFETY: a copy is of the same kind.
        unsafe { self.fill(|slot| slot.cnode_copy(slot.root().slot_of(cap), rights)) }
    }

    /// Corresponds to `seL4_CNode_Mint`. The same, with a badge.
    #[doc(alias = "seL4_CNode_Mint")]
    pub fn mint<T: Kind>(
        &mut self,
        cap: Cap<T>,
        rights: CapRights,
        badge: Badge,
    ) -> core::result::Result<Cap<T>, AllocationError> {
        // SAFETY: a copy is of the same kind.
        unsafe { self.fill(|slot| slot.cnode_mint(slot.root().slot_of(cap), rights, badge)) }
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
            // SAFETY: the caller promises it.
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
    /// Those of [`cnode_revoke`](Slot::cnode_revoke) on each untyped and
    /// [`cnode_delete`](Slot::cnode_delete) on each slot.
    pub unsafe fn reset(&mut self) -> Result<()> {
        let root = self.slots.root();
        for chunk in &mut self.chunks[..self.count] {
            // SAFETY: the caller promises it.
            unsafe { root.slot_of(chunk.cap).cnode_revoke()? };
            chunk.used = 0;
        }
        for slot in self.given.clone() {
            // SAFETY: the caller promises it.
            unsafe { slot.cnode_delete()? };
        }
        if let Some(first) = self.given.next() {
            self.slots.extend_back_to(first.index());
            self.given.shrink_to(0);
        }
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

    fn slots(range: core::ops::Range<usize>) -> Slots {
        // SAFETY: nothing is done with it.
        Slots::new(unsafe { Cap::from_word(2) }, range)
    }

    #[test]
    fn the_largest_untypeds_are_kept_in_order() {
        let sizes = [12, 20, 4, 30, 20, 16];
        let descriptions = sizes.iter().enumerate().map(|(i, bits)| untyped(i, *bits));
        let allocator = Allocator::<4>::with(descriptions, slots(0..9));
        let kept = allocator
            .chunks
            .map(|chunk| (chunk.size_bits, chunk.cap.word()));
        assert_eq!(kept, [(30, 3), (20, 1), (20, 4), (16, 5)]);
        let one = Allocator::<4>::with([untyped(7, 5)].into_iter(), slots(0..9));
        assert_eq!((one.count, one.chunks[0].size_bits), (1, 5));
        assert_eq!(
            Allocator::<0>::with([untyped(7, 5)].into_iter(), slots(0..9)).count,
            0
        );
    }

    #[test]
    fn a_size_that_no_untyped_has_is_left_out() {
        let allocator = Allocator::<2>::with([untyped(7, 64)].into_iter(), slots(0..9));
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
    fn a_slot_that_is_given_back_is_given_again() {
        let mut allocator = Allocator::<1>::with([].into_iter(), slots(5..7));
        assert_eq!(allocator.slot().map(Slot::index), Ok(5));
        let second = allocator.slot().expect("two are there");
        assert_eq!(allocator.slot(), Err(AllocationError::Slots));
        allocator.give_back(second);
        assert_eq!(allocator.given.len(), 1);
        assert_eq!(allocator.slot().map(Slot::index), Ok(6));
    }

    #[test]
    fn without_memory_an_object_is_an_error() {
        let mut allocator = Allocator::<2>::with([].into_iter(), slots(5..7));
        let size_bits = <crate::Tcb as FixedSize>::SIZE_BITS;
        assert_eq!(
            allocator.make::<crate::Tcb>(),
            Err(AllocationError::Memory { size_bits })
        );
    }
}
