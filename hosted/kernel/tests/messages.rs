// SPDX-License-Identifier: GPL-2.0-only

//! Threads: messages, scheduling and faults.

// The registers and numbers here are x86_64's.
#![cfg(target_arch = "x86_64")]

mod common;

use common::*;
use sel4_hosted_kernel::{
    Config, Fault, Invocation, Invocation::*, Labels, MessageInfo, Register, ThreadState,
};

/// Returns libsel4's label of an invocation.
fn label(invocation: Invocation) -> usize {
    1 + Invocation::ALL
        .iter()
        .position(|of| *of == invocation)
        .unwrap()
}

/// Makes the initial thread wait, so that the others run.
fn rest(system: &mut System) {
    let never = system.make(NOTIFICATION_OBJECT);
    system.syscall(RECV, never);
}

fn send(
    system: &mut System,
    who: Runner,
    call: isize,
    cptr: usize,
    caps: &[usize],
    words: &[usize],
) {
    assert_eq!(system.current(), who.id);
    system.put(who.buffer, 5, caps, words);
    system.syscall(call, cptr);
}

#[test]
fn a_call_is_answered() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let badged = system.mint(endpoint, 17);
    let (server, client) = (system.thread(20, 0), system.thread(10, 0));
    rest(&mut system);
    assert_eq!(system.current(), server.id);
    system.syscall(RECV, endpoint);
    let words = [1, 2, 3, 4, 5, 6];
    send(&mut system, client, CALL, badged, &[], &words);
    assert_eq!(system.current(), server.id);
    assert_eq!(
        system.message(server.buffer),
        (17, MessageInfo::new(5, 0, 0, 6), words.to_vec())
    );
    system.put(server.buffer, 7, &[], &[10, 20, 30, 40, 50]);
    system.syscall(REPLY_RECV, endpoint);
    assert_eq!(system.current(), client.id);
    let (_, info, words) = system.message(client.buffer);
    assert_eq!((info.label(), words), (7, vec![10, 20, 30, 40, 50]));
}

#[test]
fn senders_are_received_in_order() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let senders = [
        system.thread(30, 0),
        system.thread(20, 0),
        system.thread(25, 0),
    ];
    rest(&mut system);
    for sender in [0, 2, 1] {
        send(&mut system, senders[sender], SEND, endpoint, &[], &[sender]);
    }
    assert_eq!(system.kernel.current(), None);
    assert!(
        system
            .kernel
            .thread_table()
            .contains("waits to send to endpoint")
    );
}

#[test]
fn of_two_threads_woken_at_once_the_second_runs_first() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let server = system.thread(20, 0);
    let (caller, sender) = (system.thread(11, 0), system.thread(10, 0));
    rest(&mut system);
    system.syscall(RECV, endpoint);
    send(&mut system, caller, CALL, endpoint, &[], &[]);
    // The server's low priority lets the other thread send.
    system.put(server.buffer, label(TCBSetPriority), &[TCB], &[5]);
    system.syscall(CALL, server.tcb);
    send(&mut system, sender, SEND, endpoint, &[], &[]);
    assert_eq!(system.current(), server.id);
    system.put(server.buffer, label(TCBSetPriority), &[TCB], &[20]);
    system.syscall(CALL, server.tcb);
    system.put(server.buffer, label(TCBSetPriority), &[TCB], &[10]);
    system.syscall(CALL, caller.tcb);
    system.put(server.buffer, 0, &[], &[]);
    system.syscall(REPLY_RECV, endpoint);
    assert_eq!(system.current(), server.id, "it has received");
    system.syscall(RECV, endpoint);
    assert_eq!(system.current(), sender.id);
}

