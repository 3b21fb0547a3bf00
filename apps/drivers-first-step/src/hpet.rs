// SPDX-License-Identifier: BSD-2-Clause

//! High precision event timer (HPET) of a PC. The driver uses the first timer with 32 bits, in legacy
//! replacement mode: it has the interrupt of the old timer (PIT).
//!
//! Source: IA-PC HPET Specification 1.0a; PCs have the device at this address, which their ACPI tables name.

use libsel4::{Cap, EmptySlot, FillError, IoApicPin, IrqControl, IrqHandler};
use tock_registers::interfaces::{Readable, Writeable};
use tock_registers::registers::{ReadOnly, ReadWrite};
use tock_registers::{register_bitfields, register_structs};

use crate::alarm::Alarm;

register_structs! {
    pub Registers {
        (0x000 => _capabilities),
        (0x010 => configuration: ReadWrite<u32, Configuration::Register>),
        (0x014 => _reserved0),
        // Writing 1 to a bit clears it.
        (0x020 => status: ReadWrite<u32, Status::Register>),
        (0x024 => _reserved1),
        (0x0f0 => counter: ReadOnly<u32>),
        (0x0f4 => _reserved2),
        (0x100 => timer: ReadWrite<u32, Timer::Register>),
        (0x104 => _reserved3),
        (0x108 => comparator: ReadWrite<u32>),
        (0x10c => @END),
    }
}

register_bitfields! { u32,
    Configuration [
        ENABLE OFFSET(0) NUMBITS(1),
        LEGACY_REPLACEMENT OFFSET(1) NUMBITS(1)
    ],
    Status [ TIMER0 OFFSET(0) NUMBITS(1) ],
    Timer [
        LEVEL OFFSET(1) NUMBITS(1),
        INTERRUPT OFFSET(2) NUMBITS(1),
        BITS32 OFFSET(8) NUMBITS(1)
    ]
}

/// Pin of the old timer at the first I/O APIC.
const PIN: usize = 2;
/// Interrupt vector; any number that no other interrupt has.
const VECTOR: usize = 2;

pub struct Device {
    registers: &'static Registers,
}

impl Alarm for Device {
    type Registers = Registers;

    const NAME: &str = "high precision event timer";
    const ADDRESS: usize = 0xfed0_0000;
    const TICKS: u32 = 1_000_000;

    fn interrupt(control: Cap<IrqControl>, slot: EmptySlot) -> Result<Cap<IrqHandler>, FillError> {
        let pin = IoApicPin {
            pin: PIN,
            level_triggered: true,
            ..IoApicPin::default()
        };
        control.irq_control_get_io_apic(&pin, VECTOR, slot)
    }

    unsafe fn start(registers: *const Registers) -> Self {
        // SAFETY: by the contract of this function, the registers are mapped there.
        let registers = unsafe { &*registers };
        registers.timer.set(0);
        registers.status.write(Status::TIMER0::SET);
        registers
            .configuration
            .write(Configuration::ENABLE::SET + Configuration::LEGACY_REPLACEMENT::SET);
        Self { registers }
    }

    fn now(&self) -> u32 {
        self.registers.counter.get()
    }

    fn set(&mut self, ticks: u32) {
        self.registers
            .comparator
            .set(self.now().wrapping_add(ticks));
        self.registers
            .timer
            .write(Timer::LEVEL::SET + Timer::INTERRUPT::SET + Timer::BITS32::SET);
    }

    fn went_off(&self) -> bool {
        self.registers.status.is_set(Status::TIMER0)
    }

    fn clear(&mut self) {
        self.registers.timer.set(0);
        self.registers.status.write(Status::TIMER0::SET);
    }
}
