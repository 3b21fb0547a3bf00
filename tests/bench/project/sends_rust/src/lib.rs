// SPDX-License-Identifier: BSD-2-Clause

//! One retype and one send.

#![no_std]

use libsel4::libsel4_sys::{seL4_CapInitThreadCNode, seL4_NoError, seL4_WordBits};
use libsel4::{CNode, Cap, EmptySlot, Endpoint, Untyped, message};

/// Makes an endpoint of `untyped` in `slot` of the root CNode, and sends `value` to nobody. 0, or C's error.
///
/// # Safety
///
/// `untyped` is a capability to untyped memory, and nothing else names the slot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sends(untyped: usize, slot: usize, value: usize) -> usize {
    // SAFETY: every thread that C's runtime starts has the root CNode there; the rest is the caller's promise.
    let (untyped, cnode): (Cap<Untyped>, Cap<CNode>) = unsafe {
        (
            Cap::from_word(untyped),
            Cap::from_word(seL4_CapInitThreadCNode),
        )
    };
    // SAFETY: nothing else names the slot, by the contract of this function.
    let slot = unsafe { EmptySlot::from_slot(cnode.slot(slot, seL4_WordBits as u8)) };
    match untyped.untyped_retype::<Endpoint>(0, slot) {
        Ok(endpoint) => {
            endpoint.nb_send(message::put(1, &value));
            seL4_NoError as usize
        }
        Err(refused) => refused.error.code() as usize,
    }
}
