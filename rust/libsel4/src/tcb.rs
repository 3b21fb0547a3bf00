// SPDX-License-Identifier: BSD-2-Clause

//! Threads.

use libsel4_sys as sys;

use crate::arch::{SmallPage, VSpace};
use crate::cap::{CPtr, Cap};
use crate::error::{Result, check};
#[cfg(CONFIG_KERNEL_MCS)]
use crate::kind::SchedContext;
use crate::kind::{CNode, Endpoint, Notification, Tcb};
use crate::value::{Guard, Priority};

/// Corresponds to `seL4_UserContext`. The registers of a thread, under their names in C.
///
/// `UserContext::default()` has 0 in all of them.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Tcb, UserContext};
///
/// let thread = objects.make::<Tcb>()?;
/// let registers: UserContext = thread.tcb_read_registers(false)?;
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_UserContext")]
pub type UserContext = sys::seL4_UserContext;

/// Number of words of `seL4_UserContext`.
const CONTEXT_WORDS: usize = size_of::<UserContext>() / size_of::<usize>();

/// An IPC buffer for a thread: where it is, and the page that it is in.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{IpcBuffer, Tcb};
///
/// let IpcBuffer { address, .. } = info.ipc_buffer();
/// assert_eq!(address % 1024, 0);
/// let thread = objects.make::<Tcb>()?;
/// // SAFETY: the thread does not run.
/// unsafe { thread.tcb_set_ipc_buffer(None)? };
/// # Ok(()) }) }
/// ```
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

/// The endpoint to which the kernel sends the faults of a thread.
///
/// A reply to a fault that has message registers sets the thread's own registers. So to make the value
/// is `unsafe`, and to give it to threads is not.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{CapRights, Endpoint, FaultEndpoint, Space};
///
/// let monitor = objects.make::<Endpoint>()?;
/// let badged = objects.mint(monitor, CapRights::ALL, 1)?;
/// // SAFETY: who receives from `monitor` answers no fault.
/// let faults = unsafe { FaultEndpoint::new(badged) };
/// let space = Space::new(info.cnode(), info.vspace()).fault_endpoint(faults);
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultEndpoint(CPtr);

impl FaultEndpoint {
    /// Makes the endpoint one for faults of threads in this CSpace.
    ///
    /// # Safety
    ///
    /// Receivers of a fault through the endpoint answer with an empty message, or under the conditions of
    /// [`tcb_write_registers`](Cap::tcb_write_registers). Between the fault and the answer, no other code
    /// answers it: neither on the receiving thread nor, with MCS, by the reply object.
    #[inline]
    pub const unsafe fn new(endpoint: Cap<Endpoint>) -> Self {
        Self(endpoint.cptr())
    }

    /// Names the endpoint by its address in the CSpace of the threads that fault, where that is another
    /// one. With MCS it is still looked up in the own CSpace.
    ///
    /// # Safety
    ///
    /// Those of [`new`](Self::new), for what is or will be at this address.
    #[inline]
    pub const unsafe fn at(address: usize) -> Self {
        // SAFETY: of the capability only the address is used, and the kernel refuses another kind.
        unsafe { Self::new(Cap::from_word(address)) }
    }

    #[inline]
    fn word(this: Option<Self>) -> usize {
        this.map_or(sys::seL4_CapNull, |endpoint| endpoint.0.word())
    }
}

/// CSpace and VSpace of a thread, for [`tcb_configure`](Cap::tcb_configure) and
/// [`tcb_set_space`](Cap::tcb_set_space).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Space, Tcb};
///
/// let thread = objects.make::<Tcb>()?;
/// let space = Space::new(info.cnode(), info.vspace());
/// // SAFETY: the thread does not run.
/// unsafe { thread.tcb_configure(&space, None)? };
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    cspace: Cap<CNode>,
    guard: Guard,
    vspace: Cap<VSpace>,
    fault_endpoint: Option<FaultEndpoint>,
}

