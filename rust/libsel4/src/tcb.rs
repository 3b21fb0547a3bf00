// SPDX-License-Identifier: BSD-2-Clause

//! Threads.

use libsel4_sys as sys;

use crate::arch::{SmallPage, VSpace};
#[cfg(not(CONFIG_KERNEL_MCS))]
use crate::cap::CPtr;
use crate::cap::Cap;
#[cfg(CONFIG_KERNEL_MCS)]
use crate::cap::word_of;
use crate::error::{Result, check};
use crate::kind::{CNode, Notification, Tcb};
#[cfg(CONFIG_KERNEL_MCS)]
use crate::kind::{Endpoint, SchedContext};
use crate::value::Guard;

/// Corresponds to `seL4_UserContext`. The registers of a thread, under their names in C.
///
/// `UserContext::default()` has 0 in all of them.
#[doc(alias = "seL4_UserContext")]
pub type UserContext = sys::seL4_UserContext;

/// Number of words of `seL4_UserContext`.
const CONTEXT_WORDS: usize = size_of::<UserContext>() / size_of::<usize>();

/// An IPC buffer for a thread: where it is, and the page that it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IpcBuffer {
    /// Address in the thread's VSpace, a multiple of the buffer's size of 2 to the power of
    /// `seL4_IPCBufferSizeBits`.
    pub address: usize,
    /// The page that is mapped there.
    pub page: Cap<SmallPage>,
}

/// Address and capability as C takes them.
fn parts(buffer: Option<IpcBuffer>) -> (usize, usize) {
    buffer.map_or((0, sys::seL4_CapNull), |buffer| {
        (buffer.address, buffer.page.word())
    })
}

/// Corresponds to `seL4_SetTLSBase`. The running thread's pointer to its thread-local storage.
///
/// # Safety
///
/// This is thread-local storage as C's runtime lays it out, nobody else's, and Rust's code here holds no
/// reference into the one before.
#[cfg(CONFIG_SET_TLS_BASE_SELF)]
#[doc(alias = "seL4_SetTLSBase")]
pub unsafe fn set_tls_base(base: usize) {
    // SAFETY: the caller promises it.
    unsafe { sys::seL4_SetTLSBase(base) }
}

impl Cap<Tcb> {
    /// Corresponds to `seL4_TCB_Configure`. Gives the thread its fault endpoint (an address in its own
    /// CSpace), CSpace, VSpace and IPC buffer.
    ///
    /// # Safety
    ///
    /// The thread does not run, or runs on soundly with these. The IPC buffer's memory is nobody
    /// else's. If the thread runs code that uses [`Cap`]s, the CSpace is the one that they are of.
    ///
    /// A non-empty reply to the thread's faults sets its registers, under the conditions of
    /// [`tcb_write_registers`](Self::tcb_write_registers).
    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[doc(alias = "seL4_TCB_Configure")]
    pub unsafe fn tcb_configure(
        self,
        fault_endpoint: CPtr,
        cspace: Cap<CNode>,
        guard: Guard,
        vspace: Cap<VSpace>,
        buffer: Option<IpcBuffer>,
    ) -> Result<()> {
        let (address, page) = parts(buffer);
        // SAFETY: the caller promises it.
        check(unsafe {
            sys::seL4_TCB_Configure(
                self.word(),
                fault_endpoint.word(),
                cspace.word(),
                guard.word(),
                vspace.word(),
                0,
                address,
                page,
            )
        })
    }

    /// Corresponds to `seL4_TCB_Configure`. Gives the thread its CSpace, VSpace and IPC buffer.
    ///
    /// # Safety
    ///
    /// The thread does not run, or runs on soundly with these. The IPC buffer's memory is nobody
    /// else's. If the thread runs code that uses [`Cap`]s, the CSpace is the one that they are of.
    #[cfg(CONFIG_KERNEL_MCS)]
    #[doc(alias = "seL4_TCB_Configure")]
    pub unsafe fn tcb_configure(
        self,
        cspace: Cap<CNode>,
        guard: Guard,
        vspace: Cap<VSpace>,
        buffer: Option<IpcBuffer>,
    ) -> Result<()> {
        let (address, page) = parts(buffer);
        // SAFETY: the caller promises it.
        check(unsafe {
            sys::seL4_TCB_Configure(
                self.word(),
                cspace.word(),
                guard.word(),
                vspace.word(),
                0,
                address,
                page,
            )
        })
    }

    /// Corresponds to `seL4_TCB_SetSpace`. Gives the thread its fault endpoint (an address in its own
    /// CSpace), CSpace and VSpace.
    ///
    /// # Safety
    ///
    /// Those of [`tcb_configure`](Self::tcb_configure).
    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[doc(alias = "seL4_TCB_SetSpace")]
    pub unsafe fn tcb_set_space(
        self,
        fault_endpoint: CPtr,
        cspace: Cap<CNode>,
        guard: Guard,
        vspace: Cap<VSpace>,
    ) -> Result<()> {
        let fault_endpoint = fault_endpoint.word();
        // SAFETY: the caller promises it.
        check(unsafe {
            sys::seL4_TCB_SetSpace(
                self.word(),
                fault_endpoint,
                cspace.word(),
                guard.word(),
                vspace.word(),
                0,
            )
        })
    }

