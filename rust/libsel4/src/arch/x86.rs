// SPDX-License-Identifier: BSD-2-Clause

//! x86, with 32 and 64 bits.

#[cfg(CONFIG_VTX)]
mod x86_vtx;

#[cfg(CONFIG_VTX)]
pub use x86_vtx::*;

use libsel4_sys as sys;

use crate::allocator::{AllocationError, Allocator};
use crate::cap::Cap;
use crate::error::{LookupFailure, Result, check, check_int};
use crate::kind::kinds;
use crate::slot::{EmptySlot, FillError};
use crate::tcb::UserContext;

/// C's functions for what all architectures have, under one name.
pub(crate) mod c {
    pub use libsel4_sys::{
        seL4_X86_ASIDControl_MakePool as asid_control_make_pool,
        seL4_X86_ASIDPool_Assign as asid_pool_assign, seL4_X86_Page_GetAddress as page_get_address,
        seL4_X86_Page_Map as page_map, seL4_X86_Page_Unmap as page_unmap,
        seL4_X86_PageTable_Map as page_table_map, seL4_X86_PageTable_Unmap as page_table_unmap,
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
    #[doc(alias = "seL4_X86_4K")]
    SmallPage: page(sys::seL4_X86_4K, sys::seL4_PageBits);
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
    #[doc(alias = "seL4_X86_LargePageObject")]
    LargePage: page(sys::seL4_X86_LargePageObject, sys::seL4_LargePageBits);
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
    #[doc(alias = "seL4_X86_PageTable")]
    PageTable: fixed(sys::seL4_X86_PageTableObject, sys::seL4_PageTableBits);
    /// Authority over I/O ports: `seL4_X86_IOPortControl`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, IoPortControl};
    ///
    /// let control: Cap<IoPortControl> = info.io_port_control();
    /// let ports = control.io_port_control_issue(0x3f8, 0x3ff, objects.slot()?)?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_X86_IOPortControl")]
    IoPortControl;
    /// Some I/O ports: `seL4_X86_IOPort`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, IoPort};
    ///
    /// let slot = objects.slot()?;
    /// let ports: Cap<IoPort> = info.io_port_control().io_port_control_issue(0x3f8, 0x3ff, slot)?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_X86_IOPort")]
    IoPort;
}

#[cfg(CONFIG_ARCH_X86_64)]
kinds! {
    /// A page of 1 GiB, where the processor has them.
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
    #[doc(alias = "seL4_X64_HugePageObject")]
    HugePage: page(sys::seL4_X64_HugePageObject, sys::seL4_HugePageBits);
    /// A page directory.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{PageDirectory, Pdpt, VSpace, VmAttributes};
    ///
    /// let vspace = objects.make::<VSpace>()?;
    /// info.asid_pool().asid_pool_assign(vspace)?;
    /// let (address, attributes) = (0x1000_0000, VmAttributes::DEFAULT);
    /// objects.make::<Pdpt>()?.pdpt_map(vspace, address, attributes)?;
    /// objects.make::<PageDirectory>()?.page_directory_map(vspace, address, attributes)?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_X86_PageDirectory")]
    PageDirectory: fixed(sys::seL4_X86_PageDirectoryObject, sys::seL4_PageDirBits);
    /// A page-directory-pointer table.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Pdpt, VSpace, VmAttributes};
    ///
    /// let vspace = objects.make::<VSpace>()?;
    /// info.asid_pool().asid_pool_assign(vspace)?;
    /// objects.make::<Pdpt>()?.pdpt_map(vspace, 0x1000_0000, VmAttributes::DEFAULT)?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_X86_PDPT")]
    Pdpt: fixed(sys::seL4_X86_PDPTObject, sys::seL4_PDPTBits);
    /// An address space: its PML4 table.
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
    #[doc(alias = "seL4_X64_PML4")]
    VSpace: fixed(sys::seL4_X64_PML4Object, sys::seL4_PML4Bits);
}

#[cfg(CONFIG_ARCH_IA32)]
kinds! {
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
    #[doc(alias = "seL4_X86_PageDirectory")]
    VSpace: fixed(sys::seL4_X86_PageDirectoryObject, sys::seL4_PageDirBits);
}

/// Corresponds to `seL4_X86_VMAttributes`. How a page is cached.
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
#[doc(alias = "seL4_X86_VMAttributes")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct VmAttributes(sys::seL4_X86_VMAttributes);

impl VmAttributes {
    /// Corresponds to `seL4_X86_Default_VMAttributes`: cached.
    #[doc(alias = "seL4_X86_Default_VMAttributes")]
    pub const DEFAULT: Self = Self(sys::seL4_X86_Default_VMAttributes);
    /// For data: here the same as [`DEFAULT`](Self::DEFAULT).
    pub const DATA: Self = Self::DEFAULT;
    /// Corresponds to `seL4_X86_Uncacheable`: not cached, for device registers.
    #[doc(alias = "seL4_X86_Uncacheable")]
    pub const DEVICE: Self = Self(sys::seL4_X86_Uncacheable);
    /// Corresponds to `seL4_X86_WriteCombining`: for frame buffers.
    #[doc(alias = "seL4_X86_WriteCombining")]
    pub const WRITE_COMBINING: Self = Self(sys::seL4_X86_WriteCombining);

