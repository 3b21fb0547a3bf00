// SPDX-License-Identifier: BSD-2-Clause

//! Ways to end.

use std::backtrace::Backtrace;
use std::panic::catch_unwind;

unsafe extern "C" {
    fn c_fault(nowhere: *mut i32);
}

#[inline(never)]
fn first(depth: i32) -> i32 {
    second(depth) + 1
}

#[inline(never)]
fn second(depth: i32) -> i32 {
    third(depth) + 1
}

#[inline(never)]
fn third(depth: i32) -> i32 {
    if depth == 0 {
        panic!("three functions deep");
    }
    depth
}

/// Panics, and C is on the way.
#[unsafe(no_mangle)]
pub extern "C" fn ending_deepest(depth: i32) -> i32 {
    first(depth)
}

/// Catches a panic.
#[unsafe(no_mangle)]
pub extern "C" fn ending_caught() -> i32 {
    catch_unwind(|| first(0)).unwrap_or(-1)
}

/// Tells from where it is called, and goes on.
#[unsafe(no_mangle)]
pub extern "C" fn ending_capture() {
    // `{}` is shorter, and leaves the addresses out.
    println!("{:#}\nThat was it", Backtrace::force_capture());
}

/// Goes on where no kernel objects are left for threads.
#[unsafe(no_mangle)]
pub extern "C" fn ending_without_objects() {
    let thread = std::thread::Builder::new().spawn(|| ());
    println!(
        "A thread: {:?}",
        thread.map(|_| ()).map_err(|error| error.kind())
    );
    std::thread::sleep(std::time::Duration::from_millis(1));
    println!("It slept all the same");
}

/// Writes where no memory is.
#[unsafe(no_mangle)]
pub extern "C" fn ending_fault() {
    // SAFETY: it faults, which is what it is for.
    unsafe { c_fault(8 as *mut i32) };
}

/// Ends the program.
#[unsafe(no_mangle)]
pub extern "C" fn ending_exit(code: i32) {
    std::process::exit(code)
}

/// Ends the program from a thread, while the first one waits.
#[unsafe(no_mangle)]
pub extern "C" fn ending_exit_in_thread(code: i32) {
    let _ = std::thread::spawn(move || ending_exit(code)).join();
    println!("the first thread goes on");
}
