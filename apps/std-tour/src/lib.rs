// SPDX-License-Identifier: BSD-2-Clause

//! A tour of Rust's std in a C root server: each line of the console shows one facility.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Shows one facility. The text is the line to print, or the error.
type Station = fn() -> Result<String, String>;

/// Shows all facilities, and prints errors. Returns 0 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn tour() -> i32 {
    let stations: [(&str, Station); 13] = [
        ("collections", collections),
        ("panics", panics),
        ("time", time),
        ("threads", threads),
        ("mutex", mutex),
        ("condvar", condvar),
        ("channels", channels),
        ("scope", scope),
        ("thread-local", thread_locals),
        ("poison", poison),
        ("memory", memory),
        ("files", files),
        ("refused", refused),
    ];
    let mut wrong = 0;
    for (name, station) in stations {
        match station() {
            Ok(text) => println!("{name}: {text}"),
            Err(text) => {
                println!("{name}: WRONG: {text}");
                wrong += 1;
            }
        }
    }
    wrong
}

/// Divides, and returns -1 if Rust panics.
#[unsafe(no_mangle)]
pub extern "C" fn divide(a: i32, b: i32) -> i32 {
    catch_unwind(|| a / b).unwrap_or(-1)
}

fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn collections() -> Result<String, String> {
    let mut words = HashMap::new();
    for word in "one two two three three three".split(' ') {
        *words.entry(word).or_insert(0) += 1;
    }
    let mut counted: Vec<_> = words.into_iter().collect();
    counted.sort_by_key(|&(_, count)| count);
    Ok(format!("{counted:?}"))
}

fn panics() -> Result<String, String> {
    struct Told(Arc<AtomicU32>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let dropped = Arc::new(AtomicU32::new(0));
    let told = Told(dropped.clone());
    let caught = catch_unwind(move || {
        let _told = told;
        std::panic::panic_any(42);
    });
    let value = caught.err().and_then(|error| error.downcast_ref().copied());
    check(value == Some(42), || format!("caught {value:?}"))?;
    Ok(format!(
        "caught 42, and dropped {} value on the way",
        dropped.load(Relaxed)
    ))
}

fn time() -> Result<String, String> {
    let asked = Duration::from_millis(20);
    let start = Instant::now();
    thread::sleep(asked);
    let slept = start.elapsed();
    check(slept >= asked, || format!("slept {slept:?} only"))?;
    // A simulator on a loaded machine may be late.
    check(slept < asked * 100, || format!("slept {slept:?}"))?;
    Ok("slept for 20 ms or a little more".into())
}

fn threads() -> Result<String, String> {
    let mut sum = 0;
    for round in 0..100 {
        let worker = thread::Builder::new()
            .name(format!("worker {round}"))
            .stack_size(64 << 10)
            .spawn(move || (thread::current().name().map(str::to_owned), round));
        let (name, value) = worker
            .map_err(|error| error.to_string())?
            .join()
            .map_err(|_| "a worker panicked".to_owned())?;
        check(name == Some(format!("worker {round}")), || {
            format!("{name:?}")
        })?;
        sum += value;
    }
    Ok(format!("100 workers, one after another, add up to {sum}"))
}

/// Starts `count` threads with small stacks, and waits for all.
fn crowd<T: Send + 'static>(
    count: u32,
    work: impl Fn(u32) -> T + Send + Sync + 'static,
) -> Result<Vec<T>, String> {
    let work = Arc::new(work);
    let workers: Vec<_> = (0..count)
        .map(|number| {
            let work = work.clone();
            thread::Builder::new()
                .stack_size(64 << 10)
                .spawn(move || work(number))
                .map_err(|error| error.to_string())
        })
        .collect::<Result<_, _>>()?;
    workers
        .into_iter()
        .map(|worker| worker.join().map_err(|_| "a worker panicked".to_owned()))
        .collect()
}

fn mutex() -> Result<String, String> {
    let counter = Arc::new(Mutex::new(0));
    let shared = counter.clone();
    crowd(8, move |_| {
        for _ in 0..1000 {
            let mut value = shared.lock().unwrap();
            let before = *value;
            if before % 100 == 0 {
                thread::yield_now(); // so that other threads wait for the lock
            }
            *value = before + 1;
        }
    })?;
    let value = *counter.lock().unwrap();
    check(value == 8000, || value.to_string())?;
    Ok(format!("8 threads counted to {value}"))
}

