// SPDX-License-Identifier: BSD-2-Clause

//! Address spaces of devices: those of an IOMMU on x86, and of the SMMU of Tegra K1.

use libsel4_sys as sys;

use crate::cap::Cap;
use crate::error::{Result, check};
use crate::kind::{Page, kinds};
#[cfg(CONFIG_ARCH_X86)]
use crate::value::Badge;
use crate::value::CapRights;

#[cfg(CONFIG_ARCH_ARM)]
use libsel4_sys::{
    seL4_ARM_IOPageTable_Map as table_map, seL4_ARM_IOPageTable_Unmap as table_unmap,
    seL4_ARM_IOPageTableObject as TABLE, seL4_ARM_Page_MapIO as page_map_io,
};
#[cfg(CONFIG_ARCH_X86)]
use libsel4_sys::{
    seL4_X86_IOPageTable_Map as table_map, seL4_X86_IOPageTable_Unmap as table_unmap,
    seL4_X86_IOPageTableObject as TABLE, seL4_X86_Page_MapIO as page_map_io,
};

kinds! {
    /// The address space of a device: `seL4_ARM_IOSpace`, `seL4_X86_IOSpace`.
    #[doc(alias = "seL4_ARM_IOSpace")]
    #[doc(alias = "seL4_X86_IOSpace")]
    IoSpace;
    /// A page table for devices.
    #[doc(alias = "seL4_ARM_IOPageTable")]
    #[doc(alias = "seL4_X86_IOPageTable")]
    IoPageTable: fixed(TABLE, sys::seL4_IOPageTableBits);
}

/// Corresponds to `seL4_X86_IOSpace_CapData_new`. What makes a copy of BootInfo's
/// [`io_space`](crate::BootInfo::io_space) the address space of one device, given as the badge to
/// [`cnode_mint`](crate::Slot::cnode_mint). Devices of the same `domain`, which is not 0, share mappings.
#[cfg(CONFIG_ARCH_X86)]
#[doc(alias = "seL4_X86_IOSpace_CapData_new")]
#[inline]
pub fn io_space_cap_data(domain: u16, bus: u8, device: u8, function: u8) -> Badge {
    // C asserts that these fit into their fields.
    let (device, function) = (device & 0x1f, function & 0x7);
    // SAFETY: it computes a number.
    let data = unsafe {
        sys::seL4_X86_IOSpace_CapData_new(domain.into(), bus.into(), device.into(), function.into())
    };
    data.words[0] as usize
}

impl<T: Page> Cap<T> {
    /// Corresponds to `seL4_ARM_Page_MapIO`, `seL4_X86_Page_MapIO`. Maps the page for a device;
    /// [`page_unmap`](Self::page_unmap) ends it.
    ///
    /// # Errors
    ///
    /// [`FailedLookup`](crate::Error::FailedLookup) where a page table is missing,
    /// [`DeleteFirst`](crate::Error::DeleteFirst) where another page is,
    /// [`InvalidCapability`](crate::Error::InvalidCapability) where the page is mapped by this
    /// capability already.
    ///
    /// # Safety
    ///
    /// While the page is mapped, the device reads and writes the page as `rights` allow: this program
    /// uses it by volatile accesses only, or when the device does not.
    #[doc(alias = "seL4_ARM_Page_MapIO")]
    #[doc(alias = "seL4_X86_Page_MapIO")]
    #[inline]
    pub unsafe fn page_map_io(
        self,
        space: Cap<IoSpace>,
        rights: CapRights,
        address: usize,
    ) -> Result<()> {
        // SAFETY: accesses are volatile, or made while the device does none, by the contract of this function.
        check(unsafe { page_map_io(self.word(), space.word(), rights.into(), address) })
    }
}

impl Cap<IoPageTable> {
    /// Corresponds to `seL4_ARM_IOPageTable_Map`, `seL4_X86_IOPageTable_Map`. Puts the table where
    /// `address` has none yet.
    #[doc(alias = "seL4_ARM_IOPageTable_Map")]
    #[doc(alias = "seL4_X86_IOPageTable_Map")]
    #[inline]
    pub fn io_page_table_map(self, space: Cap<IoSpace>, address: usize) -> Result<()> {
        // SAFETY: the table is empty, and where a table or page is, the kernel refuses another.
        check(unsafe { table_map(self.word(), space.word(), address) })
    }

    /// Corresponds to `seL4_ARM_IOPageTable_Unmap`, `seL4_X86_IOPageTable_Unmap`. The device then
    /// reaches nothing through it.
    #[doc(alias = "seL4_ARM_IOPageTable_Unmap")]
    #[doc(alias = "seL4_X86_IOPageTable_Unmap")]
    #[inline]
    pub fn io_page_table_unmap(self) -> Result<()> {
        // SAFETY: it takes memory from devices only.
        check(unsafe { table_unmap(self.word()) })
    }
}
