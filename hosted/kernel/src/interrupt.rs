// SPDX-License-Identifier: GPL-2.0-only

//! Interrupts: their capabilities, and the notifications that they signal.

use crate::arch;
use crate::cap::Cap;
use crate::cte::{SlotId, Slots};
use crate::decode::{InvocationResult, Request, range_check};
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;

/// Number of an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Irq(u8);

impl Irq {
    /// Returns the number.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

/// State of all interrupts.
pub(crate) struct InterruptState {
    /// First of the slots for the notification capabilities of the handlers.
    irq_node: SlotId,
    /// Set while a handler capability exists.
    active: [bool; arch::IRQS],
    /// Set from the interrupt to its acknowledgement.
    masked: [bool; arch::IRQS],
    /// Set if software has raised the interrupt while it was masked.
    pending: [bool; arch::IRQS],
}

impl InterruptState {
    pub fn new(slots: &mut Slots) -> Self {
        InterruptState {
            irq_node: slots.allocate(arch::IRQS.next_power_of_two().trailing_zeros() as u8),
            active: [false; arch::IRQS],
            masked: [false; arch::IRQS],
            pending: [false; arch::IRQS],
        }
    }

    /// Activates an interrupt, for a new handler capability.
    fn activate_irq(&mut self, number: usize) -> Irq {
        self.active[number] = true;
        self.masked[number] = false;
        self.pending[number] = false;
        Irq(number as u8)
    }

    /// Returns the slot for the capability to the notification that an interrupt signals.
    fn slot(&self, irq: Irq) -> SlotId {
        self.irq_node.plus(irq.number())
    }

    pub fn deleted_irq_handler(&mut self, irq: Irq) {
        self.active[irq.number()] = false;
    }
}

impl<M: Machine> Kernel<M> {
    pub(crate) fn handle_interrupt(&mut self, number: usize) {
        if number == arch::TIMER_IRQ {
            // With mixed-criticality scheduling, the kernel entry has read the clock.
            if !self.config.mcs {
                self.timer_tick();
            }
            return;
        }
        if self.irqs.active.get(number) != Some(&true) {
            let text = format!("interrupt `{number}` has no handler\n");
            return self.print(&text);
        }
        match self.slots.cap(self.irqs.slot(Irq(number as u8))) {
            Cap::Notification {
                object,
                badge,
                rights,
            } if rights.allow_write() => self.send_signal(object, badge),
            _ => {
                let text = format!("interrupt `{number}` has a handler without a notification\n");
                self.print(&text);
            }
        }
        self.irqs.masked[number] = true;
    }

    /// Returns whether the interrupt controller can deliver an interrupt: a handler exists, and has
    /// acknowledged the last one.
    #[must_use]
    pub fn can_deliver_irq(&self, irq: usize) -> bool {
        self.irqs.active.get(irq) == Some(&true) && !self.irqs.masked[irq]
    }

    /// Sends a software-generated interrupt to a core. Only core 0 exists.
    pub(crate) fn perform_sgi_signal(&mut self, irq: Irq, target: u8) {
        if target != 0 {
            return;
        }
        match self.irqs.masked[irq.number()] {
            true => self.irqs.pending[irq.number()] = true,
            false => self.handle_interrupt(irq.number()),
        }
    }

    /// Issues the handler capability of an interrupt, by its number.
    #[cfg(target_arch = "aarch64")]
    pub(crate) fn decode_irq_control_invocation(&mut self, request: &Request) -> InvocationResult {
        let (number, index, depth) = match request.invocation {
            Some(Invocation::IRQIssueIRQHandler) => {
                request.ensure_length(3, 1)?;
                let [number, index, depth] = self.get_syscall_args(request);
                (number, index, depth)
            }
            Some(Invocation::ARMIRQIssueIRQHandlerTrigger) => {
                request.ensure_length(4, 1)?;
                let [number, _trigger, index, depth] = self.get_syscall_args(request);
                (number, index, depth)
            }
            Some(Invocation::ARMIRQIssueSGISignal) => return self.decode_issue_sgi_signal(request),
            _ => return Err(Error::IllegalOperation),
        };
        range_check(number, 0..=arch::IRQS - 1)?;
        if number == arch::TIMER_IRQ || self.irqs.active[number] {
            return Err(Error::RevokeFirst);
        }
        let (root, _) = self.extra_cap(request, 0)?;
        let slot = self.lookup_empty_target_slot(root, index, depth)?;
        self.begin_perform(request.thread);
        let irq = self.irqs.activate_irq(number);
        self.cte_insert(Cap::IrqHandler(irq), request.slot, slot);
        Ok(())
    }