impl Space {
    /// A CSpace with the guard that its CNode has, a VSpace, and no fault endpoint.
    #[inline]
    pub const fn new(cspace: Cap<CNode>, vspace: Cap<VSpace>) -> Self {
        Self {
            cspace,
            guard: Guard::NONE,
            vspace,
            fault_endpoint: None,
        }
    }

    /// Sets the guard of the CSpace.
    #[inline]
    pub const fn guard(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    /// Sets the fault endpoint. [`tcb_configure`](Cap::tcb_configure) takes it without MCS only; with MCS
    /// it is one of the [scheduling parameters](SchedParams::fault_endpoint). Code for both kernels
    /// gives it to both.
    #[inline]
    pub const fn fault_endpoint(self, endpoint: FaultEndpoint) -> Self {
        Self {
            fault_endpoint: Some(endpoint),
            ..self
        }
    }
}

/// Scheduling parameters of a thread, for [`tcb_set_sched_params`](Cap::tcb_set_sched_params).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Priority, SchedParams, Tcb};
///
/// let thread = objects.make::<Tcb>()?;
/// let params = SchedParams::new(Priority::new(100)).mcp(Priority::new(120));
/// thread.tcb_set_sched_params(info.tcb(), &params)?;
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SchedParams {
    priority: Priority,
    mcp: Priority,
    #[cfg(CONFIG_KERNEL_MCS)]
    sched_context: Option<Cap<SchedContext>>,
    #[cfg(CONFIG_KERNEL_MCS)]
    fault_endpoint: Option<FaultEndpoint>,
}

impl SchedParams {
    /// This priority, and the lowest maximum controlled priority; with MCS no scheduling context and no
    /// fault endpoint.
    #[inline]
    pub const fn new(priority: Priority) -> Self {
        Self {
            priority,
            mcp: Priority::MIN,
            #[cfg(CONFIG_KERNEL_MCS)]
            sched_context: None,
            #[cfg(CONFIG_KERNEL_MCS)]
            fault_endpoint: None,
        }
    }

    /// Sets the maximum controlled priority: the highest that the thread may give.
    #[inline]
    pub const fn mcp(self, mcp: Priority) -> Self {
        Self { mcp, ..self }
    }

    /// Sets the scheduling context.
    #[cfg(CONFIG_KERNEL_MCS)]
    #[inline]
    pub const fn sched_context(self, sched_context: Cap<SchedContext>) -> Self {
        Self {
            sched_context: Some(sched_context),
            ..self
        }
    }

    /// Sets the fault endpoint. Without MCS this does nothing: there it is a part of the
    /// [`Space`](Space::fault_endpoint).
    #[inline]
    pub const fn fault_endpoint(self, endpoint: FaultEndpoint) -> Self {
        #[cfg(not(CONFIG_KERNEL_MCS))]
        let _ = endpoint;
        Self {
            #[cfg(CONFIG_KERNEL_MCS)]
            fault_endpoint: Some(endpoint),
            ..self
        }
    }
}

/// Corresponds to `seL4_SetTLSBase`. The running thread's pointer to its thread-local storage.
///
/// # Safety
///
/// This is thread-local storage as C's runtime lays it out, nobody else's, and Rust's code here holds no
/// reference into the one before.
#[cfg(CONFIG_SET_TLS_BASE_SELF)]
#[doc(alias = "seL4_SetTLSBase")]
#[inline]
pub unsafe fn set_tls_base(base: usize) {
    // SAFETY: the storage has C's layout and is nobody else's, by the contract of this function.
    unsafe { sys::seL4_SetTLSBase(base) }
}

impl Cap<Tcb> {
    /// Corresponds to `seL4_TCB_Configure`. Gives the thread its CSpace, VSpace and IPC buffer, and without
    /// MCS its fault endpoint.
    ///
    /// # Safety
    ///
    /// The thread does not run, or runs on soundly with these. The IPC buffer's memory is nobody
    /// else's. If the thread runs code that uses [`Cap`]s, the CSpace is the one that they are of.
    #[doc(alias = "seL4_TCB_Configure")]
    #[inline]
    pub unsafe fn tcb_configure(self, space: &Space, buffer: Option<IpcBuffer>) -> Result<()> {
        let (address, page) = parts(buffer);
        // SAFETY: the thread goes on soundly, by the contract of this function; who answers its faults has
        // promised to do so soundly.
        check(unsafe {
            sys::seL4_TCB_Configure(
                self.word(),
                #[cfg(not(CONFIG_KERNEL_MCS))]
                FaultEndpoint::word(space.fault_endpoint),
                space.cspace.word(),
                space.guard.word(),
                space.vspace.word(),
                0,
                address,
                page,
            )
        })
    }