    #[inline]
    pub(crate) const fn raw(self) -> sys::seL4_X86_VMAttributes {
        self.0
    }
}

#[cfg(CONFIG_ARCH_X86_64)]
impl Cap<PageDirectory> {
    /// Corresponds to `seL4_X86_PageDirectory_Map`. Puts the table where `address` has none.
    #[doc(alias = "seL4_X86_PageDirectory_Map")]
    #[inline]
    pub fn page_directory_map(
        self,
        vspace: Cap<VSpace>,
        address: usize,
        attributes: VmAttributes,
    ) -> Result<()> {
        // SAFETY: where a table or page is, the kernel refuses another.
        check(unsafe {
            sys::seL4_X86_PageDirectory_Map(self.word(), vspace.word(), address, attributes.raw())
        })
    }

    /// Corresponds to `seL4_X86_PageDirectory_Unmap`.
    ///
    /// # Safety
    ///
    /// Nobody uses memory that is mapped with it.
    #[doc(alias = "seL4_X86_PageDirectory_Unmap")]
    #[inline]
    pub unsafe fn page_directory_unmap(self) -> Result<()> {
        // SAFETY: nobody uses memory that is mapped with it, by the contract of this function.
        check(unsafe { sys::seL4_X86_PageDirectory_Unmap(self.word()) })
    }
}

#[cfg(CONFIG_ARCH_X86_64)]
impl Cap<Pdpt> {
    /// Corresponds to `seL4_X86_PDPT_Map`. Puts the table where `address` has none.
    #[doc(alias = "seL4_X86_PDPT_Map")]
    #[inline]
    pub fn pdpt_map(
        self,
        vspace: Cap<VSpace>,
        address: usize,
        attributes: VmAttributes,
    ) -> Result<()> {
        // SAFETY: where a table or page is, the kernel refuses another.
        check(unsafe {
            sys::seL4_X86_PDPT_Map(self.word(), vspace.word(), address, attributes.raw())
        })
    }

    /// Corresponds to `seL4_X86_PDPT_Unmap`.
    ///
    /// # Safety
    ///
    /// Nobody uses memory that is mapped with it.
    #[doc(alias = "seL4_X86_PDPT_Unmap")]
    #[inline]
    pub unsafe fn pdpt_unmap(self) -> Result<()> {
        // SAFETY: nobody uses memory that is mapped with it, by the contract of this function.
        check(unsafe { sys::seL4_X86_PDPT_Unmap(self.word()) })
    }
}

#[cfg(CONFIG_ARCH_IA32)]
impl Cap<VSpace> {
    /// Corresponds to `seL4_X86_PageDirectory_GetStatusBits`. Whether the page at `address` was
    /// accessed, and whether it was written to.
    #[doc(alias = "seL4_X86_PageDirectory_GetStatusBits")]
    #[inline]
    pub fn page_directory_get_status_bits(self, address: usize) -> Result<(bool, bool)> {
        // SAFETY: it only reads.
        let answer = unsafe { sys::seL4_X86_PageDirectory_GetStatusBits(self.word(), address) };
        check_int(answer.error)?;
        Ok((answer.accessed != 0, answer.dirty != 0))
    }
}

impl Cap<IoPortControl> {
    /// Corresponds to `seL4_X86_IOPortControl_Issue`. Fills `slot` with a capability to the ports from
    /// `first` to `last`.
    #[doc(alias = "seL4_X86_IOPortControl_Issue")]
    #[inline]
    pub fn io_port_control_issue(
        self,
        first: u16,
        last: u16,
        slot: EmptySlot,
    ) -> Result<Cap<IoPort>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_X86_IOPortControl_Issue(
                    self.word(),
                    first.into(),
                    last.into(),
                    root,
                    index,
                    depth,
                )
            })
        }
    }
}

