// SPDX-License-Identifier: GPL-2.0-only

//! VSpaces: frames, paging structures and ASIDs, and their invocations.
//!
//! The processor would walk the paging structures. Instead, the machine receives each mapping that
//! user level gains or loses.

use crate::arch::{self, level_shift, table_index};
use crate::arena::Id;
use crate::cap::{Cap, CapRights, FrameCap, UntypedCap, VmRights, low_bits};
use crate::decode::{InvocationResult, Request, range_check};
use crate::error::{Error, LookupFailure};
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::{Access, Machine, VSpaceId};
use crate::objects::{AsidPool, PageTable, Pte};
use crate::thread::{TcbSlot, ThreadId};

/// Bits of an ASID that index its pool.
const ASID_MASK: u16 = (1 << arch::ASID_LOW_BITS) - 1;

/// Result of a walk through the paging structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Frame, in a paging structure of this level.
    Frame(u8),
    /// Empty entry, in a paging structure of this level.
    Missing(u8),
}

impl<M: Machine> Kernel<M> {
    fn find_vspace_for_asid(&self, asid: u16) -> Result<Id<PageTable>, LookupFailure> {
        let index = usize::from(asid >> arch::ASID_LOW_BITS);
        let pool = self.asid_table.get(index).copied().flatten();
        let vspace = pool.and_then(|pool| {
            let vspaces = &self.objects.asid_pools[pool].vspaces;
            vspaces.get(&(asid & ASID_MASK)).copied()
        });
        vspace.ok_or(LookupFailure::InvalidRoot)
    }

    /// Returns the paging structure of a level on the way to an address.
    pub(crate) fn lookup_page_table(
        &self,
        root: Id<PageTable>,
        vaddr: usize,
        level: u8,
    ) -> Result<Id<PageTable>, LookupFailure> {
        let mut table = root;
        for above in (level + 1..=arch::ROOT_LEVEL).rev() {
            match self.pte(table, above, vaddr) {
                Some(Pte::PageTable(next)) => table = next,
                _ => {
                    let bits_left = level_shift(above) as usize;
                    return Err(LookupFailure::MissingCapability { bits_left });
                }
            }
        }
        Ok(table)
    }

    /// Returns the entry for an address in a paging structure of this level.
    fn pte(&self, table: Id<PageTable>, level: u8, vaddr: usize) -> Option<Pte> {
        let entries = &self.objects.page_tables[table].entries;
        entries.get(&table_index(level, vaddr)).copied()
    }

    /// Returns the entry of a paging structure of this level on the way to an address.
    fn lookup_pte(&self, root: Id<PageTable>, vaddr: usize, level: u8) -> Option<Pte> {
        let table = self.lookup_page_table(root, vaddr, level).ok()?;
        self.pte(table, level, vaddr)
    }

    /// Returns the VSpace of the first extra capability, and its ASID.
    fn extra_vspace(&self, request: &Request) -> Result<(Id<PageTable>, u16), Error> {
        match self.extra_cap(request, 0)? {
            (Cap::VSpace { object, asid }, _) if asid != 0 => Ok((object, asid)),
            _ => Err(Error::InvalidCapability(1)),
        }
    }

    /// Checks that a VSpace still has its ASID.
    fn ensure_vspace_assigned(&self, root: Id<PageTable>, asid: u16) -> InvocationResult {
        match self.find_vspace_for_asid(asid) {
            Ok(vspace) if vspace == root => Ok(()),
            Ok(_) => Err(Error::InvalidCapability(1)),
            Err(failure) => Err(failed_lookup(failure)),
        }
    }

    fn vspace_id(&self, root: Id<PageTable>) -> VSpaceId {
        VSpaceId(self.objects.page_tables.paddr(root))
    }

    /// Returns a fault with the status that the processor would report for the thread's paging
    /// structures. The host's page tables differ from them.
    pub(crate) fn hardware_fault(&self, thread: ThreadId, fault: Fault) -> Fault {
        let Fault::Vm {
            address,
            status,
            instruction,
        } = fault
        else {
            return fault;
        };
        let slot = self.objects.threads[thread].slot(TcbSlot::VTable);
        let walk = match self.slots.cap(slot) {
            Cap::VSpace { object, .. } => self.walk(object, address),
            _ => Walk::Missing(arch::ROOT_LEVEL),
        };
        let (status, instruction) = arch::vm_fault_status(status, instruction, address, walk);
        Fault::Vm {
            address,
            status,
            instruction,
        }
    }

