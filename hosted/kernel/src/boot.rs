// SPDX-License-Identifier: GPL-2.0-only

//! Booting: the initial thread with its CSpace, VSpace and BootInfo, and untypeds of the remaining
//! memory.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use crate::arch::{self, level_shift, table_index};
use crate::arena::Id;
use crate::cap::{Cap, FrameCap, UntypedCap, VmRights};
use crate::config::{Config, PAGE_BITS, Region, WORD, WORD_BITS};
use crate::cte::{SlotId, Slots};
use crate::hostile::Hostile;
use crate::interrupt::InterruptState;
use crate::invocation::Labels;
use crate::io_port::IoPorts;
use crate::kernel::Kernel;
use crate::machine::{Access, Machine, VSpaceId};
use crate::objects::{AsidPool, CNode, Objects, PageTable, Pte};
use crate::scheduler::Scheduler;
use crate::thread::{TcbSlot, ThreadState};

const PAGE: usize = 1 << PAGE_BITS;

/// ASID of the initial thread's VSpace.
const IT_ASID: u16 = 1;

/// Maximum number of untypeds in the BootInfo: `CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS`.
const MAX_UNTYPEDS: usize = 230;

/// Slots of the root CNode with fixed content: `seL4_RootCNodeCapSlots`.
mod slot {
    pub const TCB: usize = 1;
    pub const CNODE: usize = 2;
    pub const VSPACE: usize = 3;
    pub const IRQ_CONTROL: usize = 4;
    pub const ASID_CONTROL: usize = 5;
    pub const ASID_POOL: usize = 6;
    pub const IO_PORT_CONTROL: usize = 7;
    pub const BOOT_INFO: usize = 9;
    pub const IPC_BUFFER: usize = 10;
    pub const DOMAIN: usize = 11;
    pub const SCHED_CONTEXT: usize = 14;
    pub const NUM_INITIAL_CAPS: usize = 16;
}

/// Program of the initial thread.
#[derive(Clone, Debug)]
pub struct Image {
    /// Virtual addresses of the image, in whole pages. The pages are contiguous in physical memory,
    /// from its start.
    pub vaddrs: Region,
    /// Virtual address of the IPC buffer, outside the image, followed by the BootInfo. The kernel
    /// places both behind the image.
    pub ipc_buffer: usize,
    /// Address of the first instruction.
    pub entry: usize,
    /// Extra regions of the BootInfo, each with its header, in whole words.
    pub extra: Vec<u8>,
}

/// Reason why a kernel does not boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootError {
    /// Region that does not consist of whole pages, or whose end is before its start.
    NotPages {
        /// Use of the region.
        what: &'static str,
        /// Addresses of the region.
        region: Region,
    },
    /// Image, IPC buffer or BootInfo beyond the addresses of user level.
    TooHigh {
        /// First address behind all of them.
        end: usize,
    },
    /// Not enough memory.
    Memory {
        /// Bytes that the initial thread and its objects need.
        needed: usize,
        /// Bytes of the physical memory.
        available: usize,
    },
    /// More memory than the model supports.
    TooMuchMemory {
        /// Bytes of the physical memory.
        available: usize,
    },
    /// Root CNode that is too small or too large.
    RootCNode {
        /// Number of slots, as a power of two.
        bits: u8,
    },
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            BootError::NotPages { what, region } => {
                let Region { start, end } = region;
                write!(
                    f,
                    "{what} from `{start:#x}` to `{end:#x}` are not whole pages in order; help: align both to 4096 bytes"
                )
            }
            BootError::TooHigh { end } => write!(
                f,
                "the image with its IPC buffer and BootInfo ends at `{end:#x}`, beyond the addresses of user level; help: link it at lower addresses"
            ),
            BootError::Memory { needed, available } => write!(
                f,
                "the initial thread needs `{needed}` bytes of memory, of `{available}` that there are; help: give the platform more memory"
            ),
            BootError::TooMuchMemory { available } => write!(
                f,
                "`{available}` bytes of memory are more than the model supports; help: give the platform at most 64 GiB"
            ),
            BootError::RootCNode { bits } => write!(
                f,
                "a root CNode of `2^{bits}` slots is too small for the initial capabilities, or larger than 2^26; help: set `KernelRootCNodeSizeBits`"
            ),
        }
    }
}

impl core::error::Error for BootError {}

