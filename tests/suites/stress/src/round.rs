// SPDX-License-Identifier: BSD-2-Clause

//! One round: a crowd of threads that lock, wait, send, allocate and panic, until all have ended.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock, mpsc};
use std::thread;
use std::time::Duration;

const THREADS: usize = 8;
const STEPS: usize = 40;

static BEGUN: AtomicUsize = AtomicUsize::new(0);
static PANICKED: AtomicUsize = AtomicUsize::new(0);
static MADE: AtomicUsize = AtomicUsize::new(0);
static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// Counts that it is made and dropped.
struct Value(Vec<u8>);

impl Value {
    fn new(size: usize) -> Self {
        MADE.fetch_add(1, Relaxed);
        Self(vec![size as u8; size])
    }

    fn check(&self) {
        assert!(
            self.0.iter().all(|&byte| byte == self.0.len() as u8),
            "somebody else wrote into a block"
        );
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Relaxed);
    }
}

thread_local! {
    static OWN: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// Pseudo-random numbers, the same in each run.
struct Dice(u64);

impl Dice {
    fn new(number: usize) -> Self {
        Self((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Data that the threads of a round share.
struct Shared {
    sum: Mutex<usize>,
    table: RwLock<BTreeMap<usize, Value>>,
    queue: Mutex<Vec<Value>>,
    filled: Condvar,
    begin: Barrier,
}

pub fn begun() -> usize {
    BEGUN.load(Relaxed)
}

pub fn panicked() -> usize {
    PANICKED.load(Relaxed)
}

/// Returns the numbers of values made and dropped.
pub fn values() -> (usize, usize) {
    (MADE.load(Relaxed), DROPPED.load(Relaxed))
}

/// Runs one round; panics if something in it went wrong.
pub fn run(number: usize) {
    let shared = Arc::new(Shared {
        sum: Mutex::new(0),
        table: RwLock::new(BTreeMap::new()),
        queue: Mutex::new(Vec::new()),
        filled: Condvar::new(),
        begin: Barrier::new(THREADS),
    });
    let (sender, receiver) = mpsc::sync_channel(2);
    let mut threads = Vec::new();
    for i in 0..THREADS {
        let (shared, sender) = (shared.clone(), sender.clone());
        let dice = Dice::new(number * THREADS + i);
        BEGUN.fetch_add(1, Relaxed);
        let name = format!("stress {number}.{i}");
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || work(i, dice, &shared, &sender));
        threads.push(thread.expect("there is room for the threads of a round"));
    }
    drop(sender);
    let received = receiver.iter().inspect(Value::check).count();
    let mut sent = 0;
    for (i, thread) in threads.into_iter().enumerate() {
        match thread.join() {
            Ok(count) => sent += count,
            Err(cause) => {
                // Only these may, and with this.
                assert!(i % 4 == 3, "thread {i} panicked");
                sent += *cause.downcast::<usize>().expect("the panic's own value");
                PANICKED.fetch_add(1, Relaxed);
            }
        }
    }
    assert_eq!(received, sent, "values sent and received");
    let sum = match shared.sum.lock() {
        Ok(sum) => *sum,
        // A thread panicked with the lock.
        Err(poisoned) => *poisoned.into_inner(),
    };
    assert_eq!(sum, THREADS * STEPS, "steps counted under a lock");
    scoped(number);
}

/// The work of thread `i`. Returns how many values it sent; each fourth thread panics with that number instead.
fn work(i: usize, mut dice: Dice, shared: &Shared, sender: &mpsc::SyncSender<Value>) -> usize {
    shared.begin.wait();
    let mut sent = 0;
    let mut kept = HashMap::new();
    for step in 0..STEPS {
        match dice.below(8) {
            0 => {
                // Now and then one that has pages of its own.
                let size = if dice.below(16) == 0 {
                    300_000
                } else {
                    dice.below(20_000)
                };
                kept.insert(step, Value::new(size));
            }
            1 => {
                if let Some(key) = kept.keys().next().copied() {
                    kept.remove(&key).expect("it was there").check();
                }
            }
            2 => {
                sender
                    .send(Value::new(dice.below(3_000)))
                    .expect("somebody receives");
                sent += 1;
            }
            3 => {
                shared
                    .table
                    .write()
                    .expect("nobody panics with it")
                    .insert(dice.below(50), Value::new(dice.below(500)));
            }
            4 => shared
                .table
                .read()
                .expect("nobody panics with it")
                .values()
                .for_each(Value::check),
            5 => {
                shared
                    .queue
                    .lock()
                    .expect("nobody panics with it")
                    .push(Value::new(100));
                shared.filled.notify_one();
            }
            6 => {
                let queue = shared.queue.lock().expect("nobody panics with it");
                let patience = Duration::from_micros(dice.below(2_000) as u64);
                let (mut queue, _) = shared
                    .filled
                    .wait_timeout_while(queue, patience, |queue| queue.is_empty())
                    .expect("nobody panics with it");
                if let Some(value) = queue.pop() {
                    value.check();
                }
            }
            _ => {
                OWN.with_borrow_mut(|own| own.push(Value::new(64)));
                let value = Value::new(10);
                let caught = panic::catch_unwind(AssertUnwindSafe(|| {
                    let _held = &value;
                    panic::panic_any(step);
                }));
                assert_eq!(
                    *caught
                        .expect_err("it panics")
                        .downcast::<usize>()
                        .expect("a step"),
                    step
                );
            }
        }
        let mut sum = shared
            .sum
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        *sum += 1;
        if i % 4 == 3 && step == STEPS - 1 {
            panic::panic_any(sent);
        }
        drop(sum);
        if dice.below(8) == 0 {
            thread::yield_now();
        }
    }
    sent
}

/// Threads that borrow from this one, and one that nobody joins.
fn scoped(number: usize) {
    let mut numbers = [0; 4];
    thread::scope(|scope| {
        for (i, each) in numbers.iter_mut().enumerate() {
            BEGUN.fetch_add(1, Relaxed);
            scope.spawn(move || *each = number + i);
        }
    });
    assert_eq!(numbers, [number, number + 1, number + 2, number + 3]);
    let (done, wait) = mpsc::channel();
    BEGUN.fetch_add(1, Relaxed);
    drop(thread::spawn(move || {
        let _value = Value::new(1_000);
        thread::sleep(Duration::from_micros(200));
        done.send(()).expect("somebody waits");
    }));
    wait.recv().expect("it sends before it ends");
}
