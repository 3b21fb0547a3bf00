// SPDX-License-Identifier: BSD-2-Clause

//! The Rust half of the root server.

mod memory;

use std::sync::mpsc;
use std::thread;

use libsel4::{BootInfo, libsel4_sys::seL4_BootInfo};

/// Returns the number of the next round: twice that of the last one, which a thread computes.
#[unsafe(no_mangle)]
pub extern "C" fn server_next(round: u32) -> u32 {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || sender.send(round * 2));
    let next = receiver.recv().unwrap_or(u32::MAX);
    println!("A thread of Rust found {next}");
    match worker.join() {
        Ok(Ok(())) => next,
        _ => u32::MAX,
    }
}

/// Returns the size of the memory that the kernel leaves to the root server, in KiB.
///
/// # Safety
///
/// `info` is the root server's BootInfo.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn server_memory(info: *const seL4_BootInfo) -> u64 {
    // SAFETY: `info` is the root server's BootInfo, by the contract of this function.
    memory::free(&unsafe { BootInfo::from_ptr(info) })
}

/// Host tests: `cargo test`, with system calls on the hosted platform.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_twice_the_last() {
        assert_eq!(server_next(2), 4);
    }

    #[sel4_hosted::test]
    fn there_is_memory(info: &seL4_BootInfo) {
        // SAFETY: the test receives its kernel's BootInfo.
        assert!(unsafe { server_memory(info) } > 1024);
    }
}
