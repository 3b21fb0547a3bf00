// SPDX-License-Identifier: GPL-2.0-only

//! Invocations of TCBs.

use crate::arch::{self, Context};
use crate::cap::{Cap, FrameCap, low_bits};
use crate::cte::SlotId;
use crate::decode::{InvocationResult, Request, range_check};
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::thread::{TcbSlot, ThreadId};

/// Flags that the kernel stores: `seL4_TCBFlag_fpuDisabled`.
const FLAGS: usize = 1;

/// Capability to install in a TCB, and the slot that it is derived from.
type Source = (Cap, SlotId);

impl<M: Machine> Kernel<M> {
    pub(crate) fn decode_tcb_invocation(
        &mut self,
        request: &Request,
        thread: ThreadId,
    ) -> InvocationResult {
        use Invocation::*;
        match request.invocation {
            Some(TCBReadRegisters) => self.decode_read_registers(request, thread),
            Some(TCBWriteRegisters) => self.decode_write_registers(request, thread),
            Some(TCBCopyRegisters) => self.decode_copy_registers(request, thread),
            Some(TCBSuspend) => {
                self.begin_perform(request.thread);
                self.suspend(thread);
                Ok(())
            }
            Some(TCBResume) => {
                self.begin_perform(request.thread);
                self.restart(thread);
                Ok(())
            }
            Some(TCBConfigure) => self.decode_tcb_configure(request, thread),
            Some(TCBSetSpace) => self.decode_set_space(request, thread),
            Some(TCBSetIPCBuffer) => self.decode_set_ipc_buffer(request, thread),
            Some(TCBSetPriority) => {
                let [priority] = self.check_prio(request)?;
                self.begin_perform(request.thread);
                self.set_priority(thread, priority);
                Ok(())
            }
            Some(TCBSetMCPriority) => {
                let [mcp] = self.check_prio(request)?;
                self.begin_perform(request.thread);
                self.objects.threads[thread].mcp = mcp;
                Ok(())
            }
            Some(TCBSetSchedParams) if self.config.mcs => {
                self.decode_set_sched_params(request, thread)
            }
            Some(TCBSetTimeoutEndpoint) => {
                request.ensure_length(0, 1)?;
                let handler = self.valid_fault_handler(request, 0)?;
                self.begin_perform(request.thread);
                self.install_tcb_cap(request, thread, TcbSlot::TimeoutHandler, handler);
                Ok(())
            }
            Some(TCBSetSchedParams) => {
                let [mcp, priority] = self.check_prio(request)?;
                self.begin_perform(request.thread);
                self.objects.threads[thread].mcp = mcp;
                self.set_priority(thread, priority);
                Ok(())
            }
            Some(TCBBindNotification) => self.decode_bind_notification(request, thread),
            Some(TCBUnbindNotification) => {
                if self.objects.threads[thread].bound_notification.is_none() {
                    return Err(Error::IllegalOperation);
                }
                self.begin_perform(request.thread);
                self.unbind_notification(thread);
                Ok(())
            }
            Some(TCBSetTLSBase) => {
                request.ensure_length(1, 0)?;
                let base = self.get_syscall_arg(request, 0);
                self.begin_perform(request.thread);
                self.objects.threads[thread].context[arch::TLS_BASE] = base;
                if thread == request.thread {
                    self.reschedule_required();
                }
                Ok(())
            }
            Some(TCBSetFlags) => {
                request.ensure_length(2, 0)?;
                let [clear, set] = self.get_syscall_args(request);
                let flags = &mut self.objects.threads[thread].flags;
                *flags = *flags & !clear | set & FLAGS;
                let flags = *flags;
                self.reply_from_kernel(request, &[flags])
            }
            // Core 0 is the only one.
            Some(TCBSetAffinity) => {
                request.ensure_length(1, 0)?;
                if self.get_syscall_arg(request, 0) != 0 {
                    return Err(Error::IllegalOperation);
                }
                self.begin_perform(request.thread);
                self.tcb_sched_dequeue(thread);
                if self.is_runnable(thread) {
                    self.tcb_sched_append(thread);
                }
                // A thread that sets its own affinity yields.
                if thread == request.thread {
                    self.reschedule_required();
                }
                Ok(())
            }
            _ => Err(Error::IllegalOperation),
        }
    }

