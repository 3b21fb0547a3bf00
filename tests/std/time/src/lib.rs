// SPDX-License-Identifier: BSD-2-Clause

//! Precision of std's sleeps, and the processor time that they leave to others.

use std::hint::black_box;
use std::os::unix::thread::JoinHandleExt;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, OnceLock, mpsc};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Delay of the latest sleeper, in microseconds.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// Maximum delay of a sleeper.
const LATE: Duration = Duration::from_millis(2);

unsafe extern "C" {
    safe fn pthread_self() -> usize;
    // SAFETY: the thread must live.
    unsafe fn pthread_setschedprio(thread: usize, priority: i32) -> i32;
    // SAFETY: as for the system call.
    unsafe fn syscall(number: i64, ...) -> i64;
}

/// The year of the date, about.
#[unsafe(no_mangle)]
pub extern "C" fn clock_year() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| 1970 + time.as_secs() / 31_556_952)
}

/// Name of a finding, and the function that checks it.
type Finding = (&'static str, fn() -> bool);

/// Shows what the clock can do. Returns how many of the findings are wrong.
#[unsafe(no_mangle)]
pub extern "C" fn clock_shows() -> i32 {
    let findings: [Finding; 7] = [
        ("Sleepers wake in time", sleeps),
        ("Timeouts come in time", timeouts),
        ("The sooner deadline comes first", sooner),
        ("A deadline that is not waited for holds up none", given_up),
        ("For ever is for ever", for_ever),
        ("Sleepers leave the machine to others", idle),
        ("A thread of low priority holds up none", holds_up_none),
    ];
    let mut wrong = 0;
    for (what, find) in findings {
        let right = find();
        println!("{what}: {}", if right { "yes" } else { "NO" });
        wrong += i32::from(!right);
    }
    println!("The latest was {} µs late", LATEST.load(SeqCst));
    wrong
}

/// Returns whether `wait` takes `asked`, and not much longer.
fn in_time(asked: Duration, wait: impl FnOnce()) -> bool {
    let start = Instant::now();
    wait();
    let took = start.elapsed();
    let right = took >= asked && took < asked + LATE;
    let late = took.saturating_sub(asked).as_micros() as u64;
    LATEST.fetch_max(late, SeqCst);
    if !right {
        println!("asked for {asked:?}, took {took:?}");
    }
    right
}

fn sleeps() -> bool {
    let asked = [0, 1, 50, 100, 500, 1_000, 2_500, 10_000, 50_000, 1_300_000];
    asked
        .into_iter()
        .map(Duration::from_micros)
        .all(|asked| in_time(asked, || sleep(asked)))
}

fn timeouts() -> bool {
    let asked = Duration::from_millis(7);
    let lock = Mutex::new(());
    let (_to, from) = mpsc::channel::<()>();
    let condvar = || {
        let _ = Condvar::new().wait_timeout(lock.lock().unwrap(), asked);
    };
    let channel = || {
        let _ = from.recv_timeout(asked);
    };
    in_time(asked, condvar)
        && in_time(asked, channel)
        && in_time(asked, || thread::park_timeout(asked))
}

/// Sleeps that begin while there are longer and shorter ones.
fn sooner() -> bool {
    let sleepers = [80, 40, 60, 5, 20, 1].map(|milliseconds| {
        let asked = Duration::from_millis(milliseconds);
        thread::spawn(move || in_time(asked, || sleep(asked)))
    });
    sleepers
        .into_iter()
        .all(|sleeper| sleeper.join().is_ok_and(|right| right))
}

/// Wakes a thread before its timeout; the next sleep ends before that timeout would have.
fn given_up() -> bool {
    let (to, from) = mpsc::channel();
    let waiter = thread::spawn(move || from.recv_timeout(Duration::from_secs(20)));
    sleep(Duration::from_millis(1));
    let sent = to.send(()).is_ok() && waiter.join().is_ok_and(|answer| answer.is_ok());
    let asked = Duration::from_millis(3);
    sent && in_time(asked, || sleep(asked))
}

/// The longest times there are: nobody wakes by them, and they disturb no shorter one.
fn for_ever() -> bool {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let shared = pair.clone();
    let waiter = thread::spawn(move || {
        let (ready, changed) = &*shared;
        let guard = ready.lock().unwrap();
        let answer = changed.wait_timeout_while(guard, Duration::MAX, |ready| !*ready);
        answer.is_ok_and(|(_, result)| !result.timed_out())
    });
    let parked = thread::spawn(|| thread::park_timeout(Duration::from_secs(u64::MAX)));
    let asleep = thread::spawn(|| sleep(Duration::MAX));
    let asked = Duration::from_millis(5);
    let right = in_time(asked, || sleep(asked));
    let waiting = !waiter.is_finished() && !parked.is_finished() && !asleep.is_finished();
    *pair.0.lock().unwrap() = true;
    pair.1.notify_all();
    parked.thread().unpark();
    right && waiting && waiter.join().is_ok_and(|right| right) && parked.join().is_ok()
}

fn count(over: &AtomicBool, most: u64) -> u64 {
    let mut count = 0;
    while !over.load(SeqCst) && count < most {
        count = black_box(count + 1);
    }
    count
}

/// Counts at the lowest priority while all others sleep for a second, with a second's worth of other deadlines.
fn idle() -> bool {
    let over = Arc::new(AtomicBool::new(false));
    let (begun, ended) = (Arc::new(AtomicU64::new(0)), over.clone());
    let begin = begun.clone();
    let counter = thread::spawn(move || {
        // SAFETY: the calling thread lives.
        let lowered = unsafe { pthread_setschedprio(pthread_self(), 1) };
        begin.store(1, SeqCst);
        (lowered, count(&ended, u64::MAX))
    });
    let timed = thread::spawn(|| sleep(Duration::from_secs(2)));
    let (to, from) = mpsc::channel::<()>();
    let untimed = thread::spawn(move || from.recv());
    while begun.load(SeqCst) == 0 {
        sleep(Duration::from_millis(1));
    }
    let start = Instant::now();
    sleep(Duration::from_secs(1));
    over.store(true, SeqCst);
    let elapsed = start.elapsed();
    let (lowered, counted) = counter.join().unwrap_or((-1, 0));
    drop(to);
    let joined = timed.join().is_ok() && untimed.join().is_ok();
    // The same with nothing else to do.
    let start = Instant::now();
    count(&AtomicBool::new(false), counted);
    let used = start.elapsed();
    let left = used.div_duration_f64(elapsed);
    if left < 0.99 {
        println!("{:.1} % of the time was left", 100.0 * left);
    }
    lowered == 0 && joined && left >= 0.99
}

/// Number of Linux' system call, and commands of it.
const FUTEX: i64 = if cfg!(target_arch = "x86_64") {
    202
} else {
    98
};
const WAIT_BITSET: i32 = 9;
const WAKE_BITSET: i32 = 10;

/// Waits for, or wakes one waiter for, a bit of the word.
fn futex(word: &AtomicI32, command: i32, value: i32, bit: u32) {
    let none = ptr::null::<u8>();
    // SAFETY: the word lives, and there is no timeout.
    unsafe { syscall(FUTEX, word.as_ptr(), command, value, none, none, bit) };
}

/// Starts a thread of this priority, which runs once the calling one sleeps. Returns its pthread_t, too.
fn spawn<T: Send + 'static>(
    priority: i32,
    work: impl FnOnce() -> T + Send + 'static,
) -> (JoinHandle<T>, usize) {
    let thread = thread::spawn(work);
    let number = thread.as_pthread_t() as usize;
    // SAFETY: the thread lives until it is joined.
    assert_eq!(unsafe { pthread_setschedprio(number, priority) }, 0);
    (thread, number)
}