    /// Corresponds to `seL4_TCB_SetSpace`. Gives the thread its fault endpoint, CSpace and VSpace.
    ///
    /// # Safety
    ///
    /// Those of [`tcb_configure`](Self::tcb_configure).
    #[doc(alias = "seL4_TCB_SetSpace")]
    #[inline]
    pub unsafe fn tcb_set_space(self, space: &Space) -> Result<()> {
        // SAFETY: as in `tcb_configure`.
        check(unsafe {
            sys::seL4_TCB_SetSpace(
                self.word(),
                FaultEndpoint::word(space.fault_endpoint),
                space.cspace.word(),
                space.guard.word(),
                space.vspace.word(),
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
    #[inline]
    pub unsafe fn tcb_set_ipc_buffer(self, buffer: Option<IpcBuffer>) -> Result<()> {
        let (address, page) = parts(buffer);
        // SAFETY: the buffer's memory is nobody else's and mapped in the thread's VSpace, by the contract of this function.
        check(unsafe { sys::seL4_TCB_SetIPCBuffer(self.word(), address, page) })
    }

    /// Corresponds to `seL4_TCB_SetPriority`. `authority` is a thread whose maximum controlled priority
    /// is at least `priority`.
    #[doc(alias = "seL4_TCB_SetPriority")]
    #[inline]
    pub fn tcb_set_priority(self, authority: Cap<Tcb>, priority: Priority) -> Result<()> {
        let priority = priority.word();
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_SetPriority(self.word(), authority.word(), priority) })
    }

    /// Corresponds to `seL4_TCB_SetMCPriority`. The highest priority that the thread may give, at most
    /// that of `authority`.
    #[doc(alias = "seL4_TCB_SetMCPriority")]
    #[inline]
    pub fn tcb_set_mc_priority(self, authority: Cap<Tcb>, mcp: Priority) -> Result<()> {
        let mcp = mcp.word();
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_SetMCPriority(self.word(), authority.word(), mcp) })
    }

    /// Corresponds to `seL4_TCB_SetSchedParams`. Sets both priorities at once, and with MCS also scheduling
    /// context and fault endpoint: those that are not given are taken from the thread.
    #[doc(alias = "seL4_TCB_SetSchedParams")]
    #[inline]
    pub fn tcb_set_sched_params(self, authority: Cap<Tcb>, params: &SchedParams) -> Result<()> {
        // SAFETY: it touches no memory, and who answers the thread's faults has promised to do so soundly.
        // A missing capability is looked up in slot 0, which nothing fills.
        check(unsafe {
            sys::seL4_TCB_SetSchedParams(
                self.word(),
                authority.word(),
                params.mcp.word(),
                params.priority.word(),
                #[cfg(CONFIG_KERNEL_MCS)]
                params.sched_context.map_or(sys::seL4_CapNull, Cap::word),
                #[cfg(CONFIG_KERNEL_MCS)]
                FaultEndpoint::word(params.fault_endpoint),
            )
        })
    }

