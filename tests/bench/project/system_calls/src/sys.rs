// SPDX-License-Identifier: BSD-2-Clause

//! The workloads with libsel4-sys, as one writes them in C.

use libsel4_sys::*;

use crate::{Caps, Workload};

fn tag(label: usize, length: usize) -> seL4_MessageInfo_t {
    // In these C has `seL4_Uint32` or `seL4_Uint64` for its words.
    // SAFETY: it only computes.
    unsafe { seL4_MessageInfo_new(label as _, 0, 0, length as _) }
}

fn label(info: seL4_MessageInfo_t) -> usize {
    // SAFETY: it only computes.
    unsafe { seL4_MessageInfo_get_label(info) as usize }
}

fn length(info: seL4_MessageInfo_t) -> usize {
    // SAFETY: it only computes.
    unsafe { seL4_MessageInfo_get_length(info) as usize }
}

unsafe fn reply_recv(
    caps: &Caps,
    info: seL4_MessageInfo_t,
    badge: &mut usize,
) -> seL4_MessageInfo_t {
    // SAFETY: the capabilities are of the kinds that their names say.
    unsafe {
        #[cfg(CONFIG_KERNEL_MCS)]
        return seL4_ReplyRecv(caps.endpoint, info, badge, caps.reply);
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return seL4_ReplyRecv(caps.endpoint, info, badge);
    }
}

