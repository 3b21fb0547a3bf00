// SPDX-License-Identifier: BSD-2-Clause

//! Attacks by replies: a message through a slot that no longer has a reply capability is an invocation.

use libsel4::{AllocationError, Cap, Endpoint, Tcb, message, reply};
#[cfg(not(CONFIG_KERNEL_MCS))]
use libsel4::{CapRights, LastCaller, MessageInfo};

use crate::{Done, LABELS, Prey, Shared, World};

/// Label of `seL4_CNode_Delete` in the smallest configuration.
#[cfg(not(CONFIG_KERNEL_MCS))]
const CNODE_DELETE: usize = 18;

fn calls(shared: Shared) {
    shared.endpoint.call(message::put(0, &1_usize));
}

/// Endpoint on which a thread waits for a reply, and the thread.
fn caller(world: &mut dyn World) -> Result<(Shared, Cap<Tcb>), AllocationError> {
    let shared = Shared {
        endpoint: world.objects().make()?,
        reply: world.objects().make_reply()?,
        tcb: world.tcb(),
    };
    let tcb = world.spawn(calls, shared)?;
    let (info, _) = shared.endpoint.recv(shared.reply).message();
    assert_eq!(info.length(), 1);
    Ok((shared, tcb))
}

/// Replies while nobody waits, with the words of invocations.
pub fn reply_to_nobody(world: &mut dyn World, prey: &Prey) -> Done {
    let nobody = world.objects().make_reply()?;
    for label in LABELS {
        reply(nobody, prey.invocation(label));
    }
    Ok(())
}

/// Replies twice to one caller, the second time with the words of invocations.
pub fn reply_twice(world: &mut dyn World, prey: &Prey) -> Done {
    let (shared, _) = caller(world)?;
    for label in LABELS {
        reply(shared.reply, prey.invocation(label));
    }
    Ok(())
}

/// Replies to a caller that was suspended and no longer waits.
pub fn reply_to_a_suspended_caller(world: &mut dyn World, prey: &Prey) -> Done {
    let (shared, tcb) = caller(world)?;
    tcb.tcb_suspend()?;
    for label in LABELS {
        reply(shared.reply, prey.invocation(label));
    }
    Ok(())
}

/// Puts the root CNode where a reply capability was, and sends it an invocation.
#[cfg(not(CONFIG_KERNEL_MCS))]
pub fn slot_of_a_reply_filled(world: &mut dyn World, prey: &Prey) -> Done {
    caller(world)?;
    let saved = world.objects().slot()?.cnode_save_caller()?;
    let slot = saved.send(MessageInfo::default());
    let root = slot.cnode_copy(world.info().cnode(), CapRights::ALL)?;
    for label in LABELS {
        reply(LastCaller, prey.invocation(label));
        reply((), prey.invocation(label));
    }
    assert!(root.slot_of(prey.page).cnode_cancel_badged_sends().is_err());
    Ok(())
}

/// Suspends the saved caller, so that the kernel empties the slot, takes more slots, and sends.
#[cfg(not(CONFIG_KERNEL_MCS))]
pub fn saved_caller_suspended(world: &mut dyn World, prey: &Prey) -> Done {
    let (_, tcb) = caller(world)?;
    let slot = world.objects().slot()?;
    let index = slot.slot().index();
    let saved = slot.cnode_save_caller()?;
    tcb.tcb_suspend()?;
    let root = world.info().cnode();
    for _ in 0..8 {
        let copy = world.objects().copy(root, CapRights::ALL)?;
        assert_ne!(copy.word(), index);
    }
    let slot = saved.send(prey.invocation(CNODE_DELETE));
    assert_eq!(slot.slot().index(), index);
    let badged = slot.cnode_mint(prey.bell, CapRights::ALL, 2)?;
    prey.rings(badged, 2);
    Ok(())
}

/// Saves the caller where there is none, and sends the words of invocations.
#[cfg(not(CONFIG_KERNEL_MCS))]
pub fn nobody_saved(world: &mut dyn World, prey: &Prey) -> Done {
    let mut slot = world.objects().slot()?;
    for label in LABELS {
        slot = match slot.cnode_save_caller() {
            Ok(saved) => saved.send(prey.invocation(label)),
            Err(refused) => refused.slot,
        };
    }
    let badged = slot.cnode_mint(prey.bell, CapRights::ALL, 2)?;
    prey.rings(badged, 2);
    Ok(())
}

/// Sends the words of invocations, with capabilities, to a server and to nobody.
pub fn invocations_as_messages(world: &mut dyn World, prey: &Prey) -> Done {
    let nobody: Cap<Endpoint> = world.objects().make()?;
    for label in LABELS {
        message::set_cap::<0, _>(prey.tcb);
        nobody.nb_send(prey.invocation(label).with_extra_caps(1));
        message::set_cap::<0, _>(prey.tcb);
        let answer = prey
            .endpoint
            .call(prey.invocation(label).with_extra_caps(1));
        let number = message::take::<usize>(answer);
        assert_eq!(number, Some(prey.page.word() + 1));
    }
    Ok(())
}