#[test]
fn extra_capabilities_are_transferred() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let (badged, other) = (system.mint(endpoint, 17), system.make(NOTIFICATION_OBJECT));
    let (server, client) = (system.thread(20, 0), system.thread(10, 0));
    let to = system.slot();
    for (word, value) in [(125, CNODE), (126, to), (127, 64)] {
        system.write(server.buffer + word * 8, value);
    }
    rest(&mut system);
    system.syscall(RECV, endpoint);
    send(
        &mut system,
        client,
        CALL,
        badged,
        &[badged, other, CNODE],
        &[1],
    );
    let (badge, info, _) = system.message(server.buffer);
    // The first is unwrapped, the second goes to the receive slot, and the third finds none.
    assert_eq!((badge, info), (17, MessageInfo::new(5, 0b001, 2, 1)));
    assert_eq!(system.read(server.buffer + 122 * 8), 17);
    assert_eq!(system.identify(to), 6);
    // A capability without a receive slot ends the transfer, also of those that would be unwrapped.
    system.put(server.buffer, 0, &[], &[]);
    system.syscall(REPLY_RECV, endpoint);
    let caps = [CNODE, badged, badged];
    send(&mut system, client, CALL, badged, &caps, &[]);
    assert_eq!(
        system.message(server.buffer).1,
        MessageInfo::new(5, 0, 0, 0)
    );
}

#[test]
fn without_grant_nothing_is_transferred_and_a_call_is_never_answered() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let (write, reply) = (system.copy(endpoint, 1), system.copy(endpoint, 9));
    let (server, client) = (system.thread(20, 0), system.thread(10, 0));
    rest(&mut system);
    system.syscall(RECV, endpoint);
    send(&mut system, client, CALL, reply, &[CNODE], &[1]);
    assert_eq!(
        system.message(server.buffer).1,
        MessageInfo::new(5, 0, 0, 1)
    );
    system.put(server.buffer, 0, &[], &[]);
    system.syscall(REPLY_RECV, endpoint);
    send(&mut system, client, CALL, write, &[], &[1]);
    assert_eq!(system.current(), server.id);
    let state = |system: &System, id| {
        system
            .kernel
            .threads()
            .find(|view| view.id == id)
            .unwrap()
            .state
    };
    assert_eq!(state(&system, client.id), ThreadState::Inactive);
    system.syscall(REPLY, 0);
    assert_eq!(state(&system, client.id), ThreadState::Inactive);
}

#[test]
fn a_reply_transfers_capabilities_if_the_receiver_could_grant() {
    for (rights, count) in [(2, 0), (6, 1)] {
        let mut system = System::new();
        let endpoint = system.make(ENDPOINT_OBJECT);
        let receives = system.copy(endpoint, rights);
        let (server, client) = (system.thread(20, 0), system.thread(10, 0));
        let to = system.slot();
        for (word, value) in [(125, CNODE), (126, to), (127, 64)] {
            system.write(client.buffer + word * 8, value);
        }
        rest(&mut system);
        system.syscall(RECV, receives);
        send(&mut system, client, CALL, endpoint, &[], &[1]);
        send(&mut system, server, REPLY_RECV, receives, &[CNODE], &[]);
        assert_eq!(system.current(), client.id);
        assert_eq!(
            system.message(client.buffer).1,
            MessageInfo::new(5, 0, count, 0)
        );
    }
}

#[test]
fn a_reply_capability_can_be_saved_for_later() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let (server, client) = (system.thread(20, 0), system.thread(10, 0));
    let kept = system.slot();
    rest(&mut system);
    system.syscall(RECV, endpoint);
    send(&mut system, client, CALL, endpoint, &[], &[1]);
    let label = 25; // CNodeSaveCaller
    system.put(server.buffer, label, &[], &[kept, 64]);
    system.syscall(CALL, CNODE);
    assert_eq!(system.message(server.buffer).1.label(), 0);
    assert_eq!(system.identify(kept), 8);
    system.put(server.buffer, 9, &[], &[33]);
    system.syscall(SEND, kept);
    assert_eq!(system.identify(kept), 0, "a reply capability is used once");
    system.syscall(RECV, endpoint);
    assert_eq!(system.current(), client.id);
    assert_eq!(system.message(client.buffer).2, [33]);
}

