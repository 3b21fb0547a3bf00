// SPDX-License-Identifier: BSD-2-Clause

//! A thread that faults, for which no handler is left.

use std::ptr;
use std::thread;

/// Joins a thread that reads where no memory is. Does not return: the fault ends the program.
#[unsafe(no_mangle)]
pub extern "C" fn faults_in_a_thread() {
    let thread = thread::spawn(|| {
        // SAFETY: the read faults, and the program ends.
        unsafe { ptr::without_provenance::<u8>(0x100).read_volatile() }
    });
    println!("The thread has ended: {:?}", thread.join().is_ok());
}