/// Addresses that the kernel has chosen for the initial thread.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Physical memory for the image; the caller of [`Kernel::boot`] copies it there.
    pub image: Region,
    /// Virtual address of the IPC buffer.
    pub ipc_buffer: usize,
    /// Virtual address of the BootInfo.
    pub boot_info: usize,
    /// VSpace of the initial thread.
    pub vspace: VSpaceId,
}

fn ensure_pages(what: &'static str, region: Region) -> Result<(), BootError> {
    let Region { start, end } = region;
    match start % PAGE == 0 && end % PAGE == 0 && start <= end {
        true => Ok(()),
        false => Err(BootError::NotPages { what, region }),
    }
}

/// Physical addresses of everything that exists at boot.
struct BootPlan {
    layout: Layout,
    /// Paging structures for the image, the IPC buffer and the BootInfo: level, and first address.
    tables: Vec<(u8, usize)>,
    /// Number of pages for the extra regions of the BootInfo.
    extra_pages: usize,
    /// Memory of the initial thread's objects.
    objects: Region,
    /// Remaining memory, for untypeds.
    free: [Region; 2],
}

/// Returns the paging structures that addresses need, highest level first: level, and first
/// address.
fn tables_for(regions: [Region; 2]) -> Vec<(u8, usize)> {
    let mut tables = Vec::new();
    for level in (1..arch::ROOT_LEVEL).rev() {
        let span = 1 << level_shift(level + 1);
        let of_region = |region: Region| (region.start & !(span - 1)..region.end).step_by(span);
        let vaddrs: BTreeSet<usize> = regions.into_iter().flat_map(of_region).collect();
        tables.extend(vaddrs.into_iter().map(|vaddr| (level, vaddr)));
    }
    tables
}

impl BootPlan {
    fn new(config: &Config, image: &Image) -> Result<BootPlan, BootError> {
        ensure_pages("the addresses of the image", image.vaddrs)?;
        ensure_pages("the addresses of memory", config.memory)?;
        for device in &config.devices {
            ensure_pages("the addresses of a device", *device)?;
        }
        let available = config.memory.end - config.memory.start;
        if available > 64 << 30 || config.memory.end > 1 << arch::MAX_UNTYPED_BITS {
            return Err(BootError::TooMuchMemory { available });
        }
        let extra_pages = match image.extra.len() {
            0 => 0,
            bytes => bytes.div_ceil(PAGE).next_power_of_two(),
        };
        let info = Region::new(
            image.ipc_buffer,
            image.ipc_buffer.saturating_add((2 + extra_pages) * PAGE),
        );
        let end = image.vaddrs.end.max(info.end);
        if end > arch::USER_TOP {
            return Err(BootError::TooHigh { end });
        }
        ensure_pages("the addresses of the IPC buffer and the BootInfo", info)?;
        let bits = config.root_cnode_bits;
        if !(10..=26).contains(&bits) {
            return Err(BootError::RootCNode { bits });
        }
        let tables = tables_for([image.vaddrs, info]);
        let cnode = 1 << (bits + arch::SLOT_BITS);
        let image_bytes = image.vaddrs.end - image.vaddrs.start;
        // Four pages: root of the VSpace, ASID pool, IPC buffer, BootInfo.
        let objects = cnode
            + (4 + tables.len() + extra_pages) * PAGE
            + (1 << arch::TCB_BITS)
            + (1 << arch::MIN_SCHED_CONTEXT_BITS);
        let align = cnode.max(extra_pages * PAGE);
        let needed = objects + align + image_bytes;
        if needed > available {
            return Err(BootError::Memory { needed, available });
        }
        let slots = slot::NUM_INITIAL_CAPS + tables.len() + extra_pages + image_bytes / PAGE;
        if slots + MAX_UNTYPEDS > 1 << bits {
            return Err(BootError::RootCNode { bits });
        }
        let start = (config.memory.end - objects) & !(align - 1);
        let image_end = config.memory.start + image_bytes;
        let objects = Region::new(start, start + objects);
        Ok(BootPlan {
            layout: Layout {
                image: Region::new(config.memory.start, image_end),
                ipc_buffer: info.start,
                boot_info: info.start + PAGE,
                vspace: VSpaceId(start + cnode + extra_pages * PAGE),
            },
            tables,
            extra_pages,
            objects,
            free: [
                Region::new(image_end, objects.start),
                Region::new(objects.end, config.memory.end),
            ],
        })
    }
}

/// Allocator of slots of the root CNode, and of memory for the initial thread's objects.
struct RootserverAllocator {
    root: SlotId,
    next_slot: usize,
    next_paddr: usize,
}