#[test]
fn notifications_collect_badges_and_wake_the_bound_thread() {
    let mut system = System::new();
    let (notification, endpoint) = (
        system.make(NOTIFICATION_OBJECT),
        system.make(ENDPOINT_OBJECT),
    );
    let (one, two) = (system.mint(notification, 1), system.mint(notification, 2));
    system.syscall(NB_RECV, notification);
    assert_eq!(system.register(Register::Rdi), 0);
    system.syscall(SEND, one);
    system.syscall(SEND, two);
    system.syscall(RECV, notification);
    assert_eq!(system.register(Register::Rdi), 3);

    let server = system.thread(20, 0);
    system.invoke_ok(server.tcb, TCBBindNotification, &[notification], &[]);
    let again = system.invoke(server.tcb, TCBBindNotification, &[notification], &[]);
    assert_eq!(again, (3, vec![]));
    // The initial thread is not the bound one.
    system.syscall(RECV, notification);
    assert_eq!(
        system.current(),
        server.id,
        "the initial thread has faulted"
    );
    assert!(
        system
            .kernel
            .machine()
            .console
            .contains("thread `rootserver` stops")
    );
    system.syscall(RECV, endpoint);
    assert_eq!(system.kernel.current(), None);
}

#[test]
fn a_fault_is_sent_and_replied_to() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let badged = system.mint(endpoint, 99);
    let (handler, thread) = (system.thread(20, 0), system.thread(10, badged));
    rest(&mut system);
    system.syscall(RECV, endpoint);
    system.kernel.fault(Fault::Vm {
        address: 0x18,
        status: 4,
        instruction: false,
    });
    let ip = 0x1000 * thread.tcb;
    let (badge, info, words) = system.message(handler.buffer);
    assert_eq!(
        (badge, info, words),
        (99, MessageInfo::new(5, 0, 0, 4), vec![ip, 0x18, 0, 4])
    );
    system.put(handler.buffer, 0, &[], &[]);
    system.syscall(REPLY_RECV, endpoint);
    assert_eq!(system.current(), thread.id);
    assert_eq!(system.kernel.context(thread.id).next, ip);

    // An unknown system call: 18 registers and the number. The reply changes the first register.
    system.syscall(-77, 0);
    let (_, info, words) = system.message(handler.buffer);
    assert_eq!(
        (info, words[18].cast_signed()),
        (MessageInfo::new(2, 0, 0, 19), -77)
    );
    assert_eq!((words[15], words[16]), (ip, 0x7000));
    system.put(handler.buffer, 0, &[], &[55]);
    system.syscall(REPLY_RECV, endpoint);
    assert_eq!(system.register(Register::Rax), 55);

    // A missing capability: the message has the lookup failure.
    system.syscall(SEND, 9000);
    let (_, info, words) = system.message(handler.buffer);
    assert_eq!((info.label(), words), (1, vec![ip, 9000, 0, 4, 64, 0, 51]));
    // After a capability fault, the thread restarts with any label.
    system.put(handler.buffer, 1, &[], &[]);
    system.syscall(REPLY_RECV, endpoint);
    assert_eq!(system.current(), thread.id);
    system
        .kernel
        .fault(Fault::UserException { number: 6, code: 0 });
    assert_eq!(
        system.message(handler.buffer).1,
        MessageInfo::new(3, 0, 0, 5)
    );
    system.put(handler.buffer, 1, &[], &[]);
    system.syscall(REPLY_RECV, endpoint);
    assert_eq!(
        system.kernel.current(),
        None,
        "the label has stopped the thread"
    );
}

#[test]
fn waiting_threads_restart_when_the_endpoint_is_deleted() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let wake = system.make(NOTIFICATION_OBJECT);
    let (low, high) = (system.thread(10, 0), system.thread(20, 0));
    system.syscall(RECV, wake);
    system.syscall(RECV, endpoint);
    let before = system.kernel.context(low.id).next;
    system.put(low.buffer, 0, &[], &[]);
    system.syscall(SEND, wake);
    system.delete(endpoint);
    rest(&mut system);
    assert_eq!(system.current(), high.id);
    let ip = 0x1000 * high.tcb;
    assert_eq!(system.kernel.context(high.id).next, ip);
    assert!(before > 0);
}

#[test]
fn equal_priorities_are_round_robin() {
    let config = Config {
        entries_per_tick: 1,
        ..Config::default()
    };
    let mut system = System::with(&config);
    let threads = [system.thread(10, 0), system.thread(10, 0)];
    rest(&mut system);
    let mut runs = Vec::new();
    for _ in 0..20 {
        runs.push(system.current());
        system.syscall(-9, b'x'.into());
        system.syscall(YIELD, 0);
    }
    assert_eq!(runs.iter().filter(|id| **id == threads[0].id).count(), 10);
    assert_eq!(system.kernel.machine().console, "x".repeat(20));
}

