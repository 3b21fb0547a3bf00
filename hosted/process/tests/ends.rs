// SPDX-License-Identifier: BSD-2-Clause

//! Exit codes and final messages of a process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use libsel4::libsel4_sys::{
    seL4_CNode_Delete, seL4_Call, seL4_CapInitThreadCNode, seL4_CapInitThreadTCB,
    seL4_CapTableObject, seL4_DebugHalt, seL4_DebugNameThread, seL4_DebugPutString,
    seL4_EndpointObject, seL4_GetMR, seL4_InvalidArgument, seL4_MessageInfo_get_label,
    seL4_MessageInfo_new, seL4_NoError, seL4_NotEnoughMemory, seL4_Poll, seL4_RangeError,
    seL4_SetMR, seL4_TCB_Suspend, seL4_TCB_WriteRegisters, seL4_Untyped_Retype, seL4_UntypedObject,
    seL4_Wait, seL4_Yield,
};
use libsel4::{
    Allocator, BootInfo, Cap, CapRights, Endpoint, Notification, SmallPage, VmAttributes,
};

/// Environment variable that makes this process the root server of one of the tests below, and names the case.
const CASE: &str = "ENDS";

/// Runs a case in a child process. Returns its exit code and its output.
fn end_of(case: &str, environment: &[(&str, &str)], signal: Option<i32>) -> (i32, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "the_root_server",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CASE, case)
        .env_remove("RUST_BACKTRACE")
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    if let Some(signal) = signal {
        while !said.contains("begins") {
            assert!(out.read_line(&mut said).unwrap() > 0, "{said}");
        }
        // SAFETY: a plain call.
        unsafe { libc::kill(child.id() as i32, signal) };
    }
    out.read_to_string(&mut said).unwrap();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    (child.wait().unwrap().code().unwrap_or(-1), said)
}

