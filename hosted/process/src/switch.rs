// SPDX-License-Identifier: BSD-2-Clause

//! Switches between the host and seL4 threads, in assembly.
//!
//! An seL4 thread has its own stack and all registers. The host, that is the model and the code around it,
//! has a separate stack. A system call enters the host through [`entry`]; a signal handler enters it
//! through [`signal_return`]. Both continue the host behind its call of [`enter`]. So a switch of threads
//! saves and loads registers, and needs no system call of Linux.

#[cfg(target_arch = "x86_64")]
use std::sync::atomic::{AtomicU8, AtomicUsize};

use sel4_hosted_kernel::Context;
use sel4_hosted_libsel4::Host;
use sel4_hosted_libsel4::api::seL4_BootInfo;

use crate::signals::Trap;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

/// Data shared by the host, the running thread and the machine code.
#[repr(C)]
pub struct Frame {
    /// libsel4's part, which comes first.
    pub host: Host,
    /// Registers of the running thread.
    pub context: *mut Context,
    /// BootInfo of the root server.
    pub boot_info: *mut seL4_BootInfo,
    /// Saved stack pointer of the host while a thread runs.
    pub stack: usize,
    /// Floating-point state of the running thread, saved when a signal stops it.
    pub fp: *mut FpState,
    /// Nonzero if [`enter`] must restore `fp`.
    pub fp_restores: u8,
    /// Nonzero for an unmodified image, whose threads have their own TLS base and make system calls by the
    /// processor's instruction.
    pub unmodified: u8,
    /// Nonzero while a thread runs, zero while the host runs.
    pub in_thread: u8,
    /// Nonzero while the thread executes a single step.
    pub stepping: u8,
    /// State components that `xsave` of x86_64 saves.
    pub fp_mask: u32,
    /// Reason why a signal handler has stopped the thread.
    pub trap: Option<Trap>,
}

/// Selector of Linux' syscall user dispatch: 1 turns system calls into signals, 0 lets Linux serve them.
#[cfg(target_arch = "x86_64")]
pub static SELECTOR: AtomicU8 = AtomicU8::new(0);

/// TLS base of the host, for unmodified images, whose threads have others.
#[cfg(target_arch = "x86_64")]
pub static HOST_FS: AtomicUsize = AtomicUsize::new(0);

/// Floating-point state, in the layout of `xsave` or of Linux' signal frame.
#[repr(C, align(64))]
pub struct FpState(pub [u8; 4096]);

/// Result of [`enter`]: the thread has made a system call.
pub const SYSCALL: usize = 0;
/// Result of [`enter`]: the frame's [`Trap`] has the reason.
pub const TRAP: usize = 1;

/// Prepares the stack that ends at `top` for the host: the next system call by this frame calls `main` there.
///
/// # Safety
///
/// The stack is large enough, and nothing else uses it.
pub unsafe fn prepare(
    frame: *mut Frame,
    top: *mut usize,
    main: unsafe extern "C" fn(*mut Frame) -> !,
) {
    let words = initial_words(frame, main);
    // The stack must be aligned where `begin` makes its call.
    // SAFETY: as the caller promises.
    unsafe {
        let bottom = top.sub(words.len() + 2);
        bottom.cast::<[usize; SAVED_WORDS]>().write(words);
        (*frame).stack = bottom as usize;
    }
}

/// Returns whether an instruction is part of a switch, during which neither host nor thread has all of its
/// registers.
pub fn is_switching(ip: usize) -> bool {
    switch_code()
        .iter()
        .any(|start| (*start..*start + 512).contains(&ip))
}
