// SPDX-License-Identifier: BSD-2-Clause

//! Attacks through the IPC buffer.

use core::hint::black_box;

use libsel4::{AllocationError, Cap, Endpoint, Fault, MessageInfo, ReplyHandle, message};

use crate::{Done, Prey, Shared, World};

/// Writes and reads registers beyond the last, which other fields of the IPC buffer follow.
pub fn registers_beyond_the_last(_: &mut dyn World, _: &Prey) -> Done {
    const MORE: usize = 2 * message::REGISTERS;
    message::set_user_data(0x1234);
    let info = message::write(0, &[usize::MAX; MORE]);
    assert_eq!(info.length(), message::REGISTERS);
    assert_eq!(message::get_user_data(), 0x1234);
    for index in [message::REGISTERS, MORE, isize::MAX as usize, usize::MAX] {
        assert_eq!(message::register(index), 0);
    }
    let mut words = [7; MORE];
    let longest = MessageInfo::new(0, 0, 0, usize::MAX);
    assert_eq!(message::read(longest, &mut words), message::REGISTERS);
    assert_eq!(words[message::REGISTERS..], [7; message::REGISTERS]);
    Ok(())
}

/// Reads a value out of a message that is too short, or that claims to be longer than the buffer.
pub fn value_of_a_forged_length(_: &mut dyn World, _: &Prey) -> Done {
    type Long = [usize; message::REGISTERS];
    for length in [0, 1, message::REGISTERS - 1] {
        let info = MessageInfo::new(0, 0, 0, length);
        assert_eq!(message::take::<Long>(info), None);
    }
    message::write(0, &[3; message::REGISTERS]);
    let longest = MessageInfo::new(0, 0, 0, usize::MAX);
    assert_eq!(
        message::take::<Long>(longest),
        Some([3; message::REGISTERS])
    );
    assert_eq!(message::take::<()>(MessageInfo::default()), Some(()));
    Ok(())
}

/// Sends values that do not fill their last register, which would show what was there.
pub fn bytes_after_a_value(_: &mut dyn World, _: &Prey) -> Done {
    for length in [1, 2, 3, 5, 7] {
        message::write(0, &[usize::MAX; 2]);
        let last = match length {
            1 => (message::put(0, &[1_u8; 1]), 1),
            2 => (message::put(0, &[1_u8; 2]), 2),
            3 => (message::put(0, &[1_u8; 3]), 3),
            5 => (message::put(0, &[1_u8; 5]), 5),
            _ => (message::put(0, &[1_u16; 3]), 6),
        };
        let (info, bytes) = last;
        let mut content = [0; 16];
        for (at, byte) in content.iter_mut().enumerate() {
            let word = message::register(at / size_of::<usize>()).to_ne_bytes();
            *byte = word[at % size_of::<usize>()];
        }
        let end = info.length() * size_of::<usize>();
        assert!(content[bytes..end].iter().all(|byte| *byte == 0));
    }
    Ok(())
}

/// Sends itself the messages of faults, with words that no fault has.
pub fn forged_faults(_: &mut dyn World, _: &Prey) -> Done {
    for label in 0..32 {
        for word in [0, 1, usize::MAX / 2, usize::MAX] {
            let words = [word; message::REGISTERS];
            let info = message::write(label, &words);
            for length in 0..20 {
                black_box(Fault::of(info.with_length(length)));
            }
        }
    }
    Ok(())
}

/// Endpoint and authority to reply to receive from an accomplice.
fn service(world: &mut dyn World) -> Result<(Cap<Endpoint>, ReplyHandle), AllocationError> {
    Ok((world.objects().make()?, world.objects().make_reply()?))
}

fn sends_a_thread(shared: Shared) {
    for _ in 0..3 {
        message::set_cap::<0, _>(shared.tcb);
        let info = MessageInfo::default().with_extra_caps(1);
        shared.endpoint.send(info);
    }
}

/// Receives two capabilities through one receive path, and gives the slot of the path out again.
pub fn two_capabilities_received(world: &mut dyn World, prey: &Prey) -> Done {
    let (endpoint, reply) = service(world)?;
    let tcb = prey.tcb;
    let shared = Shared {
        endpoint,
        reply,
        tcb,
    };
    let path = message::set_cap_receive_path(world.objects().slot()?);
    world.spawn(sends_a_thread, shared)?;
    let (first, _) = endpoint.recv(reply).message();
    assert_eq!(first.extra_caps(), 1);
    // The kernel does not fill the slot again, and nothing else does.
    let (second, _) = endpoint.recv(reply).message();
    assert_eq!(second.extra_caps(), 0);
    for _ in 0..8 {
        let other = world.objects().slot()?;
        assert_ne!(other.slot(), path.slot());
    }
    let other = message::set_cap_receive_path(world.objects().slot()?);
    let (third, _) = endpoint.recv(reply).message();
    assert_eq!((third.extra_caps(), other == path), (1, false));
    Ok(())
}

fn sends_the_endpoint(shared: Shared) {
    message::set_cap::<0, _>(shared.endpoint);
    let info = MessageInfo::default().with_extra_caps(1);
    shared.endpoint.send(info);
}

/// Receives the capability of the endpoint itself, of which only the badge comes.
pub fn endpoint_received_by_itself(world: &mut dyn World, prey: &Prey) -> Done {
    let (endpoint, reply) = service(world)?;
    let rights = libsel4::CapRights::ALL;
    let badged = world.objects().mint(endpoint, rights, 0x77)?;
    let path = message::set_cap_receive_path(world.objects().slot()?);
    let shared = Shared {
        endpoint: badged,
        reply,
        tcb: prey.tcb,
    };
    world.spawn(sends_the_endpoint, shared)?;
    let (info, _) = endpoint.recv(reply).message();
    assert_eq!((info.caps_unwrapped(), info.extra_caps()), (1, 1));
    assert_eq!(message::get_badge::<0>(), 0x77);
    // Had the slot been filled, the next capability would not come.
    world.spawn(
        sends_a_thread,
        Shared {
            endpoint,
            reply,
            tcb: prey.tcb,
        },
    )?;
    let (info, _) = endpoint.recv(reply).message();
    assert_eq!((info.caps_unwrapped(), info.extra_caps()), (0, 1));
    assert_ne!(path.slot(), world.objects().slot()?.slot());
    Ok(())
}

/// Reads the extra boot information to its end, again and again.
pub fn boot_information_read_to_its_end(world: &mut dyn World, _: &Prey) -> Done {
    let info = world.info();
    let length = info.as_c().extraLen;
    for _ in 0..3 {
        let content = info.extra().map(|piece| piece.content.len());
        assert!(content.sum::<usize>() <= length);
        let bytes = info.extra().flat_map(|piece| piece.content);
        black_box(bytes.fold(0_u8, |sum, byte| sum ^ byte));
    }
    Ok(())
}