#[test]
fn the_root_server() {
    let Ok(case) = std::env::var(CASE) else {
        return;
    };
    sel4_hosted::start();
    // SAFETY: each case harms only this process.
    unsafe {
        seL4_DebugPutString(c"begins\n".as_ptr().cast_mut());
        match &*case {
            "done" => {}
            "returned" => sel4_hosted::set_main_result(7),
            "halted" => seL4_DebugHalt(),
            "deadlock" => {
                seL4_DebugNameThread(seL4_CapInitThreadTCB, c"a name".as_ptr());
                seL4_Wait(objects().0.word(), std::ptr::null_mut());
            }
            "wild" => std::ptr::without_provenance::<u8>(0x18)
                .read_volatile()
                .to_string()
                .clear(),
            "overflow" => {
                overflow(1);
            }
            "wild answer" => {
                seL4_Poll(objects().0.word(), std::ptr::without_provenance_mut(0x28));
            }
            "wild registers" => {
                let registers = std::ptr::without_provenance_mut(0x38);
                seL4_TCB_WriteRegisters(seL4_CapInitThreadTCB, 0, 0, 1, registers);
            }
            "no capability" => {
                seL4_Wait(usize::MAX, std::ptr::null_mut());
            }
            "no capability called" => {
                seL4_Call(usize::MAX, seL4_MessageInfo_new(0, 0, 0, 0));
            }
            "empty slot called" => {
                let answer = seL4_Call(0, seL4_MessageInfo_new(0, 0, 0, 0));
                sel4_hosted::set_main_result(seL4_MessageInfo_get_label(answer) as u8);
            }
            "heap" => {
                std::hint::black_box(vec![1_u8; 1 << 46]);
            }
            // A wild program may damage the model: this one unmaps the model's memory.
            "crash" => {
                let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
                let memory = maps
                    .lines()
                    .filter(|line| line.contains("memfd:seL4 memory"));
                let ranges = memory.map(|line| {
                    let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
                    let number = |text| usize::from_str_radix(text, 16).unwrap();
                    (number(end) - number(start), number(start))
                });
                let (bytes, start) = ranges.max().unwrap();
                libc::munmap(std::ptr::with_exposed_provenance_mut(start), bytes);
                objects();
            }
            "abort" => libc::abort(),
            // Without the runtime, threads of std are Linux threads.
            "another thread" => drop(std::thread::spawn(|| seL4_Yield()).join()),
            "busy" => loop {
                seL4_Yield();
            },
            "stuck" => loop {
                std::hint::spin_loop();
            },
            "taken" => {
                let (_, page, mut objects) = objects();
                let info = BootInfo::from_ptr(sel4_hosted::boot_info());
                let here = taken_address() & !0xfff;
                let rights = CapRights::READ_WRITE;
                let _ = objects.map_page(info.vspace(), page, here, rights, VmAttributes::DATA);
            }
            // A page of the executable is a frame, which can be mapped elsewhere and be unmapped.
            "own page" | "own page unmapped" => {
                let info = BootInfo::from_ptr(sel4_hosted::boot_info());
                let page = OWN_PAGE.0.get().cast::<usize>();
                page.write_volatile(1234);
                let number = (page.addr() >> 12) - ((&raw const __ehdr_start).addr() >> 12);
                let frame = info.user_image_frames().nth(number).unwrap();
                let frame: Cap<SmallPage> = frame.cap();
                frame.page_unmap().unwrap();
                if case == "own page" {
                    let mut objects = objects().2;
                    let (there, rights) = (0x1000_0000, CapRights::READ_WRITE);
                    let vspace = info.vspace();
                    objects
                        .map_page(vspace, frame, there, rights, VmAttributes::DATA)
                        .unwrap();
                    let other = std::ptr::with_exposed_provenance_mut::<usize>(there);
                    assert_eq!(other.read_volatile(), 1234);
                    other.write_volatile(5678);
                    frame.page_unmap().unwrap();
                    frame
                        .page_map(vspace, page.addr(), rights, VmAttributes::DATA)
                        .unwrap();
                }
                sel4_hosted::set_main_result((page.read_volatile() == 5678) as u8 * 9);
            }
            "retype" => {
                let info = BootInfo::from_ptr(sel4_hosted::boot_info());
                let untyped = info
                    .untypeds()
                    .find(|untyped| !untyped.is_device)
                    .unwrap()
                    .cap;
                let slot = info.empty_slots().next().unwrap();
                let result = untyped.untyped_retype::<Endpoint>(0, slot);
                sel4_hosted::set_main_result(if result.is_ok() { 1 } else { 2 });
            }
            "signal" => {
                let mut objects = objects().2;
                let pending: Cap<Notification> = objects.make().unwrap();
                objects.mint(pending, CapRights::ALL, 7).unwrap().signal();
                let late = (0..9).take_while(|_| pending.poll().is_none()).count();
                sel4_hosted::set_main_result(late as u8);
            }
            "sizes" => {
                let info = BootInfo::from_ptr(sel4_hosted::boot_info());
                let untyped = info.untypeds().find(|untyped| !untyped.is_device).unwrap();
                let slot = info.empty().next().unwrap().index();
                let retype = |kind, bits, count| {
                    let (memory, root) = (untyped.cap.word(), seL4_CapInitThreadCNode);
                    seL4_Untyped_Retype(memory, kind, bits, root, 0, 0, slot, count)
                };
                let (endpoint, cnode) = (seL4_EndpointObject, seL4_CapTableObject);
                assert_eq!(retype(cnode, 0, 1), seL4_InvalidArgument);
                assert_eq!(retype(cnode, usize::MAX, 1), seL4_RangeError);
                assert_eq!(retype(seL4_UntypedObject, 0, 1), seL4_InvalidArgument);
                assert_eq!(retype(seL4_UntypedObject, 64, 1), seL4_RangeError);
                assert_eq!(retype(endpoint, 0, 0), seL4_RangeError);
                assert_eq!(retype(endpoint, 0, usize::MAX), seL4_RangeError);
                assert_eq!(retype(usize::MAX, 0, 1), seL4_InvalidArgument);
                assert_eq!(retype(seL4_UntypedObject, 40, 1), seL4_NotEnoughMemory);
                assert_eq!(retype(endpoint, 0, 1), seL4_NoError);
                sel4_hosted::set_main_result(9);
            }
            // Prints the registers that a poll without a signal leaves open.
            "open registers" => {
                for word in 0..4 {
                    seL4_SetMR(word, 0);
                }
                let info = seL4_Poll(objects().0.word(), std::ptr::null_mut());
                let words = [0, 1, 2, 3].map(|word| seL4_GetMR(word));
                println!("open: {:x} {words:x?}", info.words[0]);
            }
            // Resets an untyped of 1 MiB that was used to its end.
            "long retype" => {
                let info = BootInfo::from_ptr(sel4_hosted::boot_info());
                let largest = info.untypeds().filter(|untyped| !untyped.is_device);
                let largest = largest.max_by_key(|untyped| untyped.size_bits).unwrap();
                let slot = (*sel4_hosted::boot_info()).empty.start;
                let retype = |memory, slot| {
                    let root = seL4_CapInitThreadCNode;
                    seL4_Untyped_Retype(memory, seL4_UntypedObject, 20, root, 0, 0, slot, 1)
                };
                assert_eq!(retype(largest.cap.word(), slot), seL4_NoError);
                assert_eq!(retype(slot, slot + 1), seL4_NoError);
                let deleted = seL4_CNode_Delete(seL4_CapInitThreadCNode, slot + 1, 64);
                assert_eq!(deleted, seL4_NoError);
                let before = sel4_hosted::clock();
                assert_eq!(retype(slot, slot + 1), seL4_NoError);
                let passed = sel4_hosted::clock() - before;
                // A microsecond for each hundred chunks of 256 bytes.
                assert!(passed >= 40, "{passed}");
                sel4_hosted::set_main_result(9);
            }
            other => panic!("there is no case `{other}`"),
        }
        seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    }
}

