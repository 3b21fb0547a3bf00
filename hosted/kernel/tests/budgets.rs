// SPDX-License-Identifier: GPL-2.0-only

//! Mixed-criticality scheduling: budgets, replenishment, timeout faults and donation.

// The registers and numbers here are x86_64's.
#![cfg(target_arch = "x86_64")]

mod common;

use common::*;
use sel4_hosted_kernel::{
    Config, Invocation, Invocation::*, Labels, MessageInfo, Register, ThreadId,
};

const SCHED_CONTROL: usize = 16;
const SCHED_CONTEXT_OBJECT: usize = 5;
const REPLY_OBJECT: usize = 6;
const PAGE: usize = 10;
const MCS_RECV: isize = -7;
const MCS_WAIT: isize = -9;
const TIMER: usize = 125;

struct Timed {
    system: System,
    labels: Vec<Invocation>,
}

impl Timed {
    fn new() -> Self {
        Self::with(&Config {
            mcs: true,
            ..Config::default()
        })
    }

    fn with(config: &Config) -> Self {
        let labels = Labels::mcs();
        let all = (1..100).map_while(|number| labels.get(number)).collect();
        Timed {
            system: System::with(config),
            labels: all,
        }
    }

    fn invoke(
        &mut self,
        cptr: usize,
        invocation: Invocation,
        caps: &[usize],
        words: &[usize],
    ) -> Reply {
        let label = 1 + self.labels.iter().position(|of| *of == invocation).unwrap();
        let buffer = self.system.layout.ipc_buffer;
        self.system.put(buffer, label, caps, words);
        self.system.syscall(CALL, cptr);
        let (_, info, words) = self.system.message(buffer);
        (info.label(), words)
    }

    fn invoke_ok(
        &mut self,
        cptr: usize,
        invocation: Invocation,
        caps: &[usize],
        words: &[usize],
    ) -> Vec<usize> {
        let (error, words) = self.invoke(cptr, invocation, caps, words);
        assert_eq!(error, 0, "{invocation:?}: {words:?}");
        words
    }

    fn make(&mut self, kind: usize, bits: usize) -> usize {
        let (memory, slot) = (self.system.memory(), self.system.slot());
        self.invoke_ok(
            memory,
            UntypedRetype,
            &[CNODE],
            &[kind, bits, 0, 0, slot, 1],
        );
        slot
    }

    /// Creates and configures a scheduling context, with times in microseconds and a badge.
    fn context(&mut self, budget: usize, period: usize) -> usize {
        let context = self.make(SCHED_CONTEXT_OBJECT, 8);
        self.invoke_ok(
            SCHED_CONTROL,
            SchedControlConfigureFlags,
            &[context],
            &[budget, period, 0, 77, 0],
        );
        context
    }

    /// Creates a thread with an IPC buffer. `context` 0: without a scheduling context.
    fn thread(
        &mut self,
        priority: usize,
        context: usize,
        handler: usize,
    ) -> (usize, ThreadId, usize) {
        let (tcb, frame) = (self.make(TCB_OBJECT, 0), self.make(PAGE, 0));
        let buffer = IMAGE + 0x1_0000 + 0x1000 * frame;
        self.invoke_ok(frame, X86PageMap, &[VSPACE], &[buffer, 3, 0]);
        self.invoke_ok(tcb, TCBConfigure, &[CNODE, VSPACE, frame], &[0, 0, buffer]);
        self.invoke_ok(
            tcb,
            TCBSetSchedParams,
            &[TCB, context, handler],
            &[priority, priority],
        );
        self.invoke_ok(tcb, TCBWriteRegisters, &[], &[1, 1, 0x1000 * tcb]);
        (tcb, self.system.kernel.threads().next().unwrap().id, buffer)
    }

    fn pass(&mut self, ticks: u64) {
        self.system.kernel.machine_mut().time += ticks;
    }

    fn timer(&mut self) {
        self.system.kernel.interrupt(TIMER);
        self.system.kernel.check().unwrap();
    }

    fn rest(&mut self) {
        let never = self.make(NOTIFICATION_OBJECT, 0);
        self.system.syscall(MCS_WAIT, never);
    }
}

#[test]
fn a_budget_ends_and_is_replenished() {
    let mut timed = Timed::new();
    let context = timed.context(1000, 10_000);
    let (_, thread, _) = timed.thread(10, context, 0);
    timed.rest();
    assert_eq!(timed.system.kernel.current(), Some(thread));
    assert_eq!(timed.system.kernel.deadline(), Some(1000));
    timed.pass(1000);
    timed.timer();
    assert_eq!(timed.system.kernel.current(), None);
    assert_eq!(timed.system.kernel.deadline(), Some(10_000));
    timed.pass(8999);
    timed.timer();
    assert_eq!(timed.system.kernel.current(), None);
    timed.pass(1);
    timed.timer();
    assert_eq!(timed.system.kernel.current(), Some(thread));
}

