// SPDX-License-Identifier: BSD-2-Clause

//! ARM, with 32 and 64 bits.

#[cfg(CONFIG_ARM_SMMU)]
mod arm_smmu;
#[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
mod arm_vcpu;

#[cfg(CONFIG_ARM_SMMU)]
pub use arm_smmu::*;
#[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
pub use arm_vcpu::*;

use libsel4_sys as sys;

use crate::allocator::{AllocationError, Allocator};
use crate::cap::Cap;
use crate::error::{LookupFailure, Result, check};
use crate::kind::{Page, kinds};
use crate::tcb::UserContext;

/// C's functions for what all architectures have, under one name.
pub(crate) mod c {
    pub use libsel4_sys::{
        seL4_ARM_ASIDControl_MakePool as asid_control_make_pool,
        seL4_ARM_ASIDPool_Assign as asid_pool_assign, seL4_ARM_Page_GetAddress as page_get_address,
        seL4_ARM_Page_Map as page_map, seL4_ARM_Page_Unmap as page_unmap,
        seL4_ARM_PageTable_Map as page_table_map, seL4_ARM_PageTable_Unmap as page_table_unmap,
    };
}

kinds! {
    /// A page of 4 KiB.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, FixedSize, SmallPage};
    ///
    /// let page: Cap<SmallPage> = objects.make()?;
    /// let size = 1 << SmallPage::SIZE_BITS;
    /// assert_eq!(page.page_get_address()? % size, 0);
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_ARM_SmallPageObject")]
    SmallPage: page(sys::seL4_ARM_SmallPageObject, sys::seL4_PageBits);
    /// A page of 2 to the power of `seL4_LargePageBits` bytes.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, FixedSize, LargePage};
    ///
    /// let page: Cap<LargePage> = objects.make()?;
    /// let size = 1 << LargePage::SIZE_BITS;
    /// assert_eq!(page.page_get_address()? % size, 0);
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_ARM_LargePageObject")]
    LargePage: page(sys::seL4_ARM_LargePageObject, sys::seL4_LargePageBits);
    /// A page table.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{PageTable, VmAttributes};
    ///
    /// let table = objects.make::<PageTable>()?;
    /// let mapped = table.page_table_map(info.vspace(), usize::MAX, VmAttributes::DEFAULT);
    /// assert!(mapped.is_err(), "the address is the kernel's");
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_ARM_PageTable")]
    PageTable: fixed(sys::seL4_ARM_PageTableObject, sys::seL4_PageTableBits);
    /// Authority to send one software-generated interrupt: `seL4_ARM_SGI_Signal`.
    #[doc(alias = "seL4_ARM_SGI_Signal")]
    SgiSignal;
}

#[cfg(CONFIG_ARCH_AARCH64)]
kinds! {
    /// A page of 1 GiB.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{FixedSize, HugePage, LargePage};
    ///
    /// assert!(HugePage::SIZE_BITS > LargePage::SIZE_BITS);
    /// assert!(objects.make::<HugePage>().is_err(), "no untyped is as large here");
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_ARM_HugePageObject")]
    HugePage: page(sys::seL4_ARM_HugePageObject, sys::seL4_HugePageBits);
    /// An address space: the top of its page tables.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, VSpace};
    ///
    /// let vspace: Cap<VSpace> = objects.make()?;
    /// info.asid_pool().asid_pool_assign(vspace)?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_ARM_VSpace")]
    VSpace: fixed(sys::seL4_ARM_VSpaceObject, sys::seL4_VSpaceBits);
}

#[cfg(CONFIG_ARCH_AARCH32)]
kinds! {
    /// A page of 2 to the power of `seL4_SectionBits` bytes.
    #[doc(alias = "seL4_ARM_SectionObject")]
    Section: page(sys::seL4_ARM_SectionObject, sys::seL4_SectionBits);
    /// A page of 2 to the power of `seL4_SuperSectionBits` bytes.
    #[doc(alias = "seL4_ARM_SuperSectionObject")]
    SuperSection: page(sys::seL4_ARM_SuperSectionObject, sys::seL4_SuperSectionBits);
    /// An address space: its page directory.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, VSpace};
    ///
    /// let vspace: Cap<VSpace> = objects.make()?;
    /// info.asid_pool().asid_pool_assign(vspace)?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_ARM_PageDirectory")]
    VSpace: fixed(sys::seL4_ARM_PageDirectoryObject, sys::seL4_PageDirBits);
}

