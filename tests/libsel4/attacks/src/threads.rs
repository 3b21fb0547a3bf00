// SPDX-License-Identifier: BSD-2-Clause

//! Attacks that have threads go on elsewhere.

use libsel4::{Cap, CapRights, Priority, SchedParams, Tcb, message};

use crate::{Done, Prey, Shared, World};

/// Starts a thread that was given neither registers nor CSpace nor VSpace.
pub fn blank_thread_resumed(world: &mut dyn World, _: &Prey) -> Done {
    let blank: Cap<Tcb> = world.objects().make()?;
    // With MCS this has no scheduling context; its fault endpoint is looked up in slot 0.
    let params = SchedParams::new(Priority::new(100));
    blank.tcb_set_sched_params(world.tcb(), &params)?;
    blank.tcb_resume()?;
    world.settle();
    blank.tcb_suspend()?;
    Ok(())
}

/// Suspends and resumes a thread wherever it waits, so that it repeats its system call.
pub fn server_suspended_and_resumed(world: &mut dyn World, prey: &Prey) -> Done {
    for _ in 0..8 {
        prey.tcb.tcb_suspend()?;
        prey.tcb.tcb_suspend()?;
        prey.tcb.tcb_resume()?;
        prey.tcb.tcb_resume()?;
        prey.answers();
        prey.tcb.tcb_resume()?;
        world.settle();
        prey.answers();
    }
    Ok(())
}

fn calls(shared: Shared) {
    let answer = shared.endpoint.call(message::put(0, &1_usize));
    assert_eq!(message::take::<usize>(answer), Some(2));
    shared.endpoint.call(message::put(0, &3_usize));
}

/// Resumes a thread that waits for a reply: it calls again, and the reply to the first call must not reach it.
pub fn caller_resumed(world: &mut dyn World, _: &Prey) -> Done {
    let shared = Shared {
        endpoint: world.objects().make()?,
        reply: world.objects().make_reply()?,
        tcb: world.tcb(),
    };
    let caller = world.spawn(calls, shared)?;
    for _ in 0..4 {
        let (info, _) = shared.endpoint.recv(shared.reply).message();
        assert_eq!(message::take::<usize>(info), Some(1));
        caller.tcb_resume()?;
        libsel4::reply(shared.reply, message::put(0, &usize::MAX));
    }
    let (info, _) = shared.endpoint.recv(shared.reply).message();
    assert_eq!(message::take::<usize>(info), Some(1));
    libsel4::reply(shared.reply, message::put(0, &2_usize));
    let (info, _) = shared.endpoint.recv(shared.reply).message();
    assert_eq!(message::take::<usize>(info), Some(3));
    Ok(())
}

/// Binds a notification to a server that expects messages only, and has it read what an earlier message left.
pub fn server_signalled(world: &mut dyn World, prey: &Prey) -> Done {
    prey.tcb.tcb_bind_notification(prey.bell)?;
    let rung = world.objects().mint(prey.bell, CapRights::ALL, 1)?;
    for _ in 0..4 {
        prey.answers();
        rung.signal();
        world.settle();
        prey.answers();
    }
    prey.tcb.tcb_unbind_notification()?;
    Ok(())
}

/// Reads the registers of a thread while it waits, and has the kernel suspend it.
pub fn registers_read(_: &mut dyn World, prey: &Prey) -> Done {
    let before = prey.tcb.tcb_read_registers(true)?;
    let after = prey.tcb.tcb_read_registers(false)?;
    assert_eq!(before, after);
    prey.tcb.tcb_resume()?;
    Ok(())
}

/// Gives a thread absurd priorities.
pub fn absurd_priorities(world: &mut dyn World, prey: &Prey) -> Done {
    for priority in [256, usize::MAX] {
        let priority = Priority::new(priority);
        assert!(prey.tcb.tcb_set_priority(world.tcb(), priority).is_err());
        assert!(prey.tcb.tcb_set_mc_priority(world.tcb(), priority).is_err());
    }
    Ok(())
}

/// Gives threads no scheduling context and no endpoints: the kernel looks them up in slot 0.
#[cfg(CONFIG_KERNEL_MCS)]
pub fn nothing_from_slot_0(world: &mut dyn World, _: &Prey) -> Done {
    let thread: Cap<Tcb> = world.objects().make()?;
    let params = SchedParams::new(Priority::MIN);
    thread.tcb_set_sched_params(world.tcb(), &params)?;
    thread.tcb_set_timeout_endpoint(None)?;
    thread.tcb_resume()?;
    world.settle();
    Ok(())
}
