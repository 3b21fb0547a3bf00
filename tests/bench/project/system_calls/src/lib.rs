// SPDX-License-Identifier: BSD-2-Clause

//! What system calls cost: the same workloads in C (workloads.c), with libsel4-sys and with libsel4.
//!
//! A workload is what a client does `rounds` times, and what the server does that answers it, if one does.

#![no_std]

mod safe;
mod sys;

/// What a round is. In those with a server the number of message registers stands in the name.
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
    /// An invocation that finds nothing to do: delete what is in an empty slot.
    Nothing,
    Yield,
}

/// Capabilities for the workloads.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Caps {
    endpoint: usize,
    /// The reply object, which kernels without MCS do not have.
    reply: usize,
    notification: usize,
    /// Memory for one endpoint at least.
    untyped: usize,
    /// The root CNode.
    cnode: usize,
    /// An empty slot in it.
    slot: usize,
}

/// The client with libsel4-sys. The result is made of what the kernel gave, and the same in C.
///
/// # Safety
///
/// The capabilities are what they are called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sys_client(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: as above.
    unsafe { sys::client(workload, caps, rounds) }
}

/// The server with libsel4-sys: replies and receives `rounds` times, and gives the word of the last reply.
///
/// # Safety
///
/// The capabilities are what they are called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sys_server(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: as above.
    unsafe { sys::server(workload, caps, rounds) }
}

/// The client with libsel4.
///
/// # Safety
///
/// The capabilities are what they are called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn safe_client(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: as above.
    unsafe { safe::client(workload, caps, rounds) }
}

/// The server with libsel4.
///
/// # Safety
///
/// The capabilities are what they are called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn safe_server(workload: Workload, caps: &Caps, rounds: usize) -> usize {
    // SAFETY: as above.
    unsafe { safe::server(workload, caps, rounds) }
}
