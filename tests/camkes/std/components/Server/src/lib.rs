// SPDX-License-Identifier: BSD-2-Clause
//! A server whose control thread, interfaces and own threads use Rust's std.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::c_int;
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 500;
const THREADS: u32 = 3;
/// The control thread, its threads, and two clients.
const ALL: u32 = (1 + THREADS + 2) * ROUNDS;

static COUNT: Mutex<u32> = Mutex::new(0);
static CHANGED: Condvar = Condvar::new();
/// Set when the control thread has printed.
static ENDED: Mutex<bool> = Mutex::new(false);
static END: Condvar = Condvar::new();
/// Answers of the interfaces.
static ANSWERS: Mutex<Vec<c_int>> = Mutex::new(Vec::new());
/// One panic at a time, so that the lines of messages stay whole.
static PANICS: Mutex<()> = Mutex::new(());

thread_local! {
    /// Has a destructor, and so a key of C's.
    static SEEN: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Returns whether the clock's frequency is known.
#[cfg(target_arch = "x86_64")]
fn knows_frequency() -> bool {
    /// Header of extra BootInfo, then megahertz.
    #[repr(C)]
    struct Frequency {
        id: u64,
        length: u64,
        megahertz: u32,
    }
    unsafe extern "C" {
        static sel4std_component_frequency: *const Frequency;
    }
    /// `SEL4_BOOTINFO_HEADER_X86_TSC_FREQ`
    const ID: u64 = 5;
    // SAFETY: the kit's template defines it as the address of a page that the loader has filled.
    let told = unsafe { &*sel4std_component_frequency };
    told.id == ID && told.length >= 20 && told.megahertz > 100
}

/// Returns whether the clock's frequency is known: the counter has a register for it.
#[cfg(not(target_arch = "x86_64"))]
fn knows_frequency() -> bool {
    true
}

/// Counts, and allocates with the lock held and without.
fn count(rounds: u32) -> usize {
    for _ in 0..rounds {
        let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        SEEN.with_borrow_mut(|seen| seen.push(*count));
        drop(count);
        CHANGED.notify_all();
        std::hint::black_box(vec![rounds; 64]);
    }
    SEEN.with_borrow(Vec::len)
}

/// Counts; then sleeps, catches a panic, and has a thread answer.
fn work(rounds: c_int) -> c_int {
    let counted = count(rounds.unsigned_abs());
    let begun = Instant::now();
    thread::sleep(Duration::from_millis(5));
    let slept = begun.elapsed() >= Duration::from_millis(5);
    let alone = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    let caught = catch_unwind(|| panic!("caught in an interface")).is_err();
    drop(alone);
    let answer = thread::spawn(|| 40).join().unwrap_or(0);
    let right = counted == ROUNDS as usize && slept && caught;
    let answer = if right { answer + 2 } else { -1 };
    let count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
    ANSWERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(answer);
    drop(count);
    CHANGED.notify_all();
    answer
}

/// Works.
#[unsafe(no_mangle)]
pub extern "C" fn left_work(rounds: c_int) -> c_int {
    work(rounds)
}

/// Works.
#[unsafe(no_mangle)]
pub extern "C" fn right_work(rounds: c_int) -> c_int {
    work(rounds)
}

/// Ends the component.
#[unsafe(no_mangle)]
pub extern "C" fn left_fail() -> c_int {
    std::process::exit(3);
}

/// Ends the component.
#[unsafe(no_mangle)]
pub extern "C" fn right_fail() -> c_int {
    std::process::abort();
}

/// Waits for the end of the control thread's work.
fn rest() -> c_int {
    let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    while !*ended {
        ended = END.wait(ended).unwrap_or_else(PoisonError::into_inner);
    }
    0
}

/// Rests.
#[unsafe(no_mangle)]
pub extern "C" fn left_rest() -> c_int {
    rest()
}

/// Rests.
#[unsafe(no_mangle)]
pub extern "C" fn right_rest() -> c_int {
    rest()
}

/// Waits until `done` returns true for the count, and returns the count.
fn wait_until(done: impl Fn(u32) -> bool) -> u32 {
    let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
    while !done(*count) {
        count = CHANGED.wait(count).unwrap_or_else(PoisonError::into_inner);
    }
    *count
}

/// Runs as the component's control thread. It prints when all others are at rest.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    let threads: Vec<_> = (0..THREADS)
        .map(|_| thread::spawn(|| count(ROUNDS)))
        .collect();
    count(ROUNDS);
    for thread in threads {
        assert_eq!(thread.join().ok(), Some(ROUNDS as usize));
    }
    let answers = || {
        ANSWERS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    };
    let count = wait_until(|count| count >= ALL && answers().len() == 2);
    let squares: HashMap<u32, u32> = (0..100).map(|number| (number, number * number)).collect();
    let sorted: BTreeMap<_, _> = squares.iter().collect();
    println!(
        "server: {} squares, up to {:?}",
        squares.len(),
        sorted.last_key_value()
    );
    println!(
        "server: the clock's frequency is known: {}",
        knows_frequency()
    );
    println!("server: the count is {count}, the answers {:?}", answers());
    *ENDED.lock().unwrap_or_else(PoisonError::into_inner) = true;
    END.notify_all();
    0
}