impl RootserverAllocator {
    fn alloc_rootserver_obj(&mut self, bits: u8) -> usize {
        let paddr = self.next_paddr;
        self.next_paddr += 1 << bits;
        paddr
    }

    fn alloc_slot(&mut self) -> SlotId {
        self.next_slot += 1;
        self.root.plus(self.next_slot - 1)
    }
}

/// Regions of slots in the BootInfo, by their names there.
struct SlotRegions {
    empty: Region,
    user_image_frames: Region,
    user_image_paging: Region,
    extra_bi_pages: Region,
    schedcontrol: Region,
    untyped: Region,
}

impl<M: Machine> Kernel<M> {
    /// Boots a kernel: creates the initial thread with its objects, and untypeds of the remaining
    /// memory.
    ///
    /// The caller then copies the image to where [`Layout`] says. The memory must be zero.
    ///
    /// # Errors
    ///
    /// Fails if memory, image and root CNode do not fit each other, as [`BootError`] says.
    pub fn boot(
        machine: M,
        config: &Config,
        labels: Labels,
        image: &Image,
    ) -> Result<(Self, Layout), BootError> {
        let plan = BootPlan::new(config, image)?;
        let mut slots = Slots::default();
        let irqs = InterruptState::new(&mut slots);
        let mut kernel = Kernel {
            machine,
            config: Config {
                domains: config.domains.max(1),
                ..config.clone()
            },
            labels,
            slots,
            objects: Objects {
                mcs: config.mcs,
                ..Objects::default()
            },
            scheduler: Scheduler::new(config),
            irqs,
            ports: IoPorts::default(),
            asid_table: [None; arch::ASID_POOLS],
            halted: false,
            entries: 0,
            threads_created: 0,
            retypes: 0,
            signals: 0,
            work_units: 0,
            preempted: false,
            hostile: Hostile::new(config.hostile),
            delayed_signals: Vec::new(),
            injection: Default::default(),
        };
        kernel.create_rootserver(&plan, image);
        Ok((kernel, plan.layout))
    }

    fn create_rootserver(&mut self, plan: &BootPlan, image: &Image) {
        let bits = self.config.root_cnode_bits;
        let base = self.slots.allocate(bits);
        let mut alloc = RootserverAllocator {
            root: base,
            next_slot: slot::NUM_INITIAL_CAPS,
            next_paddr: plan.objects.start,
        };
        // The largest objects come first, so that all are aligned.
        let extra_bytes = plan.extra_pages * PAGE;
        let cnode_bytes = 1 << (bits + arch::SLOT_BITS);
        let mut extra = 0;
        if extra_bytes > cnode_bytes {
            extra = alloc.next_paddr;
            alloc.next_paddr += extra_bytes;
        }
        let cnode_paddr = alloc.alloc_rootserver_obj(bits + arch::SLOT_BITS);
        if extra_bytes != 0 && extra_bytes <= cnode_bytes {
            extra = alloc.next_paddr.next_multiple_of(extra_bytes);
            alloc.next_paddr = extra + extra_bytes;
        }
        let object = CNode { base, radix: bits };
        let cnode = Cap::CNode {
            object: self.objects.cnodes.insert(cnode_paddr, object),
            base,
            radix: bits,
            guard_size: (WORD_BITS as u8) - bits,
            guard: 0,
        };
        let root = |index: usize| base.plus(index);
        let vspace_paddr = alloc.alloc_rootserver_obj(arch::PAGE_TABLE_BITS);
        let vspace = self.create_page_table(vspace_paddr, arch::ROOT_LEVEL);
        let pool_paddr = alloc.alloc_rootserver_obj(arch::ASID_POOL_BITS);
        let ipc_buffer = alloc.alloc_rootserver_obj(PAGE_BITS);
        let boot_info = alloc.alloc_rootserver_obj(PAGE_BITS);
        let vspace_cap = Cap::VSpace {
            object: vspace,
            asid: IT_ASID,
        };
        let vspaces = BTreeMap::from([(IT_ASID, vspace)]);
        let object = self
            .objects
            .asid_pools
            .insert(pool_paddr, AsidPool { vspaces });
        self.asid_table[0] = Some(object);
        for (index, cap) in [
            (slot::CNODE, cnode),
            (slot::VSPACE, vspace_cap),
            (slot::IRQ_CONTROL, Cap::IrqControl),
            (slot::ASID_CONTROL, Cap::AsidControl),
            (slot::ASID_POOL, Cap::AsidPool { object, base: 0 }),
            (slot::DOMAIN, Cap::Domain),
        ] {
            self.slots.write_slot(root(index), cap);
        }
        if arch::IO_PORTS {
            let ports = root(slot::IO_PORT_CONTROL);
            self.slots.write_slot(ports, Cap::IoPortControl);
        }

        let start = alloc.next_slot;
        if self.config.mcs {
            self.provide_cap(&mut alloc, Cap::SchedControl);
        }
        let schedcontrol = Region::new(start, alloc.next_slot);
        let user_image_paging = self.create_paging_structures(&plan.tables, vspace, &mut alloc);
        let info = self.create_mapped_frame(vspace, plan.layout.boot_info, boot_info);
        self.slots.write_slot(root(slot::BOOT_INFO), info);
        let extra_bi_pages = self.create_frames_of_region(
            vspace,
            Region::new(extra, extra + extra_bytes),
            plan.layout.boot_info + PAGE,
            &mut alloc,
        );
        let buffer = self.create_mapped_frame(vspace, plan.layout.ipc_buffer, ipc_buffer);
        self.slots.write_slot(root(slot::IPC_BUFFER), buffer);
        let (pages, vaddr) = (plan.layout.image, image.vaddrs.start);
        let user_image_frames = self.create_frames_of_region(vspace, pages, vaddr, &mut alloc);

        let thread = self.create_initial_thread(&mut alloc, plan, image);
        self.slots.write_slot(root(slot::TCB), thread);
        let (untyped, untyped_list) = self.create_untypeds(plan, &mut alloc);
        let regions = SlotRegions {
            empty: Region::new(alloc.next_slot, 1 << bits),
            user_image_frames,
            user_image_paging,
            extra_bi_pages,
            schedcontrol,
            untyped,
        };
        self.populate_bi_frame(boot_info, plan, image, &regions, &untyped_list);
        for (index, bytes) in image.extra.chunks(WORD).enumerate() {
            let mut word = [0; WORD];
            word[..bytes.len()].copy_from_slice(bytes);
            self.machine
                .write_word(extra + index * WORD, usize::from_ne_bytes(word));
        }
    }

