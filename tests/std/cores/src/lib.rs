// SPDX-License-Identifier: BSD-2-Clause

//! Tests for threads on several cores, which fail if a lock or a wake-up is lost.

use std::collections::VecDeque;
use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
    compiler_fence,
};
use std::sync::{Arc, Barrier, Condvar, Mutex, mpsc};
use std::thread::{self, Builder, available_parallelism};
use std::time::{Duration, Instant};

unsafe extern "C" {
    safe fn show_threads();
    safe fn write_message(seed: usize);
    safe fn message_is(seed: usize) -> bool;
    safe fn barrier() -> bool;
    safe fn pthread_self() -> usize;
    // SAFETY: the thread must live.
    unsafe fn pthread_setschedprio(thread: usize, priority: i32) -> i32;
}

/// Name of a finding, and the function that checks it.
type Finding = (&'static str, fn() -> bool);

/// Returns how many of the findings are wrong.
#[unsafe(no_mangle)]
pub extern "C" fn cores_work() -> usize {
    println!(
        "Cores: {:?}",
        available_parallelism().map_or(0, |n| n.get())
    );
    let findings: [Finding; 11] = [
        ("Two threads run at a time", run_at_a_time),
        ("The kernel knows the names", name),
        ("A barrier reaches all cores", reach),
        ("A contended mutex counts right", count),
        ("Turns are handed over", hand_over),
        ("No wake-up is lost", park),
        ("Timeouts and wake-ups race", race),
        ("Threads come and go", come_and_go),
        ("The next takes the place of one that was joined", replace),
        ("Memory of all threads is right", allocate),
        ("Messages stay as they are written", write),
    ];
    let mut wrong = 0;
    for (what, find) in findings {
        let right = find();
        println!("{what}: {}", if right { "yes" } else { "NO" });
        wrong += usize::from(!right);
    }
    wrong
}

/// The first thread and one of a lower priority wait for each other's steps without a rest. On one core the lower one
/// would never run.
fn run_at_a_time() -> bool {
    const STEPS: usize = 50;
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let until = Instant::now() + Duration::from_secs(60);
    let steps = move |mine| {
        (0..STEPS).all(|step| {
            while TURN.load(SeqCst) != 2 * step + mine && Instant::now() < until {
                std::hint::spin_loop();
            }
            TURN.fetch_add(1, SeqCst) == 2 * step + mine
        })
    };
    let other = thread::spawn(move || {
        // SAFETY: the calling thread lives.
        let lowered = unsafe { pthread_setschedprio(pthread_self(), 1) };
        lowered == 0 && steps(0)
    });
    steps(1) && other.join().is_ok_and(|right| right)
}

fn name() -> bool {
    let work = || {
        show_threads();
        thread::current().name() == Some("observer")
    };
    let thread = Builder::new().name("observer".into()).spawn(work);
    thread.is_ok_and(|thread| thread.join().is_ok_and(|right| right))
}

/// Two threads write, and then read what the other writes. The other has no fence, and relies on the barrier between the
/// first one's write and read: one of them sees the other's value.
fn reach() -> bool {
    const ROUNDS: usize = 200;
    static WORDS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let wait = |turn| {
        while TURN.load(SeqCst) != turn {
            thread::yield_now();
        }
    };
    let other = thread::spawn(move || {
        for round in 1..=ROUNDS {
            wait(2 * round - 1);
            WORDS[0].store(round, Relaxed);
            compiler_fence(SeqCst);
            SEEN.store(WORDS[1].load(Relaxed), SeqCst);
            TURN.store(2 * round, SeqCst);
        }
    });
    let mut right = true;
    for round in 1..=ROUNDS {
        TURN.store(2 * round - 1, SeqCst);
        WORDS[1].store(round, Relaxed);
        right &= barrier();
        let seen = WORDS[0].load(Relaxed);
        wait(2 * round);
        right &= seen == round || SEEN.load(SeqCst) == round;
    }
    other.join().is_ok() && right
}

/// Starts `count` threads, and returns whether none panicked.
fn all(count: usize, work: impl Fn(usize) + Send + Sync + 'static) -> bool {
    let work = Arc::new(work);
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let work = work.clone();
            let builder = Builder::new().stack_size(32 << 10);
            builder.spawn(move || work(number))
        })
        .collect();
    threads
        .into_iter()
        .all(|thread| thread.is_ok_and(|thread| thread.join().is_ok()))
}

fn count() -> bool {
    let counter = Arc::new(Mutex::new(0u64));
    let shared = counter.clone();
    let joined = all(8, move |_| {
        for _ in 0..2_000 {
            *shared.lock().unwrap() += 1;
        }
    });
    joined && *counter.lock().unwrap() == 8 * 2_000
}

