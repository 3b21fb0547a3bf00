// SPDX-License-Identifier: BSD-2-Clause

//! The platform's only device: a timer with the registers of the one in QEMU's machine, so that one driver serves
//! both. On x86_64 it is a PC's high precision event timer, on aarch64 a PL031 real-time clock.
//!
//! | x86_64, at 0xfed00000 | | aarch64, at 0x9010000 | |
//! |---|---|---|---|
//! | 0x000 | capabilities | 0x000 | seconds since boot |
//! | 0x010 | configuration: enable, legacy replacement route | 0x004 | match value |
//! | 0x020 | interrupt status; 1 clears it | 0x010 | interrupt enable |
//! | 0x0f0 | counter, 100 MHz | 0x014 | raw interrupt status |
//! | 0x100 | timer 0: interrupt enable | 0x018 | masked interrupt status |
//! | 0x108 | timer 0: comparator, 32 bits | 0x01c | 1 clears the interrupt |
//! | pin 2 of the I/O APIC | | interrupt 34 | |
//!
//! Other registers keep the value written. An access takes a hundred microseconds of the platform's time, so a driver
//! that polls makes progress.

/// Microseconds that an access takes.
pub const ACCESS: u64 = 100;

#[cfg(target_arch = "x86_64")]
pub use hpet::*;
#[cfg(target_arch = "aarch64")]
pub use pl031::*;

/// Returns the counter's low 32 bits.
fn counter(now: u64) -> u32 {
    (now * TICKS_PER_UNIT / UNITS_PER_TICK) as u32
}

/// State of the timer.
#[derive(Default)]
pub struct Timer {
    /// Set once a thread has accessed the timer.
    pub is_used: bool,
    /// Enable bit of the counter.
    enabled: bool,
    /// Enable bit of the interrupt.
    interrupt_enabled: bool,
    /// Value with which the counter is compared.
    comparator: u32,
    /// Time in microseconds at which the counter will reach that value.
    expires_at: Option<u64>,
    /// Set while the interrupt is pending.
    is_pending: bool,
}

impl Timer {
    /// Returns the time of the next interrupt; 0 if one is pending.
    pub fn deadline(&self) -> Option<u64> {
        let due = if self.is_pending {
            Some(0)
        } else {
            self.expires_at
        };
        due.filter(|_| self.enabled && self.interrupt_enabled)
    }

    /// Updates the state to the time `now`.
    pub fn update(&mut self, now: u64) {
        if self.expires_at.is_some_and(|time| time <= now) {
            self.expires_at = None;
            self.is_pending = true;
        }
    }

    /// Sets the comparator: the timer expires when the counter's low 32 bits equal `comparator`.
    fn set(&mut self, comparator: u32, now: u64) {
        self.comparator = comparator;
        let ticks = now * TICKS_PER_UNIT / UNITS_PER_TICK;
        let target = ticks + u64::from(comparator.wrapping_sub(ticks as u32));
        self.expires_at = Some((target * UNITS_PER_TICK).div_ceil(TICKS_PER_UNIT));
    }
}

#[cfg(target_arch = "x86_64")]
mod hpet {
    use super::{Timer, counter};

    /// Physical address of the page of registers.
    pub const ADDRESS: usize = 0xfed0_0000;
    /// A tick takes a hundredth of a unit, which is a microsecond.
    pub const TICKS_PER_UNIT: u64 = 100;
    pub const UNITS_PER_TICK: u64 = 1;

    /// The pin of the I/O APIC that it takes over.
    pub const PIN: usize = 2;
    /// No fixed interrupt: the pin's routing chooses it.
    pub const IRQ: Option<usize> = None;

    const CONFIGURATION: usize = 0x10 / 4;
    const STATUS: usize = 0x20 / 4;
    const COUNTER: usize = 0xf0 / 4;
    const TIMER: usize = 0x100 / 4;
    const COMPARATOR: usize = 0x108 / 4;

    impl Timer {
        /// Returns the value of a register that does not keep the value written.
        pub fn read(&self, word: usize, now: u64) -> Option<u32> {
            Some(match word {
                // One 64-bit timer, capable of the legacy replacement route; vendor Intel.
                0 => 0x8086_a001,
                // Femtoseconds of a tick.
                1 => 10_000_000,
                STATUS => self.is_pending.into(),
                COUNTER => counter(now),
                _ => return None,
            })
        }

        /// Lets the value written to a register take effect.
        pub fn write(&mut self, word: usize, value: u32, now: u64) {
            match word {
                CONFIGURATION => self.enabled = value & 3 == 3,
                STATUS if value & 1 != 0 => self.is_pending = false,
                TIMER => self.interrupt_enabled = value & 4 != 0,
                COMPARATOR => self.set(value, now),
                _ => {}
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod pl031 {
    use super::{Timer, counter};

    /// Physical address of the page of registers.
    pub const ADDRESS: usize = 0x901_0000;
    /// Ticks and microseconds: a tick takes a second.
    pub const TICKS_PER_UNIT: u64 = 1;
    pub const UNITS_PER_TICK: u64 = 1_000_000;

    /// Interrupt of the timer.
    pub const IRQ: Option<usize> = Some(34);

    const DATA: usize = 0;
    const MATCH: usize = 1;
    const CONTROL: usize = 3;
    const MASK: usize = 4;
    const RAW: usize = 5;
    const MASKED: usize = 6;
    const CLEAR: usize = 7;

    impl Timer {
        /// Returns the value of a register that does not keep the value written.
        pub fn read(&self, word: usize, now: u64) -> Option<u32> {
            Some(match word {
                DATA => counter(now),
                RAW => self.is_pending.into(),
                MASKED => (self.is_pending && self.interrupt_enabled).into(),
                _ => return None,
            })
        }

        /// Lets the value written to a register take effect.
        pub fn write(&mut self, word: usize, value: u32, now: u64) {
            match word {
                MATCH => self.set(value, now),
                CONTROL => self.enabled = value & 1 != 0,
                MASK => self.interrupt_enabled = value & 1 != 0,
                CLEAR if value & 1 != 0 => self.is_pending = false,
                _ => {}
            }
        }
    }
}
