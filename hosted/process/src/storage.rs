// SPDX-License-Identifier: BSD-2-Clause

//! Thread-local storage of seL4 threads.
//!
//! All of them run on one thread of the host, and so share the storage that this has, as long as they
//! are not lent another: storage that C's library has made for some other thread of the host, which
//! sleeps meanwhile. A thread whose register for it says so has that while it runs, and with it its own
//! `errno`, its own thread-local variables of C and Rust, and its own `pthread_self()`.

use std::arch::asm;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use sel4_hosted_libsel4::api::seL4_IPCBuffer;

use crate::signals::undivided;

/// Storage that is lent, and the IPC buffer that a thread finds in it when it begins to run.
static LENT: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// Uses it; the host may want it whenever another seL4 thread runs, so none does meanwhile.
fn with_lent<R>(work: impl FnOnce(&mut BTreeMap<usize, usize>) -> R) -> R {
    undivided(|| work(&mut LENT.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// A thread whose register for it has `base` gets this storage.
///
/// # Safety
///
/// It is storage of C's library, whose thread sleeps until it is taken back.
pub unsafe fn lend(base: usize) {
    with_lent(|lent| lent.insert(base, 0));
}

/// No seL4 thread has this storage any more.
pub fn take_back(base: usize) {
    with_lent(|lent| lent.remove(&base));
}

/// The thread that begins with the storage at `base` finds this IPC buffer there.
pub fn bring_ipc_buffer(base: usize, buffer: *mut seL4_IPCBuffer) {
    with_lent(|lent| lent.insert(base, buffer.expose_provenance()));
}

/// Whether this is lent, and with which IPC buffer; null if with none.
pub(crate) fn lent(base: usize) -> Option<*mut seL4_IPCBuffer> {
    with_lent(|lent| lent.get(&base).copied()).map(ptr::with_exposed_provenance_mut)
}

/// Where the storage of the running thread is, as the processor has it.
#[must_use]
pub fn base() -> usize {
    let base: usize;
    // SAFETY: the ABI has the storage's own address there.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("mov {}, fs:0", out(reg) base, options(nostack, readonly, preserves_flags));
    }
    // SAFETY: it reads a register.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("mrs {}, tpidr_el0", out(reg) base, options(nostack, nomem, preserves_flags));
    }
    base
}

/// Goes on with other storage.
///
/// # Safety
///
/// It is storage of C's library, whose thread does not run.
pub(crate) unsafe fn change(base: usize) {
    // SAFETY: as the caller promises; a register of programs' own.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("msr tpidr_el0, {}", in(reg) base, options(nostack, preserves_flags));
    }
    #[cfg(target_arch = "x86_64")]
    {
        const ARCH_SET_FS: usize = 0x1002;
        if can_set_fs() {
            // SAFETY: as the caller promises, and the processor has the instruction.
            unsafe { asm!("wrfsbase {}", in(reg) base, options(nostack, preserves_flags)) };
        } else {
            // SAFETY: as the caller promises. C's function for it would look at the storage.
            unsafe {
                asm!(
                    "syscall",
                    inout("rax") libc::SYS_arch_prctl => _,
                    in("rdi") ARCH_SET_FS,
                    in("rsi") base,
                    out("rcx") _,
                    out("r11") _,
                    options(nostack),
                );
            }
        }
    }
}

/// Whether Linux lets programs use the instructions for it (from Linux' <asm/hwcap2.h>).
#[cfg(target_arch = "x86_64")]
pub(crate) fn can_set_fs() -> bool {
    const HWCAP2_FSGSBASE: u64 = 1 << 1;
    // SAFETY: a plain call.
    unsafe { libc::getauxval(libc::AT_HWCAP2) & HWCAP2_FSGSBASE != 0 }
}