    fn ensure_other(&self, request: &Request, thread: ThreadId) -> InvocationResult {
        match thread == request.thread {
            true => Err(Error::IllegalOperation),
            false => Ok(()),
        }
    }

    fn decode_read_registers(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        request.ensure_length(2, 0)?;
        let [flags, count] = self.get_syscall_args(request);
        range_check(count, 1..=Context::NUM_REGISTERS)?;
        self.ensure_other(request, thread)?;
        self.begin_perform(request.thread);
        if flags & 1 != 0 {
            self.suspend(thread);
        }
        let registers = *self.objects.threads[thread].context.registers();
        self.reply_from_kernel(request, &registers[..count])
    }

    fn decode_write_registers(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        request.ensure_length(2, 0)?;
        let [flags, count] = self.get_syscall_args(request);
        if request.length - 2 < count {
            return Err(Error::TruncatedMessage);
        }
        self.ensure_other(request, thread)?;
        self.begin_perform(request.thread);
        for index in 0..count.min(Context::NUM_REGISTERS) {
            let word = self.get_syscall_arg(request, index + 2);
            self.objects.threads[thread].context.set(index, word);
        }
        self.continue_at_ip(thread);
        if flags & 1 != 0 {
            self.restart(thread);
        }
        Ok(())
    }

    fn decode_copy_registers(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        request.ensure_length(1, 1)?;
        let flags = self.get_syscall_arg(request, 0);
        let flag = |index: usize| flags >> index & 1 != 0;
        let (Cap::Thread(source), _) = self.extra_cap(request, 0)? else {
            return Err(Error::InvalidCapability(1));
        };
        self.begin_perform(request.thread);
        if flag(0) {
            self.suspend(source);
        }
        if flag(1) {
            self.restart(thread);
        }
        let registers = *self.objects.threads[source].context.registers();
        let copied = |index: usize| match index < Context::NUM_FRAME_REGISTERS {
            true => flag(2),
            false => flag(3),
        };
        for (index, word) in registers
            .into_iter()
            .enumerate()
            .filter(|(index, _)| copied(*index))
        {
            self.objects.threads[thread].context.copy(index, word);
        }
        if flag(2) {
            self.continue_at_ip(thread);
        }
        if thread == request.thread {
            self.reschedule_required();
        }
        Ok(())
    }

    fn continue_at_ip(&mut self, thread: ThreadId) {
        let context = &mut self.objects.threads[thread].context;
        context.next = context[arch::IP];
    }

    /// Checks the requested priorities against the authority's maximum controlled priority.
    fn check_prio<const N: usize>(&self, request: &Request) -> Result<[u8; N], Error> {
        request.ensure_length(N, 1)?;
        let (Cap::Thread(authority), _) = self.extra_cap(request, 0)? else {
            return Err(Error::InvalidCapability(1));
        };
        let max = self.objects.threads[authority].mcp;
        let priorities: [usize; N] = self.get_syscall_args(request);
        for priority in priorities {
            range_check(priority, 0..=max.into())?;
        }
        Ok(priorities.map(|priority| priority as u8))
    }

    fn decode_tcb_configure(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        // With mixed-criticality scheduling, there is no word for the fault handler.
        let first = usize::from(!self.config.mcs);
        request.ensure_length(first + 3, 3)?;
        let address = self.get_syscall_arg(request, first + 2);
        let frame = self.check_valid_ipc_buffer(request, 2, address)?;
        let (cspace, vspace) = self.decode_space_roots(request, thread, 0, first)?;
        let handler = self.get_syscall_arg(request, 0);
        self.begin_perform(request.thread);
        if !self.config.mcs {
            self.objects.threads[thread].fault_handler = handler;
        }
        self.install_space_roots(request, thread, cspace, vspace);
        self.install_ipc_buffer(request, thread, address, frame);
        Ok(())
    }

