// SPDX-License-Identifier: BSD-2-Clause

//! Functions that the root server's argument selects.

use std::ffi::{CStr, c_char};
use std::hint::{self, black_box};
use std::mem::forget;
use std::net::TcpStream;
use std::process::{self, Command};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use libsel4_sys::*;

/// Does it; whether there is such a case.
///
/// # Safety
///
/// The name is text of C's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn run_case(name: *const c_char) -> bool {
    // SAFETY: as the caller promises.
    match unsafe { CStr::from_ptr(name) }.to_bytes() {
        b"time" => time(),
        b"messages" => messages(),
        b"detached" => detached(),
        b"refused" => refused(),
        b"exit" => process::exit(5),
        b"exit of a thread" => drop(thread::spawn(|| process::exit(6)).join()),
        b"deadlock" => deadlock(),
        b"overflow" => overflow(),
        b"panic" => panics(),
        b"no memory" => drop(black_box(vec![1_u8; 1 << 30])),
        _ => return false,
    }
    true
}

/// Hours take no time where nobody can run, and a loop that looks at the clock ends.
fn time() {
    let (to, from) = mpsc::channel();
    let start = Instant::now();
    for hours in [2, 1] {
        let to = to.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(hours * 3600));
            to.send(hours).unwrap();
        });
    }
    let order: Vec<u64> = from.iter().take(2).collect();
    println!("hours slept: {order:?}, at {}", start.elapsed().as_secs());
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(10) {}
    // One that sleeps wakes while another does not let go of the processor.
    let awake = Arc::new(AtomicBool::new(false));
    let sleeper = awake.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(10));
        sleeper.store(true, Relaxed);
    });
    while !awake.load(Relaxed) {
        thread::yield_now();
    }
    println!("awake");
    // One of higher priority wakes while another computes, without a call.
    let awake = Arc::new(AtomicBool::new(false));
    let computer = awake.clone();
    let computes = thread::spawn(move || {
        // SAFETY: the running thread lives.
        unsafe { pthread_setschedprio(pthread_self(), 1) };
        while !computer.load(Relaxed) {
            hint::spin_loop();
        }
    });
    thread::sleep(Duration::from_millis(10));
    awake.store(true, Relaxed);
    computes.join().unwrap();
    println!("and awake");
}

/// Threads of std make system calls as any other.
fn messages() {
    const WORDS: usize = 20;
    let info = unsafe { &mut *sel4runtime_bootinfo() };
    let endpoint = info.empty.start;
    info.empty.start += 1;
    let untypeds = &info.untypedList[..info.untyped.end - info.untyped.start];
    let largest = untypeds
        .iter()
        .enumerate()
        .filter(|(_, untyped)| untyped.isDevice == 0)
        .max_by_key(|(_, untyped)| untyped.sizeBits)
        .unwrap()
        .0;
    let root = seL4_CapInitThreadCNode as seL4_CPtr;
    let kind = seL4_EndpointObject as seL4_Word;
    // SAFETY: these are objects of this program's own, and messages.
    unsafe {
        let untyped = info.untyped.start + largest;
        assert_eq!(
            seL4_Untyped_Retype(untyped, kind, 0, root, 0, 0, endpoint, 1),
            seL4_NoError
        );
        let server = thread::spawn(move || {
            let message = seL4_Recv(endpoint, std::ptr::null_mut());
            let words = seL4_MessageInfo_get_length(message) as usize;
            let sum: seL4_Word = (0..words as i32).map(|word| seL4_GetMR(word)).sum();
            seL4_SetMR(0, sum);
            seL4_Reply(seL4_MessageInfo_new(0, 0, 0, 1));
        });
        let held = LOCK.lock();
        let client = thread::spawn(move || {
            for word in 0..WORDS {
                seL4_SetMR(word as i32, word);
            }
            // To wait for a lock leaves the message as it is.
            drop(LOCK.lock());
            seL4_Call(endpoint, seL4_MessageInfo_new(0, 0, 0, WORDS as u64));
            seL4_GetMR(0)
        });
        thread::sleep(Duration::from_millis(1));
        drop(held);
        println!("the sum is {}", client.join().unwrap());
        server.join().unwrap();
    }
}

/// Places of threads that nobody waits for are free again.
fn detached() {
    let (to, from) = mpsc::channel();
    for number in 0..100 {
        let to = to.clone();
        drop(thread::spawn(move || to.send(number).unwrap()));
        from.recv().unwrap();
    }
    println!("100 threads came and went");
}

fn refused() {
    println!(
        "network: {:?}",
        TcpStream::connect("127.0.0.1:1")
            .map(drop)
            .map_err(|error| error.kind())
    );
    println!(
        "process: {:?}",
        Command::new("true")
            .spawn()
            .map(drop)
            .map_err(|error| error.kind())
    );
    println!(
        "folder: {:?}",
        std::fs::create_dir("folder").map_err(|error| error.kind())
    );
    println!(
        "Linux' file: {:?}",
        std::fs::read("/etc/passwd")
            .map(drop)
            .map_err(|error| error.kind())
    );
    println!("cores: {:?}", thread::available_parallelism());
    println!("argument: {:?}", std::env::args().nth(1));
}

/// Two threads, and each wants what the other has.
fn deadlock() {
    let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
    let names = ["one thread", "the other"];
    let threads = [0, 1].map(|first: usize| {
        let locks = locks.clone();
        let work = move || {
            let _first = locks[first].lock().unwrap();
            thread::yield_now();
            let _second = locks[1 - first].lock().unwrap();
        };
        thread::Builder::new()
            .name(names[first].into())
            .spawn(work)
            .unwrap()
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

fn descend(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let here = black_box([depth; 16]);
    descend(black_box(depth + 1)) + here[3]
}

fn overflow() {
    let thread = thread::Builder::new().name("deep".into());
    thread.spawn(|| descend(0)).unwrap().join().unwrap();
}

/// Panics. The panic reaches C.
extern "C" fn panics() {
    panic!("nobody catches this");
}

static LOCK: Mutex<()> = Mutex::new(());

/// Takes a lock, and keeps it.
#[unsafe(no_mangle)]
pub extern "C" fn hold_lock() {
    forget(LOCK.lock());
}

/// Takes that lock.
#[unsafe(no_mangle)]
pub extern "C" fn take_lock() {
    drop(LOCK.lock());
}

unsafe extern "C" {
    fn pthread_self() -> usize;
    fn pthread_setschedprio(thread: usize, priority: i32) -> i32;
    fn sel4runtime_bootinfo() -> *mut seL4_BootInfo;
}
