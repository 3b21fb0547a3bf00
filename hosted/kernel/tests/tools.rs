// SPDX-License-Identifier: GPL-2.0-only

//! Tools of the model, and kernels that do not boot.

// The registers and numbers here are x86_64's.
#![cfg(target_arch = "x86_64")]

mod common;

use common::*;
use sel4_hosted_kernel::{
    BootError, Config, Event, Image, Injection, Invocation::*, Kernel, Labels, Region, Register,
};

#[test]
fn an_injected_retype_failure_occurs() {
    let mut system = System::new();
    let memory = system.memory();
    system.kernel.inject(Injection {
        failing_retype: 2,
        ..Injection::default()
    });
    let first = system.make(ENDPOINT_OBJECT);
    let words = [ENDPOINT_OBJECT, 0, 0, 0, first + 1, 1];
    let (error, words_left) = system.invoke(memory, UntypedRetype, &[CNODE], &words);
    assert_eq!((error, words_left.len()), (10, 1));
    assert_eq!(
        system.invoke(memory, UntypedRetype, &[CNODE], &words),
        (0, vec![])
    );
}

#[test]
fn an_injected_signal_delay_occurs() {
    let mut system = System::new();
    let notification = system.make(NOTIFICATION_OBJECT);
    let badged = system.mint(notification, 5);
    let poll = |system: &mut System| {
        system.syscall(NB_RECV, notification);
        system.register(Register::Rdi)
    };
    system.kernel.inject(Injection {
        delayed_signal: 1,
        delay: 3,
        ..Injection::default()
    });
    system.syscall(SEND, badged);
    assert_eq!([0; 4].map(|_: i32| poll(&mut system)), [0, 0, 0, 5]);
    // If all threads wait, the signal arrives early.
    system.kernel.inject(Injection {
        delayed_signal: 2,
        delay: 1000,
        ..Injection::default()
    });
    system.syscall(SEND, badged);
    assert_eq!(poll(&mut system), 0);
    system.syscall(RECV, notification);
    assert_eq!(
        (
            system.kernel.current().is_some(),
            system.register(Register::Rdi)
        ),
        (true, 5)
    );
}

#[test]
fn a_serial_port_prints_and_other_ports_are_named() {
    let mut system = System::new();
    let ports = system.slot();
    let issue = [0, 0xffff, ports, 64];
    system.invoke_ok(IO_PORTS, X86IOPortControlIssue, &[CNODE], &issue);
    assert_eq!(system.invoke_ok(ports, X86IOPortIn8, &[], &[0x3fd]), [0x60]);
    for (port, byte) in [(0x3fb, 0x80), (0x3f8, 1), (0x3fb, 3), (0x3f8, 0x41)] {
        system.invoke_ok(ports, X86IOPortOut8, &[], &[port, byte]);
    }
    assert_eq!(system.kernel.machine().console, "A");
    for _ in 0..2 {
        assert_eq!(
            system.invoke_ok(ports, X86IOPortIn16, &[], &[0x60]),
            [0xffff]
        );
    }
    let named = "Anot modelled: what is behind I/O port 0x60\n";
    assert_eq!(system.kernel.machine().console, named);
    assert_eq!(
        system.invoke(ports, X86IOPortIn32, &[], &[0xfffe]),
        (3, vec![])
    );
}

#[test]
fn resources_in_use_are_counted() {
    let mut system = System::new();
    let before = system.kernel.holdings();
    let endpoint = system.make(ENDPOINT_OBJECT);
    system.mint(endpoint, 1);
    let during = system.kernel.holdings();
    assert_eq!(
        (during.slots - before.slots, during.bytes - before.bytes),
        (2, 16)
    );
    let memory = system.memory();
    system.revoke(memory);
    assert_eq!(system.kernel.holdings(), before);
}

#[test]
fn capabilities_are_drawn_as_a_graph() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    system.mint(endpoint, 17);
    let graph = system.kernel.graph();
    let node = |label: &str| {
        let line = graph.lines().find(|line| line.contains(label)).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    let arrow = format!("{} -> {}", node("2^4\"]"), node("badge 17"));
    assert!(
        graph.starts_with("digraph capabilities {") && graph.contains(&arrow),
        "{graph}"
    );
}

#[test]
fn events_describe_an_invocation() {
    let mut system = System::new();
    system.kernel.machine_mut().events = Some(Vec::new());
    let memory = system.memory();
    system.invoke(memory, UntypedRetype, &[CNODE], &[99, 0, 0, 0, 0, 1]);
    let events = system.kernel.machine_mut().events.take().unwrap();
    assert!(matches!(events[0], Event::Syscall { number: CALL, cptr, .. } if cptr == memory));
    assert!(matches!(
        events[1],
        Event::Invocation {
            invocation: UntypedRetype,
            ..
        }
    ));
    assert!(matches!(events[2], Event::Refused { error, .. } if error.code() == 1));
}

#[test]
fn a_system_that_does_not_fit_does_not_boot() {
    let boots = |config: &Config, start: usize, end: usize| {
        let image = Image {
            vaddrs: Region { start, end },
            ipc_buffer: end,
            entry: start,
            extra: vec![0; 5000],
        };
        let kernel = Kernel::boot(Memory::default(), config, Labels::default(), &image);
        kernel
            .map(|(kernel, _)| kernel.check().unwrap())
            .map_err(|error| (error.to_string(), error))
    };
    let config = Config::default();
    assert_eq!(boots(&config, IMAGE, IMAGE + 0x1000), Ok(()));
    let refused = |config: &Config, start, end| boots(config, start, end).unwrap_err();
    let (text, error) = refused(&config, IMAGE, IMAGE + 5);
    assert!(
        matches!(error, BootError::NotPages { .. }) && text.contains("`0x400005`"),
        "{text}"
    );
    let (text, error) = refused(&config, 0x7fff_ffff_0000, 0x7fff_ffff_f000);
    assert!(matches!(error, BootError::TooHigh { .. }), "{text}");
    let memory = |bytes: usize| Region {
        start: 0x100_0000,
        end: 0x100_0000 + bytes,
    };
    let with = |memory| Config {
        memory,
        ..Config::default()
    };
    let (text, error) = refused(&with(memory(1 << 16)), IMAGE, IMAGE + 0x1000);
    assert!(
        matches!(error, BootError::Memory { .. }) && text.contains("help:"),
        "{text}"
    );
    let (text, error) = refused(&with(memory(1 << 40)), IMAGE, IMAGE + 0x1000);
    assert!(matches!(error, BootError::TooMuchMemory { .. }), "{text}");
    let small = Config {
        root_cnode_bits: 3,
        ..Config::default()
    };
    let (text, error) = refused(&small, IMAGE, IMAGE + 0x1000);
    assert!(matches!(error, BootError::RootCNode { bits: 3 }), "{text}");
}
