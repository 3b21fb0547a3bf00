// SPDX-License-Identifier: BSD-2-Clause

//! Cost of system calls: the same workloads in C (workloads.c), with libsel4-sys and with libsel4.
//!
//! In a workload, a client does an operation `rounds` times; a server replies to it, if there is one.

#![no_std]

mod safe;
mod sys;

/// Operation of a round. In those with a server, the name contains the number of message registers.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum Workload {
    /// Call and reply; no message register is touched.
    Call0,
    Call4,
    Call8,
    /// Call and reply; both sides make a tag and read the label of the other's.
    Tag,
    /// Call and reply; both sides write the registers before, and read them afterwards if so many came.
    Message4,
    Message8,
    /// Call and reply with the registers as arguments of the functions.
    Arguments4,
    /// Signal a notification, and wait for it.
    Signal,
    /// Make an endpoint, and delete it.
    Retype,
    /// An invocation without an effect: deleting an empty slot.
    Nothing,
    Yield,
}

/// Capabilities for the workloads.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Caps {
    endpoint: usize,
    /// Reply object; unused without MCS.
    reply: usize,
    notification: usize,
    /// Memory for one endpoint at least.
    untyped: usize,
    /// The root CNode.
    cnode: usize,
    /// An empty slot in it.
    slot: usize,
}

/// Client with libsel4-sys. Computes a result from the kernel's replies, which is the same in C.
///
/// # Safety
///
/// The capabilities are of the kinds that their names say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sys_client(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: as above.
    unsafe { sys::client(workload, caps, rounds) }
}

/// Server with libsel4-sys: replies and receives `rounds` times, and returns the word of the last reply.
///
/// # Safety
///
/// The capabilities are of the kinds that their names say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sys_server(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: as above.
    unsafe { sys::server(workload, caps, rounds) }
}

/// Client with libsel4.
///
/// # Safety
///
/// The capabilities are of the kinds that their names say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn safe_client(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: as above.
    unsafe { safe::client(workload, caps, rounds) }
}

/// Server with libsel4.
///
/// # Safety
///
/// The capabilities are of the kinds that their names say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn safe_server(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: as above.
    unsafe { safe::server(workload, caps, rounds) }
}
