// SPDX-License-Identifier: GPL-2.0-only

//! Address vspaces: frames, paging structures, and the identifiers of address vspaces.
//!
//! The processor would walk the paging structures; the machine is told each frame that becomes
//! reachable for user level, or no longer is.

use crate::arch::{self, level_shift, table_index};
use crate::arena::Id;
use crate::cap::{Cap, CapRights, VmRights, low_bits};
use crate::error::{Error, LookupFailure};
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::{Access, Machine, VSpaceId};
use crate::objects::{AsidPool, PageTable, Pte};
use crate::request::{InvocationResult, Request};
use crate::thread::{TcbSlot, ThreadId};

/// What the slots of a pool are.
const ASID_MASK: u16 = (1 << arch::ASID_LOW_BITS) - 1;

/// Where a walk through the paging structures ends: at a frame, or at nothing, in a table of this
/// level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    Frame(u8),
    Missing(u8),
}

impl<M: Machine> Kernel<M> {
    /// The root of the address space that has an identifier.
    fn find_vspace_for_asid(&self, asid: u16) -> Result<Id<PageTable>, LookupFailure> {
        let pool = self
            .asid_table
            .get(usize::from(asid >> arch::ASID_LOW_BITS));
        let pool = pool.copied().flatten();
        let space = pool.and_then(|pool| {
            self.objects.asid_pools[pool]
                .vspaces
                .get(&(asid & ASID_MASK))
        });
        space.copied().ok_or(LookupFailure::InvalidRoot)
    }

    /// The table of a level that an address leads to.
    fn lookup_page_table(
        &self,
        root: Id<PageTable>,
        vaddr: usize,
        level: u8,
    ) -> Result<Id<PageTable>, LookupFailure> {
        let mut table = root;
        for above in (level + 1..=arch::ROOT_LEVEL).rev() {
            let entries = &self.objects.page_tables[table].entries;
            match entries.get(&table_index(above, vaddr)) {
                Some(Pte::PageTable(next)) => table = *next,
                _ => {
                    let bits_left = PageTable::bits_missing(above - 1);
                    return Err(LookupFailure::MissingCapability { bits_left });
                }
            }
        }
        Ok(table)
    }

    /// The address space that a capability of the message is to, with its identifier.
    fn extra_vspace(&self, request: &Request) -> Result<(Id<PageTable>, u16), Error> {
        match self.extra_cap(request, 0)? {
            (Cap::VSpace { object, asid }, _) if asid != 0 => Ok((object, asid)),
            _ => Err(Error::InvalidCapability(1)),
        }
    }

    /// It still has its identifier.
    fn ensure_vspace_assigned(&self, root: Id<PageTable>, asid: u16) -> InvocationResult {
        match self.find_vspace_for_asid(asid) {
            Ok(space) if space == root => Ok(()),
            Ok(_) => Err(Error::InvalidCapability(1)),
            Err(failure) => Err(not_mapped(failure)),
        }
    }

    fn vspace_id(&self, root: Id<PageTable>) -> VSpaceId {
        VSpaceId(self.objects.page_tables.paddr(root))
    }

    /// A fault as the processor tells it that walks the kernel's page tables: the host's differ.
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

    /// Where a walk from the root ends.
    fn walk(&self, root: Id<PageTable>, address: usize) -> Walk {
        let mut table = root;
        for level in (1..=arch::ROOT_LEVEL).rev() {
            if address > arch::USER_TOP {
                return Walk::Missing(level);
            }
            let entries = &self.objects.page_tables[table].entries;
            match entries.get(&table_index(level, address)) {
                Some(Pte::PageTable(below)) => table = *below,
                Some(Pte::Frame { .. }) => return Walk::Frame(level),
                None => return Walk::Missing(level),
            }
        }
        unreachable!("what a table of level 1 maps are frames")
    }