    /// Corresponds to `seL4_TCB_SetSpace`. Gives the thread its fault endpoint, CSpace and VSpace.
    ///
    /// # Safety
    ///
    /// Those of [`tcb_configure`](Self::tcb_configure) and of
    /// [`tcb_set_sched_params`](Self::tcb_set_sched_params).
    #[cfg(CONFIG_KERNEL_MCS)]
    #[doc(alias = "seL4_TCB_SetSpace")]
    pub unsafe fn tcb_set_space(
        self,
        fault_endpoint: Option<Cap<Endpoint>>,
        cspace: Cap<CNode>,
        guard: Guard,
        vspace: Cap<VSpace>,
    ) -> Result<()> {
        let fault_endpoint = word_of(fault_endpoint);
        // SAFETY: the caller promises it.
        check(unsafe {
            sys::seL4_TCB_SetSpace(
                self.word(),
                fault_endpoint,
                cspace.word(),
                guard.word(),
                vspace.word(),
                0,
            )
        })
    }

    /// Corresponds to `seL4_TCB_SetIPCBuffer`.
    ///
    /// # Safety
    ///
    /// The memory is nobody else's, and mapped at this address in the thread's VSpace. If the thread
    /// runs, it learns the address by
    /// [`set_ipc_buffer`](crate::message::set_ipc_buffer) before it makes another system call.
    #[doc(alias = "seL4_TCB_SetIPCBuffer")]
    pub unsafe fn tcb_set_ipc_buffer(self, buffer: Option<IpcBuffer>) -> Result<()> {
        let (address, page) = parts(buffer);
        // SAFETY: the caller promises it.
        check(unsafe { sys::seL4_TCB_SetIPCBuffer(self.word(), address, page) })
    }

