// SPDX-License-Identifier: BSD-2-Clause

//! Refusals of every kind that there is, from C's functions and from the API: things of the wrong type, too few
//! rights, too little memory, what is in use, and lookups that fail in each way.

use libsel4::libsel4_sys as sys;
use libsel4::{
    AllocationError, Allocator, BootInfo, CNode, Cap, CapRights, Endpoint, Error, Guard, IpcBuffer,
    LookupFailure, Notification, Priority, Slot, SmallPage, Tcb, Untyped,
};

use crate::agree;

/// All but one: no function of C sends too few arguments.
const ERRORS: u32 = ((1 << sys::seL4_NumErrors) - 1)
    & !(1 << sys::seL4_NoError)
    & !(1 << sys::seL4_TruncatedMessage);
const LOOKUPS: u32 = 1 << sys::seL4_InvalidRoot
    | 1 << sys::seL4_MissingCapability
    | 1 << sys::seL4_DepthMismatch
    | 1 << sys::seL4_GuardMismatch;

/// Refusals so far.
#[derive(Default)]
struct Refusals {
    count: usize,
    /// A bit for each code that came.
    errors: u32,
    /// Kinds of failed lookups so far.
    lookups: u32,
    differ: bool,
}

impl Refusals {
    fn add(&mut self, ours: libsel4::Result<()>, c: sys::seL4_Error) {
        let Some(error) = agree(ours, c) else {
            self.differ = true;
            return;
        };
        self.count += 1;
        self.errors |= 1 << error.code();
        if let Error::FailedLookup { failure, .. } = error {
            self.lookups |= 1
                << match failure {
                    LookupFailure::InvalidRoot => sys::seL4_InvalidRoot,
                    LookupFailure::MissingCapability { .. } => sys::seL4_MissingCapability,
                    LookupFailure::DepthMismatch { .. } => sys::seL4_DepthMismatch,
                    LookupFailure::GuardMismatch { .. } => sys::seL4_GuardMismatch,
                    LookupFailure::Unknown(_) => 0,
                };
        }
    }
}

/// Returns the number of refusals that agree; 0 if one differs, if a call succeeds, or if a kind is missing.
///
/// # Safety
///
/// `info` is the root server's BootInfo, and nobody uses the second half of its empty slots.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn checks_kinds(info: *const sys::seL4_BootInfo) -> usize {
    // SAFETY: `info` is the kernel's BootInfo, which nothing writes to or unmaps.
    let info = unsafe { BootInfo::from_ptr(info) };
    // SAFETY: nobody else uses the half of the slots that is kept below.
    let mut slots = unsafe { info.empty_slots() };
    let half = slots.len() / 2;
    slots.split_off(half);
    let memory = info.untypeds().filter(|untyped| !untyped.is_device);
    let mut seen = Refusals::default();
    let done = refused(&info, &mut Allocator::with(memory, slots), &mut seen);
    let all = seen.errors == ERRORS && seen.lookups == LOOKUPS;
    if done.is_ok() && all && !seen.differ {
        seen.count
    } else {
        0
    }
}

fn refused(
    info: &BootInfo,
    objects: &mut Allocator,
    seen: &mut Refusals,
) -> Result<(), AllocationError> {
    let tcb: Cap<Tcb> = objects.make()?;
    types(info, objects, tcb, seen)?;
    rights(info, objects, tcb, seen)?;
    memory(info, objects, seen)?;
    lookups(info, objects, tcb, seen)?;

    // An IPC buffer that does not begin where one can.
    let page: Cap<SmallPage> = objects.make()?;
    for address in [0x4000_0001, 0x4000_0000 + sys::seL4_WordBits / 8] {
        // SAFETY: the thread never runs.
        let ours = unsafe { tcb.tcb_set_ipc_buffer(Some(IpcBuffer { address, page })) };
        // SAFETY: as above.
        seen.add(ours, unsafe {
            sys::seL4_TCB_SetIPCBuffer(tcb.word(), address, page.word())
        });
    }
    Ok(())
}

/// Capabilities of another kind than is asked for, or none.
fn types(
    info: &BootInfo,
    objects: &mut Allocator,
    tcb: Cap<Tcb>,
    seen: &mut Refusals,
) -> Result<(), AllocationError> {
    let untyped = objects.make_sized::<Untyped>(12)?;
    let page: Cap<SmallPage> = objects.make()?;
    let words = [
        untyped.word(),
        page.word(),
        objects.make_sized::<CNode>(4)?.word(),
        info.irq_control().word(),
        info.asid_control().word(),
        info.asid_pool().word(),
        info.domain().word(),
        objects.slot()?.into_slot().index(),
    ];
    for word in words {
        // SAFETY: it is none, and the kernel refuses what is asked of it.
        let wrong: Cap<Tcb> = unsafe { Cap::from_word(word) };
        // SAFETY: as above.
        seen.add(wrong.tcb_suspend(), unsafe { sys::seL4_TCB_Suspend(word) });
        // SAFETY: as above.
        seen.add(wrong.tcb_resume(), unsafe { sys::seL4_TCB_Resume(word) });
        // SAFETY: as above.
        seen.add(tcb.tcb_set_priority(wrong, Priority::new(1)), unsafe {
            sys::seL4_TCB_SetPriority(tcb.word(), word, 1)
        });
        // SAFETY: as above.
        let bell: Cap<Notification> = unsafe { Cap::from_word(word) };
        // SAFETY: as above.
        seen.add(tcb.tcb_bind_notification(bell), unsafe {
            sys::seL4_TCB_BindNotification(tcb.word(), word)
        });
    }
    Ok(())
}

