// SPDX-License-Identifier: BSD-2-Clause

//! Wasmtime's settings, which are the same where a module is compiled and where it runs.

use wasmtime::{Config, Result};

/// Bytes of stack for the calls of a guest. Native code takes them from the stack of the calling thread.
const STACK_BYTES: usize = 64 << 10;

/// Returns the settings for modules that are compiled for `target`: `pulley64`, `native`, or a triple of Rust's.
pub fn config(target: &str) -> Result<Config> {
    let mut config = Config::new();
    if target != "native" {
        config.target(target)?;
    }
    config
        // Each instruction of a guest costs fuel, so that an endless loop ends.
        .consume_fuel(true)
        .max_wasm_stack(STACK_BYTES)
        // On seL4 a reservation of addresses takes memory.
        .memory_reservation(0)
        .memory_reservation_for_growth(0)
        .memory_guard_size(0)
        .memory_init_cow(false)
        // Generated code checks bounds and divisors by itself, without a handler for faults.
        .signals_based_traps(false)
        .wasm_backtrace_max_frames(None);
    Ok(config)
}
