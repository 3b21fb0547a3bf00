// SPDX-License-Identifier: BSD-2-Clause

//! Interrupts.

use libsel4_sys as sys;

#[cfg(sel4_has = "seL4_IRQControl_IssueSGISignal")]
use crate::arch::SgiSignal;
use crate::cap::Cap;
use crate::error::{Result, check};
use crate::kind::{IrqControl, IrqHandler, Notification};
use crate::slot::{EmptySlot, FillError};

impl Cap<IrqControl> {
    /// Corresponds to `seL4_IRQControl_Get`. Fills `slot` with the handler of the interrupt `irq`.
    #[doc(alias = "seL4_IRQControl_Get")]
    #[inline]
    pub fn irq_control_get(
        self,
        irq: usize,
        slot: EmptySlot,
    ) -> Result<Cap<IrqHandler>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_IRQControl_Get(self.word(), irq, root, index, depth)
            })
        }
    }

    /// Corresponds to `seL4_IRQControl_GetTrigger`. The same, where `edge` says that the interrupt is
    /// triggered by an edge and not by a level.
    #[cfg(any(CONFIG_ARCH_ARM, CONFIG_ARCH_RISCV))]
    #[doc(alias = "seL4_IRQControl_GetTrigger")]
    #[inline]
    pub fn irq_control_get_trigger(
        self,
        irq: usize,
        edge: bool,
        slot: EmptySlot,
    ) -> Result<Cap<IrqHandler>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_IRQControl_GetTrigger(self.word(), irq, edge.into(), root, index, depth)
            })
        }
    }

    /// Corresponds to `seL4_IRQControl_GetTriggerCore`. The same, for an interrupt that goes to the core
    /// `target`, counted from 0.
    #[cfg(all(CONFIG_ARCH_ARM, CONFIG_ENABLE_SMP_SUPPORT))]
    #[doc(alias = "seL4_IRQControl_GetTriggerCore")]
    #[inline]
    pub fn irq_control_get_trigger_core(
        self,
        irq: usize,
        edge: bool,
        slot: EmptySlot,
        target: usize,
    ) -> Result<Cap<IrqHandler>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_IRQControl_GetTriggerCore(
                    self.word(),
                    irq,
                    edge.into(),
                    root,
                    index,
                    depth,
                    target,
                )
            })
        }
    }

    /// Corresponds to `seL4_IRQControl_IssueSGISignal`. Fills `slot` with the capability to send the
    /// software-generated interrupt `irq` to the core `target`.
    #[cfg(sel4_has = "seL4_IRQControl_IssueSGISignal")]
    #[doc(alias = "seL4_IRQControl_IssueSGISignal")]
    #[inline]
    pub fn irq_control_issue_sgi_signal(
        self,
        irq: usize,
        target: usize,
        slot: EmptySlot,
    ) -> Result<Cap<SgiSignal>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_IRQControl_IssueSGISignal(self.word(), irq, target, root, index, depth)
            })
        }
    }

    /// Corresponds to `seL4_IRQControl_GetIOAPIC`. Fills `slot` with the handler of a pin of an I/O
    /// APIC. `vector` is seL4's number for the interrupt.
    #[cfg(CONFIG_ARCH_X86)]
    #[doc(alias = "seL4_IRQControl_GetIOAPIC")]
    #[inline]
    pub fn irq_control_get_io_apic(
        self,
        pin: &IoApicPin,
        vector: usize,
        slot: EmptySlot,
    ) -> Result<Cap<IrqHandler>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_IRQControl_GetIOAPIC(
                    self.word(),
                    root,
                    index,
                    depth,
                    pin.io_apic,
                    pin.pin,
                    pin.level_triggered.into(),
                    pin.active_low.into(),
                    vector,
                )
            })
        }
    }

    /// Corresponds to `seL4_IRQControl_GetMSI`. Fills `slot` with the handler of a message-signalled
    /// interrupt. `vector` is seL4's number for it.
    #[cfg(CONFIG_ARCH_X86)]
    #[doc(alias = "seL4_IRQControl_GetMSI")]
    #[inline]
    pub fn irq_control_get_msi(
        self,
        msi: &Msi,
        vector: usize,
        slot: EmptySlot,
    ) -> Result<Cap<IrqHandler>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_IRQControl_GetMSI(
                    self.word(),
                    root,
                    index,
                    depth,
                    msi.bus,
                    msi.device,
                    msi.function,
                    msi.handle,
                    vector,
                )
            })
        }
    }
}

/// Pin of an I/O APIC, for [`irq_control_get_io_apic`](Cap::irq_control_get_io_apic).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::IoApicPin;
///
/// let pin = IoApicPin { pin: 20, level_triggered: true, ..IoApicPin::default() };
/// let slot = objects.slot()?;
/// match info.irq_control().irq_control_get_io_apic(&pin, 20, slot) {
///     Ok(handler) => handler.irq_handler_ack()?,
///     Err(refused) => println!("pin 20: {refused}"),
/// }
/// # Ok(()) }) }
/// ```
#[cfg(CONFIG_ARCH_X86)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct IoApicPin {
    /// Number of the I/O APIC, from 0.
    pub io_apic: usize,
    /// Number of the pin, from 0.
    pub pin: usize,
    /// Set if a level triggers the interrupt, not an edge.
    pub level_triggered: bool,
    /// Set if the pin is active at the low level, not at the high one.
    pub active_low: bool,
}

/// Message-signalled interrupt of a PCI function, for [`irq_control_get_msi`](Cap::irq_control_get_msi).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::Msi;
///
/// let msi = Msi { bus: 0, device: 3, function: 0, handle: 1 };
/// let slot = objects.slot()?;
/// match info.irq_control().irq_control_get_msi(&msi, 21, slot) {
///     Ok(handler) => handler.irq_handler_ack()?,
///     Err(refused) => println!("device 3: {refused}"),
/// }
/// # Ok(()) }) }
/// ```
#[cfg(CONFIG_ARCH_X86)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Msi {
    /// Number of the PCI bus.
    pub bus: usize,
    /// Number of the PCI device.
    pub device: usize,
    /// Number of the PCI function.
    pub function: usize,
    /// Number that the device was programmed to send.
    pub handle: usize,
}

impl Cap<IrqHandler> {
    /// Corresponds to `seL4_IRQHandler_Ack`. Lets the interrupt come again.
    #[doc(alias = "seL4_IRQHandler_Ack")]
    #[inline]
    pub fn irq_handler_ack(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_IRQHandler_Ack(self.word()) })
    }

    /// Corresponds to `seL4_IRQHandler_SetNotification`. What the interrupt signals.
    #[doc(alias = "seL4_IRQHandler_SetNotification")]
    #[inline]
    pub fn irq_handler_set_notification(self, notification: Cap<Notification>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_IRQHandler_SetNotification(self.word(), notification.word()) })
    }

    /// Corresponds to `seL4_IRQHandler_Clear`. The interrupt signals nothing then.
    #[doc(alias = "seL4_IRQHandler_Clear")]
    #[inline]
    pub fn irq_handler_clear(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_IRQHandler_Clear(self.word()) })
    }
}