macro_rules! ports {
    ($($type:ty: $read:ident = $c_read:ident $read_name:literal, $write:ident = $c_write:ident $write_name:literal;)*) => {$(
        #[doc = concat!("Corresponds to `", $read_name, "`. Reads a port.")]
        ///
        /// # Safety
        ///
        /// The device's reaction to the read does not change the memory of this program.
        #[doc(alias = $read_name)]
        #[inline]
        pub unsafe fn $read(self, port: u16) -> Result<$type> {
            // SAFETY: the device's reaction leaves this program's memory as it is, by the contract of this function.
            let answer = unsafe { sys::$c_read(self.word(), port) };
            check_int(answer.error)?;
            Ok(answer.result)
        }

        #[doc = concat!("Corresponds to `", $write_name, "`. Writes to a port.")]
        ///
        /// # Safety
        ///
        /// The device's reaction does not change the memory of this program.
        #[doc(alias = $write_name)]
        #[inline]
        pub unsafe fn $write(self, port: u16, value: $type) -> Result<()> {
            // SAFETY: the device's reaction leaves this program's memory as it is, by the contract of this function.
            check(unsafe { sys::$c_write(self.word(), port.into(), value as usize) })
        }
    )*};
}

impl Cap<IoPort> {
    ports! {
        u8: io_port_in8 = seL4_X86_IOPort_In8 "seL4_X86_IOPort_In8",
            io_port_out8 = seL4_X86_IOPort_Out8 "seL4_X86_IOPort_Out8";
        u16: io_port_in16 = seL4_X86_IOPort_In16 "seL4_X86_IOPort_In16",
            io_port_out16 = seL4_X86_IOPort_Out16 "seL4_X86_IOPort_Out16";
        u32: io_port_in32 = seL4_X86_IOPort_In32 "seL4_X86_IOPort_In32",
            io_port_out32 = seL4_X86_IOPort_Out32 "seL4_X86_IOPort_Out32";
    }
}

/// Corresponds to `seL4_UserContext`: registers for a thread that begins with `entry(argument)` on a
/// stack that ends at `stack_top`, an address that is a multiple of 16.
#[cfg(CONFIG_ARCH_X86_64)]
#[inline]
pub fn entry_context(
    entry: extern "C" fn(usize) -> !,
    stack_top: usize,
    argument: usize,
) -> UserContext {
    UserContext {
        rip: entry as usize,
        // Where a call would have put its return address.
        rsp: stack_top.wrapping_sub(size_of::<usize>()),
        rdi: argument,
        ..UserContext::default()
    }
}

/// Corresponds to `seL4_UserContext`: registers for a thread that begins with `entry(argument)` on a
/// stack that ends at `stack_top`, an address that is a multiple of 16.
#[cfg(CONFIG_ARCH_IA32)]
#[inline]
pub fn entry_context(
    entry: extern "C" fn(usize) -> !,
    stack_top: usize,
    argument: usize,
) -> UserContext {
    UserContext {
        eip: start as *const () as usize,
        esp: stack_top,
        eax: argument,
        // Not `ecx` or `edx`: a thread that was in a system call comes back without them.
        ebx: entry as usize,
        ..UserContext::default()
    }
}

/// Puts the argument where C's calling convention has it: on the stack.
#[cfg(CONFIG_ARCH_IA32)]
#[unsafe(naked)]
extern "C" fn start() -> ! {
    core::arch::naked_asm!("sub esp, 12", "push eax", "call ebx", "ud2")
}

/// The bits of an address that a missing page directory would have resolved, and those below.
#[cfg(CONFIG_ARCH_X86_64)]
const WITHOUT_PAGE_DIRECTORY: usize =
    sys::seL4_PageBits + sys::seL4_PageTableIndexBits + sys::seL4_PageDirIndexBits;

/// Missing page-directory-pointer table, in the same encoding.
#[cfg(CONFIG_ARCH_X86_64)]
const WITHOUT_PDPT: usize = WITHOUT_PAGE_DIRECTORY + sys::seL4_PDPTIndexBits;

/// Maps the table that is missing at `address`, as the kernel has said which it is.
pub(crate) fn map_missing_table(
    allocator: &mut Allocator,
    vspace: Cap<VSpace>,
    address: usize,
    missing: LookupFailure,
) -> core::result::Result<(), AllocationError> {
    let attributes = VmAttributes::DEFAULT;
    match missing {
        #[cfg(CONFIG_ARCH_X86_64)]
        LookupFailure::MissingCapability {
            bits_left: WITHOUT_PDPT,
        } => Ok(allocator
            .make::<Pdpt>()?
            .pdpt_map(vspace, address, attributes)?),
        #[cfg(CONFIG_ARCH_X86_64)]
        LookupFailure::MissingCapability {
            bits_left: WITHOUT_PAGE_DIRECTORY,
        } => Ok(allocator
            .make::<PageDirectory>()?
            .page_directory_map(vspace, address, attributes)?),
        _ => Ok(allocator
            .make::<PageTable>()?
            .page_table_map(vspace, address, attributes)?),
    }
}
