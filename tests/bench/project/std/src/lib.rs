// SPDX-License-Identifier: BSD-2-Clause

//! Cost of std: the workloads of workloads.c in Rust.

use std::hint::black_box;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Instant;

unsafe extern "C" {
    safe fn begin() -> u64;
    safe fn end(before: u64) -> u64;
}

fn measure(rounds: u32, mut work: impl FnMut()) -> u64 {
    let before = begin();
    for _ in 0..rounds {
        work();
    }
    end(before)
}

/// Runs two threads that take turns.
fn in_turns(rounds: u32, mut first: impl FnMut(), mut other: impl FnMut() + Send + 'static) -> u64 {
    let thread = thread::spawn(move || (0..=rounds).for_each(|_| other()));
    first(); // both have met
    let count = measure(rounds, first);
    thread.join().expect("a thread that does not panic");
    count
}

/// The time since the system started.
#[unsafe(no_mangle)]
pub extern "C" fn rust_clock(rounds: u32) -> u64 {
    measure(rounds, || {
        black_box(Instant::now());
    })
}

/// An uncontended lock.
#[unsafe(no_mangle)]
pub extern "C" fn rust_lock(rounds: u32) -> u64 {
    let value = Mutex::new(0);
    let count = measure(rounds, || *value.lock().expect("no poison") += 1);
    assert_eq!(value.into_inner().ok(), Some(rounds));
    count
}

/// A lock that two threads want. The first yield lets the other find it taken, the second lets it take it.
#[unsafe(no_mangle)]
pub extern "C" fn rust_hand_over(rounds: u32) -> u64 {
    let value = Arc::new(Mutex::new(0));
    let turn = |value: Arc<Mutex<u32>>| {
        move || {
            let mut guard = value.lock().expect("no poison");
            *guard += 1;
            thread::yield_now();
            drop(guard);
            thread::yield_now();
        }
    };
    let count = in_turns(rounds, turn(value.clone()), turn(value.clone()));
    assert_eq!(*value.lock().expect("no poison"), 2 * (rounds + 1));
    count
}

/// Two threads that wait for each other.
#[unsafe(no_mangle)]
pub extern "C" fn rust_condition(rounds: u32) -> u64 {
    let shared = Arc::new((Mutex::new(true), Condvar::new()));
    let turn = |mine: bool, shared: Arc<(Mutex<bool>, Condvar)>| {
        move || {
            let (firsts_turn, changed) = &*shared;
            let guard = firsts_turn.lock().expect("no poison");
            let mut guard = changed
                .wait_while(guard, |firsts_turn| *firsts_turn != mine)
                .expect("no poison");
            *guard = !mine;
            changed.notify_one();
        }
    };
    in_turns(rounds, turn(true, shared.clone()), turn(false, shared))
}

/// A thread that does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn rust_spawn(rounds: u32) -> u64 {
    measure(rounds, || {
        thread::spawn(|| ())
            .join()
            .expect("a thread that does not panic");
    })
}

/// A channel without a waiting receiver.
#[unsafe(no_mangle)]
pub extern "C" fn rust_channel(rounds: u32) -> u64 {
    let (to, from) = mpsc::channel();
    measure(rounds, || {
        to.send(black_box(1)).expect("a receiver");
        black_box(from.recv().expect("a sender"));
    })
}

/// Two threads and two channels.
#[unsafe(no_mangle)]
pub extern "C" fn rust_channels(rounds: u32) -> u64 {
    let (to, theirs) = mpsc::channel::<u32>();
    let (back, from) = mpsc::channel::<u32>();
    in_turns(
        rounds,
        move || {
            to.send(1).expect("a receiver");
            black_box(from.recv().expect("a sender"));
        },
        move || {
            let value = theirs.recv().expect("a sender");
            back.send(value).expect("a receiver");
        },
    )
}
