// SPDX-License-Identifier: BSD-2-Clause
//! Rust in the parent: gives each child its job, and learns how the child ended.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use libsel4::{Cap, Endpoint, Fault, ReplyHandle, message, reply};
use protocol::{Answer, DONE, Job, READY};

/// Ends of the children so far.
pub struct Supervisor(Vec<End>);

/// End of a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Answered,
    Failed,
}

/// Makes a supervisor without children.
#[unsafe(no_mangle)]
pub extern "C" fn supervisor_new() -> *mut Supervisor {
    alloc::boxed::Box::into_raw(alloc::boxed::Box::new(Supervisor(Vec::new())))
}

/// Serves the child `child` until it ends: by its answer, or by a fault, as a panic is one.
///
/// # Safety
///
/// `supervisor` comes from `supervisor_new()`. `endpoint` is the address of an endpoint to which only `child` has a
/// capability, with the number as badge. With MCS, `reply_object` is the address of a reply object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn supervisor_serve(
    supervisor: &mut Supervisor,
    endpoint: usize,
    reply_object: usize,
    child: usize,
) {
    // SAFETY: by the contract of this function, these are of the types.
    let (endpoint, handle): (Cap<Endpoint>, ReplyHandle) = unsafe {
        (
            Cap::from_word(endpoint),
            ReplyHandle::from_word(reply_object),
        )
    };
    let job = job_of(child);
    let end = loop {
        let (info, badge) = endpoint.recv(handle).message();
        assert_eq!(badge, child, "another child called");
        match info.label() {
            READY => reply(handle, message::put(0, &job)),
            DONE => {
                if let Some(Answer { primes }) = message::take(info)
                    && child <= 3
                {
                    log::info!("child {child}: {primes} primes below {}", job.limit);
                }
                break End::Answered;
            }
            _ => {
                log::warn!("child {child}: {}", Fault::of(info));
                break End::Failed;
            }
        }
    };
    supervisor.0.push(end);
}

/// Logs how many children ended in which way.
#[unsafe(no_mangle)]
pub extern "C" fn supervisor_report(supervisor: &Supervisor) {
    let failed = supervisor
        .0
        .iter()
        .filter(|end| **end == End::Failed)
        .count();
    log::info!("{} children, {failed} of them failed", supervisor.0.len());
}

/// Returns the job of a child. Every 50th is one for which the children are not prepared.
fn job_of(child: usize) -> Job {
    let limit = if child.is_multiple_of(50) {
        1
    } else {
        10 * child as u32
    };
    Job { limit }
}
