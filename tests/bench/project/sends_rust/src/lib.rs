// SPDX-License-Identifier: BSD-2-Clause

//! One retype and one send.

#![no_std]

use libsel4::libsel4_sys::{seL4_CapInitThreadCNode, seL4_NoError, seL4_WordBits};
use libsel4::{CNode, Cap, Endpoint, Error, Untyped, message};

/// Makes an endpoint of `untyped` in `slot` of the root CNode, and sends `value` to nobody. 0, or C's error.
///
/// # Safety
///
/// `untyped` is a capability to untyped memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sends(untyped: usize, slot: usize, value: usize) -> usize {
    // SAFETY: every thread that C's runtime starts has the root CNode there; the rest is the caller's promise.
    let (untyped, cnode): (Cap<Untyped>, Cap<CNode>) = unsafe {
        (
            Cap::from_word(untyped),
            Cap::from_word(seL4_CapInitThreadCNode),
        )
    };
    let slot = cnode.slot(slot, seL4_WordBits as u8);
    let made = untyped.untyped_retype::<Endpoint>(0, cnode.itself(), slot.index(), 1);
    if made.is_ok() {
        // SAFETY: the kernel has just made it.
        let endpoint: Cap<Endpoint> = unsafe { slot.cap() };
        endpoint.nb_send(message::put(1, &value));
    }
    made.map_or_else(Error::code, |()| seL4_NoError) as usize
}
