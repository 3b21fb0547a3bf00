// SPDX-License-Identifier: BSD-2-Clause

//! Cadence's triple timer counter, of which Xilinx's Zynq UltraScale+ has four. The driver uses the first
//! counter of the first one; it counts some thousand times a second.
//!
//! Source: Xilinx UG1085 and UG1087; address and interrupt are from the kernel's device tree.

use libsel4::{Cap, EmptySlot, FillError, IrqControl, IrqHandler};
use tock_registers::interfaces::{Readable, Writeable};
use tock_registers::registers::{ReadOnly, ReadWrite};
use tock_registers::{register_bitfields, register_structs};

use crate::alarm::Alarm;

register_structs! {
    pub Registers {
        (0x00 => clock: ReadWrite<u32, Clock::Register>),
        (0x04 => _clocks),
        (0x0c => control: ReadWrite<u32, Control::Register>),
        (0x10 => _controls),
        (0x18 => value: ReadOnly<u32>),
        (0x1c => _values),
        (0x30 => matches: ReadWrite<u32>),
        (0x34 => _matches),
        // A read clears the register.
        (0x54 => interrupt: ReadOnly<u32, Interrupt::Register>),
        (0x58 => _interrupts),
        (0x60 => enable: ReadWrite<u32, Interrupt::Register>),
        (0x64 => @END),
    }
}

register_bitfields! { u32,
    Clock [
        PRESCALE_ENABLE OFFSET(0) NUMBITS(1),
        // The device divides the clock by 2^(value + 1).
        PRESCALE OFFSET(1) NUMBITS(4)
    ],
    Control [
        DISABLE OFFSET(0) NUMBITS(1),
        MATCH OFFSET(3) NUMBITS(1),
        RESET OFFSET(4) NUMBITS(1),
        NO_WAVEFORM OFFSET(5) NUMBITS(1)
    ],
    Interrupt [ MATCH OFFSET(1) NUMBITS(1) ]
}

/// Shared interrupt 36. seL4's numbers start with the 32 private interrupts.
const IRQ: usize = 32 + 36;

pub struct Device {
    registers: &'static Registers,
}

impl Alarm for Device {
    type Registers = Registers;

    const NAME: &str = "Cadence triple timer counter";
    const ADDRESS: usize = 0xff11_0000;
    const TICKS: u32 = 200;

    fn interrupt(control: Cap<IrqControl>, slot: EmptySlot) -> Result<Cap<IrqHandler>, FillError> {
        control.irq_control_get(IRQ, slot)
    }

    unsafe fn start(registers: *const Registers) -> Self {
        // SAFETY: by the contract of this function, the registers are mapped there.
        let registers = unsafe { &*registers };
        registers.control.write(Control::DISABLE::SET);
        registers.enable.set(0);
        registers.interrupt.get();
        registers
            .clock
            .write(Clock::PRESCALE_ENABLE::SET + Clock::PRESCALE.val(14));
        registers
            .control
            .write(Control::MATCH::SET + Control::RESET::SET + Control::NO_WAVEFORM::SET);
        Self { registers }
    }

    /// Returns the count in 16 bits, as QEMU counts; the hardware has 32.
    fn now(&self) -> u32 {
        self.registers.value.get() & 0xffff
    }

    fn set(&mut self, ticks: u32) {
        self.registers.matches.set(self.now().wrapping_add(ticks));
        self.registers.enable.write(Interrupt::MATCH::SET);
    }

    fn went_off(&self) -> bool {
        // Reading the interrupt register would clear it.
        self.now() >= self.registers.matches.get()
    }

    fn clear(&mut self) {
        self.registers.enable.set(0);
        self.registers.interrupt.get();
    }
}