/// A Condvar queue of one place: each message waits for the other side.
fn hand_over() -> bool {
    const MESSAGES: u32 = 300;
    let (to, from) = mpsc::sync_channel(0);
    let sender = thread::spawn(move || (0..MESSAGES).all(|i| to.send(i).is_ok()));
    let right = (0..MESSAGES).all(|i| from.recv() == Ok(i));
    let pair = Arc::new((Mutex::new(0u32), Condvar::new()));
    let played = pair.clone();
    let players = all(4, move |mine| {
        let (turn, changed) = &*played;
        for _ in 0..100 {
            let mut turn = turn.lock().unwrap();
            while *turn % 4 != mine as u32 {
                turn = changed.wait(turn).unwrap();
            }
            *turn += 1;
            changed.notify_all();
        }
    });
    right && sender.join().is_ok_and(|sent| sent) && players && *pair.0.lock().unwrap() == 400
}

fn park() -> bool {
    static READY: AtomicUsize = AtomicUsize::new(0);
    let sleeper = thread::spawn(|| {
        for round in 1..=2_000 {
            while READY.load(SeqCst) < round {
                thread::park();
            }
        }
    });
    for _ in 0..2_000 {
        READY.fetch_add(1, SeqCst);
        sleeper.thread().unpark();
    }
    sleeper.join().is_ok()
}

/// Waits with timeouts so short that they end about when the wake-up comes.
fn race() -> bool {
    let pair = Arc::new((Mutex::new(0u32), Condvar::new()));
    let over = Arc::new(AtomicBool::new(false));
    let (waited, ended) = (pair.clone(), over.clone());
    let waiters = thread::spawn(move || {
        all(3, move |mine| {
            let (value, changed) = &*waited;
            let mut timeouts = 0;
            while !ended.load(SeqCst) {
                let time = Duration::from_micros(50 + 300 * mine as u64);
                let guard = value.lock().unwrap();
                timeouts += changed.wait_timeout(guard, time).unwrap().1.timed_out() as u32;
            }
            assert!(timeouts > 0);
        })
    });
    for _ in 0..300 {
        thread::sleep(Duration::from_micros(200));
        *pair.0.lock().unwrap() += 1;
        pair.1.notify_one();
    }
    thread::sleep(Duration::from_millis(5));
    over.store(true, SeqCst);
    waiters.join().is_ok_and(|right| right)
}

/// Slots of threads are used again while those who left them may still be on their way out.
fn come_and_go() -> bool {
    static RUN: AtomicUsize = AtomicUsize::new(0);
    let right = all(3, |_| {
        for round in 0..200 {
            let work = || RUN.fetch_add(1, SeqCst);
            let thread = Builder::new().stack_size(16 << 10).spawn(work).unwrap();
            // Some are detached: they free their own stack.
            if round % 2 == 0 {
                thread.join().unwrap();
            } else {
                thread::yield_now();
            }
        }
    });
    let start = Instant::now();
    while RUN.load(SeqCst) < 600 && start.elapsed() < Duration::from_secs(100) {
        thread::sleep(Duration::from_millis(1));
    }
    right && RUN.load(SeqCst) == 600
}

/// When all places are taken, one is free as soon as its thread was joined.
fn replace() -> bool {
    let start = || {
        let (end, wait) = mpsc::channel::<()>();
        let thread = Builder::new().spawn(move || wait.recv().is_err())?;
        Ok::<_, std::io::Error>((end, thread))
    };
    let mut all: VecDeque<_> = std::iter::from_fn(|| start().ok()).collect();
    let replaced = (0..300)
        .filter(|_| {
            let (end, thread) = all.pop_front().expect("a place for a thread");
            drop(end);
            let joined = thread.join().is_ok_and(|ended| ended);
            let next = start();
            let started = next.is_ok();
            all.extend(next);
            joined && started
        })
        .count();
    for (end, thread) in all {
        drop(end);
        let _ = thread.join();
    }
    replaced == 300
}

fn allocate() -> bool {
    let start = Arc::new(Barrier::new(6));
    all(6, move |mine| {
        start.wait();
        let mut kept: Vec<Vec<u8>> = Vec::new();
        for round in 0..2_000usize {
            let length = (round * 37 + mine * 101) % 3000 + 1;
            kept.push(vec![mine as u8; length]);
            if kept.len() > 20 {
                let old = kept.swap_remove(round % 20);
                assert!(old.iter().all(|&byte| byte == mine as u8));
            }
        }
    })
}

/// Waits for locks, for time and for memory between writing a message and what would send it.
fn write() -> bool {
    let shared = Arc::new(Mutex::new(0u32));
    all(4, move |mine| {
        for round in 0..200usize {
            let seed = (mine + 1) * 1000 + round * 10;
            write_message(seed);
            let mut guard = shared.lock().unwrap();
            *guard += 1;
            if round % 20 == 0 {
                thread::sleep(Duration::from_micros(300 * (4 - mine as u64)));
                drop(vec![0u8; 300 << 10]);
            }
            drop(guard);
            assert!(message_is(seed));
        }
    })
}