    fn decode_set_space(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        if self.config.mcs {
            request.ensure_length(2, 3)?;
            let (cspace, vspace) = self.decode_space_roots(request, thread, 1, 0)?;
            let handler = self.valid_fault_handler(request, 0)?;
            self.begin_perform(request.thread);
            self.install_tcb_cap(request, thread, TcbSlot::FaultHandler, handler);
            self.install_space_roots(request, thread, cspace, vspace);
            return Ok(());
        }
        request.ensure_length(3, 2)?;
        let (cspace, vspace) = self.decode_space_roots(request, thread, 0, 1)?;
        let handler = self.get_syscall_arg(request, 0);
        self.begin_perform(request.thread);
        self.objects.threads[thread].fault_handler = handler;
        self.install_space_roots(request, thread, cspace, vspace);
        Ok(())
    }

    /// Sets priorities, scheduling context and fault handler, with mixed-criticality scheduling.
    fn decode_set_sched_params(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        request.ensure_length(2, 3)?;
        let [mcp, priority] = self.check_prio(request)?;
        let old_sc = self.objects.threads[thread].sched_context;
        let new_sc = match self.extra_cap(request, 1)? {
            (Cap::SchedContext { object, .. }, _) => {
                let bound = self.objects.sched_contexts[object].tcb;
                if old_sc != Some(object) && (old_sc.is_some() || bound.is_some()) {
                    return Err(Error::IllegalOperation);
                }
                self.ensure_can_bind(object, thread)?;
                Some(object)
            }
            (Cap::Null, _) if thread == request.thread => return Err(Error::IllegalOperation),
            (Cap::Null, _) => None,
            _ => return Err(Error::InvalidCapability(2)),
        };
        let handler = match self.valid_fault_handler(request, 2) {
            Err(_) => return Err(Error::InvalidCapability(3)),
            handler => handler?,
        };
        self.begin_perform(request.thread);
        self.install_tcb_cap(request, thread, TcbSlot::FaultHandler, handler);
        self.objects.threads[thread].mcp = mcp;
        self.set_priority(thread, priority);
        match (old_sc, new_sc) {
            (old, Some(new)) if old != Some(new) => self.sched_context_bind_tcb(new, thread),
            (Some(old), None) => self.sched_context_unbind_tcb(old),
            _ => {}
        }
        Ok(())
    }

    /// Returns an extra capability that can be a fault handler, or `None` for an empty slot.
    fn valid_fault_handler(
        &self,
        request: &Request,
        index: usize,
    ) -> Result<Option<Source>, Error> {
        match self.extra_cap(request, index)? {
            (Cap::Null, _) => Ok(None),
            (cap @ Cap::Endpoint { rights, .. }, slot)
                if rights.allow_write() && rights.allow_reply() =>
            {
                Ok(Some((cap, slot)))
            }
            _ => Err(Error::InvalidCapability(1)),
        }
    }

    fn decode_set_ipc_buffer(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        request.ensure_length(1, 1)?;
        let address = self.get_syscall_arg(request, 0);
        let frame = self.check_valid_ipc_buffer(request, 0, address)?;
        self.begin_perform(request.thread);
        self.install_ipc_buffer(request, thread, address, frame);
        Ok(())
    }

    /// Returns the extra capability to the frame of an IPC buffer, or `None` for the address 0.
    fn check_valid_ipc_buffer(
        &self,
        request: &Request,
        index: usize,
        address: usize,
    ) -> Result<Option<Source>, Error> {
        if address == 0 {
            return Ok(None);
        }
        let (cap, slot) = self.extra_cap(request, index)?;
        let cap = self.derive_cap(slot, cap)?;
        if !matches!(cap, Cap::Frame(FrameCap { device: false, .. })) {
            return Err(Error::IllegalOperation);
        }
        if address & low_bits(arch::IPC_BUFFER_BITS.into()) != 0 {
            return Err(Error::AlignmentError);
        }
        Ok(Some((cap, slot)))
    }

