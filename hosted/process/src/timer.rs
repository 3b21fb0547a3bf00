// SPDX-License-Identifier: BSD-2-Clause

//! The one device there is: a timer, with the registers of that which QEMU's machine has, so that one driver is for
//! both. On x86_64 it is a PC's high precision event timer, on aarch64 a PL031 real-time clock.
//!
//! | x86_64, at 0xfed00000 | | aarch64, at 0x9010000 | |
//! |---|---|---|---|
//! | 0x000 | capabilities | 0x000 | seconds since boot |
//! | 0x010 | configuration: enable, take the old timer's interrupt | 0x004 | when to interrupt |
//! | 0x020 | whether it has gone off; 1 clears it | 0x010 | whether to interrupt |
//! | 0x0f0 | counter, 100 MHz | 0x014 | whether it has gone off |
//! | 0x100 | timer 0: whether to interrupt | 0x018 | the same, where it interrupts |
//! | 0x108 | when to do so; 32 bits | 0x01c | 1 clears it |
//! | pin 2 of the I/O APIC | | interrupt 34 | |
//!
//! The others keep what is written to them. An access takes a hundred microseconds, so that who polls does not for long.

/// Microseconds that an access takes.
pub const ACCESS: u64 = 100;

#[cfg(target_arch = "x86_64")]
pub use hpet::*;
#[cfg(target_arch = "aarch64")]
pub use pl031::*;

/// What it has counted, in its own 32 bits.
fn counter(now: u64) -> u32 {
    (now * TICKS_PER_UNIT / UNITS_PER_TICK) as u32
}

/// Its state.
#[derive(Default)]
pub struct Timer {
    /// Whether somebody has used it.
    pub is_used: bool,
    /// Whether it counts.
    enabled: bool,
    /// Whether it interrupts.
    interrupts: bool,
    /// What the counter is compared with.
    alarm: u32,
    /// The time in microseconds when the counter gets there, if that is to come.
    goes_off: Option<u64>,
    /// Whether it has gone off, and nobody has cleared that.
    has_gone_off: bool,
}

impl Timer {
    /// When it wants to interrupt, if it does: also if that is past.
    pub fn deadline(&self) -> Option<u64> {
        let due = if self.has_gone_off {
            Some(0)
        } else {
            self.goes_off
        };
        due.filter(|_| self.enabled && self.interrupts)
    }

    /// Time has passed.
    pub fn look(&mut self, now: u64) {
        if self.goes_off.is_some_and(|time| time <= now) {
            self.goes_off = None;
            self.has_gone_off = true;
        }
    }

    /// Sets when it goes off: when the counter is `alarm`, in its own 32 bits.
    fn set(&mut self, alarm: u32, now: u64) {
        self.alarm = alarm;
        let ticks = now * TICKS_PER_UNIT / UNITS_PER_TICK;
        let target = ticks + u64::from(alarm.wrapping_sub(ticks as u32));
        self.goes_off = Some((target * UNITS_PER_TICK).div_ceil(TICKS_PER_UNIT));
    }
}

#[cfg(target_arch = "x86_64")]
mod hpet {
    use super::{Timer, counter};

    /// The physical address of its page.
    pub const ADDRESS: usize = 0xfed0_0000;
    /// A tick takes a hundredth of a unit, which is a microsecond.
    pub const TICKS_PER_UNIT: u64 = 100;
    pub const UNITS_PER_TICK: u64 = 1;

    /// The pin of the I/O APIC that it takes over.
    pub const PIN: usize = 2;
    /// Its interrupt is whatever that pin is given.
    pub const IRQ: Option<usize> = None;

    const CONFIGURATION: usize = 0x10 / 4;
    const STATUS: usize = 0x20 / 4;
    const COUNTER: usize = 0xf0 / 4;
    const TIMER: usize = 0x100 / 4;
    const COMPARATOR: usize = 0x108 / 4;

    impl Timer {
        /// What is in a register that does not keep what is written to it.
        pub fn read(&self, word: usize, now: u64) -> Option<u32> {
            Some(match word {
                // One timer, of 64 bits, that can take the old one's interrupt; of Intel's.
                0 => 0x8086_a001,
                // Femtoseconds of a tick.
                1 => 10_000_000,
                STATUS => self.has_gone_off.into(),
                COUNTER => counter(now),
                _ => return None,
            })
        }

        /// Something was written to a register.
        pub fn write(&mut self, word: usize, value: u32, now: u64) {
            match word {
                CONFIGURATION => self.enabled = value & 3 == 3,
                STATUS if value & 1 != 0 => self.has_gone_off = false,
                TIMER => self.interrupts = value & 4 != 0,
                COMPARATOR => self.set(value, now),
                _ => {}
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod pl031 {
    use super::{Timer, counter};

    /// The physical address of its page.
    pub const ADDRESS: usize = 0x901_0000;
    /// A tick takes a second, which is so many units.
    pub const TICKS_PER_UNIT: u64 = 1;
    pub const UNITS_PER_TICK: u64 = 1_000_000;

    /// Its interrupt.
    pub const IRQ: Option<usize> = Some(34);

    const DATA: usize = 0;
    const MATCH: usize = 1;
    const CONTROL: usize = 3;
    const MASK: usize = 4;
    const RAW: usize = 5;
    const MASKED: usize = 6;
    const CLEAR: usize = 7;

    impl Timer {
        /// What is in a register that does not keep what is written to it.
        pub fn read(&self, word: usize, now: u64) -> Option<u32> {
            Some(match word {
                DATA => counter(now),
                RAW => self.has_gone_off.into(),
                MASKED => (self.has_gone_off && self.interrupts).into(),
                _ => return None,
            })
        }

        /// Something was written to a register.
        pub fn write(&mut self, word: usize, value: u32, now: u64) {
            match word {
                MATCH => self.set(value, now),
                CONTROL => self.enabled = value & 1 != 0,
                MASK => self.interrupts = value & 1 != 0,
                CLEAR if value & 1 != 0 => self.has_gone_off = false,
                _ => {}
            }
        }
    }
}
