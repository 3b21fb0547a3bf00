// SPDX-License-Identifier: BSD-2-Clause
//! ARM's PL011. The offsets and bits are those of its technical reference manual, DDI 0183.

use camkes::registers;

const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const INTERRUPT_MASK: usize = 0x38;
const INTERRUPT_CLEAR: usize = 0x44;
/// Flag: the transmitter takes no more.
const FULL: u32 = 1 << 5;
/// Interrupt: the transmitter takes another byte.
const TRANSMIT: u32 = 1 << 5;

/// Sends a byte. An interrupt follows when it is gone.
pub fn send(byte: u8) {
    let port = registers::dataport();
    while port.read_at::<u32>(FLAGS) & FULL != 0 {}
    port.write_at(INTERRUPT_CLEAR, TRANSMIT);
    port.write_at(INTERRUPT_MASK, TRANSMIT);
    port.write_at(DATA, u32::from(byte));
}

/// Takes the interrupt back.
pub fn silence() {
    let port = registers::dataport();
    port.write_at(INTERRUPT_MASK, 0_u32);
    port.write_at(INTERRUPT_CLEAR, TRANSMIT);
}