    pub(crate) fn decode_frame_invocation(&mut self, request: &Request) -> InvocationResult {
        match request.invocation {
            Some(arch::PAGE_MAP) => self.decode_page_map(request),
            Some(arch::PAGE_UNMAP) => {
                self.begin_perform(request.thread);
                if let Cap::Frame {
                    paddr,
                    vaddr,
                    asid,
                    size_bits,
                    ..
                } = request.cap
                    && asid != 0
                {
                    self.unmap_page(asid, vaddr, paddr, size_bits);
                    self.set_frame_mapping(request, 0, 0);
                }
                Ok(())
            }
            Some(arch::PAGE_ADDRESS) => match request.cap {
                Cap::Frame { paddr, .. } => self.reply_from_kernel(request, &[paddr]),
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

    /// Cleans or invalidates caches of a part of a frame, which there are none of. What is lost when
    /// it is done must be writable.
    fn decode_page_flush(&mut self, request: &Request, needs_write: bool) -> InvocationResult {
        request.ensure_length(2, 0)?;
        let Cap::Frame {
            paddr,
            vaddr,
            asid,
            size_bits,
            ..
        } = request.cap
        else {
            return Err(Error::InvalidCapability(0));
        };
        if asid == 0 {
            return Err(Error::IllegalOperation);
        }
        let root = self.find_vspace_for_asid(asid).map_err(not_mapped)?;
        let [start, end] = self.get_syscall_args(request);
        if end <= start {
            return Err(Error::InvalidArgument(1));
        }
        if start >= 1 << size_bits || end > 1 << size_bits {
            return Err(Error::InvalidArgument(0));
        }
        let level = arch::frame_level(size_bits);
        let table = self.lookup_page_table(root, vaddr, level);
        let entry = table.ok().and_then(|table| {
            let entries = &self.objects.page_tables[table].entries;
            entries.get(&table_index(level, vaddr)).copied()
        });
        match entry {
            Some(Pte::Frame {
                paddr: mapped,
                access,
            }) if mapped == paddr => {
                if needs_write && !access.is_some_and(|access| access.write) {
                    return Err(Error::IllegalOperation);
                }
            }
            _ => return Err(Error::InvalidCapability(0)),
        }
        self.begin_perform(request.thread);
        Ok(())
    }

    /// The same for addresses of an address space.
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
        if asid == 0 || self.find_vspace_for_asid(asid).map_err(not_mapped)? != object {
            return Err(Error::InvalidCapability(0));
        }
        if let Walk::Frame(level) = self.walk(object, start) {
            let bits = level_shift(level);
            let last = start | low_bits(bits);
            if end - 1 > last {
                return Err(Error::RangeError {
                    min: start,
                    max: last,
                });
            }
            let entry = self
                .lookup_page_table(object, start, level)
                .ok()
                .and_then(|table| {
                    let entries = &self.objects.page_tables[table].entries;
                    entries.get(&table_index(level, start)).copied()
                });
            let writes = |entry: &Pte| matches!(entry, Pte::Frame { access: Some(access), .. } if access.write);
            if needs_write && !entry.as_ref().is_some_and(writes) {
                return Err(Error::IllegalOperation);
            }
        }
        self.begin_perform(request.thread);
        Ok(())
    }

    /// Writes into a frame's capability where it is mapped.
    fn set_frame_mapping(&mut self, request: &Request, new_asid: u16, new_vaddr: usize) {
        if let Cap::Frame { vaddr, asid, .. } = self.slots.cap_mut(request.slot) {
            (*vaddr, *asid) = (new_vaddr, new_asid);
        }
    }

    fn decode_page_map(&mut self, request: &Request) -> InvocationResult {
        request.ensure_length(3, 1)?;
        let [vaddr, rights, attributes] = self.get_syscall_args(request);
        let (root, asid) = self.extra_vspace(request)?;
        let Cap::Frame {
            paddr,
            vaddr: mapped_at,
            asid: mapped_in,
            size_bits,
            rights: held,
            ..
        } = request.cap
        else {
            return Err(Error::InvalidCapability(0));
        };
        // Which of two errors is told first differs.
        if !arch::TABLES_HAVE_LEVELS {
            self.ensure_vspace_assigned(root, asid)?;
            ensure_aligned(vaddr, size_bits)?;
        }
        if mapped_in != 0 {
            if mapped_in != asid {
                return Err(Error::InvalidCapability(1));
            }
            if mapped_at != vaddr {
                return Err(Error::InvalidArgument(0));
            }
        } else if !arch::has_room(vaddr, size_bits) {
            return Err(Error::InvalidArgument(0));
        }
        self.ensure_vspace_assigned(root, asid)?;
        ensure_aligned(vaddr, size_bits)?;
        let level = arch::frame_level(size_bits);
        let table = self
            .lookup_page_table(root, vaddr, level)
            .map_err(not_mapped)?;
        let index = table_index(level, vaddr);
        let before = self.objects.page_tables[table].entries.get(&index).copied();
        if matches!(before, Some(Pte::PageTable(_))) {
            return Err(match self.walk(root, vaddr) {
                Walk::Missing(level) | Walk::Frame(level) if !arch::TABLES_HAVE_LEVELS => {
                    let bits_left = level_shift(level) as usize;
                    not_mapped(LookupFailure::MissingCapability { bits_left })
                }
                _ => Error::DeleteFirst,
            });
        }
        self.begin_perform(request.thread);
        self.set_frame_mapping(request, asid, vaddr);
        let access = match held.mask_vm_rights(CapRights::from_word(rights)) {
            VmRights::KernelOnly => None,
            rights => Some(Access {
                write: rights == VmRights::ReadWrite,
                execute: arch::executes(attributes),
            }),
        };
        let id = self.vspace_id(root);
        match access {
            Some(access) => self.machine.map(id, vaddr, paddr, size_bits, access),
            None => {
                let was_mapped = |entry| {
                    matches!(
                        entry,
                        Pte::Frame {
                            access: Some(_),
                            ..
                        }
                    )
                };
                if before.is_some_and(was_mapped) {
                    self.machine.unmap(id, vaddr, size_bits);
                }
            }
        }
        let entries = &mut self.objects.page_tables[table].entries;
        entries.insert(index, Pte::Frame { paddr, access });
        Ok(())
    }

    /// Unmaps a frame, if it is what is mapped there.
    pub(crate) fn unmap_page(&mut self, asid: u16, vaddr: usize, paddr: usize, size_bits: u8) {
        let level = arch::frame_level(size_bits);
        let Ok(root) = self.find_vspace_for_asid(asid) else {
            return;
        };
        let Ok(table) = self.lookup_page_table(root, vaddr, level) else {
            return;
        };
        let index = table_index(level, vaddr);
        let entries = &mut self.objects.page_tables[table].entries;
        if let Some(Pte::Frame {
            paddr: mapped,
            access,
        }) = entries.get(&index).copied()
            && mapped == paddr
        {
            entries.remove(&index);
            if access.is_some() {
                self.machine.unmap(self.vspace_id(root), vaddr, size_bits);
            }
        }
    }

    pub(crate) fn decode_page_table_invocation(&mut self, request: &Request) -> InvocationResult {
        let Cap::PageTable {
            object,
            vaddr: mapped_at,
            asid: mapped_in,
            mapped,
        } = request.cap
        else {
            return Err(Error::InvalidCapability(0));
        };
        let level = self.objects.page_tables[object].level;
        match request.invocation {
            Some(invocation) if arch::unmaps_table(invocation, level) => {
                if !self.is_final_capability(request.slot) {
                    return Err(Error::RevokeFirst);
                }
                self.begin_perform(request.thread);
                if mapped {
                    self.unmap_page_table(object, mapped_in, mapped_at);
                    self.objects.page_tables[object].entries.clear();
                }
                if let Cap::PageTable { mapped, .. } = self.slots.cap_mut(request.slot) {
                    *mapped = false;
                }
                Ok(())
            }
            Some(invocation) if arch::maps_table(invocation, level) => {
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
        let above = self
            .lookup_page_table(root, vaddr, level + 1)
            .map_err(not_mapped)?;
        let index = table_index(level + 1, vaddr);
        if self.objects.page_tables[above].entries.contains_key(&index) {
            return Err(Error::DeleteFirst);
        }
        self.begin_perform(request.thread);
        let entries = &mut self.objects.page_tables[above].entries;
        entries.insert(index, Pte::PageTable(table));
        if let Cap::PageTable {
            vaddr: at,
            asid: within,
            mapped,
            ..
        } = self.slots.cap_mut(request.slot)
        {
            (*at, *within, *mapped) = (vaddr, asid, true);
        }
        Ok(())
    }

    /// Takes a table out of the one above it, if it is there.
    pub(crate) fn unmap_page_table(&mut self, table: Id<PageTable>, asid: u16, vaddr: usize) {
        let level = self.objects.page_tables[table].level;
        let Ok(root) = self.find_vspace_for_asid(asid) else {
            return;
        };
        let Ok(above) = self.lookup_page_table(root, vaddr, level + 1) else {
            return;
        };
        let index = table_index(level + 1, vaddr);
        let entries = &mut self.objects.page_tables[above].entries;
        if entries.get(&index) == Some(&Pte::PageTable(table)) {
            entries.remove(&index);
            self.unmap_subtree(root, table, vaddr);
        }
    }

    /// What is mapped in a table is no longer reachable.
    fn unmap_subtree(&mut self, root: Id<PageTable>, table: Id<PageTable>, vaddr: usize) {
        let id = self.vspace_id(root);
        let mut tables = vec![(table, vaddr)];
        while let Some((table, vaddr)) = tables.pop() {
            let PageTable { level, entries } = &self.objects.page_tables[table];
            for (index, entry) in entries {
                let vaddr = vaddr + (usize::from(*index) << level_shift(*level));
                match entry {
                    Pte::PageTable(below) => tables.push((*below, vaddr)),
                    Pte::Frame { access: None, .. } => {}
                    Pte::Frame { .. } => {
                        self.machine.unmap(id, vaddr, level_shift(*level) as u8);
                    }
                }
            }
        }
    }

    pub(crate) fn decode_asid_control_invocation(&mut self, request: &Request) -> InvocationResult {
        if request.invocation != Some(arch::MAKE_POOL) {
            return Err(Error::IllegalOperation);
        }
        request.ensure_length(2, 2)?;
        let [index, depth] = self.get_syscall_args(request);
        let (untyped, parent) = self.extra_cap(request, 0)?;
        let (root, _) = self.extra_cap(request, 1)?;
        let free = self.asid_table.iter().position(Option::is_none);
        let number = free.ok_or(Error::DeleteFirst)?;
        let Cap::Untyped {
            paddr,
            size_bits: arch::ASID_POOL_BITS,
            device: false,
            ..
        } = untyped
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
        if request.invocation != Some(arch::ASSIGN) {
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
            None => return Err(not_mapped(LookupFailure::InvalidRoot)),
            Some(pool) if pool != object => return Err(Error::InvalidCapability(0)),
            Some(_) => {}
        }
        let vspaces = &mut self.objects.asid_pools[object].vspaces;
        // Identifier 0 is none.
        let mut free = (0..=ASID_MASK).filter(|low| base + low != 0 && !vspaces.contains_key(low));
        let low = free.next().ok_or(Error::DeleteFirst)?;
        vspaces.insert(low, root);
        if let Cap::VSpace { asid, .. } = self.slots.cap_mut(slot) {
            *asid = base + low;
        }
        self.begin_perform(request.thread);
        Ok(())
    }

    /// An address space is no more: it needs_write its identifier.
    pub(crate) fn delete_asid(&mut self, asid: u16, root: Id<PageTable>) {
        if self.find_vspace_for_asid(asid) == Ok(root)
            && let Some(pool) = self.asid_table[usize::from(asid >> arch::ASID_LOW_BITS)]
        {
            self.objects.asid_pools[pool]
                .vspaces
                .remove(&(asid & ASID_MASK));
            self.unmap_subtree(root, root, 0);
        }
    }

    /// A pool is no more: none of its address vspaces can be used.
    pub(crate) fn delete_asid_pool(&mut self, base: u16, pool: Id<AsidPool>) {
        let number = usize::from(base >> arch::ASID_LOW_BITS);
        if self.asid_table[number] == Some(pool) {
            self.asid_table[number] = None;
            let vspaces = core::mem::take(&mut self.objects.asid_pools[pool].vspaces);
            for root in vspaces.into_values() {
                self.unmap_subtree(root, root, 0);
            }
        }
    }
}

fn ensure_aligned(vaddr: usize, size_bits: u8) -> InvocationResult {
    match vaddr & low_bits(size_bits.into()) {
        0 => Ok(()),
        _ => Err(Error::AlignmentError),
    }
}

fn not_mapped(failure: LookupFailure) -> Error {
    Error::FailedLookup {
        source: false,
        failure,
    }
}