#[cfg(CONFIG_ALLOW_SMC_CALLS)]
kinds! {
    /// Authority to call the secure monitor: `seL4_ARM_SMC`.
    #[doc(alias = "seL4_ARM_SMC")]
    Smc;
}

/// Corresponds to `seL4_ARM_VMAttributes`. How a page is cached, and whether code in it may run.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{CapRights, SmallPage, VmAttributes};
///
/// let (address, rights) = (0x1000_0000, CapRights::READ_WRITE);
/// let page = objects.make::<SmallPage>()?;
/// // SAFETY: the page is new, and nothing is mapped at the address.
/// unsafe { objects.map_page(info.vspace(), page, address, rights, VmAttributes::DATA)? };
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_ARM_VMAttributes")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct VmAttributes(sys::seL4_ARM_VMAttributes);

impl VmAttributes {
    /// Corresponds to `seL4_ARM_Default_VMAttributes`: cached, executable.
    #[doc(alias = "seL4_ARM_Default_VMAttributes")]
    pub const DEFAULT: Self = Self(sys::seL4_ARM_Default_VMAttributes);
    /// Cached, and code in it does not run: `seL4_ARM_Default_VMAttributes | seL4_ARM_ExecuteNever`.
    #[doc(alias = "seL4_ARM_ExecuteNever")]
    pub const DATA: Self = Self(sys::seL4_ARM_Default_VMAttributes | sys::seL4_ARM_ExecuteNever);
    /// Not cached, for device registers: `seL4_ARM_ExecuteNever` alone.
    pub const DEVICE: Self = Self(sys::seL4_ARM_ExecuteNever);

    #[inline]
    pub(crate) const fn raw(self) -> sys::seL4_ARM_VMAttributes {
        self.0
    }
}

/// Methods that clean or invalidate the data caches, or make them agree with the instruction cache.
macro_rules! caches {
    (
        $clean:ident = $c_clean:ident $clean_name:literal,
        $invalidate:ident = $c_invalidate:ident $invalidate_name:literal,
        $both:ident = $c_both:ident $both_name:literal,
        $unify:ident = $c_unify:ident $unify_name:literal
    ) => {
        #[doc = concat!("Corresponds to `", $clean_name, "`. Writes what the data cache has of these bytes to memory.")]
        #[doc(alias = $clean_name)]
        #[inline]
        pub fn $clean(self, start: usize, end: usize) -> Result<()> {
            // SAFETY: the contents stay the same.
            check(unsafe { sys::$c_clean(self.word(), start, end) })
        }

        #[doc = concat!("Corresponds to `", $invalidate_name, "`. Forgets what the data cache has of these bytes.")]
        ///
        /// # Safety
        ///
        /// Writes there that have not reached memory are lost; nothing relies on them.
        #[doc(alias = $invalidate_name)]
        #[inline]
        pub unsafe fn $invalidate(self, start: usize, end: usize) -> Result<()> {
            // SAFETY: nothing relies on writes there that have not reached memory, by the contract of this function.
            check(unsafe { sys::$c_invalidate(self.word(), start, end) })
        }

        #[doc = concat!("Corresponds to `", $both_name, "`. Writes what the data cache has of these bytes to memory, and forgets it.")]
        #[doc(alias = $both_name)]
        #[inline]
        pub fn $both(self, start: usize, end: usize) -> Result<()> {
            // SAFETY: the contents stay the same.
            check(unsafe { sys::$c_both(self.word(), start, end) })
        }

        #[doc = concat!("Corresponds to `", $unify_name, "`. Makes code that was written there as data seen as code.")]
        #[doc(alias = $unify_name)]
        #[inline]
        pub fn $unify(self, start: usize, end: usize) -> Result<()> {
            // SAFETY: the contents stay the same.
            check(unsafe { sys::$c_unify(self.word(), start, end) })
        }
    };
}

