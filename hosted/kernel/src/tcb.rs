// SPDX-License-Identifier: BSD-2-Clause

//! What threads are asked for.

use crate::arch::{self, Context};
use crate::cap::{Cap, low_bits};
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message::{Info, REGISTERS};
use crate::request::{Answer, Request};
use crate::slots::SlotId;
use crate::thread::{ThreadId, ThreadSlot};

/// Flags of a thread that the kernel keeps: `seL4_TCBFlag_fpuDisabled`.
const FLAGS: usize = 1;

/// A capability that a thread shall get, and where it comes from.
type Root = (Cap, SlotId);

impl<M: Machine> Kernel<M> {
    pub(crate) fn ask_thread(&mut self, request: &Request, thread: ThreadId) -> Answer {
        use Invocation::*;
        match request.invocation {
            Some(TCBReadRegisters) => self.read_registers(request, thread),
            Some(TCBWriteRegisters) => self.write_registers(request, thread),
            Some(TCBCopyRegisters) => self.copy_registers(request, thread),
            Some(TCBSuspend) => {
                self.commit(request.thread);
                self.suspend(thread);
                Ok(())
            }
            Some(TCBResume) => {
                self.commit(request.thread);
                self.restart(thread);
                Ok(())
            }
            Some(TCBConfigure) => self.configure(request, thread),
            Some(TCBSetSpace) => self.set_space(request, thread),
            Some(TCBSetIPCBuffer) => self.set_ipc_buffer(request, thread),
            Some(TCBSetPriority) => {
                let [priority] = self.priorities(request)?;
                self.commit(request.thread);
                self.set_priority(thread, priority);
                Ok(())
            }
            Some(TCBSetMCPriority) => {
                let [mcp] = self.priorities(request)?;
                self.commit(request.thread);
                self.objects.threads[thread].mcp = mcp;
                Ok(())
            }
            Some(TCBSetSchedParams) if self.config.mcs => self.set_sched_params(request, thread),
            Some(TCBSetTimeoutEndpoint) => {
                request.ensure(0, 1)?;
                let handler = self.fault_handler(request, 0)?;
                self.commit(request.thread);
                self.install(request, thread, ThreadSlot::TimeoutHandler, handler);
                Ok(())
            }
            Some(TCBSetSchedParams) => {
                let [mcp, priority] = self.priorities(request)?;
                self.commit(request.thread);
                self.objects.threads[thread].mcp = mcp;
                self.set_priority(thread, priority);
                Ok(())
            }
            Some(TCBBindNotification) => self.bind(request, thread),
            Some(TCBUnbindNotification) => {
                if self.objects.threads[thread].bound.is_none() {
                    return Err(Error::IllegalOperation);
                }
                self.commit(request.thread);
                self.unbind_thread(thread);
                Ok(())
            }
            Some(TCBSetTLSBase) => {
                request.ensure(1, 0)?;
                let base = self.argument(request, 0);
                self.commit(request.thread);
                self.objects.threads[thread].context[arch::TLS_BASE] = base;
                if thread == request.thread {
                    self.reschedule();
                }
                Ok(())
            }
            Some(TCBSetFlags) => {
                request.ensure(2, 0)?;
                let [clear, set] = self.arguments(request);
                let flags = &mut self.objects.threads[thread].flags;
                *flags = *flags & !clear | set & FLAGS;
                let flags = *flags;
                self.answer_words(request, &[flags])
            }
            // There is one core, 0.
            Some(TCBSetAffinity) => {
                request.ensure(1, 0)?;
                if self.argument(request, 0) != 0 {
                    return Err(Error::RangeError { min: 0, max: 0 });
                }
                self.commit(request.thread);
                if self.is_runnable(thread) && thread != request.thread {
                    self.dequeue(thread);
                    self.enqueue_last(thread);
                }
                Ok(())
            }
            _ => Err(Error::IllegalOperation),
        }
    }

    fn ensure_other(&self, request: &Request, thread: ThreadId) -> Answer {
        match thread == request.thread {
            true => Err(Error::IllegalOperation),
            false => Ok(()),
        }
    }