/// Calls that need a right that a copy lacks, and calls that were already made or cannot be.
fn rights(
    info: &BootInfo,
    objects: &mut Allocator,
    tcb: Cap<Tcb>,
    seen: &mut Refusals,
) -> Result<(), AllocationError> {
    let bell: Cap<Notification> = objects.make()?;
    let endpoint: Cap<Endpoint> = objects.make()?;
    for rights in [CapRights::NONE, CapRights::WRITE, CapRights::GRANT] {
        let bell = objects.copy(bell, rights)?;
        // SAFETY: it touches no memory.
        seen.add(tcb.tcb_bind_notification(bell), unsafe {
            sys::seL4_TCB_BindNotification(tcb.word(), bell.word())
        });
        let endpoint = objects.mint(endpoint, rights, 5)?;
        let slot = info.cnode().slot_of(endpoint);
        // SAFETY: it touches no memory.
        seen.add(slot.cnode_cancel_badged_sends(), unsafe {
            sys::seL4_CNode_CancelBadgedSends(slot.root().word(), slot.index(), slot.depth())
        });
    }
    // SAFETY: it touches no memory.
    seen.add(tcb.tcb_unbind_notification(), unsafe {
        sys::seL4_TCB_UnbindNotification(tcb.word())
    });
    Ok(())
}

/// More than an untyped has room for, sizes that there are not, and an untyped that is in use.
fn memory(
    info: &BootInfo,
    objects: &mut Allocator,
    seen: &mut Refusals,
) -> Result<(), AllocationError> {
    let root = info.cnode();
    let untyped = objects.make_sized::<Untyped>(12)?;
    let slot = objects.slot()?.into_slot();
    for used in 0..3 {
        for (size_bits, count) in [(13, 1), (20, 1), (11, 3), (4, 256 + 1), (1, 1)] {
            // SAFETY: nothing else names the slot.
            let ours = unsafe {
                untyped.untyped_retype_at::<Untyped>(size_bits, root.itself(), slot.index(), count)
            };
            // SAFETY: the kernel makes nothing, as the API has just seen.
            seen.add(ours, unsafe {
                sys::seL4_Untyped_Retype(
                    untyped.word(),
                    sys::seL4_UntypedObject,
                    size_bits,
                    root.word(),
                    0,
                    0,
                    slot.index(),
                    count,
                )
            });
        }
        if used > 0 {
            let from = root.slot_of(untyped);
            // SAFETY: nothing else names the slot.
            let ours = unsafe { slot.cnode_copy(from, CapRights::ALL) };
            // SAFETY: the kernel fills nothing, as the API has just seen.
            seen.add(ours, unsafe {
                sys::seL4_CNode_Copy(
                    slot.root().word(),
                    slot.index(),
                    slot.depth(),
                    from.root().word(),
                    from.index(),
                    from.depth(),
                    CapRights::ALL.into(),
                )
            });
        }
        untyped.untyped_retype::<Untyped>(10, objects.slot()?)?;
    }
    Ok(())
}

/// Copies from where nothing is, through a CNode of 16 slots with and without a guard and through what is none, and into
/// slots that are taken or not there.
fn lookups(
    info: &BootInfo,
    objects: &mut Allocator,
    tcb: Cap<Tcb>,
    seen: &mut Refusals,
) -> Result<(), AllocationError> {
    let plain = objects.make_sized::<CNode>(4)?;
    let guard = Guard::new(0b101, 3).word();
    let guarded = objects.mint(plain, CapRights::ALL, guard)?;
    // SAFETY: it is none, and the kernel refuses to look anything up there.
    let none: Cap<CNode> = unsafe { Cap::from_word(tcb.word()) };
    let (taken, free) = (plain.slot(1, 4), plain.slot(5, 4));
    let thread = info.cnode().slot_of(tcb);
    // SAFETY: the CNode is new, and no thread has it as its CSpace.
    unsafe { taken.cnode_copy(thread, CapRights::ALL)? };
    let mut copy = |to: Slot, from: Slot| {
        // SAFETY: as above.
        let ours = unsafe { to.cnode_copy(from, CapRights::ALL) };
        // SAFETY: the kernel fills nothing, as the API has just seen.
        seen.add(ours, unsafe {
            sys::seL4_CNode_Copy(
                to.root().word(),
                to.index(),
                to.depth(),
                from.root().word(),
                from.index(),
                from.depth(),
                CapRights::ALL.into(),
            )
        });
    };
    for (root, depths) in [
        (plain, [3, 5, 12]),
        (guarded, [2, 6, 7]),
        (none, [4, 7, 64]),
    ] {
        for depth in depths {
            for index in [0, 2, 0b101_0010] {
                copy(free, root.slot(index, depth));
            }
        }
    }
    for to in [
        taken,
        plain.slot(1, 3),
        plain.slot(1, 9),
        guarded.slot(1, 7),
    ] {
        copy(to, thread);
    }
    Ok(())
}
