// SPDX-License-Identifier: BSD-2-Clause

//! Attacks that fill slots.

use libsel4::{
    Allocator, Cap, CapRights, EmptySlot, Error, FillError, Guard, Notification, Untyped,
};

use crate::{Done, Prey, World};

/// Takes all slots of the allocator, in search of slot 0 or of one that is taken.
pub fn all_slots_taken(world: &mut dyn World, prey: &Prey) -> Done {
    let mut last = 0;
    while let Ok(slot) = world.objects().slot() {
        let index = slot.slot().index();
        assert!(index > last, "slot {index} after slot {last}");
        let copy = slot.cnode_copy(prey.bell, CapRights::ALL)?;
        assert_eq!(copy.word(), index);
        last = index;
    }
    Ok(())
}

/// Fills a slot that an error has returned, while the allocator gives it as well.
pub fn slot_of_an_error(world: &mut dyn World, prey: &Prey) -> Done {
    let untyped: Cap<Untyped> = world.objects().make_sized(12)?;
    let slot = world.objects().slot()?;
    let Err(FillError { error, slot }) = untyped.untyped_retype::<Untyped>(13, slot) else {
        panic!("more memory than there is");
    };
    assert_eq!(error, Error::NotEnoughMemory { bytes_left: 4096 });
    let badged = slot.cnode_mint(prey.bell, CapRights::ALL, 4)?;
    // The allocator takes back a slot of its own, and gives that once.
    assert!(world.objects().make_sized::<Untyped>(63).is_err());
    assert!(world.objects().copy(untyped, CapRights::ALL).is_ok());
    let other = world.objects().mint(prey.bell, CapRights::ALL, 8)?;
    assert_ne!(badged.word(), other.word());
    prey.rings(badged, 4);
    prey.rings(other, 8);
    Ok(())
}

/// Fills the slots that an error has returned, in part twice.
pub fn slots_of_an_error(world: &mut dyn World, _: &Prey) -> Done {
    let untyped: Cap<Untyped> = world.objects().make_sized(16)?;
    let slots = world.objects().slots(300)?;
    let Err(FillError {
        slot: mut slots, ..
    }) = untyped.untyped_retype_all::<Notification>(0, slots)
    else {
        panic!("more objects than the kernel makes at once");
    };
    let some = slots.split_off(2);
    let some = some.map(|some| untyped.untyped_retype_all::<Notification>(0, some));
    let Some(Ok(made)) = some else {
        panic!("the kernel refuses two notifications");
    };
    let next = slots.next().map(|slot| slot.slot().index());
    for (count, bell) in made.enumerate() {
        assert_eq!(next, Some(bell.word() + 2 - count));
        bell.signal();
    }
    // No slots are an error, not all.
    let Some(none) = slots.split_off(0) else {
        panic!("no slots are always there");
    };
    assert!(untyped.untyped_retype_all::<Notification>(0, none).is_err());
    Ok(())
}

/// Exchanges two allocators, so that one gives the other's slots.
pub fn allocators_exchanged(world: &mut dyn World, prey: &Prey) -> Done {
    let slots = world.objects().slots(8)?;
    let mut other = Allocator::with(core::iter::empty(), slots);
    let mut copies = [prey.bell; 8];
    for (count, copy) in copies.iter_mut().enumerate() {
        core::mem::swap(world.objects(), &mut other);
        *copy = world
            .objects()
            .mint(prey.bell, CapRights::ALL, 1 << count)?;
    }
    for (count, copy) in copies.into_iter().enumerate() {
        prey.rings(copy, 1 << count);
    }
    Ok(())
}

/// Gives a capability that is no CNode a guard for its badge.
pub fn guard_as_a_badge(world: &mut dyn World, prey: &Prey) -> Done {
    let guard = Guard::new(0, 12).word();
    let badged = world.objects().mint(prey.bell, CapRights::ALL, guard)?;
    prey.rings(badged, guard);
    // A second badge is refused, a copy keeps the first.
    let again = world.objects().mint(badged, CapRights::ALL, 1);
    assert!(again.is_err());
    let copy = world.objects().copy(badged, CapRights::ALL)?;
    prey.rings(copy, guard);
    Ok(())
}

/// Makes copies of the root CNode with other guards, so that numbers lead elsewhere.
pub fn root_with_other_guards(world: &mut dyn World, prey: &Prey) -> Done {
    let root = world.info().cnode();
    for (guard, bits) in [(0, 0), (1, 1), (1, 20), (0, 4)] {
        let guard = Guard::new(guard, bits).word();
        // The root has a guard of its own, of which some kernels make no other.
        let Ok(guarded) = world.objects().mint(root, CapRights::ALL, guard) else {
            continue;
        };
        let copy = world.objects().mint(prey.bell, CapRights::ALL, 2)?;
        prey.rings(copy, 2);
        let there = guarded.slot(prey.page.word(), 12);
        assert!(there.cnode_cancel_badged_sends().is_err());
    }
    Ok(())
}

/// Cancels sends through slots that have no endpoint, and slot 0.
pub fn sends_cancelled_elsewhere(world: &mut dyn World, prey: &Prey) -> Done {
    let root = world.info().cnode();
    let others = [
        root.slot_of(prey.page),
        root.slot_of(prey.tcb),
        root.slot_of(root),
        root.slot(0, usize::BITS as u8),
        root.slot(0, 0),
        root.itself(),
        root.slot(usize::MAX, u8::MAX),
    ];
    for slot in others {
        assert!(slot.cnode_cancel_badged_sends().is_err(), "{slot:?}");
    }
    Ok(())
}

/// Fills the slot with which the kernel has refused to issue an interrupt.
pub fn slot_of_a_refused_interrupt(world: &mut dyn World, prey: &Prey) -> Done {
    let slot = world.objects().slot()?;
    let control = world.info().irq_control();
    let Err(FillError { slot, .. }) = control.irq_control_get(usize::MAX, slot) else {
        panic!("an interrupt that nothing has");
    };
    is_still_empty(slot, prey)
}

/// Fills the slot with which the kernel has refused to issue ports.
#[cfg(CONFIG_ARCH_X86)]
pub fn slot_of_refused_ports(world: &mut dyn World, prey: &Prey) -> Done {
    let slot = world.objects().slot()?;
    let control = world.info().io_port_control();
    let Err(FillError { slot, .. }) = control.io_port_control_issue(7, 0, slot) else {
        panic!("ports that end before they begin");
    };
    is_still_empty(slot, prey)
}

/// Makes an ASID pool of memory that a page is made of.
pub fn asid_pool_of_live_memory(world: &mut dyn World, prey: &Prey) -> Done {
    let untyped: Cap<Untyped> = world.objects().make_sized(12)?;
    let page = world.objects().slot()?;
    untyped.untyped_retype::<libsel4::SmallPage>(0, page)?;
    let slot = world.objects().slot()?;
    let control = world.info().asid_control();
    let Err(FillError { error, slot }) = control.asid_control_make_pool(untyped, slot) else {
        panic!("a pool over a page");
    };
    assert_eq!(error, Error::RevokeFirst);
    is_still_empty(slot, prey)
}

fn is_still_empty(slot: EmptySlot, prey: &Prey) -> Done {
    let index = slot.slot().index();
    let badged = slot.cnode_mint(prey.bell, CapRights::ALL, 16)?;
    assert_eq!(badged.word(), index);
    prey.rings(badged, 16);
    Ok(())
}