    /// Puts a capability into the next free slot of the root CNode.
    fn provide_cap(&mut self, alloc: &mut RootserverAllocator, cap: Cap) {
        self.slots.write_slot(alloc.alloc_slot(), cap);
    }

    /// Creates paging structures, highest level first. Returns their slots.
    fn create_paging_structures(
        &mut self,
        tables: &[(u8, usize)],
        root: Id<PageTable>,
        alloc: &mut RootserverAllocator,
    ) -> Region {
        let start = alloc.next_slot;
        for &(level, vaddr) in tables {
            let paddr = alloc.alloc_rootserver_obj(arch::PAGE_TABLE_BITS);
            let table = self.create_page_table(paddr, level);
            self.set_pte(root, vaddr, level + 1, Pte::PageTable(table));
            let cap = Cap::PageTable {
                object: table,
                vaddr,
                asid: IT_ASID,
                mapped: true,
            };
            self.provide_cap(alloc, cap);
        }
        Region::new(start, alloc.next_slot)
    }

    /// Sets the entry for an address in the paging structure of a level, which exists.
    fn set_pte(&mut self, root: Id<PageTable>, vaddr: usize, level: u8, pte: Pte) {
        if let Ok(table) = self.lookup_page_table(root, vaddr, level) {
            let entries = &mut self.objects.page_tables[table].entries;
            entries.insert(table_index(level, vaddr), pte);
        }
    }

    /// Creates and maps frames of contiguous memory. Returns their slots.
    fn create_frames_of_region(
        &mut self,
        root: Id<PageTable>,
        pages: Region,
        vaddr: usize,
        alloc: &mut RootserverAllocator,
    ) -> Region {
        let start = alloc.next_slot;
        for paddr in (pages.start..pages.end).step_by(PAGE) {
            let cap = self.create_mapped_frame(root, vaddr + (paddr - pages.start), paddr);
            self.provide_cap(alloc, cap);
        }
        Region::new(start, alloc.next_slot)
    }

