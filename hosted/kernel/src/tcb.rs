// SPDX-License-Identifier: GPL-2.0-only

//! What threads are asked for.

use crate::arch::{self, Context};
use crate::cap::{Cap, low_bits};
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::{MSG_REGISTERS, MessageInfo};
use crate::request::{InvocationResult, Request};
use crate::slots::SlotId;
use crate::thread::{TcbSlot, ThreadId};

/// Flags of a thread that the kernel keeps: `seL4_TCBFlag_fpuDisabled`.
const FLAGS: usize = 1;

/// A capability that a thread shall get, and where it comes from.
type Root = (Cap, SlotId);

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
            // There is one core, 0.
            Some(TCBSetAffinity) => {
                request.ensure_length(1, 0)?;
                if self.get_syscall_arg(request, 0) != 0 {
                    return Err(Error::RangeError { min: 0, max: 0 });
                }
                self.begin_perform(request.thread);
                if self.is_runnable(thread) && thread != request.thread {
                    self.tcb_sched_dequeue(thread);
                    self.tcb_sched_append(thread);
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
        if !(1..=Context::REGISTERS).contains(&count) {
            return Err(Error::RangeError {
                min: 1,
                max: Context::REGISTERS,
            });
        }
        self.ensure_other(request, thread)?;
        self.begin_perform(request.thread);
        if flags & 1 != 0 {
            self.suspend(thread);
        }
        if request.call {
            let buffer = self.lookup_ipc_buffer(request.thread, true);
            let count = match buffer {
                Some(_) => count,
                None => count.min(MSG_REGISTERS),
            };
            for index in 0..count {
                let word = self.objects.threads[thread].context.registers()[index];
                self.set_mr(request.thread, buffer, index, word);
            }
            self.set_badge_and_info(request.thread, 0, MessageInfo::new(0, 0, 0, count));
        }
        self.set_thread_state(request.thread, crate::thread::ThreadState::Running);
        Ok(())
    }

    fn decode_write_registers(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        request.ensure_length(2, 0)?;
        let [flags, count] = self.get_syscall_args(request);
        if request.length - 2 < count {
            return Err(Error::TruncatedMessage);
        }
        self.ensure_other(request, thread)?;
        self.begin_perform(request.thread);
        for index in 0..count.min(Context::REGISTERS) {
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
        let copied = |index: usize| match index < Context::FRAME_REGISTERS {
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

    /// Priorities that who is asked for authority may give.
    fn check_prio<const N: usize>(&self, request: &Request) -> Result<[u8; N], Error> {
        request.ensure_length(N, 1)?;
        let (Cap::Thread(authority), _) = self.extra_cap(request, 0)? else {
            return Err(Error::InvalidCapability(1));
        };
        let max = self.objects.threads[authority].mcp;
        let priorities: [usize; N] = self.get_syscall_args(request);
        match priorities
            .into_iter()
            .all(|priority| priority <= max.into())
        {
            true => Ok(priorities.map(|priority| priority as u8)),
            false => Err(Error::RangeError {
                min: 0,
                max: max.into(),
            }),
        }
    }

    fn decode_tcb_configure(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        // With mixed-criticality scheduling the fault handler is set elsewhere.
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

    /// With mixed-criticality scheduling: its scheduling context and fault handler, too.
    fn decode_set_sched_params(&mut self, request: &Request, thread: ThreadId) -> InvocationResult {
        request.ensure_length(2, 3)?;
        let [mcp, priority] = self.check_prio(request)?;
        let has = self.objects.threads[thread].sched_context;
        let context = match self.extra_cap(request, 1)? {
            (Cap::SchedContext { object, .. }, _) => {
                let bound = self.objects.sched_contexts[object].thread;
                if has != Some(object) && (has.is_some() || bound.is_some()) {
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
        if has != context {
            self.set_sched_context(thread, context);
        }
        Ok(())
    }

    /// A capability of the message that can be a handler of faults; an empty slot is none.
    fn valid_fault_handler(&self, request: &Request, index: usize) -> Result<Option<Root>, Error> {
        match self.extra_cap(request, index)? {
            (Cap::Null, _) => Ok(None),
            (cap @ Cap::Endpoint { rights, .. }, slot)
                if rights.write() && (rights.grant() || rights.grant_reply()) =>
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

    /// The frame that shall be an IPC buffer, unless the address is 0: then there is none.
    fn check_valid_ipc_buffer(
        &self,
        request: &Request,
        index: usize,
        address: usize,
    ) -> Result<Option<Root>, Error> {
        if address == 0 {
            return Ok(None);
        }
        let (cap, slot) = self.extra_cap(request, index)?;
        let cap = self.derive_cap(slot, cap)?;
        if !matches!(cap, Cap::Frame { device: false, .. }) {
            return Err(Error::IllegalOperation);
        }
        if address & low_bits(arch::IPC_BUFFER_BITS.into()) != 0 {
            return Err(Error::AlignmentError);
        }
        Ok(Some((cap, slot)))
    }

    /// The roots of the spaces that a thread shall get, with the words that change them.
    /// They are from `first_cap` on, the words from `first_word` on.
    fn decode_space_roots(
        &self,
        request: &Request,
        thread: ThreadId,
        first_cap: usize,
        first_word: usize,
    ) -> Result<(Root, Root), Error> {
        let tcb = &self.objects.threads[thread];
        let slot_cap_long_running_delete = |slot| {
            let slot = tcb.slot(slot);
            let cap = self.slots.cap(slot);
            let holds = matches!(cap, Cap::CNode { .. } | Cap::Thread(_) | Cap::Zombie { .. });
            holds && self.is_final_capability(slot)
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
        cspace: Root,
        vspace: Root,
    ) {
        self.install_tcb_cap(request, thread, TcbSlot::CTable, Some(cspace));
        self.install_tcb_cap(request, thread, TcbSlot::VTable, Some(vspace));
    }

    fn install_ipc_buffer(
        &mut self,
        request: &Request,
        thread: ThreadId,
        address: usize,
        frame: Option<Root>,
    ) {
        self.objects.threads[thread].ipc_buffer = address;
        self.install_tcb_cap(request, thread, TcbSlot::Buffer, frame);
        if thread == request.thread {
            self.reschedule_required();
        }
    }

    /// Puts a capability into a slot of a thread. To empty the slot first can delete where the
    /// capability comes from, or the thread: then nothing is put there.
    fn install_tcb_cap(
        &mut self,
        request: &Request,
        thread: ThreadId,
        slot: TcbSlot,
        root: Option<Root>,
    ) {
        let slot = self.objects.threads[thread].slot(slot);
        self.cte_delete(slot, true);
        if let Some((cap, source)) = root
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
        let notification = &mut self.objects.notifications[object];
        let free = notification.queue.is_empty() && notification.bound_tcb.is_none();
        if !rights.read() || !free {
            return Err(Error::IllegalOperation);
        }
        notification.bound_tcb = Some(thread);
        self.objects.threads[thread].bound_notification = Some(object);
        self.begin_perform(request.thread);
        Ok(())
    }
}
