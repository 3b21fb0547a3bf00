// SPDX-License-Identifier: BSD-2-Clause

//! Settings from the environment, and from the configuration of an unmodified image.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use sel4_hosted_kernel::{Config, Injection, Region};
use sel4_hosted_libsel4::config;

use crate::end;
use crate::unmodified::Program;

/// Default limit on a thread's CPU time without a kernel entry.
const WATCHDOG_SECONDS: u64 = 60;
/// Default delay of the signal that `SEL4_HOSTED_DELAY_SIGNAL` names, in kernel entries.
const DELAY_ENTRIES: u64 = 1000;

/// Physical addresses of memory and devices, as QEMU's machine has them.
#[cfg(target_arch = "aarch64")]
const MEMORY_START: usize = 0x4000_0000;
#[cfg(target_arch = "aarch64")]
const DEVICES: Region = Region {
    start: 0x800_0000,
    end: 0x1000_0000,
};
#[cfg(target_arch = "x86_64")]
const MEMORY_START: usize = 0x100_0000;
#[cfg(target_arch = "x86_64")]
const DEVICES: Region = Region {
    start: 0xf000_0000,
    end: 0x1_0000_0000,
};

/// Settings of the platform.
pub struct Settings {
    pub kernel: Config,
    /// Limit on a thread's CPU time without a kernel entry, in seconds; 0 for none.
    pub watchdog: u64,
    pub injection: Injection,
}

impl Settings {
    pub fn read(program: Option<&Program>) -> Self {
        let given = |name, default| {
            program
                .and_then(|program| program.number(name))
                .unwrap_or(default)
        };
        let flag = |name| program.is_none_or(|program| program.flag(name, true));
        let memory =
            number("SEL4_HOSTED_MEMORY_MIB").unwrap_or(if program.is_some() { 512 } else { 64 });
        let mib = usize::try_from(memory)
            .ok()
            .and_then(|mib| mib.checked_mul(1 << 20));
        let end = mib
            .and_then(|bytes| bytes.checked_add(MEMORY_START))
            .unwrap_or(usize::MAX & !0xfff);
        let seed = seed();
        let kernel = Config {
            memory: Region {
                start: MEMORY_START,
                end,
            },
            devices: vec![DEVICES],
            root_cnode_bits: given(
                "ROOT_CNODE_SIZE_BITS",
                config::CONFIG_ROOT_CNODE_SIZE_BITS as u64,
            ) as u8,
            domains: given("NUM_DOMAINS", 1) as u8,
            domain_schedules: given("NUM_DOMAIN_SCHEDULES", 2) as usize,
            fan_out_limit: given(
                "RETYPE_FAN_OUT_LIMIT",
                config::CONFIG_RETYPE_FAN_OUT_LIMIT as u64,
            ) as usize,
            mcs: program.map_or(config::CONFIG_KERNEL_MCS, |program| {
                program.flag("KERNEL_MCS", false)
            }),
            time_slice: given("TIME_SLICE", config::CONFIG_TIME_SLICE as u64) as u32,
            debug: flag("PRINTING"),
            set_tls_base_self: flag("SET_TLS_BASE_SELF"),
            seed,
            hostile: Some(seed.unwrap_or(0)),
            ..Config::default()
        };
        Self {
            kernel,
            watchdog: number("SEL4_HOSTED_WATCHDOG").unwrap_or(WATCHDOG_SECONDS),
            injection: Injection {
                failing_retype: number("SEL4_HOSTED_FAIL_RETYPE").unwrap_or(0),
                delayed_signal: number("SEL4_HOSTED_DELAY_SIGNAL").unwrap_or(0),
                delay: number("SEL4_HOSTED_DELAY").unwrap_or(DELAY_ENTRIES),
            },
        }
    }
}

/// Environment variable with the seed of what the kernel leaves open, and of the ends of time slices.
pub const SEED: &str = "SEL4_HOSTED_SEED";

/// Returns the seed that the user has set, or a random one for `random`.
pub fn seed() -> Option<u64> {
    static RANDOM: OnceLock<u64> = OnceLock::new();
    match std::env::var_os(SEED) {
        Some(text) if text == "random" => {
            Some(*RANDOM.get_or_init(|| RandomState::new().build_hasher().finish()))
        }
        _ => number(SEED),
    }
}

/// Reads a number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => end::refuse(&format!(
            "{name} is `{text}`, which is not a number\nhelp: unset {name}, or set it to a number of 0 or more"
        )),
    }
}