/// The bytes from `start` to before `end` of the page.
impl<T: Page> Cap<T> {
    caches! {
        page_clean_data = seL4_ARM_Page_Clean_Data "seL4_ARM_Page_Clean_Data",
        page_invalidate_data = seL4_ARM_Page_Invalidate_Data "seL4_ARM_Page_Invalidate_Data",
        page_clean_invalidate_data = seL4_ARM_Page_CleanInvalidate_Data "seL4_ARM_Page_CleanInvalidate_Data",
        page_unify_instruction = seL4_ARM_Page_Unify_Instruction "seL4_ARM_Page_Unify_Instruction"
    }
}

/// The addresses from `start` to before `end`, all in one page.
#[cfg(CONFIG_ARCH_AARCH64)]
impl Cap<VSpace> {
    caches! {
        vspace_clean_data = seL4_ARM_VSpace_Clean_Data "seL4_ARM_VSpace_Clean_Data",
        vspace_invalidate_data = seL4_ARM_VSpace_Invalidate_Data "seL4_ARM_VSpace_Invalidate_Data",
        vspace_clean_invalidate_data = seL4_ARM_VSpace_CleanInvalidate_Data "seL4_ARM_VSpace_CleanInvalidate_Data",
        vspace_unify_instruction = seL4_ARM_VSpace_Unify_Instruction "seL4_ARM_VSpace_Unify_Instruction"
    }
}

/// The addresses from `start` to before `end`, all in one page.
#[cfg(CONFIG_ARCH_AARCH32)]
impl Cap<VSpace> {
    caches! {
        vspace_clean_data = seL4_ARM_PageDirectory_Clean_Data "seL4_ARM_PageDirectory_Clean_Data",
        vspace_invalidate_data = seL4_ARM_PageDirectory_Invalidate_Data "seL4_ARM_PageDirectory_Invalidate_Data",
        vspace_clean_invalidate_data = seL4_ARM_PageDirectory_CleanInvalidate_Data "seL4_ARM_PageDirectory_CleanInvalidate_Data",
        vspace_unify_instruction = seL4_ARM_PageDirectory_Unify_Instruction "seL4_ARM_PageDirectory_Unify_Instruction"
    }
}

impl Cap<SgiSignal> {
    /// Corresponds to `seL4_Signal` on a capability to a software-generated interrupt. Sends it.
    #[doc(alias = "seL4_Signal")]
    #[inline]
    pub fn signal(self) {
        // SAFETY: a system call that touches no memory of this program.
        unsafe { sys::seL4_Signal(self.word()) }
    }
}

#[cfg(CONFIG_ALLOW_SMC_CALLS)]
impl Cap<Smc> {
    /// Corresponds to `seL4_ARM_SMC_Call`. Calls the secure monitor with these registers; its answer is
    /// what is returned.
    ///
    /// # Safety
    ///
    /// The monitor's action does not change the memory of this program.
    #[doc(alias = "seL4_ARM_SMC_Call")]
    #[inline]
    pub unsafe fn smc_call(
        self,
        arguments: &sys::seL4_ARM_SMCContext,
    ) -> Result<sys::seL4_ARM_SMCContext> {
        let mut arguments = *arguments;
        let mut response = sys::seL4_ARM_SMCContext::default();
        // SAFETY: both are there as long as the call takes.
        check(unsafe {
            sys::seL4_ARM_SMC_Call(self.word(), &raw mut arguments, &raw mut response)
        })?;
        Ok(response)
    }
}

/// Corresponds to `seL4_UserContext`: registers for a thread that begins with `entry(argument)` on a
/// stack that ends at `stack_top`, an address that is a multiple of 16.
#[inline]
pub fn entry_context(
    entry: extern "C" fn(usize) -> !,
    stack_top: usize,
    argument: usize,
) -> UserContext {
    UserContext {
        pc: entry as usize,
        sp: stack_top,
        #[cfg(CONFIG_ARCH_AARCH64)]
        x0: argument,
        #[cfg(CONFIG_ARCH_AARCH32)]
        r0: argument,
        ..UserContext::default()
    }
}

/// Maps the page table that is missing at `address`.
pub(crate) fn map_missing_table(
    allocator: &mut Allocator,
    vspace: Cap<VSpace>,
    address: usize,
    _: LookupFailure,
) -> core::result::Result<(), AllocationError> {
    let table = allocator.make::<PageTable>()?;
    Ok(table.page_table_map(vspace, address, VmAttributes::DEFAULT)?)
}