#[repr(align(4096))]
struct Page(std::cell::UnsafeCell<[u8; 4096]>);

// SAFETY: only one thread uses the value.
unsafe impl Sync for Page {}

static OWN_PAGE: Page = Page(std::cell::UnsafeCell::new([1; 4096]));

unsafe extern "C" {
    /// The linker's symbol for the start of the executable.
    static __ehdr_start: u8;
}

fn objects() -> (Cap<Endpoint>, Cap<SmallPage>, Allocator) {
    // SAFETY: the BootInfo is the kernel's.
    let info = unsafe { BootInfo::from_ptr(sel4_hosted::boot_info()) };
    // SAFETY: nothing else uses the empty slots, as each case calls this once.
    let mut objects = unsafe { Allocator::new(&info) };
    (objects.make().unwrap(), objects.make().unwrap(), objects)
}

/// Returns an address that Linux has already mapped, in the C library.
fn taken_address() -> usize {
    libc::getpid as *const () as usize
}

#[allow(unconditional_recursion)]
fn overflow(depth: usize) -> usize {
    let room = std::hint::black_box([depth; 512]);
    overflow(depth + 1) + room[depth % 512]
}

#[test]
fn exit_codes_say_what_happened() {
    for (case, code, says) in [
        ("done", 0, "begins"),
        ("returned", 7, "begins"),
        ("halted", 0, "begins"),
        ("deadlock", 80, "deadlock: no thread can run"),
        ("wild", 81, "no data at 0x18"),
        ("wild answer", 81, "no data at 0x28"),
        ("wild registers", 81, "no data at 0x38"),
        ("no capability", 81, "no fault handler"),
        ("no capability called", 81, "no capability to send to"),
        ("empty slot called", 2, "begins"),
        ("overflow", 81, "has used up its stack"),
        ("heap", 82, "memory allocation of"),
        ("another thread", 82, "no kernel runs in this thread"),
        ("another thread", 82, "a thread of Linux has called abort()"),
        ("crash", 85, "signal 11 at 0x"),
        ("crash", 85, "running"),
        ("abort", 82, "abort()"),
        ("own page", 9, "begins"),
        ("own page unmapped", 81, "no fault handler"),
        ("taken", 84, "choose another, such as 0x10000000"),
    ] {
        let (found, said) = end_of(case, &[], None);
        assert!(
            found == code && said.contains(says),
            "{case}: {found}\n{said}"
        );
    }
}

/// A refused retype changes nothing: the memory still suffices for as many endpoints.
#[test]
fn memory_ends_and_sizes_have_bounds() {
    let (code, said) = end_of("sizes", &[("SEL4_HOSTED_MEMORY_MIB", "4")], None);
    assert_eq!(code, 9, "{said}");
}

#[test]
fn a_deadlock_names_the_threads() {
    let (_, said) = end_of("deadlock", &[], None);
    assert!(
        said.contains("a name") && said.contains("waits to receive from endpoint"),
        "{said}"
    );
}

#[test]
fn a_thread_that_runs_for_ever_is_found() {
    let (code, said) = end_of("stuck", &[("SEL4_HOSTED_WATCHDOG", "1")], None);
    assert!(
        code == 83 && said.contains("does not enter the kernel") && said.contains("rootserver"),
        "{code}\n{said}"
    );
}

