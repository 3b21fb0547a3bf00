// SPDX-License-Identifier: BSD-2-Clause

//! Pages of devices, for drivers.

use libsel4_sys as sys;

use crate::allocator::{AllocationError, Allocator};
use crate::bootinfo::{BootInfo, UntypedDesc};
use crate::cap::Cap;
use crate::error::Error;
use crate::kind::{Page, Untyped};

/// An untyped of devices, and how much of it is made into objects.
#[derive(Clone, Copy, Debug)]
struct Region {
    cap: Cap<Untyped>,
    paddr: usize,
    size_bits: usize,
    used: usize,
}

impl Region {
    const fn new(cap: Cap<Untyped>, paddr: usize, size_bits: usize) -> Self {
        Self {
            cap,
            paddr,
            size_bits,
            used: 0,
        }
    }

    /// Returns the offset of `paddr`, if a page of 2 to the power of `bits` bytes there is
    /// within it.
    fn offset_of(&self, paddr: usize, bits: usize) -> Option<usize> {
        let offset = paddr.checked_sub(self.paddr)?;
        (self.size_bits >= bits && offset >> self.size_bits == 0).then_some(offset)
    }

    /// The size in bits of the largest object that lies between what is used and `offset`: the kernel
    /// aligns each object to its size.
    fn gap(&self, offset: usize) -> Option<usize> {
        let length = offset.checked_sub(self.used)?.checked_ilog2()?;
        Some(self.used.trailing_zeros().min(length) as usize)
    }
}

/// Makes pages of the memory of devices, each at the physical address that is asked for.
///
/// The kernel makes objects of an untyped one after the other, from its beginning on. So what lies
/// before a page becomes untypeds, which are kept, and pages can be asked for in any order. At most
/// [`UNTYPEDS`](Self::UNTYPEDS) are kept; a page deep inside a large one takes about 15.
///
/// The value starts with BootInfo's untypeds of devices, of which nothing else makes objects.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{AllocationError, Devices, SmallPage};
///
/// let mut devices = Devices::new(&info);
/// let missing = devices.page::<SmallPage>(objects, 0x7fff_f000);
/// assert_eq!(missing, Err(AllocationError::NoDevice { paddr: 0x7fff_f000 }));
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
pub struct Devices {
    info: BootInfo,
    regions: [Region; Self::UNTYPEDS],
    count: usize,
}

impl Devices {
    /// Number of untypeds that are kept.
    pub const UNTYPEDS: usize = 64;

    /// All that BootInfo has. Nothing is made of them yet.
    pub fn new(info: &BootInfo) -> Self {
        // SAFETY: it is never used: the first `count` regions are, and they are written first.
        let unused = Region::new(unsafe { Cap::from_word(sys::seL4_CapNull) }, 0, 0);
        Self {
            info: *info,
            regions: [unused; Self::UNTYPEDS],
            count: 0,
        }
    }

    /// Makes the page at the physical address `paddr`, a multiple of its size. Slots are those of
    /// `objects`; after [`Allocator::reset`] this value begins anew as well.
    ///
    /// # Errors
    ///
    /// [`NoDevice`](AllocationError::NoDevice) where no device's memory is,
    /// [`Taken`](AllocationError::Taken) where it is made into an object already,
    /// [`Account`](AllocationError::Account) where [`UNTYPEDS`](Self::UNTYPEDS) is too small, and
    /// [`AlignmentError`](Error::AlignmentError).
    pub fn page<T: Page>(
        &mut self,
        objects: &mut Allocator,
        paddr: usize,
    ) -> Result<Cap<T>, AllocationError> {
        if !paddr.is_multiple_of(1 << T::SIZE_BITS) {
            return Err(Error::AlignmentError.into());
        }
        let (index, offset) = self.find(paddr, T::SIZE_BITS)?;
        while let Some(bits) = self.regions[index].gap(offset) {
            let Region {
                cap, paddr, used, ..
            } = self.regions[index];
            if self.count == Self::UNTYPEDS {
                return Err(AllocationError::Account);
            }
            let before = objects.make_of(cap, bits)?;
            self.add(Region::new(before, paddr + used, bits))?;
            self.regions[index].used += 1 << bits;
        }
        let page: Cap<T> = objects.make_of(self.regions[index].cap, T::SIZE_BITS)?;
        self.regions[index].used += 1 << T::SIZE_BITS;
        // Another address shows that somebody else has made objects of this untyped.
        if page.page_get_address()? == paddr {
            Ok(page)
        } else {
            Err(AllocationError::Taken { paddr })
        }
    }

    /// The region where a page at `paddr` can be made, and the offset in it.
    fn find(&mut self, paddr: usize, bits: usize) -> Result<(usize, usize), AllocationError> {
        let mut begun = false;
        for (index, region) in self.regions[..self.count].iter().enumerate() {
            if let Some(offset) = region.offset_of(paddr, bits) {
                if region.used <= offset {
                    return Ok((index, offset));
                }
                begun = true;
            }
        }
        if begun {
            return Err(AllocationError::Taken { paddr });
        }
        self.info
            .device_untypeds()
            .map(
                |UntypedDesc {
                     cap,
                     paddr,
                     size_bits,
                     ..
                 }| Region::new(cap, paddr, size_bits),
            )
            .find_map(|region| Some((region, region.offset_of(paddr, bits)?)))
            .map_or(
                Err(AllocationError::NoDevice { paddr }),
                |(region, offset)| Ok((self.add(region)?, offset)),
            )
    }

    /// Adds a region, and returns its index.
    fn add(&mut self, region: Region) -> Result<usize, AllocationError> {
        let index = self.count;
        *self
            .regions
            .get_mut(index)
            .ok_or(AllocationError::Account)? = region;
        self.count += 1;
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A region of which the first `used` bytes are used.
    fn region(paddr: usize, size_bits: usize, used: usize) -> Region {
        // SAFETY: nothing is done with it.
        let cap = unsafe { Cap::from_word(1) };
        Region {
            used,
            ..Region::new(cap, paddr, size_bits)
        }
    }

    #[test]
    fn a_page_is_within_one_region() {
        let region = region(0x900_0000, 16, 0);
        assert_eq!(region.offset_of(0x900_0000, 12), Some(0));
        assert_eq!(region.offset_of(0x900_f000, 12), Some(0xf000));
        for (paddr, bits) in [
            (0x901_0000, 12),
            (0x8ff_f000, 12),
            (0x900_0000, 17),
            (0, 12),
        ] {
            assert_eq!(region.offset_of(paddr, bits), None, "{paddr:#x}, {bits}");
        }
        assert_eq!(
            self::region(0x900_0000, 16, 0).offset_of(usize::MAX, 12),
            None
        );
    }

    #[test]
    fn what_lies_before_a_page_is_filled_as_the_kernel_aligns_objects() {
        for (used, offset, expected) in [
            (0, 0, &[][..]),
            (0, 0x1000, &[12]),
            (0, 0xd_3000, &[19, 18, 16, 13, 12]),
            (0x1000, 0x8000, &[12, 13, 14]),
            (0x3000, 0x1_5000, &[12, 14, 15, 14, 12]),
        ] {
            let mut region = region(0, 30, used);
            for bits in expected {
                assert_eq!(region.gap(offset), Some(*bits), "{used:#x} {offset:#x}");
                // The kernel would put it behind this otherwise.
                assert!(region.used.is_multiple_of(1 << bits));
                region.used += 1 << bits;
            }
            assert_eq!((region.gap(offset), region.used), (None, offset));
        }
    }
}
