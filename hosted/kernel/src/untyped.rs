// SPDX-License-Identifier: GPL-2.0-only

//! Untyped memory, and the creation of objects from it.

use std::collections::BTreeMap;

use crate::arch::{self, ObjectType};
use crate::arena::Id;
use crate::cap::{Cap, CapRights, FrameCap, UntypedCap, VmRights};
use crate::config::WORD_BITS;
use crate::cte::SlotId;
use crate::decode::{InvocationResult, Request, range_check};
use crate::error::{Error, LookupFailure};
use crate::hostile::Preempted;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::{CNode, Endpoint, Notification, PageTable, SchedContext};
use crate::reply::Reply;
use crate::thread::{TCB_CNODE_RADIX, Tcb, ThreadId};

/// Bytes that are zeroed before the next preemption point: `KernelResetChunkBits`.
const RESET_CHUNK: usize = 1 << 8;

/// Arguments of a retype.
struct RetypeArgs {
    kind: ObjectType,
    /// Requested size, as a power of two.
    user_bits: u8,
    /// Size of an object in memory, as a power of two.
    object_bits: u8,
    /// First destination slot.
    first: SlotId,
    count: usize,
}

/// Returns the size of an object in memory, as a power of two.
fn get_object_size(kind: ObjectType, user_bits: usize, mcs: bool) -> usize {
    usize::from(match kind {
        ObjectType::Untyped | ObjectType::SchedContext => return user_bits,
        ObjectType::Reply => arch::REPLY_BITS,
        ObjectType::CNode => return usize::from(arch::SLOT_BITS).saturating_add(user_bits),
        ObjectType::Tcb => arch::TCB_BITS,
        ObjectType::Endpoint => arch::ENDPOINT_BITS,
        ObjectType::Notification => arch::notification_bits(mcs),
        ObjectType::Frame(bits) => bits,
        ObjectType::PageTable(_) => arch::PAGE_TABLE_BITS,
    })
}

impl<M: Machine> Kernel<M> {
    pub(crate) fn decode_untyped_invocation(&mut self, request: &Request) -> InvocationResult {
        if request.invocation != Some(Invocation::UntypedRetype) {
            return Err(Error::IllegalOperation);
        }
        request.ensure_length(6, 1)?;
        let args = self.decode_retype(request)?;
        let Cap::Untyped(untyped) = request.cap else {
            return Err(Error::InvalidCapability(0));
        };
        // Without children all memory is free, whatever the free index is.
        let reset = !self.has_children(request.slot);
        let free_index = if reset { 0 } else { untyped.free_index };
        let bytes_left = (1_usize << untyped.size_bits) - free_index;
        if bytes_left >> args.object_bits < args.count || self.injection.fails(&mut self.retypes) {
            return Err(Error::NotEnoughMemory { bytes_left });
        }
        if untyped.device && !matches!(args.kind, ObjectType::Frame(_) | ObjectType::Untyped) {
            return Err(Error::InvalidArgument(1));
        }
        self.begin_perform(request.thread);
        if reset && self.reset_untyped_cap(request.slot).is_err() {
            self.preempted = true;
            // The same retype comes again.
            self.retypes -= 1;
            return Ok(());
        }
        let start = (untyped.paddr + free_index).next_multiple_of(1 << args.object_bits);
        self.perform_untyped_retype(request, &args, start, untyped.device);
        Ok(())
    }

    /// Zeroes the memory of an untyped, and makes it free: from the end on, in chunks, between
    /// which the operation may be preempted.
    fn reset_untyped_cap(&mut self, slot: SlotId) -> Result<(), Preempted> {
        while let Cap::Untyped(untyped) = self.slots.cap_mut(slot)
            && untyped.free_index != 0
        {
            if untyped.device {
                untyped.free_index = 0;
                break;
            }
            let chunk = RESET_CHUNK.min(1 << untyped.size_bits);
            untyped.free_index = (untyped.free_index - 1) & !(chunk - 1);
            self.machine.zero(untyped.paddr + untyped.free_index, chunk);
            if chunk == RESET_CHUNK {
                self.preemption_point()?;
            }
        }
        Ok(())
    }

    /// Creates the objects from physical address `start` on, and their capabilities.
    fn perform_untyped_retype(
        &mut self,
        request: &Request,
        args: &RetypeArgs,
        start: usize,
        device: bool,
    ) {
        if let Cap::Untyped(untyped) = self.slots.cap_mut(request.slot) {
            untyped.free_index = start + (args.count << args.object_bits) - untyped.paddr;
        }
        let name = match args.kind {
            ObjectType::Tcb => self.child_name(request.thread),
            _ => String::new(),
        };
        for index in 0..args.count {
            let at = start + (index << args.object_bits);
            let cap = self.create_object(args, at, device, &name);
            let slot = args.first.plus(index);
            self.slots.mdb_insert(request.slot, slot, cap, true);
        }
    }

