// SPDX-License-Identifier: GPL-2.0-only

//! Hostile choices: poison where the kernel leaves registers open, and preempted operations.

// The registers and numbers here are x86_64's.
#![cfg(target_arch = "x86_64")]

mod common;

use common::*;
use sel4_hosted_kernel::{
    Config, Event, Injection, Invocation, Invocation::*, MessageInfo, Register,
};

fn hostile(seed: u64) -> System {
    let mut system = System::with(&Config {
        hostile: Some(seed),
        ..Config::default()
    });
    // The tests check at their ends: thousands of steps would take long.
    system.checks = false;
    system
}

/// Returns the badge, the info and the message registers of the current thread.
fn registers(system: &System) -> [usize; 6] {
    let [mr0, mr1, mr2, mr3] = MESSAGE.map(|register| system.register(register));
    let (badge, info) = (Register::Rdi, Register::Rsi);
    [
        system.register(badge),
        system.register(info),
        mr0,
        mr1,
        mr2,
        mr3,
    ]
}

/// Sets the info and the message registers of the current thread, and receives.
fn receive(system: &mut System, number: isize, cptr: usize) -> [usize; 6] {
    system.put(system.layout.ipc_buffer, 0, &[], &[0; 4]);
    system.syscall(number, cptr);
    registers(system)
}

/// Receives signals in each way. Returns the registers after each.
fn signals(mut system: System) -> Vec<[usize; 6]> {
    let notification = system.make(NOTIFICATION_OBJECT);
    let badged = system.mint(notification, 5);
    let endpoint = system.make(ENDPOINT_OBJECT);
    let mut found = Vec::new();
    system.syscall(SEND, badged);
    found.push(receive(&mut system, RECV, notification));
    found.push(receive(&mut system, NB_RECV, notification));
    system.invoke_ok(TCB, TCBBindNotification, &[notification], &[]);
    system.syscall(SEND, badged);
    found.push(receive(&mut system, RECV, endpoint));
    system.syscall(SEND, badged);
    found.push(receive(&mut system, REPLY_RECV, endpoint));
    found.push(receive(&mut system, NB_RECV, endpoint));
    // The signal arrives while the thread waits.
    system.kernel.inject(Injection {
        delayed_signal: 4,
        delay: 1,
        ..Injection::default()
    });
    system.syscall(SEND, badged);
    found.push(receive(&mut system, RECV, endpoint));
    found
}

#[test]
fn a_signal_leaves_poison_in_the_registers_that_the_kernel_leaves_open() {
    let badges = [5, 0, 5, 5, 0, 5];
    let open = signals(System::new());
    assert_eq!(
        open.iter().map(|words| words[0]).collect::<Vec<_>>(),
        badges
    );
    // The info of the message that `receive` has put there.
    let info = MessageInfo::new(0, 0, 0, 4).0;
    assert!(open.iter().all(|words| words[1..] == [info, 0, 0, 0, 0]));
    let poisoned = signals(hostile(1));
    assert_eq!(
        poisoned.iter().map(|words| words[0]).collect::<Vec<_>>(),
        badges
    );
    for words in &poisoned {
        assert_ne!(words[1], info);
        assert!(
            words[2..].iter().all(|word| word >> 48 == 0xdead),
            "{words:x?}"
        );
    }
    assert_eq!(poisoned, signals(hostile(1)), "a seed repeats a run");
    assert_ne!(poisoned, signals(hostile(2)));
    // Neither the label nor the length tells a signal.
    let infos: Vec<_> = (0..40).flat_map(|seed| signals(hostile(seed))).collect();
    let infos = || infos.iter().map(|words| MessageInfo(words[1]));
    assert!(infos().any(|info| info.label() == 0) && infos().any(|info| info.label() > 100));
    assert!(infos().any(|info| info.length() == 1) && infos().any(|info| info.length() > 100));
}

#[test]
fn a_short_message_leaves_poison_in_the_registers_behind_it() {
    let mut system = hostile(1);
    let endpoint = system.make(ENDPOINT_OBJECT);
    let sender = system.thread(10, 0);
    system.syscall(RECV, endpoint);
    assert_eq!(system.current(), sender.id);
    system.put(sender.buffer, 5, &[], &[7]);
    system.syscall(SEND, endpoint);
    let [_, info, words @ ..] = registers(&system);
    assert_eq!((info, words[0]), (MessageInfo::new(5, 0, 0, 1).0, 7));
    assert!(
        words[1..].iter().all(|word| word >> 48 == 0xdead),
        "{words:x?}"
    );
}

/// Outcome of a long operation.
#[derive(Debug, PartialEq)]
struct Outcome {
    preemptions: usize,
    /// Number of the preemption after which the thread of higher priority ran.
    interrupted_after: Option<usize>,
    error: usize,
}

/// Thread of high priority that is to wait for a signal, and one of low priority.
#[derive(Clone, Copy)]
struct Waiting {
    notification: usize,
    high: Runner,
    low: Runner,
}

/// Makes the two threads, which run once the initial thread waits.
fn waiting(system: &mut System) -> Waiting {
    let notification = system.make(NOTIFICATION_OBJECT);
    let (high, low) = (system.thread(20, 0), system.thread(10, 0));
    Waiting {
        notification,
        high,
        low,
    }
}

