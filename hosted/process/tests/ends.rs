// SPDX-License-Identifier: BSD-2-Clause

//! How a process ends, by its exit code and what it says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use libsel4::libsel4_sys::{
    seL4_CapInitThreadTCB, seL4_DebugHalt, seL4_DebugNameThread, seL4_DebugPutString, seL4_Recv,
    seL4_TCB_Suspend,
};
use libsel4::{Allocator, BootInfo, Cap, CapRights, Endpoint, SmallPage, VmAttributes};

/// What this process is to do, if it is the root server of one of the tests below.
const CASE: &str = "ENDS";

/// Runs a case in a process of its own; gives its exit code and what it said.
fn end_of(case: &str, environment: &[(&str, &str)], interrupt: bool) -> (i32, String) {
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
    if interrupt {
        while !said.contains("begins") {
            assert!(out.read_line(&mut said).unwrap() > 0, "{said}");
        }
        // SAFETY: a plain call.
        unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
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
    // SAFETY: each does what it is about, to nobody but itself.
    unsafe {
        seL4_DebugPutString(c"begins\n".as_ptr().cast_mut());
        match &*case {
            "done" => {}
            "returned" => sel4_hosted::returned(7),
            "halted" => seL4_DebugHalt(),
            "deadlock" => {
                seL4_DebugNameThread(seL4_CapInitThreadTCB, c"a name".as_ptr());
                seL4_Recv(objects().0.word(), std::ptr::null_mut());
            }
            "wild" => std::ptr::without_provenance::<u8>(0x18)
                .read_volatile()
                .to_string()
                .clear(),
            "overflow" => {
                overflow(1);
            }
            "abort" => libc::abort(),
            "stuck" => loop {
                std::hint::spin_loop();
            },
            "taken" => {
                let (_, page, mut objects) = objects();
                let info = BootInfo::from_ptr(sel4_hosted::boot_info());
                let here = objects_address() & !0xfff;
                let rights = CapRights::READ_WRITE;
                let _ = objects.map_page(info.vspace(), page, here, rights, VmAttributes::DATA);
            }
            "retype" => {
                let info = BootInfo::from_ptr(sel4_hosted::boot_info());
                let untyped = info
                    .untypeds()
                    .find(|untyped| !untyped.is_device)
                    .unwrap()
                    .cap;
                let slot = info.empty().next().unwrap();
                let root = slot.root().itself();
                let result = untyped.untyped_retype::<Endpoint>(0, root, slot.index(), 1);
                sel4_hosted::returned(if result.is_ok() { 1 } else { 2 });
            }
            other => panic!("there is no case `{other}`"),
        }
        seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    }
}

fn objects() -> (Cap<Endpoint>, Cap<SmallPage>, Allocator<64>) {
    // SAFETY: the kernel's own.
    let mut objects = Allocator::new(&unsafe { BootInfo::from_ptr(sel4_hosted::boot_info()) });
    (objects.make().unwrap(), objects.make().unwrap(), objects)
}

/// An address that the process has for itself.
fn objects_address() -> usize {
    objects_address as *const () as usize
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
        ("overflow", 81, "no fault handler"),
        ("abort", 82, "abort()"),
        ("taken", 84, "choose another, such as 0x10000000"),
    ] {
        let (found, said) = end_of(case, &[], false);
        assert!(
            found == code && said.contains(says),
            "{case}: {found}\n{said}"
        );
    }
}

#[test]
fn a_deadlock_names_the_threads() {
    let (_, said) = end_of("deadlock", &[], false);
    assert!(
        said.contains("a name") && said.contains("waits to receive from endpoint"),
        "{said}"
    );
}

#[test]
fn a_thread_that_runs_for_ever_is_found() {
    let (code, said) = end_of("stuck", &[("SEL4_HOSTED_WATCHDOG", "1")], false);
    assert!(
        code == 83 && said.contains("does not enter the kernel") && said.contains("rootserver"),
        "{code}\n{said}"
    );
}

#[test]
fn an_interrupt_from_outside_ends_it_with_the_threads() {
    let (code, said) = end_of("stuck", &[], true);
    assert!(
        code == 130 && said.contains("interrupted") && said.contains("rootserver"),
        "{code}\n{said}"
    );
}

#[test]
fn settings_that_are_no_numbers_are_refused() {
    let (code, said) = end_of("done", &[("SEL4_HOSTED_SEED", "many")], false);
    assert!(
        code == 84 && said.contains("SEL4_HOSTED_SEED is `many`"),
        "{code}\n{said}"
    );
    let (code, said) = end_of("done", &[("SEL4_HOSTED_MEMORY_MIB", "0")], false);
    assert!(
        code == 84 && said.contains("0 bytes of memory"),
        "{code}\n{said}"
    );
}

#[test]
fn the_nth_retype_fails_if_it_is_asked_to() {
    for (number, expected) in [("0", 1), ("1", 2), ("2", 1)] {
        let (code, said) = end_of("retype", &[("SEL4_HOSTED_FAIL_RETYPE", number)], false);
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
    let (_, said) = end_of("deadlock", &environment, false);
    assert!(said.contains("still held: "), "{said}");
    assert!(said.contains("UntypedRetype"), "{said}");
    let drawn = std::fs::read_to_string(&graph).unwrap();
    std::fs::remove_file(&graph).unwrap();
    assert!(
        drawn.starts_with("digraph") && drawn.contains("endpoint"),
        "{drawn}"
    );
}
