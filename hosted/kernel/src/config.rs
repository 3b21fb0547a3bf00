// SPDX-License-Identifier: GPL-2.0-only

//! Configuration of a kernel.

/// Number of bits of a word.
pub(crate) const WORD_BITS: u32 = usize::BITS;

/// Number of bytes of a word.
pub(crate) const WORD: usize = size_of::<usize>();

/// Size of a page, as a power of two.
pub const PAGE_BITS: u8 = 12;

/// Maximum number of words of a message: `seL4_MsgMaxLength`.
pub const MSG_MAX_LENGTH: usize = 120;

/// Maximum number of extra capabilities of a message: `seL4_MsgMaxExtraCaps`.
pub const MSG_MAX_EXTRA_CAPS: usize = 3;

/// Range of addresses from `start` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First address.
    pub start: usize,
    /// First address behind the range.
    pub end: usize,
}

impl Region {
    /// Makes the range from `start` to before `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Region { start, end }
    }
}

/// Configuration of a kernel. The default is that of seL4's `pc99` and `qemu-arm-virt`.
#[derive(Clone, Debug)]
pub struct Config {
    /// Physical memory, in whole pages.
    pub memory: Region,
    /// Memory regions of devices, in whole pages; device untypeds are created from them in this
    /// order.
    pub devices: Vec<Region>,
    /// Number of slots of the root CNode, as a power of two: `KernelRootCNodeSizeBits`.
    pub root_cnode_bits: u8,
    /// Mixed-criticality scheduling: `KernelIsMCS`.
    pub mcs: bool,
    /// Ticks of the machine's clock per microsecond; budgets are counted in ticks.
    pub ticks_per_us: u64,
    /// Number of domains: `KernelNumDomains`.
    pub domains: u8,
    /// Maximum number of objects that one retype creates: `KernelRetypeFanOutLimit`.
    pub fan_out_limit: usize,
    /// Timer ticks of a thread's time slice: `KernelTimeSlice`.
    pub time_slice: u32,
    /// Kernel entries per timer tick. 0: only `interrupt` makes the timer tick.
    pub entries_per_tick: u32,
    /// Number of entries of the domain schedule, with its end marker: `KernelNumDomainSchedules`.
    pub domain_schedules: usize,
    /// Seed of the kernel entries at which the timer ticks, to explore other legal schedules.
    pub seed: Option<u64>,
    /// Seed of hostile choices where the kernel leaves something open. Registers then hold poison
    /// where a signal or a short message sets none, and long operations are preempted often.
    /// `None`: registers stay as they are, and only a due interrupt preempts.
    pub hostile: Option<u64>,
    /// Prints, and debug calls: `KernelDebugBuild`.
    pub debug: bool,
    /// System call `seL4_SetTLSBase`: `KernelSetTLSBaseSelf`.
    pub set_tls_base_self: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            memory: Region::new(0x100_0000, 0x100_0000 + (64 << 20)),
            devices: Vec::new(),
            root_cnode_bits: 13,
            mcs: false,
            ticks_per_us: 1,
            domains: 1,
            domain_schedules: 2,
            fan_out_limit: 256,
            time_slice: 5,
            entries_per_tick: 1000,
            seed: None,
            hostile: None,
            debug: true,
            set_tls_base_self: true,
        }
    }
}
