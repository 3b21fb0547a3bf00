// SPDX-License-Identifier: BSD-2-Clause

//! From the host into an seL4 thread and back: all of the machine code there is.
//!
//! An seL4 thread runs on its own stack, with all registers its own; the host, which is the model and
//! what is around it, has a stack of its own, too. A system call comes in through [`entry`], and what
//! goes wrong through [`returned`], to which a signal handler sends it. Both leave the host where
//! [`enter`] left it. So a switch from one thread to another is two moves of registers, and no system
//! call of Linux.

#[cfg(target_arch = "x86_64")]
use std::sync::atomic::{AtomicU8, AtomicUsize};

use sel4_hosted_kernel::Context;
use sel4_hosted_libsel4::Host;
use sel4_hosted_libsel4::api::seL4_BootInfo;

use crate::signals::Trouble;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

/// What the host and its running thread share.
#[repr(C)]
pub struct Frame {
    /// What libsel4 sees of it; it comes first.
    pub host: Host,
    /// Where the registers of the running thread are.
    pub context: *mut Context,
    /// The root server's BootInfo.
    pub boot_info: *mut seL4_BootInfo,
    /// The host's stack while a thread runs.
    pub stack: usize,
    /// Where floating-point state is saved if something goes wrong, or what is to be restored from.
    pub fp: *mut FpState,
    /// Whether `fp` holds what the thread that is entered continues with.
    pub fp_restores: u8,
    /// Whether threads run unmodified code: with thread-local storage of their own, and system calls by
    /// the processor's instruction.
    pub foreign: u8,
    /// Whether a thread runs, and not the host.
    pub in_thread: u8,
    /// Whether it runs for one instruction.
    pub stepping: u8,
    /// `xsave` of x86_64 saves these parts of the state.
    pub fp_mask: u32,
    /// What a signal handler found.
    pub trouble: Option<Trouble>,
}

/// What Linux looks at when a thread of unmodified code makes a system call: 1 makes a signal of it, 0
/// lets Linux have it.
#[cfg(target_arch = "x86_64")]
pub static SELECTOR: AtomicU8 = AtomicU8::new(0);

/// The host's base of thread-local storage, where threads have one of their own.
#[cfg(target_arch = "x86_64")]
pub static HOST_FS: AtomicUsize = AtomicUsize::new(0);

/// Floating-point state, as `xsave` writes it, or as Linux gives it to a signal handler.
#[repr(C, align(64))]
pub struct FpState(pub [u8; 4096]);

/// How a thread came back.
pub const SYSCALL: usize = 0;
/// What happened is in the frame's [`Trouble`].
pub const TROUBLE: usize = 1;

/// Makes a host of the stack that ends at `top`: the next system call by this frame calls `main`
/// there.
///
/// # Safety
///
/// The stack is large enough, and nobody else's.
pub unsafe fn prepare(
    frame: *mut Frame,
    top: *mut usize,
    main: unsafe extern "C" fn(*mut Frame) -> !,
) {
    let words = first_words(frame, main);
    // The stack is aligned where `begin` calls.
    // SAFETY: as the caller promises.
    unsafe {
        let bottom = top.sub(words.len() + 2);
        bottom.cast::<[usize; KEPT]>().write(words);
        (*frame).stack = bottom as usize;
    }
}

/// Whether an instruction is one of those above, where neither host nor thread has all its registers.
pub fn is_between(ip: usize) -> bool {
    places()
        .iter()
        .any(|start| (*start..*start + 512).contains(&ip))
}
