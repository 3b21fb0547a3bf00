// SPDX-License-Identifier: BSD-2-Clause

//! Interrupts.

use libsel4_sys as sys;

use crate::cap::{Cap, Slot};
use crate::error::{Result, check};
use crate::kind::{IrqControl, IrqHandler, Notification};

impl Cap<IrqControl> {
    /// Corresponds to `seL4_IRQControl_Get`. Fills `slot` with the handler of the interrupt `irq`.
    #[doc(alias = "seL4_IRQControl_Get")]
    pub fn irq_control_get(self, irq: usize, slot: Slot) -> Result<()> {
        // SAFETY: only an empty slot is filled.
        check(unsafe {
            sys::seL4_IRQControl_Get(
                self.word(),
                irq,
                slot.root().word(),
                slot.index(),
                slot.depth(),
            )
        })
    }

    /// Corresponds to `seL4_IRQControl_GetTrigger`. The same, where `edge` says that the interrupt is
    /// triggered by an edge and not by a level.
    #[cfg(any(CONFIG_ARCH_ARM, CONFIG_ARCH_RISCV))]
    #[doc(alias = "seL4_IRQControl_GetTrigger")]
    pub fn irq_control_get_trigger(self, irq: usize, edge: bool, slot: Slot) -> Result<()> {
        // SAFETY: only an empty slot is filled.
        check(unsafe {
            sys::seL4_IRQControl_GetTrigger(
                self.word(),
                irq,
                edge.into(),
                slot.root().word(),
                slot.index(),
                slot.depth(),
            )
        })
    }

    /// Corresponds to `seL4_IRQControl_GetTriggerCore`. The same, for an interrupt that goes to the core
    /// `target`, counted from 0.
    #[cfg(all(CONFIG_ARCH_ARM, CONFIG_ENABLE_SMP_SUPPORT))]
    #[doc(alias = "seL4_IRQControl_GetTriggerCore")]
    pub fn irq_control_get_trigger_core(
        self,
        irq: usize,
        edge: bool,
        slot: Slot,
        target: usize,
    ) -> Result<()> {
        // SAFETY: only an empty slot is filled.
        check(unsafe {
            sys::seL4_IRQControl_GetTriggerCore(
                self.word(),
                irq,
                edge.into(),
                slot.root().word(),
                slot.index(),
                slot.depth(),
                target,
            )
        })
    }

    /// Corresponds to `seL4_IRQControl_IssueSGISignal`. Fills `slot` with the capability to send the
    /// software-generated interrupt `irq` to the core `target`.
    #[cfg(sel4_has = "seL4_IRQControl_IssueSGISignal")]
    #[doc(alias = "seL4_IRQControl_IssueSGISignal")]
    pub fn irq_control_issue_sgi_signal(self, irq: usize, target: usize, slot: Slot) -> Result<()> {
        // SAFETY: only an empty slot is filled.
        check(unsafe {
            sys::seL4_IRQControl_IssueSGISignal(
                self.word(),
                irq,
                target,
                slot.root().word(),
                slot.index(),
                slot.depth(),
            )
        })
    }

    /// Corresponds to `seL4_IRQControl_GetIOAPIC`. Fills `slot` with the handler of a pin of an I/O
    /// APIC: `level` and `polarity` are 1 for level-triggered and active-low, `vector` is seL4's
    /// number for it.
    #[cfg(CONFIG_ARCH_X86)]
    #[doc(alias = "seL4_IRQControl_GetIOAPIC")]
    pub fn irq_control_get_io_apic(
        self,
        slot: Slot,
        io_apic: usize,
        pin: usize,
        level: usize,
        polarity: usize,
        vector: usize,
    ) -> Result<()> {
        // SAFETY: only an empty slot is filled.
        check(unsafe {
            sys::seL4_IRQControl_GetIOAPIC(
                self.word(),
                slot.root().word(),
                slot.index(),
                slot.depth(),
                io_apic,
                pin,
                level,
                polarity,
                vector,
            )
        })
    }

    /// Corresponds to `seL4_IRQControl_GetMSI`. Fills `slot` with the handler of a message-signalled
    /// interrupt of the PCI function `bus`, `device`, `function`.
    #[cfg(CONFIG_ARCH_X86)]
    #[doc(alias = "seL4_IRQControl_GetMSI")]
    pub fn irq_control_get_msi(
        self,
        slot: Slot,
        bus: usize,
        device: usize,
        function: usize,
        handle: usize,
        vector: usize,
    ) -> Result<()> {
        // SAFETY: only an empty slot is filled.
        check(unsafe {
            sys::seL4_IRQControl_GetMSI(
                self.word(),
                slot.root().word(),
                slot.index(),
                slot.depth(),
                bus,
                device,
                function,
                handle,
                vector,
            )
        })
    }
}

impl Cap<IrqHandler> {
    /// Corresponds to `seL4_IRQHandler_Ack`. Lets the interrupt come again.
    #[doc(alias = "seL4_IRQHandler_Ack")]
    pub fn irq_handler_ack(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_IRQHandler_Ack(self.word()) })
    }

    /// Corresponds to `seL4_IRQHandler_SetNotification`. What the interrupt signals.
    #[doc(alias = "seL4_IRQHandler_SetNotification")]
    pub fn irq_handler_set_notification(self, notification: Cap<Notification>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_IRQHandler_SetNotification(self.word(), notification.word()) })
    }

    /// Corresponds to `seL4_IRQHandler_Clear`. The interrupt signals nothing then.
    #[doc(alias = "seL4_IRQHandler_Clear")]
    pub fn irq_handler_clear(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_IRQHandler_Clear(self.word()) })
    }
}
