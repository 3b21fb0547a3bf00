// SPDX-License-Identifier: BSD-2-Clause

//! Boot information of the root server.

use libsel4_sys as sys;

#[cfg(CONFIG_ARCH_X86)]
use crate::arch::IoPortControl;
#[cfg(CONFIG_ALLOW_SMC_CALLS)]
use crate::arch::Smc;
#[cfg(CONFIG_ARM_SMMU)]
use crate::arch::{CbControl, SidControl};
use crate::arch::{SmallPage, VSpace};
use crate::cap::{Cap, Slots};
#[cfg(any(CONFIG_IOMMU, CONFIG_TK1_SMMU))]
use crate::iospace::IoSpace;
use crate::kind::{AsidControl, AsidPool, CNode, Domain, IrqControl, Kind, Tcb, Untyped};
#[cfg(CONFIG_KERNEL_MCS)]
use crate::kind::{SchedContext, SchedControl};
use crate::slot::EmptySlots;
use crate::tcb::IpcBuffer;

/// Corresponds to `seL4_BootInfo`. The root server's first capabilities, its free slots and memory.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// let untypeds = info.untypeds().filter(|it| !it.is_device);
/// let bytes: usize = untypeds.map(|it| 1 << it.size_bits).sum();
/// assert!(bytes > 1 << 20);
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_BootInfo")]
#[derive(Clone, Copy, Debug)]
pub struct BootInfo {
    // A pointer and not a reference, for what follows the structure is reached through it, too.
    info: *const sys::seL4_BootInfo,
}

/// Corresponds to `seL4_UntypedDesc`. An untyped that the root server has from the beginning.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{SmallPage, UntypedDesc};
///
/// let memory = |it: &UntypedDesc| !it.is_device && it.size_bits > 12;
/// let largest = info.untypeds().filter(memory).max_by_key(|it| it.size_bits);
/// let UntypedDesc { cap, .. } = largest.expect("an untyped");
/// let page = cap.untyped_retype::<SmallPage>(0, objects.slot()?)?;
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_UntypedDesc")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UntypedDesc {
    /// The capability to it.
    pub cap: Cap<Untyped>,
    /// Physical address of the memory.
    pub paddr: usize,
    /// Size of the memory: 2 to the power of this many bytes.
    pub size_bits: usize,
    /// Set for memory of a device, not ordinary memory: it is not cleared, and only pages and
    /// untypeds can be made of it.
    pub is_device: bool,
}

/// Corresponds to `seL4_BootInfoHeader` and what follows it. A piece of extra boot information.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Extra, ExtraBootInfo};
///
/// for Extra { id, content } in info.extra() {
///     if id == ExtraBootInfo::FDT {
///         assert!(content.starts_with(&[0xd0, 0x0d, 0xfe, 0xed]));
///     }
/// }
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_BootInfoHeader")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extra<'a> {
    /// Kind of the piece: one of C's `SEL4_BOOTINFO_HEADER_…`, such as
    /// [`FDT`](ExtraBootInfo::FDT).
    pub id: usize,
    /// Content after the header.
    pub content: &'a [u8],
}

// SAFETY: nobody writes to it, as was promised when the value was made.
unsafe impl Send for BootInfo {}
// SAFETY: as above.
unsafe impl Sync for BootInfo {}

impl BootInfo {
    /// Wraps C's `const seL4_BootInfo *`, from `sel4runtime_bootinfo()` or
    /// `platsupport_get_bootinfo()`.
    ///
    /// # Safety
    ///
    /// The pointer is the root server's, from the kernel; nothing writes to the frame, unmaps it, or removes
    /// the initial capabilities. The calling thread's CSpace is the root server's. If the structure has
    /// extra information, the pointer may be used to read that as well: one made of a reference to the
    /// structure may not.
    pub unsafe fn from_ptr(info: *const sys::seL4_BootInfo) -> Self {
        // For the extra boot information, which lies behind the structure.
        info.expose_provenance();
        Self { info }
    }