fn condvar() -> Result<String, String> {
    let pair = Arc::new((Mutex::new(0u32), Condvar::new()));
    let shared = pair.clone();
    let player = thread::spawn(move || {
        let (turn, changed) = &*shared;
        for _ in 0..500 {
            let mut turn = changed
                .wait_while(turn.lock().unwrap(), |turn| *turn % 2 == 0)
                .unwrap();
            *turn += 1;
            changed.notify_one();
        }
    });
    let (turn, changed) = &*pair;
    for _ in 0..500 {
        let mut turn = changed
            .wait_while(turn.lock().unwrap(), |turn| *turn % 2 == 1)
            .unwrap();
        *turn += 1;
        changed.notify_one();
    }
    player
        .join()
        .map_err(|_| "the player panicked".to_owned())?;
    let turns = *turn.lock().unwrap();
    let start = Instant::now();
    let (_turn, result) = changed
        .wait_timeout(turn.lock().unwrap(), Duration::from_millis(10))
        .unwrap();
    let waited = start.elapsed();
    check(result.timed_out(), || "no timeout".into())?;
    check(waited >= Duration::from_millis(10), || {
        format!("{waited:?}")
    })?;
    Ok(format!("{turns} turns of two players, then a timeout"))
}

fn channels() -> Result<String, String> {
    let (to, from) = mpsc::sync_channel(2);
    let senders = (0..4)
        .map(|sender| {
            let to = to.clone();
            thread::spawn(move || (0..50).for_each(|i| to.send(sender * 50 + i).unwrap()))
        })
        .collect::<Vec<_>>();
    drop(to);
    let sum: u32 = from.iter().sum();
    for sender in senders {
        sender.join().map_err(|_| "a sender panicked".to_owned())?;
    }
    Ok(format!("200 messages add up to {sum}"))
}

fn scope() -> Result<String, String> {
    let mut numbers = [1, 2, 3, 4];
    thread::scope(|scope| {
        for number in &mut numbers {
            scope.spawn(move || *number *= 10);
        }
    });
    Ok(format!("{numbers:?}"))
}

fn thread_locals() -> Result<String, String> {
    static ENDED: AtomicU32 = AtomicU32::new(0);
    struct Mine(u32);
    impl Drop for Mine {
        fn drop(&mut self) {
            ENDED.fetch_add(1, Relaxed);
        }
    }
    thread_local!(static MINE: RefCell<Mine> = const { RefCell::new(Mine(0)) });
    let values = crowd(4, |number| {
        MINE.with_borrow_mut(|mine| mine.0 += number);
        thread::yield_now();
        MINE.with_borrow(|mine| mine.0)
    })?;
    Ok(format!(
        "{values:?}, {} of them dropped",
        ENDED.load(Relaxed)
    ))
}

fn poison() -> Result<String, String> {
    let lock = Arc::new(Mutex::new(()));
    let shared = lock.clone();
    let ended = thread::Builder::new()
        .name("unlucky".into())
        .spawn(move || {
            let _guard = shared.lock().unwrap();
            panic!("this thread is unlucky");
        })
        .map_err(|error| error.to_string())?
        .join();
    check(ended.is_err(), || "the thread did not panic".into())?;
    check(lock.is_poisoned(), || "the mutex is not poisoned".into())?;
    Ok("the panic of a thread poisons its mutex, and nothing else".into())
}

fn memory() -> Result<String, String> {
    let mut bytes: Vec<u8> = Vec::new();
    // Grow to sizes that muslc moves with mremap.
    for i in 0..600_000u32 {
        bytes.push(i as u8);
    }
    let right = bytes.iter().enumerate().all(|(i, &byte)| byte == i as u8);
    check(right, || "the bytes changed".into())?;
    drop(bytes);
    let refused = Vec::<u8>::new().try_reserve(1 << 30);
    check(refused.is_err(), || "1 GiB was given".into())?;
    Ok("a vector grew to 600000 bytes, and 1 GiB is an Err".into())
}

fn files() -> Result<String, String> {
    static SIZE: OnceLock<u64> = OnceLock::new();
    let told = |error: io::Error| error.to_string();
    let text = fs::read_to_string("greeting.txt").map_err(told)?;
    let mut file = File::open("greeting.txt").map_err(told)?;
    let size = SIZE.get_or_init(|| file.metadata().map_or(0, |data| data.len()));
    check(*size == text.len() as u64, || format!("the size is {size}"))?;
    file.seek(SeekFrom::Start(5)).map_err(told)?;
    let mut part = [0; 4];
    file.read_exact(&mut part).map_err(told)?;
    Ok(format!(
        "{} lines, {size} bytes, at 5: {:?}; no such file: {:?}",
        text.lines().count(),
        String::from_utf8_lossy(&part),
        File::open("nothing")
            .map(|_| ())
            .map_err(|error| error.kind())
    ))
}

fn refused() -> Result<String, String> {
    let write = File::create("greeting.txt")
        .map(|_| ())
        .map_err(|error| error.kind());
    let mut line = String::new();
    let input = io::stdin()
        .read_line(&mut line)
        .map_err(|error| error.kind());
    Ok(format!(
        "to write a file: {write:?}; standard input: {input:?}"
    ))
}