/// Makes an invocation of a thread of low priority, and again after each preemption, while a signal
/// for a thread of higher priority is on its way.
fn long_operation(
    system: &mut System,
    waiting: Waiting,
    invocation: Invocation,
    cptr: usize,
    caps: &[usize],
    words: &[usize],
) -> Outcome {
    let Waiting {
        notification,
        high,
        low,
    } = waiting;
    let never = system.make(NOTIFICATION_OBJECT);
    system.syscall(RECV, never);
    assert_eq!(system.current(), high.id);
    system.syscall(RECV, notification);
    assert_eq!(system.current(), low.id);
    system.kernel.inject(Injection {
        delayed_signal: 1,
        delay: 3,
        ..Injection::default()
    });
    system.syscall(SEND, notification);
    let all = Invocation::ALL.iter();
    let label = 1 + all.take_while(|of| **of != invocation).count();
    system.put(low.buffer, label, caps, words);
    system.kernel.machine_mut().events = Some(Vec::new());
    let mut interrupted_after = None;
    loop {
        system.syscall(CALL, cptr);
        if system.current() == high.id {
            let events = system.kernel.machine().events.iter().flatten();
            interrupted_after = Some(preemptions(events));
            system.syscall(RECV, notification);
        }
        let context = system.kernel.context(low.id);
        if context.next != context[Register::Rip] {
            break;
        }
    }
    Outcome {
        preemptions: preemptions(system.kernel.machine_mut().events.take().iter().flatten()),
        interrupted_after,
        error: system.message(low.buffer).1.label(),
    }
}

fn preemptions<'e>(events: impl Iterator<Item = &'e Event>) -> usize {
    let is_preemption = |event: &&Event| matches!(event, Event::Preempted { .. });
    events.filter(is_preemption).count()
}

/// Checks that a thread of higher priority runs in the middle of an operation, which then ends.
fn check_preempted(outcome: &Outcome) {
    assert_eq!(outcome.error, 0, "{outcome:?}");
    assert!(outcome.preemptions > 3, "{outcome:?}");
    let after = outcome.interrupted_after.unwrap();
    assert!((1..outcome.preemptions).contains(&after), "{outcome:?}");
}

/// Resets a used untyped of 1 MiB, by a retype.
fn retype(mut system: System) -> (System, Outcome) {
    let untyped = system.retype(system.memory(), UNTYPED_OBJECT, 20, 1);
    let whole = system.retype(untyped, UNTYPED_OBJECT, 20, 1);
    system.delete(whole);
    let slot = system.slot();
    let words = [UNTYPED_OBJECT, 20, CNODE, 64, slot, 1];
    let waiting = waiting(&mut system);
    let outcome = long_operation(
        &mut system,
        waiting,
        UntypedRetype,
        untyped,
        &[CNODE],
        &words,
    );
    (system, outcome)
}

#[test]
fn a_thread_of_higher_priority_runs_while_an_untyped_is_reset() {
    let (mut system, outcome) = retype(hostile(3));
    check_preempted(&outcome);
    system.kernel.check().unwrap();
    assert_eq!(retype(hostile(3)).1, outcome, "a seed repeats a run");
    assert_ne!(retype(hostile(4)).1.preemptions, outcome.preemptions);
    // A preempted retype counts once.
    system = hostile(3);
    system.kernel.inject(Injection {
        failing_retype: 3,
        ..Injection::default()
    });
    let untyped = system.retype(system.memory(), UNTYPED_OBJECT, 20, 1);
    let whole = system.retype(untyped, UNTYPED_OBJECT, 20, 1);
    system.delete(whole);
    let words = [UNTYPED_OBJECT, 20, CNODE, 64, system.next, 1];
    assert_eq!(
        system.invoke(untyped, UntypedRetype, &[CNODE], &words).0,
        10
    );
}

#[test]
fn a_thread_of_higher_priority_runs_while_capabilities_are_revoked() {
    let mut system = hostile(5);
    let waiting = waiting(&mut system);
    let endpoint = system.make(ENDPOINT_OBJECT);
    let copies: Vec<usize> = (0..2000)
        .map(|badge| system.mint(endpoint, badge))
        .collect();
    let outcome = long_operation(
        &mut system,
        waiting,
        CNodeRevoke,
        CNODE,
        &[],
        &[endpoint, 64],
    );
    check_preempted(&outcome);
    system.kernel.check().unwrap();
    let left = copies
        .into_iter()
        .filter(|copy| system.identify(*copy) != 0);
    assert_eq!(left.count(), 0);
}

#[test]
fn a_thread_of_higher_priority_runs_while_a_cnode_is_deleted() {
    let mut system = hostile(6);
    let waiting = waiting(&mut system);
    let node = system.retype(system.memory(), CNODE_OBJECT, 11, 1);
    let outcome = long_operation(&mut system, waiting, CNodeDelete, CNODE, &[], &[node, 64]);
    check_preempted(&outcome);
    system.kernel.check().unwrap();
}

#[test]
fn only_an_interrupt_preempts_without_hostile_choices() {
    let (_, outcome) = retype(System::new());
    assert_eq!(outcome.preemptions, 0);
    let mut system = System::new();
    system.kernel.machine_mut().pending_after = 5;
    let (_, outcome) = retype(system);
    assert_eq!(outcome.preemptions, 4096 / 100 / 5);
}
