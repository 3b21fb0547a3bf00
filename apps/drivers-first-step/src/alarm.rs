// SPDX-License-Identifier: BSD-2-Clause

//! What the drivers of this app have in common.

use libsel4::{Cap, IrqControl, Result, Slot};

/// A timer that counts, and interrupts once when it has counted far enough.
pub trait Alarm: Sized {
    /// Its registers, all in one page.
    type Registers;

    /// What the device is.
    const NAME: &str;
    /// The physical address of its registers.
    const ADDRESS: usize;
    /// What the alarm is set to, in the device's own unit: at most a second.
    const TICKS: u32;
    /// What to say where the kernel does not wait for an acknowledgement: all wait but the one for
    /// QEMU's RISC-V machine.
    const UNACKNOWLEDGED: &str = "";

    /// Fills `slot` with the handler of its interrupt.
    fn interrupt(control: Cap<IrqControl>, slot: Slot) -> Result<()>;

    /// Takes the device over, and has it count.
    ///
    /// # Safety
    ///
    /// The device's registers are there, uncached, and remain there; nobody else uses them.
    unsafe fn start(registers: *const Self::Registers) -> Self;

    /// How far it has counted.
    fn now(&self) -> u32;

    /// Sets the alarm.
    fn set(&mut self, ticks: u32);

    /// Whether the alarm went off and was not cleared.
    fn went_off(&self) -> bool;

    /// Ends the alarm: the device no longer wants to interrupt.
    fn clear(&mut self);
}
