// SPDX-License-Identifier: GPL-2.0-only

//! What the kernel stands on.

use crate::event::Event;

/// An address space, by the physical address of its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VSpaceId(pub usize);

/// What user level may do with a mapped page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// Whether it can be written; what is mapped can be read.
    pub write: bool,
    /// Whether it can be executed.
    pub execute: bool,
}

/// Memory, address spaces, a console and a clock.
///
/// Physical addresses are those of [`crate::Config::memory`]; words are aligned, and lie in frames
/// that are not device memory.
pub trait Machine {
    /// The word at a physical address.
    fn read_word(&self, paddr: usize) -> usize;
    /// Sets the word at a physical address.
    fn write_word(&mut self, paddr: usize, value: usize);
    /// Sets memory to zero.
    fn zero(&mut self, paddr: usize, bytes: usize);
    /// Maps a frame of 2^`size_bits` bytes, in place of what was there.
    fn map(&mut self, vspace: VSpaceId, vaddr: usize, paddr: usize, size_bits: u8, access: Access);
    /// Unmaps a frame.
    fn unmap(&mut self, vspace: VSpaceId, vaddr: usize, size_bits: u8);
    /// Puts a byte to the console.
    fn put_char(&mut self, byte: u8);
    /// The time, in ticks of the machine's clock.
    fn now(&self) -> u64;
    /// An interrupt is what a pin of the I/O APIC wants from now on.
    fn route(&mut self, _irq: usize, _pin: usize) {}
    /// An interrupt can come again: its handler has acknowledged it.
    fn acknowledge(&mut self, _irq: usize) {}
    /// Is told what the kernel does. Costs nothing where it does nothing.
    #[inline]
    fn event(&mut self, _event: Event) {}
}