    /// Returns C's structure.
    pub fn as_c(&self) -> &'static sys::seL4_BootInfo {
        // SAFETY: it is there and nobody writes to it, as was promised when this value was made.
        unsafe { &*self.info }
    }

    fn initial<T: Kind>(&self, cap: usize) -> Cap<T> {
        // SAFETY: the root server has it, at this address of its CSpace.
        unsafe { Cap::from_word(cap) }
    }

    fn slots(&self, region: sys::seL4_SlotRegion) -> Slots {
        Slots::new(self.cnode(), region.start..region.end)
    }

    /// Corresponds to `seL4_CapInitThreadTCB`. The root server's first thread.
    #[doc(alias = "seL4_CapInitThreadTCB")]
    pub fn tcb(&self) -> Cap<Tcb> {
        self.initial(sys::seL4_CapInitThreadTCB)
    }

    /// Corresponds to `seL4_CapInitThreadCNode`. The root of its CSpace, in which all bits of a word
    /// are resolved.
    #[doc(alias = "seL4_CapInitThreadCNode")]
    pub fn cnode(&self) -> Cap<CNode> {
        self.initial(sys::seL4_CapInitThreadCNode)
    }

    /// Corresponds to `seL4_CapInitThreadVSpace`. Its address space.
    #[doc(alias = "seL4_CapInitThreadVSpace")]
    pub fn vspace(&self) -> Cap<VSpace> {
        self.initial(sys::seL4_CapInitThreadVSpace)
    }

    /// Corresponds to `seL4_CapIRQControl`.
    #[doc(alias = "seL4_CapIRQControl")]
    pub fn irq_control(&self) -> Cap<IrqControl> {
        self.initial(sys::seL4_CapIRQControl)
    }

    /// Corresponds to `seL4_CapASIDControl`.
    #[doc(alias = "seL4_CapASIDControl")]
    pub fn asid_control(&self) -> Cap<AsidControl> {
        self.initial(sys::seL4_CapASIDControl)
    }

    /// Corresponds to `seL4_CapInitThreadASIDPool`.
    #[doc(alias = "seL4_CapInitThreadASIDPool")]
    pub fn asid_pool(&self) -> Cap<AsidPool> {
        self.initial(sys::seL4_CapInitThreadASIDPool)
    }

    /// Corresponds to `seL4_CapIOPortControl`.
    #[cfg(CONFIG_ARCH_X86)]
    #[doc(alias = "seL4_CapIOPortControl")]
    pub fn io_port_control(&self) -> Cap<IoPortControl> {
        self.initial(sys::seL4_CapIOPortControl)
    }

    /// Corresponds to `seL4_CapDomain`.
    #[doc(alias = "seL4_CapDomain")]
    pub fn domain(&self) -> Cap<Domain> {
        self.initial(sys::seL4_CapDomain)
    }

    /// Corresponds to `seL4_CapInitThreadSC`. What the first thread runs on.
    #[cfg(CONFIG_KERNEL_MCS)]
    #[doc(alias = "seL4_CapInitThreadSC")]
    pub fn sched_context(&self) -> Cap<SchedContext> {
        self.initial(sys::seL4_CapInitThreadSC)
    }

    /// Authority over the time of a core, counted from 0; `None` where there is no such core.
    #[cfg(CONFIG_KERNEL_MCS)]
    pub fn sched_control(&self, core: usize) -> Option<Cap<SchedControl>> {
        let region = self.as_c().schedcontrol;
        let cap = region.start.checked_add(core)?;
        (cap < region.end).then(|| self.initial(cap))
    }

    /// Corresponds to `seL4_CapIOSpace`. Authority over the address spaces of all devices: its copies
    /// with [`io_space_cap_data`](crate::io_space_cap_data) are those of one device.
    #[cfg(CONFIG_IOMMU)]
    #[doc(alias = "seL4_CapIOSpace")]
    pub fn io_space(&self) -> Cap<IoSpace> {
        self.initial(sys::seL4_CapIOSpace)
    }

    /// Returns the number of levels of the IOMMU's page tables; 0 if there is none.
    #[cfg(CONFIG_IOMMU)]
    pub fn num_iopt_levels(&self) -> usize {
        self.as_c().numIOPTLevels
    }

    /// The address spaces of devices, one after the other as the SMMU numbers them.
    #[cfg(CONFIG_TK1_SMMU)]
    pub fn io_spaces(&self) -> impl ExactSizeIterator<Item = Cap<IoSpace>> + use<> {
        let this = *self;
        let region = this.as_c().ioSpaceCaps;
        (region.start..region.end).map(move |cap| this.initial(cap))
    }

    /// Corresponds to `seL4_CapSMMUSIDControl`.
    #[cfg(CONFIG_ARM_SMMU)]
    #[doc(alias = "seL4_CapSMMUSIDControl")]
    pub fn sid_control(&self) -> Cap<SidControl> {
        self.initial(sys::seL4_CapSMMUSIDControl)
    }

    /// Corresponds to `seL4_CapSMMUCBControl`.
    #[cfg(CONFIG_ARM_SMMU)]
    #[doc(alias = "seL4_CapSMMUCBControl")]
    pub fn cb_control(&self) -> Cap<CbControl> {
        self.initial(sys::seL4_CapSMMUCBControl)
    }

    /// Corresponds to `seL4_CapSMC`.
    #[cfg(CONFIG_ALLOW_SMC_CALLS)]
    #[doc(alias = "seL4_CapSMC")]
    pub fn smc(&self) -> Cap<Smc> {
        self.initial(sys::seL4_CapSMC)
    }

    /// Corresponds to `seL4_CapInitThreadIPCBuffer`. The page of the first thread's IPC buffer, and where
    /// the buffer is.
    #[doc(alias = "seL4_CapInitThreadIPCBuffer")]
    pub fn ipc_buffer(&self) -> IpcBuffer {
        let page: Cap<SmallPage> = self.initial(sys::seL4_CapInitThreadIPCBuffer);
        IpcBuffer {
            address: self.as_c().ipcBuffer.addr(),
            page,
        }
    }

    /// Returns the addresses of the slots that are empty when the root server begins.
    pub fn empty(&self) -> Slots {
        self.slots(self.as_c().empty)
    }

    /// Returns the slots that are empty when the root server begins, to be filled.
    ///
    /// # Safety
    ///
    /// Each slot is given once: this function is not called a second time, no
    /// [`Allocator::new`](crate::Allocator::new) takes them, and code in C fills none of the slots that
    /// are used. What is left to C is taken away by [`EmptySlots::split_off`].
    pub unsafe fn empty_slots(&self) -> EmptySlots {
        let range = self.empty().range();
        // SAFETY: the slots are empty and in the root of the own CSpace, and nothing else fills them, by the
        // contract of this function.
        unsafe { EmptySlots::new(self.cnode(), range) }
    }

    /// The slots of the pages that the root server's image is in, in the order of their addresses.
    pub fn user_image_frames(&self) -> Slots {
        self.slots(self.as_c().userImageFrames)
    }

    /// All untypeds, of memory and of devices.
    pub fn untypeds(&self) -> impl Iterator<Item = UntypedDesc> + use<> {
        let info = self.as_c();
        let caps = info.untyped.start..info.untyped.end;
        caps.zip(&info.untypedList)
            .map(|(cap, described)| UntypedDesc {
                // SAFETY: there the root server has an untyped.
                cap: unsafe { Cap::from_word(cap) },
                paddr: described.paddr,
                size_bits: usize::from(described.sizeBits),
                is_device: described.isDevice != 0,
            })
    }

    /// Those of devices.
    pub fn device_untypeds(&self) -> impl Iterator<Item = UntypedDesc> + use<> {
        self.untypeds().filter(|untyped| untyped.is_device)
    }

    /// The core that the first thread runs on, counted from 0.
    pub fn node_id(&self) -> usize {
        self.as_c().nodeID
    }

    /// Returns the number of cores.
    pub fn num_nodes(&self) -> usize {
        self.as_c().numNodes
    }

    /// The first thread's domain.
    pub fn init_thread_domain(&self) -> usize {
        self.as_c().initThreadDomain
    }

    /// The root CNode has 2 to the power of this many slots.
    pub fn init_thread_cnode_size_bits(&self) -> usize {
        self.as_c().initThreadCNodeSizeBits
    }

    /// Returns the extra boot information, such as the device tree.
    pub fn extra(&self) -> ExtraBootInfo<'static> {
        let start = self.info.addr() + sys::seL4_BootInfoFrameSize;
        // The pointer to BootInfo may come from a reference to that structure alone. The kernel has
        // mapped both.
        let start = core::ptr::with_exposed_provenance(start);
        // SAFETY: it begins a frame's length after BootInfo, and nobody writes to it, as was promised
        // when this value was made.
        let rest = unsafe { core::slice::from_raw_parts(start, self.as_c().extraLen) };
        ExtraBootInfo { rest }
    }
}