    /// Decodes the arguments of a retype, and checks them except for the free memory.
    fn decode_retype(&self, request: &Request) -> Result<RetypeArgs, Error> {
        let [kind, user_bits, index, depth, offset, count] = self.get_syscall_args(request);
        let kind =
            ObjectType::from_number(kind, self.config.mcs).ok_or(Error::InvalidArgument(0))?;
        let object_bits = get_object_size(kind, user_bits, self.config.mcs);
        let max = usize::from(arch::MAX_UNTYPED_BITS);
        if user_bits >= WORD_BITS as usize || object_bits > max {
            return Err(Error::RangeError { min: 0, max });
        }
        let too_small = match kind {
            ObjectType::CNode => user_bits == 0,
            ObjectType::Untyped => user_bits < usize::from(arch::MIN_UNTYPED_BITS),
            ObjectType::SchedContext => user_bits < usize::from(arch::MIN_SCHED_CONTEXT_BITS),
            _ => false,
        };
        if too_small {
            return Err(Error::InvalidArgument(1));
        }
        let (root, _) = self.extra_cap(request, 0)?;
        let node = match depth {
            0 => root,
            _ => self.slots.cap(self.lookup_target_slot(root, index, depth)?),
        };
        let Cap::CNode { base, radix, .. } = node else {
            return Err(Error::FailedLookup {
                source: false,
                failure: LookupFailure::MissingCapability { bits_left: depth },
            });
        };
        let size = 1_usize << radix;
        range_check(offset, 0..=size - 1)?;
        range_check(count, 1..=self.config.fan_out_limit)?;
        range_check(count, 1..=size - offset)?;
        let first = base.plus(offset);
        for index in 0..count {
            self.ensure_empty_slot(first.plus(index))?;
        }
        Ok(RetypeArgs {
            kind,
            user_bits: user_bits as u8,
            object_bits: object_bits as u8,
            first,
            count,
        })
    }

    /// Creates an object of a retype, or, for untypeds and frames, only the capability.
    fn create_object(&mut self, args: &RetypeArgs, paddr: usize, device: bool, name: &str) -> Cap {
        let objects = &mut self.objects;
        match args.kind {
            ObjectType::Untyped => Cap::Untyped(UntypedCap {
                paddr,
                free_index: 0,
                size_bits: args.user_bits,
                device,
            }),
            ObjectType::Endpoint => Cap::Endpoint {
                object: objects.endpoints.insert(paddr, Endpoint::default()),
                badge: 0,
                rights: CapRights::ALL,
            },
            ObjectType::Notification => Cap::Notification {
                object: objects.notifications.insert(paddr, Notification::default()),
                badge: 0,
                rights: CapRights::READ_WRITE,
            },
            ObjectType::SchedContext => Cap::SchedContext {
                object: objects
                    .sched_contexts
                    .insert(paddr, SchedContext::default()),
                size_bits: args.user_bits,
            },
            ObjectType::Reply => Cap::ReplyObject {
                object: objects.replies.insert(paddr, Reply::default()),
                can_grant: true,
            },
            ObjectType::CNode => {
                let (base, radix) = (self.slots.allocate(args.user_bits), args.user_bits);
                Cap::CNode {
                    object: objects.cnodes.insert(paddr, CNode { base, radix }),
                    base,
                    radix,
                    guard_size: 0,
                    guard: 0,
                }
            }
            ObjectType::Tcb => Cap::Thread(self.create_tcb(paddr, name.to_owned())),
            ObjectType::Frame(size_bits) => Cap::Frame(FrameCap {
                paddr,
                vaddr: 0,
                asid: 0,
                size_bits,
                rights: VmRights::ReadWrite,
                device,
            }),
            ObjectType::PageTable(level) => {
                let object = self.create_page_table(paddr, level);
                match level {
                    arch::ROOT_LEVEL => Cap::VSpace { object, asid: 0 },
                    _ => Cap::PageTable {
                        object,
                        vaddr: 0,
                        asid: 0,
                        mapped: false,
                    },
                }
            }
        }
    }

    pub(crate) fn create_tcb(&mut self, paddr: usize, name: String) -> ThreadId {
        self.threads_created += 1;
        let tcb = Tcb::new(
            self.slots.allocate(TCB_CNODE_RADIX),
            self.scheduler.cur_domain,
            self.config.time_slice,
            name,
            self.threads_created,
        );
        self.objects.threads.insert(paddr, tcb)
    }

    pub(crate) fn create_page_table(&mut self, paddr: usize, level: u8) -> Id<PageTable> {
        let entries = BTreeMap::new();
        let table = PageTable { level, entries };
        self.objects.page_tables.insert(paddr, table)
    }

    /// Returns the kernel's name for a new thread.
    fn child_name(&self, thread: ThreadId) -> String {
        let parent = &self.objects.threads[thread].name;
        let mut name = format!("child of: '{parent}'");
        name.truncate(name.floor_char_boundary(crate::debug::NAME_BYTES));
        name
    }
}
