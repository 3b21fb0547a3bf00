// SPDX-License-Identifier: BSD-2-Clause

//! Thread-local storage of seL4 threads.
//!
//! All seL4 threads run on one thread of the host and share its storage by default. Storage that the C
//! library has made for another thread of the host can be lent to an seL4 thread while its owner
//! sleeps. A thread whose TLS register holds the base of lent storage runs with it, and so has its own
//! `errno`, its own thread-local variables of C and Rust, and its own `pthread_self()`.

use std::arch::asm;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use sel4_hosted_libsel4::api::seL4_IPCBuffer;

use crate::signals::without_preemption;

/// Lent storage: its base, and the IPC buffer with which a thread begins to use it.
static LENT: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// Accesses the map without preemption: the host needs it at each switch of threads.
fn with_lent<R>(work: impl FnOnce(&mut BTreeMap<usize, usize>) -> R) -> R {
    without_preemption(|| work(&mut LENT.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Lends the storage at `base` to seL4 threads whose TLS register holds that base.
///
/// # Safety
///
/// The C library has made the storage for a thread that sleeps until [`take_back`].
pub unsafe fn lend(base: usize) {
    with_lent(|lent| lent.insert(base, 0));
}

/// Ends the loan of the storage at `base`.
pub fn take_back(base: usize) {
    with_lent(|lent| lent.remove(&base));
}

/// Sets the IPC buffer with which a thread begins to use the storage at `base`.
///
/// # Safety
///
/// The buffer is null, or an IPC buffer of the thread that uses the storage, to the thread's end.
pub unsafe fn set_ipc_buffer(base: usize, buffer: *mut seL4_IPCBuffer) {
    with_lent(|lent| lent.insert(base, buffer.expose_provenance()));
}

/// Returns the IPC buffer of lent storage, null if it has none yet; `None` if the storage is not lent.
pub(crate) fn lent(base: usize) -> Option<*mut seL4_IPCBuffer> {
    with_lent(|lent| lent.get(&base).copied()).map(ptr::with_exposed_provenance_mut)
}

/// Returns the base of the running thread's storage, from the processor.
#[must_use]
pub fn base() -> usize {
    let base: usize;
    // SAFETY: by the ABI, the storage begins with its own address.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("mov {}, fs:0", out(reg) base, options(nostack, readonly, preserves_flags));
    }
    // SAFETY: reads a register.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("mrs {}, tpidr_el0", out(reg) base, options(nostack, nomem, preserves_flags));
    }
    base
}

/// Sets the base of the running thread's storage.
///
/// # Safety
///
/// The C library has made the storage, and the thread it was made for does not run.
pub(crate) unsafe fn change(base: usize) {
    // SAFETY: as the caller promises; user level may write the register.
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
            // SAFETY: as the caller promises. The C library's function would access the storage.
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

/// Returns whether Linux enables the instructions FSGSBASE for programs (from Linux' <asm/hwcap2.h>).
#[cfg(target_arch = "x86_64")]
pub(crate) fn can_set_fs() -> bool {
    const HWCAP2_FSGSBASE: u64 = 1 << 1;
    // SAFETY: a plain call.
    unsafe { libc::getauxval(libc::AT_HWCAP2) & HWCAP2_FSGSBASE != 0 }
}