#[test]
fn a_signal_from_outside_ends_it_with_the_threads() {
    for (signal, expected) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        // While a thread computes, and while it enters the kernel again and again.
        for case in ["stuck", "busy"] {
            let (code, said) = end_of(case, &[], Some(signal));
            assert!(
                code == expected && said.contains("interrupted") && said.contains("rootserver"),
                "{case}: {code}\n{said}"
            );
        }
    }
}

#[test]
fn settings_that_are_no_numbers_are_refused() {
    let (code, said) = end_of("done", &[("SEL4_HOSTED_SEED", "many")], None);
    assert!(
        code == 84 && said.contains("SEL4_HOSTED_SEED is `many`"),
        "{code}\n{said}"
    );
    let (code, said) = end_of("done", &[("SEL4_HOSTED_MEMORY_MIB", "0")], None);
    assert!(
        code == 84 && said.contains("of `0` that there are"),
        "{code}\n{said}"
    );
}

#[test]
fn open_registers_hold_poison_by_the_seed() {
    let open = |seed| {
        let (code, said) = end_of("open registers", &[("SEL4_HOSTED_SEED", seed)], None);
        let line = said.lines().find(|line| line.starts_with("open: "));
        assert!(code == 0 && line.is_some(), "{code}\n{said}");
        line.unwrap_or_default().to_owned()
    };
    // Without a seed, too, and always the same.
    assert_eq!(open(""), open(""));
    assert_eq!(open("7"), open("7"));
    assert_ne!(open("7"), open("8"));
    assert_eq!(open("").matches("dead").count(), 4, "{}", open(""));
}

#[test]
fn a_long_operation_is_preempted_and_continues() {
    let preemptions = |seed| {
        let environment = [("SEL4_HOSTED_TRACE", "1"), ("SEL4_HOSTED_SEED", seed)];
        let (code, said) = end_of("long retype", &environment, None);
        assert_eq!(code, 9, "{said}");
        said.matches("Preempted").count()
    };
    assert!(preemptions("") > 3);
    assert_eq!(preemptions("5"), preemptions("5"));
}

#[test]
fn a_random_seed_is_printed() {
    let (code, said) = end_of("deadlock", &[("SEL4_HOSTED_SEED", "random")], None);
    let (_, seed) = said.split_once("SEL4_HOSTED_SEED=").unwrap_or_default();
    let (seed, rest) = seed.split_once(' ').unwrap_or_default();
    assert!(
        code == 80 && seed.parse::<u64>().is_ok() && rest.starts_with("repeats this run"),
        "{code}\n{said}"
    );
    assert!(!end_of("deadlock", &[], None).1.contains("SEL4_HOSTED_SEED"));
    let (code, said) = end_of("returned", &[("SEL4_HOSTED_SEED", "12")], None);
    assert!(
        code == 7 && said.contains("SEL4_HOSTED_SEED=12 repeats"),
        "{code}\n{said}"
    );
}

#[test]
fn the_nth_retype_fails_if_it_is_asked_to() {
    for (number, expected) in [("0", 1), ("1", 2), ("2", 1)] {
        let (code, said) = end_of("retype", &[("SEL4_HOSTED_FAIL_RETYPE", number)], None);
        assert_eq!(code, expected, "{said}");
    }
}

#[test]
fn the_nth_signal_is_late_if_it_is_asked_to() {
    for (number, entries, expected) in [("0", "5", 0), ("1", "5", 5), ("2", "5", 0)] {
        let environment = [
            ("SEL4_HOSTED_DELAY_SIGNAL", number),
            ("SEL4_HOSTED_DELAY", entries),
        ];
        let (code, said) = end_of("signal", &environment, None);
        assert_eq!(code, expected, "{said}");
    }
}

#[test]
fn what_is_held_is_counted_and_drawn() {
    let graph = std::env::temp_dir().join(format!("sel4-hosted-{}.dot", std::process::id()));
    let environment = [
        ("SEL4_HOSTED_LEAKS", "1"),
        ("SEL4_HOSTED_GRAPH", graph.to_str().unwrap()),
        ("SEL4_HOSTED_TRACE", "1"),
    ];
    let (_, said) = end_of("deadlock", &environment, None);
    assert!(said.contains("still held: "), "{said}");
    assert!(said.contains("UntypedRetype"), "{said}");
    let drawn = std::fs::read_to_string(&graph).unwrap();
    std::fs::remove_file(&graph).unwrap();
    assert!(
        drawn.starts_with("digraph") && drawn.contains("endpoint"),
        "{drawn}"
    );
}