    /// Returns the roots of a thread's new CSpace and VSpace: the extra capabilities from
    /// `first_cap` on, changed by the words from `first_word` on.
    fn decode_space_roots(
        &self,
        request: &Request,
        thread: ThreadId,
        first_cap: usize,
        first_word: usize,
    ) -> Result<(Source, Source), Error> {
        let tcb = &self.objects.threads[thread];
        let slot_cap_long_running_delete = |slot| {
            let slot = tcb.slot(slot);
            let cap = self.slots.cap(slot);
            matches!(cap, Cap::CNode { .. } | Cap::Thread(_) | Cap::Zombie { .. })
                && self.is_final_capability(slot)
        };
        if slot_cap_long_running_delete(TcbSlot::CTable)
            || slot_cap_long_running_delete(TcbSlot::VTable)
        {
            return Err(Error::IllegalOperation);
        }
        let root = |index: usize| {
            let (cap, slot) = self.extra_cap(request, first_cap + index)?;
            let cap = match self.get_syscall_arg(request, first_word + index) {
                0 => cap,
                data => cap.update_cap_data(false, data),
            };
            Ok((self.derive_cap(slot, cap)?, slot))
        };
        let cspace = root(0)?;
        if !matches!(cspace.0, Cap::CNode { .. }) {
            return Err(Error::IllegalOperation);
        }
        let vspace = root(1)?;
        match vspace.0 {
            Cap::VSpace { asid, .. } if asid != 0 => Ok((cspace, vspace)),
            _ => Err(Error::IllegalOperation),
        }
    }

    fn install_space_roots(
        &mut self,
        request: &Request,
        thread: ThreadId,
        cspace: Source,
        vspace: Source,
    ) {
        self.install_tcb_cap(request, thread, TcbSlot::CTable, Some(cspace));
        self.install_tcb_cap(request, thread, TcbSlot::VTable, Some(vspace));
    }

    fn install_ipc_buffer(
        &mut self,
        request: &Request,
        thread: ThreadId,
        address: usize,
        frame: Option<Source>,
    ) {
        self.objects.threads[thread].ipc_buffer = address;
        self.install_tcb_cap(request, thread, TcbSlot::Buffer, frame);
        if thread == request.thread {
            self.reschedule_required();
        }
    }

    /// Replaces the capability in a slot of a TCB. If deleting the old one deletes the source or
    /// the thread itself, the slot stays empty.
    fn install_tcb_cap(
        &mut self,
        request: &Request,
        thread: ThreadId,
        slot: TcbSlot,
        source: Option<Source>,
    ) {
        let slot = self.objects.threads[thread].slot(slot);
        // The slot holds no capability whose deletion could be preempted.
        let preempted = self.cte_delete(slot, true).is_err();
        debug_assert!(!preempted, "the slot of a TCB holds a zombie");
        if let Some((cap, source)) = source
            && self.objects.same_object_as(cap, self.slots.cap(source))
            && self.slots.cap(request.slot) == Cap::Thread(thread)
        {
            self.cte_insert(cap, source, slot);
        }
    }

    fn decode_bind_notification(
        &mut self,
        request: &Request,
        thread: ThreadId,
    ) -> InvocationResult {
        request.ensure_length(0, 1)?;
        if self.objects.threads[thread].bound_notification.is_some() {
            return Err(Error::IllegalOperation);
        }
        let (cap, _) = self.extra_cap(request, 0)?;
        let Cap::Notification { object, rights, .. } = cap else {
            return Err(Error::IllegalOperation);
        };
        let notification = &self.objects.notifications[object];
        let free = notification.queue.is_empty() && notification.bound_tcb.is_none();
        if !rights.allow_read() || !free {
            return Err(Error::IllegalOperation);
        }
        self.begin_perform(request.thread);
        self.bind_notification(object, thread);
        Ok(())
    }
}