/// Measures how long a thread of high priority waits for the futex, while one of low priority is about to release it and
/// one in between computes.
///
/// Each is where it must be by its priority alone. The thread of low priority wakes the one in between, which then runs
/// at once, in the midst of the wake, unless the holder of the futex has a higher priority. It raises the thread of high
/// priority, which uses the futex, and computes.
fn holds_up_none() -> bool {
    static WORD: AtomicI32 = AtomicI32::new(0);
    static OTHER: AtomicI32 = AtomicI32::new(0);
    static RAISED: OnceLock<Instant> = OnceLock::new();
    let (high, number) = spawn(5, || {
        futex(&OTHER, WAKE_BITSET, 1, 1);
        RAISED.get().map(Instant::elapsed)
    });
    let (between, _) = spawn(50, move || {
        futex(&WORD, WAIT_BITSET, 0, 1);
        let start = *RAISED.get_or_init(Instant::now);
        // SAFETY: the thread has not been joined.
        assert_eq!(unsafe { pthread_setschedprio(number, 100) }, 0);
        while start.elapsed() < 3 * LATE {}
    });
    let (low, _) = spawn(10, || futex(&WORD, WAKE_BITSET, 1, 1));
    let Ok(Some(waited)) = high.join() else {
        return false;
    };
    println!("A wait for the futex took {waited:?}");
    between.join().is_ok() && low.join().is_ok() && waited < LATE
}
