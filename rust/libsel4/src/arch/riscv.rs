// SPDX-License-Identifier: BSD-2-Clause

//! RISC-V.

use libsel4_sys as sys;

use crate::allocator::{AllocationError, Allocator};
use crate::cap::Cap;
use crate::error::LookupFailure;
use crate::kind::kinds;
use crate::tcb::UserContext;

/// C's functions for what all architectures have, under one name.
pub(crate) mod c {
    pub use libsel4_sys::{
        seL4_RISCV_ASIDControl_MakePool as asid_control_make_pool,
        seL4_RISCV_ASIDPool_Assign as asid_pool_assign,
        seL4_RISCV_Page_GetAddress as page_get_address, seL4_RISCV_Page_Map as page_map,
        seL4_RISCV_Page_Unmap as page_unmap, seL4_RISCV_PageTable_Map as page_table_map,
        seL4_RISCV_PageTable_Unmap as page_table_unmap,
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
    #[doc(alias = "seL4_RISCV_4K_Page")]
    SmallPage: page(sys::seL4_RISCV_4K_Page, sys::seL4_PageBits);
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
    #[doc(alias = "seL4_RISCV_Mega_Page")]
    LargePage: page(sys::seL4_RISCV_Mega_Page, sys::seL4_LargePageBits);
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
    #[doc(alias = "seL4_RISCV_PageTable")]
    PageTable: fixed(sys::seL4_RISCV_PageTableObject, sys::seL4_PageTableBits);
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
    VSpace: fixed(sys::seL4_RISCV_PageTableObject, sys::seL4_PageTableBits);
}

#[cfg(CONFIG_ARCH_RISCV64)]
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
    #[doc(alias = "seL4_RISCV_Giga_Page")]
    HugePage: page(sys::seL4_RISCV_Giga_Page, sys::seL4_HugePageBits);
}

/// Corresponds to `seL4_RISCV_VMAttributes`. Whether code in a page may run.
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
#[doc(alias = "seL4_RISCV_VMAttributes")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct VmAttributes(sys::seL4_RISCV_VMAttributes);

impl VmAttributes {
    /// Corresponds to `seL4_RISCV_Default_VMAttributes`: executable.
    #[doc(alias = "seL4_RISCV_Default_VMAttributes")]
    pub const DEFAULT: Self = Self(sys::seL4_RISCV_Default_VMAttributes);
    /// Corresponds to `seL4_RISCV_ExecuteNever`: code in it does not run.
    #[doc(alias = "seL4_RISCV_ExecuteNever")]
    pub const DATA: Self = Self(sys::seL4_RISCV_ExecuteNever);
    /// For device registers. The machine knows what it does not cache.
    pub const DEVICE: Self = Self::DATA;

    #[inline]
    pub(crate) const fn raw(self) -> sys::seL4_RISCV_VMAttributes {
        self.0
    }
}

unsafe extern "C" {
    /// Value of the global pointer, by which C finds its small data.
    #[link_name = "__global_pointer$"]
    static GLOBAL_POINTER: u8;
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
        gp: (&raw const GLOBAL_POINTER).addr(),
        a0: argument,
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
