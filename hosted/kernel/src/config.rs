// SPDX-License-Identifier: GPL-2.0-only

//! What a kernel is configured with.

/// Bits of a word.
pub(crate) const WORD_BITS: u32 = usize::BITS;

/// Bytes of a word.
pub(crate) const WORD: usize = size_of::<usize>();

/// The size of a page, as a power of two.
pub const PAGE_BITS: u8 = 12;

/// Words of a message.
pub const MSG_MAX_LENGTH: usize = 120;

/// Capabilities of a message.
pub const MSG_MAX_EXTRA_CAPS: usize = 3;

/// A range of physical addresses, up to and without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first address.
    pub start: usize,
    /// The first address behind it.
    pub end: usize,
}

/// The configuration of a kernel. The default is that of seL4's `pc99` and `qemu-arm-virt`.
#[derive(Clone, Debug)]
pub struct Config {
    /// The physical memory there is, in whole pages.
    pub memory: Region,
    /// Ranges of physical addresses that become device untypeds, in whole pages, in order.
    pub devices: Vec<Region>,
    /// Slots of the root CNode, as a power of two: `KernelRootCNodeSizeBits`.
    pub root_cnode_bits: u8,
    /// Mixed-criticality scheduling: `KernelIsMCS`.
    pub mcs: bool,
    /// Ticks of the machine's clock in a microsecond; scheduling contexts count in them.
    pub ticks_per_us: u64,
    /// `KernelNumDomains`.
    pub domains: u8,
    /// Objects that one retype can make: `KernelRetypeFanOutLimit`.
    pub fan_out_limit: usize,
    /// Ticks of the timer that a thread runs before others of its priority: `KernelTimeSlice`.
    pub time_slice: u32,
    /// How many kernel entries make a tick of the timer. 0: none do, only `interrupt` does.
    pub entries_per_tick: u32,
    /// Explores other legal orders of threads: with a seed, ticks come at entries that it chooses.
    pub seed: Option<u64>,
    /// Whether the kernel prints, and answers the debug calls: `KernelDebugBuild`.
    pub debug: bool,
    /// Whether `seL4_SetTLSBase` is there: `KernelSetTLSBaseSelf`.
    pub set_tls_base_self: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            memory: Region {
                start: 0x100_0000,
                end: 0x100_0000 + (64 << 20),
            },
            devices: Vec::new(),
            root_cnode_bits: 13,
            mcs: false,
            ticks_per_us: 1,
            domains: 1,
            fan_out_limit: 256,
            time_slice: 5,
            entries_per_tick: 1000,
            seed: None,
            debug: true,
            set_tls_base_self: true,
        }
    }
}