    fn walk(&self, root: Id<PageTable>, address: usize) -> Walk {
        let mut table = root;
        for level in (1..=arch::ROOT_LEVEL).rev() {
            if address > arch::USER_TOP {
                return Walk::Missing(level);
            }
            match self.pte(table, level, address) {
                Some(Pte::PageTable(below)) => table = below,
                Some(Pte::Frame { .. }) => return Walk::Frame(level),
                None => return Walk::Missing(level),
            }
        }
        unreachable!("a page table of level 1 maps frames only")
    }

    pub(crate) fn decode_frame_invocation(&mut self, request: &Request) -> InvocationResult {
        match request.invocation {
            Some(arch::PAGE_MAP) => self.decode_page_map(request),
            Some(arch::PAGE_UNMAP) => {
                self.begin_perform(request.thread);
                self.perform_page_unmap(request);
                Ok(())
            }
            Some(arch::PAGE_GET_ADDRESS) => match request.cap {
                Cap::Frame(frame) => self.reply_from_kernel(request, &[frame.paddr]),
                _ => Err(Error::InvalidCapability(0)),
            },
            Some(
                invocation @ (Invocation::ARMPageClean_Data
                | Invocation::ARMPageInvalidate_Data
                | Invocation::ARMPageCleanInvalidate_Data
                | Invocation::ARMPageUnify_Instruction),
            ) => self.decode_page_flush(request, invocation == Invocation::ARMPageInvalidate_Data),
            _ => Err(Error::IllegalOperation),
        }
    }

    /// Checks a flush of a part of a frame; there are no caches. Invalidation loses data, so that
    /// it needs a mapping with write access.
    fn decode_page_flush(&mut self, request: &Request, needs_write: bool) -> InvocationResult {
        request.ensure_length(2, 0)?;
        let Cap::Frame(frame) = request.cap else {
            return Err(Error::InvalidCapability(0));
        };
        if frame.asid == 0 {
            return Err(Error::IllegalOperation);
        }
        let root = self.find_vspace_for_asid(frame.asid);
        let root = root.map_err(failed_lookup)?;
        let [start, end] = self.get_syscall_args(request);
        if end <= start {
            return Err(Error::InvalidArgument(1));
        }
        if start >= 1 << frame.size_bits || end > 1 << frame.size_bits {
            return Err(Error::InvalidArgument(0));
        }
        match self.lookup_pte(root, frame.vaddr, arch::frame_level(frame.size_bits)) {
            Some(pte @ Pte::Frame { paddr, .. }) if paddr == frame.paddr => {
                if needs_write && !pte.allows_write() {
                    return Err(Error::IllegalOperation);
                }
            }
            _ => return Err(Error::InvalidCapability(0)),
        }
        self.begin_perform(request.thread);
        Ok(())
    }

    /// Checks a flush of addresses of a VSpace; there are no caches.
    pub(crate) fn decode_vspace_invocation(&mut self, request: &Request) -> InvocationResult {
        use Invocation::*;
        let needs_write = match request.invocation {
            Some(ARMVSpaceInvalidate_Data) => true,
            Some(
                ARMVSpaceClean_Data | ARMVSpaceCleanInvalidate_Data | ARMVSpaceUnify_Instruction,
            ) => false,
            _ => return Err(Error::IllegalOperation),
        };
        request.ensure_length(2, 0)?;
        let [start, end] = self.get_syscall_args(request);
        if end <= start {
            return Err(Error::InvalidArgument(1));
        }
        if end > arch::USER_TOP {
            return Err(Error::IllegalOperation);
        }
        let Cap::VSpace { object, asid } = request.cap else {
            return Err(Error::InvalidCapability(0));
        };
        if asid == 0 || self.find_vspace_for_asid(asid).map_err(failed_lookup)? != object {
            return Err(Error::InvalidCapability(0));
        }
        if let Walk::Frame(level) = self.walk(object, start) {
            let last = start | low_bits(level_shift(level));
            range_check(end - 1, start..=last)?;
            let pte = self.lookup_pte(object, start, level);
            if needs_write && !pte.is_some_and(Pte::allows_write) {
                return Err(Error::IllegalOperation);
            }
        }
        self.begin_perform(request.thread);
        Ok(())
    }

