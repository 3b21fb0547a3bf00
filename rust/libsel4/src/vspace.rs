// SPDX-License-Identifier: BSD-2-Clause

//! Memory: pages, page tables, and address space identifiers, as all architectures have them.

use crate::arch::{PageTable, VSpace, VmAttributes, c};
use crate::cap::Cap;
use crate::error::{Result, check, check_int};
use crate::kind::{AsidControl, AsidPool, Page, Untyped};
use crate::slot::{EmptySlot, FillError};
use crate::value::CapRights;

impl<T: Page> Cap<T> {
    /// Corresponds to `seL4_ARM_Page_Map`, `seL4_RISCV_Page_Map`, `seL4_X86_Page_Map`. Maps the page at
    /// `address`, a multiple of its size.
    ///
    /// # Errors
    ///
    /// [`FailedLookup`](crate::Error::FailedLookup) where a page table is missing,
    /// [`DeleteFirst`](crate::Error::DeleteFirst) where another page is, on RISC-V; on ARM and x86 this
    /// one takes its place,
    /// [`AlignmentError`](crate::Error::AlignmentError),
    /// [`InvalidArgument`](crate::Error::InvalidArgument) where the page is mapped elsewhere by this
    /// capability.
    ///
    /// # Safety
    ///
    /// If another page is mapped there, nobody uses its memory through this mapping. If the page is
    /// mapped already, its memory is used only as the new mapping and the old one both allow; where
    /// rights shrink, nobody goes on using what they lose.
    #[doc(alias = "seL4_ARM_Page_Map")]
    #[doc(alias = "seL4_RISCV_Page_Map")]
    #[doc(alias = "seL4_X86_Page_Map")]
    #[inline]
    pub unsafe fn page_map(
        self,
        vspace: Cap<VSpace>,
        address: usize,
        rights: CapRights,
        attributes: VmAttributes,
    ) -> Result<()> {
        // SAFETY: nobody uses what the mapping replaces or takes away, by the contract of this function.
        check(unsafe {
            c::page_map(
                self.word(),
                vspace.word(),
                address,
                rights.into(),
                attributes.raw(),
            )
        })
    }

    /// Corresponds to `seL4_ARM_Page_Unmap`, `seL4_RISCV_Page_Unmap`, `seL4_X86_Page_Unmap`.
    ///
    /// # Safety
    ///
    /// Nobody uses the memory where it was mapped through this capability.
    #[doc(alias = "seL4_ARM_Page_Unmap")]
    #[doc(alias = "seL4_RISCV_Page_Unmap")]
    #[doc(alias = "seL4_X86_Page_Unmap")]
    #[inline]
    pub unsafe fn page_unmap(self) -> Result<()> {
        // SAFETY: nobody uses the memory where it was mapped through this capability, by the contract of this function.
        check(unsafe { c::page_unmap(self.word()) })
    }

    /// Corresponds to `seL4_ARM_Page_GetAddress`, `seL4_RISCV_Page_GetAddress`,
    /// `seL4_X86_Page_GetAddress`. Its physical address.
    #[doc(alias = "seL4_ARM_Page_GetAddress")]
    #[doc(alias = "seL4_RISCV_Page_GetAddress")]
    #[doc(alias = "seL4_X86_Page_GetAddress")]
    #[inline]
    pub fn page_get_address(self) -> Result<usize> {
        // SAFETY: it touches no memory.
        let answer = unsafe { c::page_get_address(self.word()) };
        check_int(answer.error)?;
        Ok(answer.paddr)
    }
}

impl Cap<PageTable> {
    /// Corresponds to `seL4_ARM_PageTable_Map`, `seL4_RISCV_PageTable_Map`, `seL4_X86_PageTable_Map`.
    /// Puts the table where `address` has none yet.
    ///
    /// # Errors
    ///
    /// [`FailedLookup`](crate::Error::FailedLookup) where a table above is missing,
    /// [`DeleteFirst`](crate::Error::DeleteFirst) where something is,
    /// [`InvalidCapability`](crate::Error::InvalidCapability) where the table is mapped already.
    #[doc(alias = "seL4_ARM_PageTable_Map")]
    #[doc(alias = "seL4_RISCV_PageTable_Map")]
    #[doc(alias = "seL4_X86_PageTable_Map")]
    #[inline]
    pub fn page_table_map(
        self,
        vspace: Cap<VSpace>,
        address: usize,
        attributes: VmAttributes,
    ) -> Result<()> {
        // SAFETY: the table is empty, and where a table or page is, the kernel refuses another.
        check(unsafe { c::page_table_map(self.word(), vspace.word(), address, attributes.raw()) })
    }

    /// Corresponds to `seL4_ARM_PageTable_Unmap`, `seL4_RISCV_PageTable_Unmap`,
    /// `seL4_X86_PageTable_Unmap`.
    ///
    /// # Safety
    ///
    /// Nobody uses memory that is mapped with it.
    #[doc(alias = "seL4_ARM_PageTable_Unmap")]
    #[doc(alias = "seL4_RISCV_PageTable_Unmap")]
    #[doc(alias = "seL4_X86_PageTable_Unmap")]
    #[inline]
    pub unsafe fn page_table_unmap(self) -> Result<()> {
        // SAFETY: nobody uses memory that is mapped with the table, by the contract of this function.
        check(unsafe { c::page_table_unmap(self.word()) })
    }
}

impl Cap<AsidControl> {
    /// Corresponds to `seL4_ARM_ASIDControl_MakePool`, `seL4_RISCV_ASIDControl_MakePool`,
    /// `seL4_X86_ASIDControl_MakePool`. Makes an ASID pool of an untyped of 4 KiB that nothing is made
    /// of, and fills `slot` with it.
    #[doc(alias = "seL4_ARM_ASIDControl_MakePool")]
    #[doc(alias = "seL4_RISCV_ASIDControl_MakePool")]
    #[doc(alias = "seL4_X86_ASIDControl_MakePool")]
    #[inline]
    pub fn asid_control_make_pool(
        self,
        untyped: Cap<Untyped>,
        slot: EmptySlot,
    ) -> Result<Cap<AsidPool>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                c::asid_control_make_pool(self.word(), untyped.word(), root, index, depth)
            })
        }
    }
}

impl Cap<AsidPool> {
    /// Corresponds to `seL4_ARM_ASIDPool_Assign`, `seL4_RISCV_ASIDPool_Assign`,
    /// `seL4_X86_ASIDPool_Assign`. Gives a new VSpace an identifier; then it can be used.
    #[doc(alias = "seL4_ARM_ASIDPool_Assign")]
    #[doc(alias = "seL4_RISCV_ASIDPool_Assign")]
    #[doc(alias = "seL4_X86_ASIDPool_Assign")]
    #[inline]
    pub fn asid_pool_assign(self, vspace: Cap<VSpace>) -> Result<()> {
        // SAFETY: only a VSpace without identifier gets one.
        check(unsafe { c::asid_pool_assign(self.word(), vspace.word()) })
    }
}
