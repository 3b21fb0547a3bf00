// SPDX-License-Identifier: BSD-2-Clause

//! The workloads with libsel4, as one writes them in Rust.

use libsel4::{
    Badge, CNode, Cap, EmptySlot, Endpoint, MessageInfo, Notification, ReplyHandle, Slot, Untyped,
    message, yield_now,
};

use crate::{Caps, Workload};

/// The capabilities, with their kinds.
#[derive(Clone, Copy)]
struct Typed {
    endpoint: Cap<Endpoint>,
    reply: ReplyHandle,
    notification: Cap<Notification>,
    untyped: Cap<Untyped>,
    slot: Slot,
}

impl Typed {
    unsafe fn new(caps: &Caps) -> Self {
        // SAFETY: the capabilities are of the kinds that their names say.
        unsafe {
            let cnode: Cap<CNode> = Cap::from_word(caps.cnode);
            Self {
                endpoint: Cap::from_word(caps.endpoint),
                reply: ReplyHandle::from_word(caps.reply),
                notification: Cap::from_word(caps.notification),
                untyped: Cap::from_word(caps.untyped),
                slot: cnode.slot(caps.slot, usize::BITS as u8),
            }
        }
    }

    fn reply_recv(self, info: MessageInfo) -> (MessageInfo, Badge) {
        self.endpoint.reply_recv(info, self.reply).message()
    }
}

pub unsafe fn client(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: the capabilities are of the kinds that their names say.
    let caps = unsafe { Typed::new(caps) };
    match workload {
        Workload::Call0 => call::<0>(caps, rounds),
        Workload::Call4 => call::<4>(caps, rounds),
        Workload::Call8 => call::<8>(caps, rounds),
        Workload::Tag => call_tag(caps, rounds),
        Workload::Message4 => call_message::<4>(caps, rounds),
        Workload::Message8 => call_message::<8>(caps, rounds),
        Workload::Arguments4 => call_arguments(caps, rounds),
        Workload::Signal => signal(caps, rounds),
        Workload::Retype => retype(caps, rounds),
        Workload::Nothing => nothing(caps, rounds),
        Workload::Yield => yields(rounds),
    }
}

pub unsafe fn server(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: the capabilities are of the kinds that their names say.
    let caps = unsafe { Typed::new(caps) };
    let last = match workload {
        Workload::Tag => serve_tag(caps, rounds),
        Workload::Message4 => serve_message::<4>(caps, rounds),
        Workload::Message8 => serve_message::<8>(caps, rounds),
        Workload::Arguments4 => serve_arguments(caps, rounds),
        _ => serve(caps, rounds),
    };
    last.word()
}

fn tag(label: usize, length: usize) -> MessageInfo {
    MessageInfo::new(label, 0, 0, length)
}

fn call<const LENGTH: usize>(caps: Typed, rounds: usize) -> usize {
    for _ in 0..rounds {
        caps.endpoint.call(tag(0, LENGTH));
    }
    0
}

fn serve(caps: Typed, rounds: usize) -> MessageInfo {
    let mut info = tag(0, 0);
    for _ in 0..rounds {
        (info, _) = caps.reply_recv(info);
    }
    info
}

fn call_tag(caps: Typed, rounds: usize) -> usize {
    let mut sum = 0_usize;
    for round in 0..rounds {
        let info = caps.endpoint.call(tag(round & 0xff, 0));
        sum = sum.wrapping_add(info.label());
    }
    sum
}

fn serve_tag(caps: Typed, rounds: usize) -> MessageInfo {
    let mut info = tag(0, 0);
    for _ in 0..rounds {
        let (question, _) = caps.reply_recv(info);
        info = tag(question.label() + 1, 0);
    }
    info
}

fn call_message<const LENGTH: usize>(caps: Typed, rounds: usize) -> usize {
    let mut sum = 0_usize;
    for round in 0..rounds {
        let question: [usize; LENGTH] = core::array::from_fn(|index| round + index);
        let info = caps.endpoint.call(message::put(0, &question));
        if let Some(answer) = message::take::<[usize; LENGTH]>(info) {
            sum = answer.into_iter().fold(sum, usize::wrapping_add);
        }
    }
    sum
}

fn serve_message<const LENGTH: usize>(caps: Typed, rounds: usize) -> MessageInfo {
    let mut reply = tag(0, LENGTH);
    for _ in 0..rounds {
        let (info, _) = caps.reply_recv(reply);
        if let Some(question) = message::take::<[usize; LENGTH]>(info) {
            reply = message::put(0, &question.map(|value| value + 1));
        }
    }
    reply
}

fn call_arguments(caps: Typed, rounds: usize) -> usize {
    let mut sum = 0_usize;
    for round in 0..rounds {
        let question = core::array::from_fn(|index| round + index);
        let (_, answer) = caps.endpoint.call_with_mrs(tag(0, 4), question);
        sum = answer.into_iter().fold(sum, usize::wrapping_add);
    }
    sum
}

fn serve_arguments(caps: Typed, rounds: usize) -> MessageInfo {
    let mut values = [0; 4];
    for _ in 0..rounds {
        let info = tag(0, 4);
        let (_, question) = caps.endpoint.reply_recv_with_mrs(info, values, caps.reply);
        values = question.map(|value| value + 1);
    }
    // The last reply leaves through the IPC buffer.
    message::put(0, &values)
}

fn signal(caps: Typed, rounds: usize) -> usize {
    let mut sum = 0_usize;
    for _ in 0..rounds {
        caps.notification.signal();
        sum = sum.wrapping_add(caps.notification.wait());
    }
    sum
}

fn retype(caps: Typed, rounds: usize) -> usize {
    let mut sum = 0;
    for _ in 0..rounds {
        // SAFETY: nothing else names the slot, which is empty here.
        let slot = unsafe { EmptySlot::from_slot(caps.slot) };
        let made = caps.untyped.untyped_retype::<Endpoint>(0, slot);
        // SAFETY: nobody uses the endpoint.
        let deleted = unsafe { caps.slot.cnode_delete() };
        sum |= usize::from(made.is_err()) | usize::from(deleted.is_err());
    }
    sum
}

fn nothing(caps: Typed, rounds: usize) -> usize {
    let mut sum = 0;
    for _ in 0..rounds {
        // SAFETY: there is nothing in the slot.
        sum |= usize::from(unsafe { caps.slot.cnode_delete() }.is_err());
    }
    sum
}

fn yields(rounds: usize) -> usize {
    for _ in 0..rounds {
        yield_now();
    }
    0
}