    fn decode_page_map(&mut self, request: &Request) -> InvocationResult {
        request.ensure_length(3, 1)?;
        let [vaddr, rights, attributes] = self.get_syscall_args(request);
        let (root, asid) = self.extra_vspace(request)?;
        let Cap::Frame(frame) = request.cap else {
            return Err(Error::InvalidCapability(0));
        };
        // The architectures make the same checks in different orders.
        if !arch::TABLES_HAVE_LEVELS {
            self.ensure_vspace_assigned(root, asid)?;
            check_vp_alignment(vaddr, frame.size_bits)?;
        }
        if frame.asid != 0 {
            if frame.asid != asid {
                return Err(Error::InvalidCapability(1));
            }
            if frame.vaddr != vaddr {
                return Err(Error::InvalidArgument(0));
            }
        } else if !arch::is_in_user_range(vaddr, frame.size_bits) {
            return Err(Error::InvalidArgument(0));
        }
        self.ensure_vspace_assigned(root, asid)?;
        check_vp_alignment(vaddr, frame.size_bits)?;
        let level = arch::frame_level(frame.size_bits);
        let table = self.lookup_page_table(root, vaddr, level);
        let table = table.map_err(failed_lookup)?;
        if let Some(Pte::PageTable(_)) = self.pte(table, level, vaddr) {
            return Err(match self.walk(root, vaddr) {
                Walk::Missing(level) | Walk::Frame(level) if !arch::TABLES_HAVE_LEVELS => {
                    let bits_left = level_shift(level) as usize;
                    failed_lookup(LookupFailure::MissingCapability { bits_left })
                }
                _ => Error::DeleteFirst,
            });
        }
        let access = match frame.rights.mask_vm_rights(CapRights::from_word(rights)) {
            VmRights::KernelOnly => None,
            rights => Some(Access {
                write: rights == VmRights::ReadWrite,
                execute: arch::is_executable(attributes),
            }),
        };
        self.begin_perform(request.thread);
        let frame = FrameCap {
            vaddr,
            asid,
            ..frame
        };
        *self.slots.cap_mut(request.slot) = Cap::Frame(frame);
        self.perform_page_map(frame, root, table, access);
        Ok(())
    }

    fn perform_page_map(
        &mut self,
        frame: FrameCap,
        root: Id<PageTable>,
        table: Id<PageTable>,
        access: Option<Access>,
    ) {
        let FrameCap {
            paddr,
            vaddr,
            size_bits,
            ..
        } = frame;
        let index = table_index(arch::frame_level(size_bits), vaddr);
        let entries = &mut self.objects.page_tables[table].entries;
        let old = entries.insert(index, Pte::Frame { paddr, access });
        let vspace = self.vspace_id(root);
        if let Some(access) = access {
            self.machine.map(vspace, vaddr, paddr, size_bits, access);
        } else if old.is_some_and(Pte::is_accessible) {
            self.machine.unmap(vspace, vaddr, size_bits);
        }
    }

    fn perform_page_unmap(&mut self, request: &Request) {
        if let Cap::Frame(frame) = self.slots.cap_mut(request.slot)
            && frame.asid != 0
        {
            let mapped = *frame;
            (frame.vaddr, frame.asid) = (0, 0);
            self.unmap_page(mapped);
        }
    }

    /// Unmaps a frame, if it is mapped and nothing else is mapped at its address by now.
    pub(crate) fn unmap_page(&mut self, frame: FrameCap) {
        let (vaddr, level) = (frame.vaddr, arch::frame_level(frame.size_bits));
        if frame.asid != 0
            && let Ok(root) = self.find_vspace_for_asid(frame.asid)
            && let Ok(table) = self.lookup_page_table(root, vaddr, level)
            && let Some(pte @ Pte::Frame { paddr, .. }) = self.pte(table, level, vaddr)
            && paddr == frame.paddr
        {
            let entries = &mut self.objects.page_tables[table].entries;
            entries.remove(&table_index(level, vaddr));
            if pte.is_accessible() {
                let vspace = self.vspace_id(root);
                self.machine.unmap(vspace, vaddr, frame.size_bits);
            }
        }
    }

