// SPDX-License-Identifier: BSD-2-Clause

//! ARM's PrimeCell real-time clock, PL031, which QEMU's machine `virt` has. It counts seconds.
//!
//! Source: ARM DDI 0224; address and interrupt are from the machine's device tree.

use libsel4::{Cap, EmptySlot, FillError, IrqControl, IrqHandler};
use tock_registers::interfaces::{Readable, Writeable};
use tock_registers::registers::{ReadOnly, ReadWrite, WriteOnly};
use tock_registers::{register_bitfields, register_structs};

use crate::alarm::Alarm;

register_structs! {
    pub Registers {
        (0x000 => data: ReadOnly<u32>),
        (0x004 => matches: ReadWrite<u32>),
        (0x008 => _load),
        (0x00c => control: ReadWrite<u32, Control::Register>),
        (0x010 => mask: ReadWrite<u32, Interrupt::Register>),
        (0x014 => raw: ReadOnly<u32, Interrupt::Register>),
        (0x018 => _masked),
        (0x01c => clear: WriteOnly<u32, Interrupt::Register>),
        (0x020 => @END),
    }
}

register_bitfields! { u32,
    Control [ START OFFSET(0) NUMBITS(1) ],
    Interrupt [ ALARM OFFSET(0) NUMBITS(1) ]
}

/// Shared interrupt 2. seL4's numbers start with the 32 private interrupts.
const IRQ: usize = 32 + 2;

pub struct Device {
    registers: &'static Registers,
}

impl Alarm for Device {
    type Registers = Registers;

    const NAME: &str = "PL031 real-time clock";
    const ADDRESS: usize = 0x901_0000;
    const TICKS: u32 = 1;

    fn interrupt(control: Cap<IrqControl>, slot: EmptySlot) -> Result<Cap<IrqHandler>, FillError> {
        control.irq_control_get(IRQ, slot)
    }

    unsafe fn start(registers: *const Registers) -> Self {
        // SAFETY: by the contract of this function, the registers are mapped there.
        let registers = unsafe { &*registers };
        registers.clear.write(Interrupt::ALARM::SET);
        registers.mask.write(Interrupt::ALARM::SET);
        registers.control.write(Control::START::SET);
        Self { registers }
    }

    fn now(&self) -> u32 {
        self.registers.data.get()
    }

    fn set(&mut self, ticks: u32) {
        self.registers.matches.set(self.now().wrapping_add(ticks));
    }

    fn went_off(&self) -> bool {
        self.registers.raw.is_set(Interrupt::ALARM)
    }

    fn clear(&mut self) {
        self.registers.clear.write(Interrupt::ALARM::SET);
    }
}