pub unsafe fn client(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: the capabilities are of the kinds that their names say.
    unsafe {
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
}

pub unsafe fn server(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: the capabilities are of the kinds that their names say.
    unsafe {
        match workload {
            Workload::Tag => serve_tag(caps, rounds),
            Workload::Message4 => serve_message::<4>(caps, rounds),
            Workload::Message8 => serve_message::<8>(caps, rounds),
            Workload::Arguments4 => serve_arguments(caps, rounds),
            _ => serve(caps, rounds),
        }
    }
}

unsafe fn call<const LENGTH: usize>(caps: &Caps, rounds: usize) -> usize {
    let info = tag(0, LENGTH);
    for _ in 0..rounds {
        // SAFETY: the capabilities are of the kinds that their names say.
        unsafe { seL4_Call(caps.endpoint, info) };
    }
    0
}

unsafe fn serve(caps: &Caps, rounds: usize) -> usize {
    let mut info = tag(0, 0);
    let mut badge = 0;
    for _ in 0..rounds {
        // SAFETY: the capabilities are of the kinds that their names say.
        info = unsafe { reply_recv(caps, info, &mut badge) };
    }
    info.words[0] as usize
}

unsafe fn call_tag(caps: &Caps, rounds: usize) -> usize {
    let mut sum = 0_usize;
    for round in 0..rounds {
        // SAFETY: the capabilities are of the kinds that their names say.
        let info = unsafe { seL4_Call(caps.endpoint, tag(round & 0xff, 0)) };
        sum = sum.wrapping_add(label(info));
    }
    sum
}

unsafe fn serve_tag(caps: &Caps, rounds: usize) -> usize {
    let mut info = tag(0, 0);
    let mut badge = 0;
    for _ in 0..rounds {
        // SAFETY: the capabilities are of the kinds that their names say.
        let question = unsafe { reply_recv(caps, info, &mut badge) };
        info = tag(label(question) + 1, 0);
    }
    info.words[0] as usize
}

unsafe fn call_message<const LENGTH: usize>(caps: &Caps, rounds: usize) -> usize {
    let mut sum = 0_usize;
    for round in 0..rounds {
        // SAFETY: there are that many registers, and the capabilities are of the kinds that their names say.
        unsafe {
            for index in 0..LENGTH {
                seL4_SetMR(index as i32, round + index);
            }
            let info = seL4_Call(caps.endpoint, tag(0, LENGTH));
            if length(info) >= LENGTH {
                for index in 0..LENGTH {
                    sum = sum.wrapping_add(seL4_GetMR(index as i32));
                }
            }
        }
    }
    sum
}

unsafe fn serve_message<const LENGTH: usize>(caps: &Caps, rounds: usize) -> usize {
    let mut badge = 0;
    for _ in 0..rounds {
        // SAFETY: there are that many registers, and the capabilities are of the kinds that their names say.
        unsafe {
            let info = reply_recv(caps, tag(0, LENGTH), &mut badge);
            if length(info) >= LENGTH {
                for index in 0..LENGTH {
                    seL4_SetMR(index as i32, seL4_GetMR(index as i32) + 1);
                }
            }
        }
    }
    tag(0, LENGTH).words[0] as usize
}

unsafe fn call_arguments(caps: &Caps, rounds: usize) -> usize {
    let mut sum = 0_usize;
    for round in 0..rounds {
        let [mut a, mut b, mut c, mut d] = [round, round + 1, round + 2, round + 3];
        // SAFETY: the capabilities are of the kinds that their names say.
        unsafe { seL4_CallWithMRs(caps.endpoint, tag(0, 4), &mut a, &mut b, &mut c, &mut d) };
        sum = sum
            .wrapping_add(a)
            .wrapping_add(b)
            .wrapping_add(c)
            .wrapping_add(d);
    }
    sum
}

unsafe fn serve_arguments(caps: &Caps, rounds: usize) -> usize {
    let mut badge = 0;
    let [mut a, mut b, mut c, mut d] = [0; 4];
    for _ in 0..rounds {
        // SAFETY: the capabilities are of the kinds that their names say.
        unsafe {
            #[cfg(CONFIG_KERNEL_MCS)]
            seL4_ReplyRecvWithMRs(
                caps.endpoint,
                tag(0, 4),
                &mut badge,
                &mut a,
                &mut b,
                &mut c,
                &mut d,
                caps.reply,
            );
            #[cfg(not(CONFIG_KERNEL_MCS))]
            seL4_ReplyRecvWithMRs(
                caps.endpoint,
                tag(0, 4),
                &mut badge,
                &mut a,
                &mut b,
                &mut c,
                &mut d,
            );
        }
        [a, b, c, d] = [a + 1, b + 1, c + 1, d + 1];
    }
    // The last reply leaves through the IPC buffer.
    for (index, value) in [a, b, c, d].into_iter().enumerate() {
        // SAFETY: there are that many registers.
        unsafe { seL4_SetMR(index as i32, value) };
    }
    tag(0, 4).words[0] as usize
}

unsafe fn signal(caps: &Caps, rounds: usize) -> usize {
    let mut sum = 0_usize;
    for _ in 0..rounds {
        let mut badge = 0;
        // SAFETY: the capabilities are of the kinds that their names say.
        unsafe {
            seL4_Signal(caps.notification);
            seL4_Wait(caps.notification, &mut badge);
        }
        sum = sum.wrapping_add(badge);
    }
    sum
}

unsafe fn retype(caps: &Caps, rounds: usize) -> usize {
    let mut sum = 0;
    for _ in 0..rounds {
        // SAFETY: the capabilities are of the kinds that their names say.
        unsafe {
            sum |= seL4_Untyped_Retype(
                caps.untyped,
                seL4_EndpointObject,
                0,
                caps.cnode,
                0,
                0,
                caps.slot,
                1,
            );
            sum |= seL4_CNode_Delete(caps.cnode, caps.slot, seL4_WordBits as u8);
        }
    }
    sum as usize
}

unsafe fn nothing(caps: &Caps, rounds: usize) -> usize {
    let mut sum = 0;
    for _ in 0..rounds {
        // SAFETY: the capabilities are of the kinds that their names say.
        sum |= unsafe { seL4_CNode_Delete(caps.cnode, caps.slot, seL4_WordBits as u8) };
    }
    sum as usize
}

unsafe fn yields(rounds: usize) -> usize {
    for _ in 0..rounds {
        // SAFETY: it touches no memory.
        unsafe { seL4_Yield() };
    }
    0
}