#[test]
fn a_timeout_handler_receives_the_end_of_a_budget() {
    let mut timed = Timed::new();
    let endpoint = timed.make(ENDPOINT_OBJECT, 0);
    let reply = timed.make(REPLY_OBJECT, 0);
    let (own, context) = (timed.context(5000, 5000), timed.context(1000, 10_000));
    let (_, handler, buffer) = timed.thread(20, own, 0);
    let (tcb, ..) = timed.thread(10, context, 0);
    timed.invoke_ok(tcb, TCBSetTimeoutEndpoint, &[endpoint], &[]);
    timed.rest();
    let id = timed.system.current();
    assert_eq!(id, handler);
    timed.system.kernel.context_mut(id)[Register::R12] = reply;
    timed.system.syscall(MCS_RECV, endpoint);
    timed.pass(1234);
    timed.timer();
    assert_eq!(timed.system.kernel.current(), Some(handler));
    assert_eq!(
        timed.system.message(buffer),
        (0, MessageInfo::new(5, 0, 0, 2), vec![77, 1234])
    );
}

#[test]
fn a_callee_runs_on_the_donated_scheduling_context() {
    let mut timed = Timed::new();
    let endpoint = timed.make(ENDPOINT_OBJECT, 0);
    let reply = timed.make(REPLY_OBJECT, 0);
    let first = timed.context(5000, 5000);
    let (tcb, server, buffer) = timed.thread(20, first, 0);
    let context = timed.context(4000, 4000);
    let (_, client, _) = timed.thread(10, context, 0);
    let done = timed.make(NOTIFICATION_OBJECT, 0);
    // The initial thread runs when the server waits, and unbinds the server's scheduling context.
    timed.invoke_ok(TCB, TCBSetPriority, &[TCB], &[15]);
    let id = timed.system.current();
    assert_eq!(id, server);
    timed.system.kernel.context_mut(id)[Register::R12] = reply;
    timed.system.syscall(MCS_RECV, endpoint);
    timed.invoke_ok(first, SchedContextUnbindObject, &[tcb], &[]);
    timed.system.syscall(MCS_WAIT, done);
    assert_eq!(timed.system.kernel.current(), Some(client));
    timed.system.put(IMAGE + 0x4000, 3, &[], &[]);
    timed.system.syscall(CALL, endpoint);
    assert_eq!(timed.system.kernel.current(), Some(server));
    assert_eq!(timed.system.message(buffer).1, MessageInfo::new(3, 0, 0, 0));
    assert_eq!(timed.system.kernel.deadline(), Some(4000));
    timed.system.put(buffer, 9, &[], &[]);
    timed.system.kernel.context_mut(server)[Register::R12] = reply;
    timed.system.syscall(REPLY_RECV, endpoint);
    assert_eq!(
        timed.system.kernel.current(),
        Some(client),
        "the scheduling context has returned"
    );
}

#[test]
fn invalid_times_are_refused_as_by_the_kernel() {
    let mut timed = Timed::new();
    let context = timed.make(SCHED_CONTEXT_OBJECT, 7);
    let mut refused = |words: &[usize]| {
        timed.invoke(SCHED_CONTROL, SchedControlConfigureFlags, &[context], words)
    };
    let max = (u64::MAX / 8) as usize;
    assert_eq!(refused(&[19, 1000, 0, 0, 0]), (4, vec![20, max]));
    assert_eq!(refused(&[20, max + 1, 0, 0, 0]), (4, vec![20, max]));
    assert_eq!(refused(&[2000, 1000, 0, 0, 0]), (4, vec![20, 1000]));
    assert_eq!(refused(&[20, 1000, 1, 0, 0]), (4, vec![0, 0]));
    assert_eq!(refused(&[20, 1000, 0, 0]), (7, vec![]));
    assert_eq!(refused(&[20, 1000, 0, 0, 0]), (0, vec![]));
}

#[test]
fn the_time_of_a_domain_ends() {
    let mut timed = Timed::with(&Config {
        mcs: true,
        domains: 2,
        domain_schedules: 4,
        ..Config::default()
    });
    let (first, second) = (timed.context(10_000, 10_000), timed.context(10_000, 10_000));
    let (_, here, _) = timed.thread(10, first, 0);
    let (tcb, there, _) = timed.thread(20, second, 0);
    timed.invoke_ok(DOMAIN, DomainSetSet, &[tcb], &[1]);
    for (index, domain, duration) in [(0, 0, 3000), (1, 1, 1000)] {
        timed.invoke_ok(
            DOMAIN,
            DomainScheduleConfigure,
            &[],
            &[index, domain, duration],
        );
    }
    timed.invoke_ok(DOMAIN, DomainScheduleSetStart, &[], &[0]);
    timed.rest();
    for _ in 0..2 {
        assert_eq!(timed.system.kernel.current(), Some(here));
        assert_eq!(
            timed.system.kernel.deadline(),
            Some(timed.system.kernel.machine().time + 3000)
        );
        timed.pass(2900);
        timed.timer();
        assert_eq!(
            timed.system.kernel.current(),
            Some(here),
            "the domain has time left"
        );
        // Less than the smallest budget is left.
        timed.pass(85);
        timed.timer();
        assert_eq!(timed.system.kernel.current(), Some(there));
        timed.pass(1000);
        timed.timer();
    }
    // Its time passes also if no thread of it can run.
    let id = timed.system.current();
    assert_eq!(id, here);
    let never = timed.system.next - 1;
    timed.system.syscall(MCS_WAIT, never);
    assert_eq!(timed.system.kernel.current(), None);
    let end = timed.system.kernel.deadline().unwrap();
    timed.system.kernel.machine_mut().time = end;
    timed.timer();
    assert_eq!(timed.system.kernel.current(), Some(there));
}
