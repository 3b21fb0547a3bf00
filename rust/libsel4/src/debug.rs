// SPDX-License-Identifier: BSD-2-Clause

//! System calls of a kernel with debugging or printing.

#[cfg(any(
    CONFIG_DEBUG_BUILD,
    CONFIG_PRINTING,
    CONFIG_DANGEROUS_CODE_INJECTION,
    CONFIG_KERNEL_X86_DANGEROUS_MSR
))]
use libsel4_sys as sys;

#[cfg(CONFIG_DEBUG_BUILD)]
use crate::{cap::Cap, kind::Kind, kind::Tcb};

/// The kernel's console, for `write!`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use core::fmt::Write;
/// use libsel4::debug::Console;
///
/// writeln!(Console, "{} cores", info.num_nodes()).expect("a console that takes all");
/// # Ok(()) }) }
/// ```
#[cfg(CONFIG_PRINTING)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Console;

#[cfg(CONFIG_PRINTING)]
impl core::fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.bytes().for_each(debug_put_char);
        Ok(())
    }
}

/// Corresponds to `seL4_DebugPutChar`. Prints a byte on the kernel's console.
#[cfg(CONFIG_PRINTING)]
#[doc(alias = "seL4_DebugPutChar")]
pub fn debug_put_char(byte: u8) {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_DebugPutChar(byte as core::ffi::c_char) }
}

/// Corresponds to `seL4_DebugDumpScheduler`. Prints all threads and what they do.
#[cfg(CONFIG_DEBUG_BUILD)]
#[doc(alias = "seL4_DebugDumpScheduler")]
pub fn debug_dump_scheduler() {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_DebugDumpScheduler() }
}

/// Corresponds to `seL4_DebugSnapshot`. Prints all capabilities.
#[cfg(CONFIG_DEBUG_BUILD)]
#[doc(alias = "seL4_DebugSnapshot")]
pub fn debug_snapshot() {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_DebugSnapshot() }
}

/// Corresponds to `seL4_DebugHalt`. Stops the machine.
#[cfg(CONFIG_DEBUG_BUILD)]
#[doc(alias = "seL4_DebugHalt")]
pub fn debug_halt() {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_DebugHalt() }
}

/// Corresponds to `seL4_DebugCapIdentify`. The kernel's number for the kind of a capability, 0 for none.
#[cfg(CONFIG_DEBUG_BUILD)]
#[doc(alias = "seL4_DebugCapIdentify")]
pub fn debug_cap_identify<T: Kind>(cap: Cap<T>) -> u32 {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_DebugCapIdentify(cap.word()) }
}

/// Corresponds to `seL4_DebugSendIPI`. Sends an interrupt to the core `target`, counted from 0.
#[cfg(all(CONFIG_DEBUG_BUILD, CONFIG_ENABLE_SMP_SUPPORT, CONFIG_ARCH_ARM))]
#[doc(alias = "seL4_DebugSendIPI")]
pub fn debug_send_ipi(target: u8, irq: u32) {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_DebugSendIPI(target, irq) }
}

#[cfg(CONFIG_DEBUG_BUILD)]
impl Cap<Tcb> {
    /// Corresponds to `seL4_DebugGetThreadAffinity`. The core that the thread runs on, counted from 0.
    #[cfg(CONFIG_ENABLE_SMP_SUPPORT)]
    #[doc(alias = "seL4_DebugGetThreadAffinity")]
    pub fn debug_get_thread_affinity(self) -> usize {
        // SAFETY: a system call that touches no memory of this program.
        unsafe { sys::seL4_DebugGetThreadAffinity(self.word()) }
    }

    /// Corresponds to `seL4_DebugNameThread`. How the kernel calls the thread in its messages. The name
    /// goes through the message registers; one that does not fit there is not given.
    #[doc(alias = "seL4_DebugNameThread")]
    pub fn debug_name_thread(self, name: &core::ffi::CStr) {
        // The kernel halts on a name that is not within the message.
        if name.count_bytes() < crate::message::REGISTERS * size_of::<usize>() {
            // SAFETY: C copies the name into the IPC buffer, where it has room.
            unsafe { sys::seL4_DebugNameThread(self.word(), name.as_ptr()) }
        }
    }
}

/// Corresponds to `seL4_DebugRun`. Runs a function in the kernel.
///
/// # Safety
///
/// The function may run there: it uses no stack, memory or thread-local storage that the kernel has not,
/// makes no system call, and leaves the kernel's memory alone.
#[cfg(CONFIG_DANGEROUS_CODE_INJECTION)]
#[doc(alias = "seL4_DebugRun")]
pub unsafe fn debug_run(
    function: unsafe extern "C" fn(*mut core::ffi::c_void),
    argument: *mut core::ffi::c_void,
) {
    // SAFETY: the function needs nothing that the kernel has not, by the contract of this function.
    unsafe { sys::seL4_DebugRun(Some(function), argument) }
}

/// Corresponds to `seL4_X86DangerousRDMSR`. A model-specific register of the processor.
///
/// # Safety
///
/// The processor has it.
#[cfg(CONFIG_KERNEL_X86_DANGEROUS_MSR)]
#[doc(alias = "seL4_X86DangerousRDMSR")]
pub unsafe fn x86_dangerous_rdmsr(register: u32) -> u64 {
    // SAFETY: the processor has the register, by this function's contract. C takes a word on ia32, and 32 bits on x86_64.
    unsafe { sys::seL4_X86DangerousRDMSR(register as _) }
}

/// Corresponds to `seL4_X86DangerousWRMSR`. Writes a model-specific register of the processor.
///
/// # Safety
///
/// The processor has it, takes the value, and goes on as this program and the kernel need it.
#[cfg(CONFIG_KERNEL_X86_DANGEROUS_MSR)]
#[doc(alias = "seL4_X86DangerousWRMSR")]
pub unsafe fn x86_dangerous_wrmsr(register: u32, value: u64) {
    // SAFETY: the processor has the register and takes the value, by the contract of this function.
    unsafe { sys::seL4_X86DangerousWRMSR(register, value) }
}
