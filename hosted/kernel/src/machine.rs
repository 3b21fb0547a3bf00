// SPDX-License-Identifier: GPL-2.0-only

//! Machine below the kernel.

use crate::event::Event;

/// VSpace, identified by the physical address of its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VSpaceId(pub usize);

/// Access of user level to a mapped page, which can always be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// Write access.
    pub write: bool,
    /// Execution of instructions.
    pub execute: bool,
}

/// Physical memory, VSpaces, a console and a clock.
///
/// Physical addresses are within [`crate::Config::memory`]. Words are aligned, and within frames
/// that are not device memory.
pub trait Machine {
    /// Returns the word at a physical address.
    fn read_word(&self, paddr: usize) -> usize;
    /// Sets the word at a physical address.
    fn write_word(&mut self, paddr: usize, value: usize);
    /// Sets a range of memory to zero.
    fn zero(&mut self, paddr: usize, bytes: usize);
    /// Maps a frame of 2^`size_bits` bytes, in place of a frame that was mapped there.
    fn map(&mut self, vspace: VSpaceId, vaddr: usize, paddr: usize, size_bits: u8, access: Access);
    /// Unmaps a frame.
    fn unmap(&mut self, vspace: VSpaceId, vaddr: usize, size_bits: u8);
    /// Writes a byte to the console.
    fn put_char(&mut self, byte: u8);
    /// Returns the time, in ticks of the machine's clock.
    fn now(&self) -> u64;
    /// Lets the time of a hundred units of work in a long operation pass, each of which clears 256
    /// bytes or deletes a capability. Returns whether an interrupt is pending.
    fn interrupt_pending(&mut self) -> bool {
        false
    }
    /// Routes a pin of the I/O APIC to an interrupt.
    fn route(&mut self, _irq: usize, _pin: usize) {}
    /// Unmasks an interrupt, which its handler has acknowledged.
    fn acknowledge(&mut self, _irq: usize) {}
    /// Receives an event of the kernel. An empty function costs nothing.
    #[inline]
    fn event(&mut self, _event: Event) {}
}