    pub(crate) fn decode_page_table_invocation(&mut self, request: &Request) -> InvocationResult {
        let Cap::PageTable {
            object,
            vaddr,
            asid,
            mapped,
        } = request.cap
        else {
            return Err(Error::InvalidCapability(0));
        };
        let level = self.objects.page_tables[object].level;
        match request.invocation {
            Some(invocation) if arch::is_page_table_unmap(invocation, level) => {
                if !self.is_final_capability(request.slot) {
                    return Err(Error::RevokeFirst);
                }
                self.begin_perform(request.thread);
                if mapped {
                    self.unmap_page_table(object, asid, vaddr);
                    self.objects.page_tables[object].entries.clear();
                }
                if let Cap::PageTable { mapped, .. } = self.slots.cap_mut(request.slot) {
                    *mapped = false;
                }
                Ok(())
            }
            Some(invocation) if arch::is_page_table_map(invocation, level) => {
                self.decode_page_table_map(request, object, level, mapped)
            }
            _ => Err(Error::IllegalOperation),
        }
    }

    fn decode_page_table_map(
        &mut self,
        request: &Request,
        table: Id<PageTable>,
        mut level: u8,
        mapped: bool,
    ) -> InvocationResult {
        request.ensure_length(2, 1)?;
        if mapped {
            return Err(Error::InvalidCapability(0));
        }
        let mut vaddr = self.get_syscall_arg(request, 0);
        if arch::TABLES_HAVE_LEVELS {
            vaddr &= !low_bits(level_shift(level + 1));
        }
        let (root, asid) = self.extra_vspace(request)?;
        if vaddr > arch::USER_TOP {
            return Err(Error::InvalidArgument(0));
        }
        self.ensure_vspace_assigned(root, asid)?;
        if !arch::TABLES_HAVE_LEVELS {
            level = match self.walk(root, vaddr) {
                Walk::Missing(above @ 2..) => above - 1,
                _ => return Err(Error::DeleteFirst),
            };
            vaddr &= !low_bits(level_shift(level + 1));
            self.objects.page_tables[table].level = level;
        }
        let above = self.lookup_page_table(root, vaddr, level + 1);
        let above = above.map_err(failed_lookup)?;
        if self.pte(above, level + 1, vaddr).is_some() {
            return Err(Error::DeleteFirst);
        }
        self.begin_perform(request.thread);
        let entries = &mut self.objects.page_tables[above].entries;
        entries.insert(table_index(level + 1, vaddr), Pte::PageTable(table));
        *self.slots.cap_mut(request.slot) = Cap::PageTable {
            object: table,
            vaddr,
            asid,
            mapped: true,
        };
        Ok(())
    }

    /// Removes a paging structure from the one above it, unless something else is there by now.
    pub(crate) fn unmap_page_table(&mut self, table: Id<PageTable>, asid: u16, vaddr: usize) {
        let level = self.objects.page_tables[table].level + 1;
        if let Ok(root) = self.find_vspace_for_asid(asid)
            && let Ok(above) = self.lookup_page_table(root, vaddr, level)
            && self.pte(above, level, vaddr) == Some(Pte::PageTable(table))
        {
            let entries = &mut self.objects.page_tables[above].entries;
            entries.remove(&table_index(level, vaddr));
            self.unmap_frames_below(root, table, vaddr);
        }
    }

    /// Unmaps, on the machine, all frames below a paging structure that is no longer reachable.
    fn unmap_frames_below(&mut self, root: Id<PageTable>, table: Id<PageTable>, vaddr: usize) {
        let vspace = self.vspace_id(root);
        let mut tables = vec![(table, vaddr)];
        while let Some((table, vaddr)) = tables.pop() {
            let PageTable { level, entries } = &self.objects.page_tables[table];
            for (index, pte) in entries {
                let vaddr = vaddr + (usize::from(*index) << level_shift(*level));
                match pte {
                    Pte::PageTable(below) => tables.push((*below, vaddr)),
                    Pte::Frame { access: None, .. } => {}
                    Pte::Frame { .. } => {
                        let size_bits = level_shift(*level) as u8;
                        self.machine.unmap(vspace, vaddr, size_bits);
                    }
                }
            }
        }
    }