#[test]
fn a_seed_chooses_a_schedule_and_repeats_it() {
    let order = |seed| {
        let config = Config {
            seed,
            time_slice: 1,
            ..Config::default()
        };
        let mut system = System::with(&config);
        let notification = system.make(NOTIFICATION_OBJECT);
        for _ in 0..3 {
            system.thread(10, 0);
        }
        rest(&mut system);
        let run = |_| {
            let current = system.current();
            system.syscall(NB_RECV, notification);
            current
        };
        (0..50).map(run).collect::<Vec<_>>()
    };
    assert_eq!(order(None), order(None));
    assert_eq!(order(Some(1)), order(Some(1)));
    assert_ne!(order(Some(1)), order(Some(2)));
    assert_ne!(order(Some(1)), order(None));
}

#[test]
fn registers_are_read_and_written() {
    let mut system = System::new();
    let tcb = system.make(TCB_OBJECT);
    let written: Vec<usize> = [0, 20].into_iter().chain(100..120).collect();
    system.invoke_ok(tcb, TCBWriteRegisters, &[], &written);
    let read = system.invoke_ok(tcb, TCBReadRegisters, &[], &[0, 20]);
    // The flags are sanitised.
    assert_eq!(
        (read[2], &read[..2], &read[3..]),
        (0x246, &written[2..4], &written[5..])
    );
    assert_eq!(
        system.invoke(tcb, TCBReadRegisters, &[], &[0, 21]),
        (4, vec![1, 20])
    );
    assert_eq!(
        system.invoke(TCB, TCBReadRegisters, &[], &[0, 1]),
        (3, vec![])
    );
    assert_eq!(
        system.invoke(tcb, TCBWriteRegisters, &[], &[0, 3, 1, 2]),
        (7, vec![])
    );
    assert_eq!(
        system.invoke(tcb, TCBSetPriority, &[TCB], &[256]),
        (4, vec![0, 255])
    );
    assert_eq!(
        system.invoke(tcb, TCBSetPriority, &[CNODE], &[1]),
        (2, vec![1])
    );
    assert_eq!(system.invoke_ok(tcb, TCBSetFlags, &[], &[0, 7]), [1]);
    let other = system.make(TCB_OBJECT);
    system.invoke_ok(other, TCBCopyRegisters, &[tcb], &[0b1100]);
    assert_eq!(
        system.invoke_ok(other, TCBReadRegisters, &[], &[0, 20]),
        read
    );
}

#[test]
fn a_thread_is_named_and_the_system_halted() {
    let mut system = System::new();
    let tcb = system.make(TCB_OBJECT);
    assert_eq!(
        system.kernel.threads().next().unwrap().name,
        "child of: 'rootserver'"
    );
    let buffer = system.layout.ipc_buffer;
    system.write(buffer + 8, usize::from_ne_bytes(*b"worker\0\0"));
    system.syscall(-14, tcb);
    assert_eq!(system.kernel.threads().next().unwrap().name, "worker");
    system.syscall(-10, 0);
    assert!(system.kernel.machine().console.contains("worker"));
    system.syscall(-13, 0);
    assert!(system.kernel.machine().console.contains("digraph"));
    system.kernel.syscall(-11);
    assert_eq!(
        (system.kernel.current(), system.kernel.is_halted()),
        (None, true)
    );
}

#[test]
fn a_thread_that_sets_its_own_affinity_yields() {
    let labels = Labels::new((1..).zip(Invocation::ALL.iter().copied()));
    let mut system = System::with_labels(&Config::default(), labels);
    let peer = system.thread(255, 0);
    const ILLEGAL_OPERATION: usize = 3;
    assert_eq!(
        system.invoke(peer.tcb, TCBSetAffinity, &[], &[1]),
        (ILLEGAL_OPERATION, vec![])
    );
    assert_eq!(
        system.invoke(peer.tcb, TCBSetAffinity, &[], &[0]),
        (0, vec![])
    );
    system.put(system.layout.ipc_buffer, label(TCBSetAffinity), &[], &[0]);
    system.syscall(CALL, TCB);
    assert_eq!(system.current(), peer.id);
}