/// The pieces of extra boot information, those that only fill gaps aside. It ends early where a length
/// is not possible.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::ExtraBootInfo;
///
/// let tree = info.extra().find(|piece| piece.id == ExtraBootInfo::FDT);
/// let bytes = tree.map_or(0, |tree| tree.content.len());
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug)]
pub struct ExtraBootInfo<'a> {
    rest: &'a [u8],
}

impl ExtraBootInfo<'_> {
    /// Corresponds to `SEL4_BOOTINFO_HEADER_FDT`. A flattened device tree.
    #[doc(alias = "SEL4_BOOTINFO_HEADER_FDT")]
    pub const FDT: usize = sys::SEL4_BOOTINFO_HEADER_FDT;
}

impl<'a> Iterator for ExtraBootInfo<'a> {
    type Item = Extra<'a>;

    fn next(&mut self) -> Option<Extra<'a>> {
        const WORD: usize = size_of::<usize>();
        loop {
            let (id, after) = self.rest.split_first_chunk::<WORD>()?;
            let (length, _) = after.split_first_chunk::<WORD>()?;
            let (id, length) = (usize::from_ne_bytes(*id), usize::from_ne_bytes(*length));
            let Some(content) = self.rest.get(2 * WORD..length) else {
                self.rest = &[];
                return None;
            };
            self.rest = &self.rest[length..];
            if id != sys::SEL4_BOOTINFO_HEADER_PADDING {
                return Some(Extra { id, content });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    fn piece(id: usize, length: usize, content: &[u8]) -> Vec<u8> {
        [&id.to_ne_bytes()[..], &length.to_ne_bytes(), content].concat()
    }

    const HEADER: usize = size_of::<sys::seL4_BootInfoHeader>();

    #[test]
    fn pieces_come_without_padding() {
        let padding = sys::SEL4_BOOTINFO_HEADER_PADDING;
        let bytes = [
            piece(6, HEADER + 3, b"fdt"),
            piece(padding, HEADER + 2, b"--"),
            piece(5, HEADER, b""),
        ]
        .concat();
        let found: Vec<_> = ExtraBootInfo { rest: &bytes }.collect();
        let expected = [(6, &b"fdt"[..]), (5, b"")].map(|(id, content)| Extra { id, content });
        assert_eq!(found, expected);
    }

    #[test]
    fn an_impossible_length_ends_it() {
        for length in [0, 1, HEADER - 1, HEADER + 4, usize::MAX] {
            let bytes = [piece(6, HEADER + 1, b"x"), piece(5, length, b"abc")].concat();
            let found: Vec<_> = ExtraBootInfo { rest: &bytes }.collect();
            assert_eq!(found.len(), 1, "{length}");
        }
        for cut in 0..HEADER {
            assert_eq!(
                ExtraBootInfo {
                    rest: &piece(6, HEADER, b"")[..cut]
                }
                .count(),
                0
            );
        }
    }
}
