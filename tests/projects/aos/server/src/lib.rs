// SPDX-License-Identifier: BSD-2-Clause
//! Book of the root server about its programs.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::cell::RefCell;
use libsel4::{Cap, Endpoint, Fault, ReplyHandle};

/// Ends of the programs so far: whether each one failed.
static ENDS: Ends = Ends(RefCell::new(Vec::new()));

struct Ends(RefCell<Vec<bool>>);

// SAFETY: the root server has one thread.
unsafe impl Sync for Ends {}

/// Waits for the end of a program: for its message, or for that of a fault, as a panic is one.
///
/// # Safety
///
/// `endpoint` is the address of an endpoint, to which each program has a capability with its number as badge. With MCS,
/// `reply_object` is the address of a reply object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn server_await(endpoint: usize, reply_object: usize) {
    // SAFETY: by the contract of this function, these are of the types.
    let (endpoint, handle): (Cap<Endpoint>, ReplyHandle) = unsafe {
        (
            Cap::from_word(endpoint),
            ReplyHandle::from_word(reply_object),
        )
    };
    let (info, program) = endpoint.recv(handle).message();
    let failed = info.label() != protocol::DONE;
    if failed {
        log::warn!("program {program}: {}", Fault::of(info));
    }
    ENDS.0.borrow_mut().push(failed);
}

/// Says how many programs ended in which way.
#[unsafe(no_mangle)]
pub extern "C" fn server_report() {
    let ends = ENDS.0.borrow();
    let failed = ends.iter().filter(|failed| **failed).count();
    log::info!("{} programs, {failed} of them failed", ends.len());
}