    pub(crate) fn decode_asid_control_invocation(&mut self, request: &Request) -> InvocationResult {
        if request.invocation != Some(arch::ASID_CONTROL_MAKE_POOL) {
            return Err(Error::IllegalOperation);
        }
        request.ensure_length(2, 2)?;
        let [index, depth] = self.get_syscall_args(request);
        let (untyped, parent) = self.extra_cap(request, 0)?;
        let (root, _) = self.extra_cap(request, 1)?;
        let free = self.asid_table.iter().position(Option::is_none);
        let number = free.ok_or(Error::DeleteFirst)?;
        let Cap::Untyped(UntypedCap {
            paddr,
            size_bits: arch::ASID_POOL_BITS,
            device: false,
            ..
        }) = untyped
        else {
            return Err(Error::InvalidCapability(1));
        };
        self.ensure_no_children(parent)?;
        let slot = self.lookup_empty_target_slot(root, index, depth)?;
        self.begin_perform(request.thread);
        self.set_untyped_cap_as_full(parent);
        let vspaces = Default::default();
        let object = self.objects.asid_pools.insert(paddr, AsidPool { vspaces });
        let base = (number as u16) << arch::ASID_LOW_BITS;
        self.cte_insert(Cap::AsidPool { object, base }, parent, slot);
        self.asid_table[number] = Some(object);
        Ok(())
    }

    pub(crate) fn decode_asid_pool_invocation(&mut self, request: &Request) -> InvocationResult {
        if request.invocation != Some(arch::ASID_POOL_ASSIGN) {
            return Err(Error::IllegalOperation);
        }
        request.ensure_length(0, 1)?;
        let Cap::AsidPool { object, base } = request.cap else {
            return Err(Error::InvalidCapability(0));
        };
        let (
            Cap::VSpace {
                object: root,
                asid: 0,
            },
            slot,
        ) = self.extra_cap(request, 0)?
        else {
            return Err(Error::InvalidCapability(1));
        };
        match self.asid_table[usize::from(base >> arch::ASID_LOW_BITS)] {
            None => return Err(failed_lookup(LookupFailure::InvalidRoot)),
            Some(pool) if pool != object => return Err(Error::InvalidCapability(0)),
            Some(_) => {}
        }
        let vspaces = &mut self.objects.asid_pools[object].vspaces;
        // ASID 0 is never assigned.
        let mut free = (0..=ASID_MASK).filter(|low| base + low != 0 && !vspaces.contains_key(low));
        let low = free.next().ok_or(Error::DeleteFirst)?;
        vspaces.insert(low, root);
        if let Cap::VSpace { asid, .. } = self.slots.cap_mut(slot) {
            *asid = base + low;
        }
        self.begin_perform(request.thread);
        Ok(())
    }

    /// Removes a VSpace from its ASID pool.
    pub(crate) fn delete_asid(&mut self, asid: u16, root: Id<PageTable>) {
        if self.find_vspace_for_asid(asid) == Ok(root)
            && let Some(pool) = self.asid_table[usize::from(asid >> arch::ASID_LOW_BITS)]
        {
            let vspaces = &mut self.objects.asid_pools[pool].vspaces;
            vspaces.remove(&(asid & ASID_MASK));
            self.unmap_frames_below(root, root, 0);
        }
    }

    /// Removes an ASID pool, with all VSpaces in it.
    pub(crate) fn delete_asid_pool(&mut self, base: u16, pool: Id<AsidPool>) {
        let number = usize::from(base >> arch::ASID_LOW_BITS);
        if self.asid_table[number] == Some(pool) {
            self.asid_table[number] = None;
            let vspaces = core::mem::take(&mut self.objects.asid_pools[pool].vspaces);
            for root in vspaces.into_values() {
                self.unmap_frames_below(root, root, 0);
            }
        }
    }
}

impl Pte {
    /// Returns whether user level can access the mapped frame.
    const fn is_accessible(self) -> bool {
        matches!(
            self,
            Pte::Frame {
                access: Some(_),
                ..
            }
        )
    }

    /// Returns whether user level can write to the mapped frame.
    const fn allows_write(self) -> bool {
        matches!(
            self,
            Pte::Frame {
                access: Some(Access { write: true, .. }),
                ..
            }
        )
    }
}

fn check_vp_alignment(vaddr: usize, size_bits: u8) -> InvocationResult {
    match vaddr & low_bits(size_bits.into()) {
        0 => Ok(()),
        _ => Err(Error::AlignmentError),
    }
}

fn failed_lookup(failure: LookupFailure) -> Error {
    Error::FailedLookup {
        source: false,
        failure,
    }
}
