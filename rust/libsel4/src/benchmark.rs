// SPDX-License-Identifier: BSD-2-Clause

//! Measurements of a kernel for benchmarks.

use libsel4_sys as sys;

use crate::arch::LargePage;
use crate::cap::Cap;
use crate::error::{Result, check};
#[cfg(CONFIG_BENCHMARK_TRACK_UTILISATION)]
use crate::kind::Tcb;
#[cfg(CONFIG_BENCHMARK_TRACK_UTILISATION)]
use crate::message;

/// Corresponds to `seL4_BenchmarkResetLog`. Begins to measure.
///
/// # Errors
///
/// Some, where the kernel writes a log and has no buffer for it.
#[doc(alias = "seL4_BenchmarkResetLog")]
pub fn benchmark_reset_log() -> Result<()> {
    // SAFETY: a system call that touches no memory of this program.
    check(unsafe { sys::seL4_BenchmarkResetLog() })
}

/// Corresponds to `seL4_BenchmarkFinalizeLog`. Ends it; returns how many entries the log has.
#[doc(alias = "seL4_BenchmarkFinalizeLog")]
pub fn benchmark_finalize_log() -> usize {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_BenchmarkFinalizeLog() }
}

/// Corresponds to `seL4_BenchmarkSetLogBuffer`. Where the kernel writes its log.
///
/// # Safety
///
/// From now on the kernel writes to the page: this program uses it by volatile accesses only.
#[doc(alias = "seL4_BenchmarkSetLogBuffer")]
pub unsafe fn benchmark_set_log_buffer(page: Cap<LargePage>) -> Result<()> {
    // SAFETY: this program's accesses to the page are volatile from now on, by the contract of this function.
    check(unsafe { sys::seL4_BenchmarkSetLogBuffer(page.word()) })
}

/// Corresponds to `seL4_BenchmarkNullSyscall`. Enters the kernel, and does nothing there.
#[doc(alias = "seL4_BenchmarkNullSyscall")]
pub fn benchmark_null_syscall() {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_BenchmarkNullSyscall() }
}

/// Corresponds to `seL4_BenchmarkFlushCaches`.
#[doc(alias = "seL4_BenchmarkFlushCaches")]
pub fn benchmark_flush_caches() {
    // SAFETY: the contents stay the same.
    unsafe { sys::seL4_BenchmarkFlushCaches() }
}

/// Corresponds to `seL4_BenchmarkFlushL1Caches`. `caches` says which, as the kernel numbers them: 1 for
/// instructions, 2 for data, 3 for both.
#[cfg(any(CONFIG_ARCH_ARM, CONFIG_ARCH_RISCV))]
#[doc(alias = "seL4_BenchmarkFlushL1Caches")]
pub fn benchmark_flush_l1_caches(caches: usize) {
    // SAFETY: the contents stay the same.
    unsafe { sys::seL4_BenchmarkFlushL1Caches(caches) }
}

/// Corresponds to `seL4_BenchmarkDumpAllThreadsUtilisation`. Prints what all threads used, as JSON.
#[cfg(all(CONFIG_BENCHMARK_TRACK_UTILISATION, CONFIG_DEBUG_BUILD))]
#[doc(alias = "seL4_BenchmarkDumpAllThreadsUtilisation")]
pub fn benchmark_dump_all_threads_utilisation() {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_BenchmarkDumpAllThreadsUtilisation() }
}

/// Corresponds to `seL4_BenchmarkResetAllThreadsUtilisation`.
#[cfg(all(CONFIG_BENCHMARK_TRACK_UTILISATION, CONFIG_DEBUG_BUILD))]
#[doc(alias = "seL4_BenchmarkResetAllThreadsUtilisation")]
pub fn benchmark_reset_all_threads_utilisation() {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_BenchmarkResetAllThreadsUtilisation() }
}

/// Utilisation by a thread, by the idle thread, or of a core.
#[cfg(CONFIG_BENCHMARK_TRACK_UTILISATION)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Used {
    /// Cycles.
    pub cycles: u64,
    /// Number of times it was scheduled.
    pub schedules: u64,
    /// Cycles in the kernel.
    pub kernel_cycles: u64,
    /// Number of kernel entries.
    pub kernel_entries: u64,
}

/// Result of [`benchmark_get_thread_utilisation`](Cap::benchmark_get_thread_utilisation).
#[cfg(CONFIG_BENCHMARK_TRACK_UTILISATION)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Utilisation {
    /// Utilisation by the thread.
    pub thread: Used,
    /// Utilisation by the idle thread of this core.
    pub idle: Used,
    /// Cycles of the idle thread of the thread's core.
    pub idle_of_thread_core: u64,
    /// Utilisation of this core.
    pub total: Used,
}

#[cfg(CONFIG_BENCHMARK_TRACK_UTILISATION)]
impl Cap<Tcb> {
    /// Corresponds to `seL4_BenchmarkGetThreadUtilisation`.
    #[doc(alias = "seL4_BenchmarkGetThreadUtilisation")]
    pub fn benchmark_get_thread_utilisation(self) -> Utilisation {
        use sys::*;

        // SAFETY: a system call; it writes the IPC buffer of this thread.
        unsafe { seL4_BenchmarkGetThreadUtilisation(self.word()) };
        // The kernel writes 64 bits each, as they lie in memory.
        let at = |index| {
            let mut bytes = [0; 8];
            let parts = bytes.as_chunks_mut::<{ size_of::<usize>() }>().0;
            for (part, bytes) in parts.iter_mut().enumerate() {
                let register = index * 8 / size_of::<usize>() + part;
                *bytes = message::register(register).to_ne_bytes();
            }
            u64::from_ne_bytes(bytes)
        };
        let used = |cycles, schedules, kernel_cycles, kernel_entries| Used {
            cycles: at(cycles),
            schedules: at(schedules),
            kernel_cycles: at(kernel_cycles),
            kernel_entries: at(kernel_entries),
        };
        Utilisation {
            thread: used(
                BENCHMARK_TCB_UTILISATION,
                BENCHMARK_TCB_NUMBER_SCHEDULES,
                BENCHMARK_TCB_KERNEL_UTILISATION,
                BENCHMARK_TCB_NUMBER_KERNEL_ENTRIES,
            ),
            idle: used(
                BENCHMARK_IDLE_LOCALCPU_UTILISATION,
                BENCHMARK_IDLE_NUMBER_SCHEDULES,
                BENCHMARK_IDLE_KERNEL_UTILISATION,
                BENCHMARK_IDLE_NUMBER_KERNEL_ENTRIES,
            ),
            idle_of_thread_core: at(BENCHMARK_IDLE_TCBCPU_UTILISATION),
            total: used(
                BENCHMARK_TOTAL_UTILISATION,
                BENCHMARK_TOTAL_NUMBER_SCHEDULES,
                BENCHMARK_TOTAL_KERNEL_UTILISATION,
                BENCHMARK_TOTAL_NUMBER_KERNEL_ENTRIES,
            ),
        }
    }

    /// Corresponds to `seL4_BenchmarkResetThreadUtilisation`.
    #[doc(alias = "seL4_BenchmarkResetThreadUtilisation")]
    pub fn benchmark_reset_thread_utilisation(self) {
        // SAFETY: a system call that touches no memory of this program.
        unsafe { sys::seL4_BenchmarkResetThreadUtilisation(self.word()) }
    }
}