    /// Corresponds to `seL4_TCB_SetPriority`. `authority` is a thread whose maximum controlled priority
    /// is at least `priority`, which is at most `seL4_MaxPrio`.
    #[doc(alias = "seL4_TCB_SetPriority")]
    pub fn tcb_set_priority(self, authority: Cap<Tcb>, priority: usize) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_SetPriority(self.word(), authority.word(), priority) })
    }

    /// Corresponds to `seL4_TCB_SetMCPriority`. The highest priority that the thread may give, at most
    /// that of `authority`.
    #[doc(alias = "seL4_TCB_SetMCPriority")]
    pub fn tcb_set_mc_priority(self, authority: Cap<Tcb>, mcp: usize) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_SetMCPriority(self.word(), authority.word(), mcp) })
    }

    /// Corresponds to `seL4_TCB_SetSchedParams`. Both priorities at once.
    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[doc(alias = "seL4_TCB_SetSchedParams")]
    pub fn tcb_set_sched_params(
        self,
        authority: Cap<Tcb>,
        mcp: usize,
        priority: usize,
    ) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_SetSchedParams(self.word(), authority.word(), mcp, priority) })
    }

    /// Corresponds to `seL4_TCB_SetSchedParams`. Both priorities, scheduling context and fault endpoint
    /// at once.
    ///
    /// # Safety
    ///
    /// A non-empty reply to the thread's faults sets its registers, under the conditions of
    /// [`tcb_write_registers`](Self::tcb_write_registers).
    #[cfg(CONFIG_KERNEL_MCS)]
    #[doc(alias = "seL4_TCB_SetSchedParams")]
    pub unsafe fn tcb_set_sched_params(
        self,
        authority: Cap<Tcb>,
        mcp: usize,
        priority: usize,
        sched_context: Option<Cap<SchedContext>>,
        fault_endpoint: Option<Cap<Endpoint>>,
    ) -> Result<()> {
        // SAFETY: the caller promises it.
        check(unsafe {
            sys::seL4_TCB_SetSchedParams(
                self.word(),
                authority.word(),
                mcp,
                priority,
                word_of(sched_context),
                word_of(fault_endpoint),
            )
        })
    }

    /// Corresponds to `seL4_TCB_SetTimeoutEndpoint`. Where the kernel tells that the thread's budget is
    /// used up.
    ///
    /// # Safety
    ///
    /// Those of [`tcb_set_sched_params`](Self::tcb_set_sched_params).
    #[cfg(CONFIG_KERNEL_MCS)]
    #[doc(alias = "seL4_TCB_SetTimeoutEndpoint")]
    pub unsafe fn tcb_set_timeout_endpoint(self, endpoint: Option<Cap<Endpoint>>) -> Result<()> {
        // SAFETY: the caller promises it.
        check(unsafe { sys::seL4_TCB_SetTimeoutEndpoint(self.word(), word_of(endpoint)) })
    }

    /// Corresponds to `seL4_TCB_SetAffinity`. The core that the thread runs on, counted from 0.
    #[cfg(all(CONFIG_ENABLE_SMP_SUPPORT, not(CONFIG_KERNEL_MCS)))]
    #[doc(alias = "seL4_TCB_SetAffinity")]
    pub fn tcb_set_affinity(self, core: usize) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_SetAffinity(self.word(), core) })
    }

    /// Corresponds to `seL4_TCB_SetTLSBase`. The thread's pointer to its thread-local storage, in which
    /// C keeps the address of its IPC buffer.
    ///
    /// # Safety
    ///
    /// The thread does not run yet, and this is thread-local storage as C's runtime lays it out,
    /// nobody else's.
    #[doc(alias = "seL4_TCB_SetTLSBase")]
    pub unsafe fn tcb_set_tls_base(self, base: usize) -> Result<()> {
        // SAFETY: the caller promises it.
        check(unsafe { sys::seL4_TCB_SetTLSBase(self.word(), base) })
    }

    /// Corresponds to `seL4_TCB_SetFlags`. Clears flags, sets flags, and returns those that are then
    /// set: `seL4_TCBFlag_fpuDisabled` is the one there is.
    #[cfg(sel4_has = "seL4_TCB_SetFlags")]
    #[doc(alias = "seL4_TCB_SetFlags")]
    pub fn tcb_set_flags(self, clear: usize, set: usize) -> Result<usize> {
        // SAFETY: a thread without an FPU faults where it would use it.
        let answer = unsafe { sys::seL4_TCB_SetFlags(self.word(), clear, set) };
        crate::error::check_int(answer.error)?;
        Ok(answer.flags)
    }

    /// Corresponds to `seL4_TCB_ReadRegisters`. All registers of a thread, another than the running one.
    #[doc(alias = "seL4_TCB_ReadRegisters")]
    pub fn tcb_read_registers(self, suspend: bool) -> Result<UserContext> {
        let mut context = UserContext::default();
        // SAFETY: that many words are there.
        check(unsafe {
            sys::seL4_TCB_ReadRegisters(
                self.word(),
                suspend.into(),
                0,
                CONTEXT_WORDS,
                &raw mut context,
            )
        })?;
        Ok(context)
    }

    /// Corresponds to `seL4_TCB_WriteRegisters`. Sets all registers of a thread, another than the
    /// running one, and lets it run if so wished.
    ///
    /// # Safety
    ///
    /// Running the thread with these registers is sound: it starts at code that may run there, with
    /// a stack that is its own, thread-local storage that is its own, and an IPC buffer, if it makes
    /// system calls.
    #[doc(alias = "seL4_TCB_WriteRegisters")]
    pub unsafe fn tcb_write_registers(self, resume: bool, context: &UserContext) -> Result<()> {
        // SAFETY: the caller promises it; C reads through the pointer and does not write.
        check(unsafe {
            sys::seL4_TCB_WriteRegisters(
                self.word(),
                resume.into(),
                0,
                CONTEXT_WORDS,
                (&raw const *context).cast_mut(),
            )
        })
    }

    /// Corresponds to `seL4_TCB_CopyRegisters`. Copies registers from `source` to this thread: those
    /// that C calls the frame, and the other integer registers.
    ///
    /// # Safety
    ///
    /// Those of [`tcb_write_registers`](Self::tcb_write_registers).
    #[doc(alias = "seL4_TCB_CopyRegisters")]
    pub unsafe fn tcb_copy_registers(
        self,
        source: Cap<Tcb>,
        suspend_source: bool,
        resume_target: bool,
        frame: bool,
        integer: bool,
    ) -> Result<()> {
        // SAFETY: the caller promises it.
        check(unsafe {
            sys::seL4_TCB_CopyRegisters(
                self.word(),
                source.word(),
                suspend_source.into(),
                resume_target.into(),
                frame.into(),
                integer.into(),
                0,
            )
        })
    }

    /// Corresponds to `seL4_TCB_Suspend`.
    #[doc(alias = "seL4_TCB_Suspend")]
    pub fn tcb_suspend(self) -> Result<()> {
        // SAFETY: a thread that stands still breaks nothing.
        check(unsafe { sys::seL4_TCB_Suspend(self.word()) })
    }

    /// Corresponds to `seL4_TCB_Resume`. What it runs was decided by
    /// [`tcb_write_registers`](Self::tcb_write_registers).
    #[doc(alias = "seL4_TCB_Resume")]
    pub fn tcb_resume(self) -> Result<()> {
        // SAFETY: it goes on with registers that are sound, as those who set them promised.
        check(unsafe { sys::seL4_TCB_Resume(self.word()) })
    }

    /// Corresponds to `seL4_TCB_BindNotification`. What is signalled then also ends the thread's
    /// waiting for messages.
    #[doc(alias = "seL4_TCB_BindNotification")]
    pub fn tcb_bind_notification(self, notification: Cap<Notification>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_BindNotification(self.word(), notification.word()) })
    }

    /// Corresponds to `seL4_TCB_UnbindNotification`.
    #[doc(alias = "seL4_TCB_UnbindNotification")]
    pub fn tcb_unbind_notification(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_UnbindNotification(self.word()) })
    }
}
