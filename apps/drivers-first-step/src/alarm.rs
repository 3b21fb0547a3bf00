// SPDX-License-Identifier: BSD-2-Clause

//! The trait that all drivers of this app implement.

use libsel4::{Cap, EmptySlot, FillError, IrqControl, IrqHandler};

/// A timer that counts, and interrupts once when it reaches the alarm.
pub trait Alarm: Sized {
    /// Registers of the device, all in one page.
    type Registers;

    /// Name of the device.
    const NAME: &str;
    /// Physical address of the registers.
    const ADDRESS: usize;
    /// Time to the alarm in the device's unit, at most a second.
    const TICKS: u32;
    /// Remark for kernels that do not wait for an acknowledgement, which only the one for QEMU's
    /// RISC-V machine is.
    const UNACKNOWLEDGED: &str = "";

    /// Makes the handler of the device's interrupt.
    fn interrupt(control: Cap<IrqControl>, slot: EmptySlot) -> Result<Cap<IrqHandler>, FillError>;

    /// Starts the device.
    ///
    /// # Safety
    ///
    /// The device's registers are mapped at the address, uncached, for ever; nothing else uses them.
    unsafe fn start(registers: *const Self::Registers) -> Self;

    /// Returns the current count.
    fn now(&self) -> u32;

    /// Sets the alarm.
    fn set(&mut self, ticks: u32);

    /// Returns whether the alarm went off and is not cleared.
    fn went_off(&self) -> bool;

    /// Clears the alarm, so that the device stops its interrupt.
    fn clear(&mut self);
}