    fn read_registers(&mut self, request: &Request, thread: ThreadId) -> Answer {
        request.ensure(2, 0)?;
        let [flags, count] = self.arguments(request);
        if !(1..=Context::REGISTERS).contains(&count) {
            return Err(Error::RangeError {
                min: 1,
                max: Context::REGISTERS,
            });
        }
        self.ensure_other(request, thread)?;
        self.commit(request.thread);
        if flags & 1 != 0 {
            self.suspend(thread);
        }
        if request.call {
            let buffer = self.buffer(request.thread, true);
            let count = match buffer {
                Some(_) => count,
                None => count.min(REGISTERS),
            };
            for index in 0..count {
                let word = self.objects.threads[thread].context.registers()[index];
                self.set_word(request.thread, buffer, index, word);
            }
            self.set_head(request.thread, 0, Info::new(0, 0, 0, count));
        }
        self.set_state(request.thread, crate::thread::State::Running);
        Ok(())
    }

    fn write_registers(&mut self, request: &Request, thread: ThreadId) -> Answer {
        request.ensure(2, 0)?;
        let [flags, count] = self.arguments(request);
        if request.length - 2 < count {
            return Err(Error::TruncatedMessage);
        }
        self.ensure_other(request, thread)?;
        self.commit(request.thread);
        for index in 0..count.min(Context::REGISTERS) {
            let word = self.argument(request, index + 2);
            self.objects.threads[thread].context.set(index, word);
        }
        self.continue_at_ip(thread);
        if flags & 1 != 0 {
            self.restart(thread);
        }
        Ok(())
    }

