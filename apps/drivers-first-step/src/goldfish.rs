// SPDX-License-Identifier: BSD-2-Clause

//! Real-time clock of Android's Goldfish, which QEMU's RISC-V machine `virt` has. It counts
//! nanoseconds, in 64 bits that are read and written as two halves.
//!
//! Source: QEMU's `goldfish_rtc`; address and interrupt are from the machine's device tree.

use libsel4::{Cap, EmptySlot, FillError, IrqControl, IrqHandler};
use tock_registers::interfaces::{Readable, Writeable};
use tock_registers::registers::{ReadOnly, ReadWrite, WriteOnly};
use tock_registers::{register_bitfields, register_structs};

use crate::alarm::Alarm;

register_structs! {
    pub Registers {
        // Reading this half latches the other one for the next read.
        (0x00 => time_low: ReadOnly<u32>),
        (0x04 => time_high: ReadOnly<u32>),
        // Writing this half sets the alarm, with the last value of the other half.
        (0x08 => alarm_low: ReadWrite<u32>),
        (0x0c => alarm_high: ReadWrite<u32>),
        (0x10 => interrupt: ReadWrite<u32, Enable::Register>),
        (0x14 => clear_alarm: WriteOnly<u32>),
        (0x18 => status: ReadOnly<u32, Status::Register>),
        (0x1c => clear_interrupt: WriteOnly<u32>),
        (0x20 => @END),
    }
}

register_bitfields! { u32,
    Enable [ INTERRUPT OFFSET(0) NUMBITS(1) ],
    Status [ RUNNING OFFSET(0) NUMBITS(1) ]
}

const IRQ: usize = 11;

pub struct Device {
    registers: &'static Registers,
}

impl Device {
    fn time(&self) -> u64 {
        let low = self.registers.time_low.get();
        u64::from(self.registers.time_high.get()) << 32 | u64::from(low)
    }
}

impl Alarm for Device {
    type Registers = Registers;

    const NAME: &str = "Goldfish real-time clock";
    const ADDRESS: usize = 0x10_1000;
    const TICKS: u32 = 50_000_000;
    const UNACKNOWLEDGED: &str = ", for which this kernel does not wait";

    fn interrupt(control: Cap<IrqControl>, slot: EmptySlot) -> Result<Cap<IrqHandler>, FillError> {
        control.irq_control_get(IRQ, slot)
    }

    unsafe fn start(registers: *const Registers) -> Self {
        // SAFETY: by the contract of this function, the registers are mapped there.
        let registers = unsafe { &*registers };
        registers.clear_alarm.set(1);
        registers.clear_interrupt.set(1);
        registers.interrupt.write(Enable::INTERRUPT::SET);
        Self { registers }
    }

    fn now(&self) -> u32 {
        self.time() as u32
    }

    fn set(&mut self, ticks: u32) {
        let alarm = self.time() + u64::from(ticks);
        self.registers.alarm_high.set((alarm >> 32) as u32);
        self.registers.alarm_low.set(alarm as u32);
    }

    fn went_off(&self) -> bool {
        !self.registers.status.is_set(Status::RUNNING)
    }

    fn clear(&mut self) {
        self.registers.clear_interrupt.set(1);
    }
}
