// SPDX-License-Identifier: GPL-2.0-only

//! Interrupts: the capabilities to them, and what they signal.

use crate::arch;
use crate::cap::Cap;
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::request::{InvocationResult, Request};
use crate::slots::{SlotId, Slots};

/// The number of an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Irq(u8);

impl Irq {
    /// It.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

/// The interrupts there are.
pub(crate) struct InterruptState {
    base: SlotId,
    /// Whether somebody has a capability to it.
    active: [bool; arch::IRQS],
    /// Whether it is kept back: it came, and its handler has not acknowledged that.
    masked: [bool; arch::IRQS],
    /// Whether software has raised it meanwhile.
    raised: [bool; arch::IRQS],
}

impl InterruptState {
    pub fn new(slots: &mut Slots) -> Self {
        InterruptState {
            base: slots.allocate(arch::IRQS.next_power_of_two().trailing_zeros() as u8),
            active: [false; arch::IRQS],
            masked: [false; arch::IRQS],
            raised: [false; arch::IRQS],
        }
    }

    /// Somebody gets the capability to it.
    fn activate_irq(&mut self, number: usize) -> Irq {
        self.active[number] = true;
        self.masked[number] = false;
        self.raised[number] = false;
        Irq(number as u8)
    }

    /// Where the capability is to the notification that it signals.
    pub fn slot(&self, irq: Irq) -> SlotId {
        self.base.plus(irq.number())
    }

    pub fn deleted_irq_handler(&mut self, irq: Irq) {
        self.active[irq.number()] = false;
    }
}

impl<M: Machine> Kernel<M> {
    pub(crate) fn handle_interrupt(&mut self, number: usize) {
        if number == arch::TIMER_IRQ {
            // With mixed-criticality scheduling the clock has been looked at already.
            if !self.config.mcs {
                self.timer_tick();
            }
            return;
        }
        if self.irqs.active.get(number) != Some(&true) {
            let text = format!("interrupt {number} comes, for which there is no handler\n");
            return self.print(&text);
        }
        match self.slots.cap(self.irqs.slot(Irq(number as u8))) {
            Cap::Notification {
                object,
                badge,
                rights,
            } if rights.write() => self.send_signal(object, badge),
            _ => {
                let text = format!("interrupt {number} comes, whose handler signals nobody\n");
                self.print(&text);
            }
        }
        self.irqs.masked[number] = true;
    }

    /// Whether an interrupt would come to somebody now: it has a handler, and is not kept back until that has
    /// acknowledged the last one.
    #[must_use]
    pub fn takes(&self, irq: usize) -> bool {
        self.irqs.active.get(irq) == Some(&true) && !self.irqs.masked[irq]
    }

    /// Software makes an interrupt.
    pub(crate) fn raise_sgi(&mut self, irq: Irq) {
        match self.irqs.masked[irq.number()] {
            true => self.irqs.raised[irq.number()] = true,
            false => self.handle_interrupt(irq.number()),
        }
    }

    /// Makes the capability to an interrupt, where each has a number that is the same for all.
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
        within(number, arch::IRQS - 1)?;
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

    /// Makes the capability to one of the interrupts that software makes.
    #[cfg(target_arch = "aarch64")]
    fn decode_issue_sgi_signal(&mut self, request: &Request) -> InvocationResult {
        request.ensure_length(4, 1)?;
        let [number, target, index, depth] = self.get_syscall_args(request);
        within(number, arch::SGIS - 1)?;
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
            // The I/O APIC has other interrupts than the old controller.
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
        within(vector, arch::USER_IRQS.end() - arch::USER_IRQS.start())?;
        let number = vector + arch::USER_IRQS.start();
        if self.irqs.active[number] {
            return Err(Error::RevokeFirst);
        }
        let slot = self.lookup_empty_target_slot(root, index, depth)?;
        let mut pin_of_apic = None;
        match invocation {
            Invocation::X86IRQIssueIRQHandlerIOAPIC => {
                let (apic, pin, level, polarity) = (a, b, c, d);
                within(apic, 0)?;
                within(pin, arch::IOAPIC_PINS - 1)?;
                within(level, 1)?;
                within(polarity, 1)?;
                pin_of_apic = Some(pin);
            }
            _ => {
                let (bus, device, function) = (a, b, c);
                within(bus, 255)?;
                within(device, 31)?;
                within(function, 7)?;
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
                if std::mem::take(&mut self.irqs.raised[irq.number()]) {
                    self.handle_interrupt(irq.number());
                }
            }
            Some(Invocation::IRQSetIRQHandler) => {
                request.ensure_length(0, 1)?;
                let (cap, source) = self.extra_cap(request, 0)?;
                if !matches!(cap, Cap::Notification { rights, .. } if rights.write()) {
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

    fn deleting_irq_handler(&mut self, irq: Irq) {
        let slot = self.irqs.slot(irq);
        if !self.slots.cap(slot).is_null() {
            self.cte_delete_one(slot);
        }
    }
}

fn within(value: usize, max: usize) -> InvocationResult {
    match value > max {
        true => Err(Error::RangeError { min: 0, max }),
        false => Ok(()),
    }
}