    /// Corresponds to `seL4_TCB_SetTimeoutEndpoint`. Where the kernel tells that the thread's budget is
    /// used up.
    #[cfg(CONFIG_KERNEL_MCS)]
    #[doc(alias = "seL4_TCB_SetTimeoutEndpoint")]
    #[inline]
    pub fn tcb_set_timeout_endpoint(self, endpoint: Option<FaultEndpoint>) -> Result<()> {
        let endpoint = FaultEndpoint::word(endpoint);
        // SAFETY: who answers the thread's faults has promised to do so soundly. A missing capability is
        // looked up in slot 0, which nothing fills.
        check(unsafe { sys::seL4_TCB_SetTimeoutEndpoint(self.word(), endpoint) })
    }

    /// Corresponds to `seL4_TCB_SetAffinity`. The core that the thread runs on, counted from 0.
    #[cfg(all(CONFIG_ENABLE_SMP_SUPPORT, not(CONFIG_KERNEL_MCS)))]
    #[doc(alias = "seL4_TCB_SetAffinity")]
    #[inline]
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
    #[inline]
    pub unsafe fn tcb_set_tls_base(self, base: usize) -> Result<()> {
        // SAFETY: the thread is stopped and the storage is nobody else's, by the contract of this function.
        check(unsafe { sys::seL4_TCB_SetTLSBase(self.word(), base) })
    }

    /// Corresponds to `seL4_TCB_SetFlags`. Clears flags, sets flags, and returns those that are then
    /// set: `seL4_TCBFlag_fpuDisabled` is the one there is.
    #[cfg(sel4_has = "seL4_TCB_SetFlags")]
    #[doc(alias = "seL4_TCB_SetFlags")]
    #[inline]
    pub fn tcb_set_flags(self, clear: usize, set: usize) -> Result<usize> {
        // SAFETY: a thread without an FPU faults where it would use it.
        let answer = unsafe { sys::seL4_TCB_SetFlags(self.word(), clear, set) };
        crate::error::check_int(answer.error)?;
        Ok(answer.flags)
    }

    /// Corresponds to `seL4_TCB_ReadRegisters`. All registers of a thread, another than the running one.
    #[doc(alias = "seL4_TCB_ReadRegisters")]
    #[inline]
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
    /// system calls. Code with the TCB can suspend and resume it from now on, also after it has
    /// suspended itself at its end.
    #[doc(alias = "seL4_TCB_WriteRegisters")]
    #[inline]
    pub unsafe fn tcb_write_registers(self, resume: bool, context: &UserContext) -> Result<()> {
        // SAFETY: running with these registers is sound, by this function's contract; C only reads through the pointer.
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
    #[inline]
    pub unsafe fn tcb_copy_registers(
        self,
        source: Cap<Tcb>,
        suspend_source: bool,
        resume_target: bool,
        frame: bool,
        integer: bool,
    ) -> Result<()> {
        // SAFETY: running with the copied registers is sound, by the contract of this function.
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
    #[inline]
    pub fn tcb_suspend(self) -> Result<()> {
        // SAFETY: a thread that stands still breaks nothing.
        check(unsafe { sys::seL4_TCB_Suspend(self.word()) })
    }

    /// Corresponds to `seL4_TCB_Resume`. What it runs was decided by
    /// [`tcb_write_registers`](Self::tcb_write_registers).
    #[doc(alias = "seL4_TCB_Resume")]
    #[inline]
    pub fn tcb_resume(self) -> Result<()> {
        // SAFETY: it goes on with registers that are sound, as those who set them promised.
        check(unsafe { sys::seL4_TCB_Resume(self.word()) })
    }

    /// Corresponds to `seL4_TCB_BindNotification`. What is signalled then also ends the thread's
    /// waiting for messages.
    #[doc(alias = "seL4_TCB_BindNotification")]
    #[inline]
    pub fn tcb_bind_notification(self, notification: Cap<Notification>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_BindNotification(self.word(), notification.word()) })
    }

    /// Corresponds to `seL4_TCB_UnbindNotification`.
    #[doc(alias = "seL4_TCB_UnbindNotification")]
    #[inline]
    pub fn tcb_unbind_notification(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_UnbindNotification(self.word()) })
    }
}
