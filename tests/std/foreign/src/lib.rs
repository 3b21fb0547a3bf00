// SPDX-License-Identifier: BSD-2-Clause

//! Uses of std in threads that muslc does not know.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::ErrorKind;
use std::sync::Mutex;

static LOCK: Mutex<()> = Mutex::new(());

thread_local! {
    static LOCAL: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Has a call fail, and says why. Returns whether std knows.
#[unsafe(no_mangle)]
pub extern "C" fn foreign_fails() -> bool {
    std::fs::metadata("/nowhere").is_err_and(|error| {
        println!("{error}");
        error.kind() == ErrorKind::NotFound
    })
}

/// Takes the lock, and keeps it.
#[unsafe(no_mangle)]
pub extern "C" fn foreign_keeps_the_lock() {
    std::mem::forget(LOCK.lock());
}

/// Waits for the lock.
#[unsafe(no_mangle)]
pub extern "C" fn foreign_lock() {
    drop(LOCK.lock());
}

/// Changes a thread-local value that is dropped at the thread's end.
#[unsafe(no_mangle)]
pub extern "C" fn foreign_local() {
    LOCAL.with_borrow_mut(|text| text.push('x'));
}

/// Allocates and frees for ever.
#[unsafe(no_mangle)]
pub extern "C" fn foreign_allocate() {
    loop {
        let blocks: [Box<[u8; 64]>; 4] = std::array::from_fn(|number| Box::new([number as u8; 64]));
        for (number, block) in black_box(blocks).iter().enumerate() {
            assert!(
                block.iter().all(|byte| usize::from(*byte) == number),
                "a block is not its owner's"
            );
        }
    }
}