    /// Issues the capability to send a software-generated interrupt.
    #[cfg(target_arch = "aarch64")]
    fn decode_issue_sgi_signal(&mut self, request: &Request) -> InvocationResult {
        request.ensure_length(4, 1)?;
        let [number, target, index, depth] = self.get_syscall_args(request);
        range_check(number, 0..=arch::SGIS - 1)?;
        if target >= arch::SGI_TARGETS {
            return Err(Error::InvalidArgument(1));
        }
        let (root, _) = self.extra_cap(request, 0)?;
        let slot = self.lookup_empty_target_slot(root, index, depth)?;
        self.begin_perform(request.thread);
        let (irq, target) = (Irq(number as u8), target as u8);
        self.cte_insert(Cap::SgiSignal { irq, target }, request.slot, slot);
        Ok(())
    }

    #[cfg(not(target_arch = "aarch64"))]
    pub(crate) fn decode_irq_control_invocation(&mut self, request: &Request) -> InvocationResult {
        use Invocation::*;
        match request.invocation {
            // The I/O APIC has invocations with more arguments in place of this one.
            Some(IRQIssueIRQHandler) => {
                request.ensure_length(3, 1)?;
                Err(Error::IllegalOperation)
            }
            Some(invocation @ (X86IRQIssueIRQHandlerIOAPIC | X86IRQIssueIRQHandlerMSI)) => {
                self.decode_issue_irq_handler(request, invocation)
            }
            _ => Err(Error::IllegalOperation),
        }
    }

    #[cfg(not(target_arch = "aarch64"))]
    fn decode_issue_irq_handler(
        &mut self,
        request: &Request,
        invocation: Invocation,
    ) -> InvocationResult {
        request.ensure_length(7, 1)?;
        let [index, depth, a, b, c, d, vector] = self.get_syscall_args(request);
        let (root, _) = self.extra_cap(request, 0)?;
        range_check(vector, 0..=arch::USER_IRQS.end() - arch::USER_IRQS.start())?;
        let number = vector + arch::USER_IRQS.start();
        if self.irqs.active[number] {
            return Err(Error::RevokeFirst);
        }
        let slot = self.lookup_empty_target_slot(root, index, depth)?;
        let mut pin_of_apic = None;
        match invocation {
            Invocation::X86IRQIssueIRQHandlerIOAPIC => {
                let (apic, pin, level, polarity) = (a, b, c, d);
                range_check(apic, 0..=0)?;
                range_check(pin, 0..=arch::IOAPIC_PINS - 1)?;
                range_check(level, 0..=1)?;
                range_check(polarity, 0..=1)?;
                pin_of_apic = Some(pin);
            }
            _ => {
                let (bus, device, function) = (a, b, c);
                range_check(bus, 0..=255)?;
                range_check(device, 0..=31)?;
                range_check(function, 0..=7)?;
            }
        }
        self.begin_perform(request.thread);
        if let Some(pin) = pin_of_apic {
            self.machine.route(number, pin);
        }
        let irq = self.irqs.activate_irq(number);
        self.cte_insert(Cap::IrqHandler(irq), request.slot, slot);
        Ok(())
    }

    pub(crate) fn decode_irq_handler_invocation(
        &mut self,
        request: &Request,
        irq: Irq,
    ) -> InvocationResult {
        match request.invocation {
            Some(Invocation::IRQAckIRQ) => {
                self.begin_perform(request.thread);
                self.machine.acknowledge(irq.number());
                self.irqs.masked[irq.number()] = false;
                if std::mem::take(&mut self.irqs.pending[irq.number()]) {
                    self.handle_interrupt(irq.number());
                }
            }
            Some(Invocation::IRQSetIRQHandler) => {
                request.ensure_length(0, 1)?;
                let (cap, source) = self.extra_cap(request, 0)?;
                if !matches!(cap, Cap::Notification { rights, .. } if rights.allow_write()) {
                    return Err(Error::InvalidCapability(0));
                }
                self.begin_perform(request.thread);
                self.deleting_irq_handler(irq);
                self.cte_insert(cap, source, self.irqs.slot(irq));
            }
            Some(Invocation::IRQClearIRQHandler) => {
                self.begin_perform(request.thread);
                self.deleting_irq_handler(irq);
            }
            _ => return Err(Error::IllegalOperation),
        }
        Ok(())
    }

    pub(crate) fn deleting_irq_handler(&mut self, irq: Irq) {
        let slot = self.irqs.slot(irq);
        if !self.slots.cap(slot).is_null() {
            self.cte_delete_one(slot);
        }
    }
}