    fn create_mapped_frame(&mut self, root: Id<PageTable>, vaddr: usize, paddr: usize) -> Cap {
        let access = Access {
            write: true,
            execute: true,
        };
        let entry = Pte::Frame {
            paddr,
            access: Some(access),
        };
        self.set_pte(root, vaddr, 1, entry);
        let id = VSpaceId(self.objects.page_tables.paddr(root));
        self.machine.map(id, vaddr, paddr, PAGE_BITS, access);
        Cap::Frame(FrameCap {
            paddr,
            vaddr,
            asid: IT_ASID,
            size_bits: PAGE_BITS,
            rights: VmRights::ReadWrite,
            device: false,
        })
    }

    fn create_initial_thread(
        &mut self,
        alloc: &mut RootserverAllocator,
        plan: &BootPlan,
        image: &Image,
    ) -> Cap {
        let root = alloc.root;
        let paddr = alloc.alloc_rootserver_obj(arch::TCB_BITS);
        let id = self.create_tcb(paddr, "rootserver".into());
        let thread = &mut self.objects.threads[id];
        let slots = thread.slots;
        (thread.priority, thread.mcp) = (u8::MAX, u8::MAX);
        thread.state = ThreadState::Running;
        thread.ipc_buffer = plan.layout.ipc_buffer;
        thread.context[arch::CAP] = plan.layout.boot_info;
        thread.context.next = image.entry;
        thread.context[arch::IP] = image.entry;
        for (index, to) in [
            (slot::CNODE, TcbSlot::CTable),
            (slot::VSPACE, TcbSlot::VTable),
            (slot::IPC_BUFFER, TcbSlot::Buffer),
        ] {
            let from = root.plus(index);
            if let Ok(cap) = self.derive_cap(from, self.slots.cap(from)) {
                self.cte_insert(cap, from, slots.plus(to as usize));
            }
        }
        if self.config.mcs {
            let paddr = alloc.alloc_rootserver_obj(arch::MIN_SCHED_CONTEXT_BITS);
            let sc = self.create_root_sched_context(paddr, id);
            self.slots.write_slot(root.plus(slot::SCHED_CONTEXT), sc);
        } else {
            self.setup_reply_master(id);
        }
        self.tcb_sched_enqueue(id);
        self.exit_kernel();
        Cap::Thread(id)
    }

    /// Creates untypeds of devices and of the remaining memory. Returns their slots, and the list
    /// for the BootInfo.
    fn create_untypeds(
        &mut self,
        plan: &BootPlan,
        alloc: &mut RootserverAllocator,
    ) -> (Region, Vec<[usize; 2]>) {
        let start = alloc.next_slot;
        let mut list = Vec::new();
        let devices = self.config.devices.clone();
        let devices = devices.into_iter().map(|region| (region, true));
        let free = plan.free.into_iter().map(|region| (region, false));
        for (mut region, device) in devices.chain(free) {
            while region.start < region.end && list.len() < MAX_UNTYPEDS {
                let fits = (region.end - region.start).ilog2();
                let aligned = region.start.trailing_zeros();
                let size_bits = fits.min(aligned).min(arch::MAX_UNTYPED_BITS.into()) as u8;
                if size_bits >= arch::MIN_UNTYPED_BITS {
                    let cap = Cap::Untyped(UntypedCap {
                        paddr: region.start,
                        free_index: 0,
                        size_bits,
                        device,
                    });
                    self.provide_cap(alloc, cap);
                    let kind = usize::from(size_bits) | usize::from(device) << 8;
                    list.push([region.start, kind]);
                }
                region.start += 1 << size_bits;
            }
        }
        (Region::new(start, alloc.next_slot), list)
    }

    /// Writes the `seL4_BootInfo`.
    fn populate_bi_frame(
        &mut self,
        paddr: usize,
        plan: &BootPlan,
        image: &Image,
        regions: &SlotRegions,
        untyped_list: &[[usize; 2]],
    ) {
        let none = Region::new(0, 0);
        let mut words = vec![
            image.extra.len(),
            0,
            1,
            arch::IO_TABLE_LEVELS,
            plan.layout.ipc_buffer,
        ];
        for region in [
            regions.empty,
            none,
            regions.user_image_frames,
            regions.user_image_paging,
            none,
            regions.extra_bi_pages,
        ] {
            words.extend([region.start, region.end]);
        }
        words.extend([usize::from(self.config.root_cnode_bits), 0]);
        if self.config.mcs {
            words.extend([regions.schedcontrol.start, regions.schedcontrol.end]);
        }
        words.extend([regions.untyped.start, regions.untyped.end]);
        words.extend(untyped_list.iter().flatten());
        for (index, word) in words.into_iter().enumerate() {
            self.machine.write_word(paddr + index * WORD, word);
        }
    }
}