    fn copy_registers(&mut self, request: &Request, thread: ThreadId) -> Answer {
        request.ensure(1, 1)?;
        let flags = self.argument(request, 0);
        let flag = |index: usize| flags >> index & 1 != 0;
        let (Cap::Thread(source), _) = self.extra_cap(request, 0)? else {
            return Err(Error::InvalidCapability(1));
        };
        self.commit(request.thread);
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
            self.reschedule();
        }
        Ok(())
    }

    fn continue_at_ip(&mut self, thread: ThreadId) {
        let context = &mut self.objects.threads[thread].context;
        context.next = context[arch::IP];
    }

    /// Priorities that who is asked for authority may give.
    fn priorities<const N: usize>(&self, request: &Request) -> Result<[u8; N], Error> {
        request.ensure(N, 1)?;
        let (Cap::Thread(authority), _) = self.extra_cap(request, 0)? else {
            return Err(Error::InvalidCapability(1));
        };
        let max = self.objects.threads[authority].mcp;
        let priorities: [usize; N] = self.arguments(request);
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

    fn configure(&mut self, request: &Request, thread: ThreadId) -> Answer {
        // With mixed-criticality scheduling the fault handler is set elsewhere.
        let first = usize::from(!self.config.mcs);
        request.ensure(first + 3, 3)?;
        let address = self.argument(request, first + 2);
        let frame = self.ipc_frame(request, 2, address)?;
        let (cspace, vspace) = self.spaces(request, thread, 0, first)?;
        let handler = self.argument(request, 0);
        self.commit(request.thread);
        if !self.config.mcs {
            self.objects.threads[thread].fault_handler = handler;
        }
        self.install_spaces(request, thread, cspace, vspace);
        self.install_buffer(request, thread, address, frame);
        Ok(())
    }

    fn set_space(&mut self, request: &Request, thread: ThreadId) -> Answer {
        if self.config.mcs {
            request.ensure(2, 3)?;
            let (cspace, vspace) = self.spaces(request, thread, 1, 0)?;
            let handler = self.fault_handler(request, 0)?;
            self.commit(request.thread);
            self.install(request, thread, ThreadSlot::FaultHandler, handler);
            self.install_spaces(request, thread, cspace, vspace);
            return Ok(());
        }
        request.ensure(3, 2)?;
        let (cspace, vspace) = self.spaces(request, thread, 0, 1)?;
        let handler = self.argument(request, 0);
        self.commit(request.thread);
        self.objects.threads[thread].fault_handler = handler;
        self.install_spaces(request, thread, cspace, vspace);
        Ok(())
    }

    /// With mixed-criticality scheduling: its scheduling context and fault handler, too.
    fn set_sched_params(&mut self, request: &Request, thread: ThreadId) -> Answer {
        request.ensure(2, 3)?;
        let [mcp, priority] = self.priorities(request)?;
        let has = self.objects.threads[thread].context_id;
        let context = match self.extra_cap(request, 1)? {
            (Cap::SchedContext { object, .. }, _) => {
                let bound = self.objects.contexts[object].thread;
                if has != Some(object) && (has.is_some() || bound.is_some()) {
                    return Err(Error::IllegalOperation);
                }
                self.ensure_bindable(object, thread)?;
                Some(object)
            }
            (Cap::Null, _) if thread == request.thread => return Err(Error::IllegalOperation),
            (Cap::Null, _) => None,
            _ => return Err(Error::InvalidCapability(2)),
        };
        let handler = match self.fault_handler(request, 2) {
            Err(_) => return Err(Error::InvalidCapability(3)),
            handler => handler?,
        };
        self.commit(request.thread);
        self.install(request, thread, ThreadSlot::FaultHandler, handler);
        self.objects.threads[thread].mcp = mcp;
        self.set_priority(thread, priority);
        if has != context {
            self.set_context(thread, context);
        }
        Ok(())
    }

    /// A capability of the message that can be a handler of faults; an empty slot is none.
    fn fault_handler(&self, request: &Request, index: usize) -> Result<Option<Root>, Error> {
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

    fn set_ipc_buffer(&mut self, request: &Request, thread: ThreadId) -> Answer {
        request.ensure(1, 1)?;
        let address = self.argument(request, 0);
        let frame = self.ipc_frame(request, 0, address)?;
        self.commit(request.thread);
        self.install_buffer(request, thread, address, frame);
        Ok(())
    }

    /// The frame that shall be an IPC buffer, unless the address is 0: then there is none.
    fn ipc_frame(
        &self,
        request: &Request,
        index: usize,
        address: usize,
    ) -> Result<Option<Root>, Error> {
        if address == 0 {
            return Ok(None);
        }
        let (cap, slot) = self.extra_cap(request, index)?;
        let cap = self.derive(slot, cap)?;
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
    fn spaces(
        &self,
        request: &Request,
        thread: ThreadId,
        first_cap: usize,
        first_word: usize,
    ) -> Result<(Root, Root), Error> {
        let tcb = &self.objects.threads[thread];
        let takes_long = |slot| {
            let slot = tcb.slot(slot);
            let cap = self.slots.cap(slot);
            let holds = matches!(cap, Cap::CNode { .. } | Cap::Thread(_) | Cap::Zombie { .. });
            holds && self.is_final(slot)
        };
        if takes_long(ThreadSlot::CSpace) || takes_long(ThreadSlot::VSpace) {
            return Err(Error::IllegalOperation);
        }
        let root = |index: usize| {
            let (cap, slot) = self.extra_cap(request, first_cap + index)?;
            let cap = match self.argument(request, first_word + index) {
                0 => cap,
                data => cap.with_data(false, data),
            };
            Ok((self.derive(slot, cap)?, slot))
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

    fn install_spaces(&mut self, request: &Request, thread: ThreadId, cspace: Root, vspace: Root) {
        self.install(request, thread, ThreadSlot::CSpace, Some(cspace));
        self.install(request, thread, ThreadSlot::VSpace, Some(vspace));
    }

    fn install_buffer(
        &mut self,
        request: &Request,
        thread: ThreadId,
        address: usize,
        frame: Option<Root>,
    ) {
        self.objects.threads[thread].ipc_buffer = address;
        self.install(request, thread, ThreadSlot::IpcBuffer, frame);
        if thread == request.thread {
            self.reschedule();
        }
    }

    /// Puts a capability into a slot of a thread. To empty the slot first can delete where the
    /// capability comes from, or the thread: then nothing is put there.
    fn install(
        &mut self,
        request: &Request,
        thread: ThreadId,
        slot: ThreadSlot,
        root: Option<Root>,
    ) {
        let slot = self.objects.threads[thread].slot(slot);
        self.delete(slot, true);
        if let Some((cap, source)) = root
            && self.objects.same_object(cap, self.slots.cap(source))
            && self.slots.cap(request.slot) == Cap::Thread(thread)
        {
            self.insert(cap, source, slot);
        }
    }

    fn bind(&mut self, request: &Request, thread: ThreadId) -> Answer {
        request.ensure(0, 1)?;
        if self.objects.threads[thread].bound.is_some() {
            return Err(Error::IllegalOperation);
        }
        let (cap, _) = self.extra_cap(request, 0)?;
        let Cap::Notification { object, rights, .. } = cap else {
            return Err(Error::IllegalOperation);
        };
        let notification = &mut self.objects.notifications[object];
        let free = notification.queue.is_empty() && notification.bound.is_none();
        if !rights.read() || !free {
            return Err(Error::IllegalOperation);
        }
        notification.bound = Some(thread);
        self.objects.threads[thread].bound = Some(object);
        self.commit(request.thread);
        Ok(())
    }
}
