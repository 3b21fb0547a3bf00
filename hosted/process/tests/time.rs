// SPDX-License-Identifier: BSD-2-Clause

//! Time and budgets on the hosted platform, with an MCS kernel.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use libsel4::libsel4_sys::seL4_BootInfo;
use libsel4::{
    Allocator, BootInfo, Budget, Cap, MIN_SCHED_CONTEXT_BITS, Notification, Priority, SchedContext,
    SchedParams, Space, Tcb, entry_context, yield_now,
};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Starts a thread of the highest priority with the given budget and period, in microseconds.
fn start(
    info: &seL4_BootInfo,
    budget: u64,
    period: u64,
    body: extern "C" fn(usize) -> !,
) -> Cap<Notification> {
    // SAFETY: the BootInfo is the kernel's, and nothing else uses the empty slots.
    let info = unsafe { BootInfo::from_ptr(info) };
    // SAFETY: as above.
    let mut objects = unsafe { Allocator::new(&info) };
    let bell: Cap<Notification> = objects.make().unwrap();
    let context: Cap<SchedContext> = objects.make_sized(MIN_SCHED_CONTEXT_BITS).unwrap();
    let control = info.sched_control(0).unwrap();
    control
        .sched_control_configure_flags(context, &Budget::new(budget, period))
        .unwrap();
    let tcb: Cap<Tcb> = objects.make().unwrap();
    let stack = Box::leak(Box::new([0_u128; 4096]))
        .as_mut_ptr_range()
        .end
        .addr();
    // SAFETY: only the thread uses the stack; it needs no IPC buffer.
    unsafe {
        let space = Space::new(info.cnode(), info.vspace());
        tcb.tcb_configure(&space, None).unwrap();
        let params = SchedParams::new(Priority::MAX).sched_context(context);
        tcb.tcb_set_sched_params(info.tcb(), &params).unwrap();
        tcb.tcb_write_registers(true, &entry_context(body, stack, bell.word()))
            .unwrap();
    }
    bell
}

extern "C" fn yielding(bell: usize) -> ! {
    for _ in 0..1000 {
        COUNT.fetch_add(1, SeqCst);
        yield_now();
    }
    // SAFETY: `start` passes the argument.
    unsafe { Cap::<Notification>::from_word(bell) }.signal();
    loop {
        yield_now();
    }
}

extern "C" fn spinning(_: usize) -> ! {
    loop {
        COUNT.fetch_add(1, SeqCst);
    }
}

/// A thousand periods of ten seconds pass at once while no thread has work to do, even on a busy machine in a tenth.
#[sel4_hosted::test]
fn time_is_skipped_where_nobody_runs(info: &seL4_BootInfo) {
    let began = Instant::now();
    start(info, 1_000, 10_000_000, yielding).wait();
    assert_eq!(COUNT.load(SeqCst), 1000);
    assert!(began.elapsed() < Duration::from_secs(1_000));
}

#[sel4_hosted::test]
fn a_thread_that_computes_is_interrupted_when_its_budget_ends(info: &seL4_BootInfo) {
    start(info, 1_000, 10_000, spinning);
    // This thread enters the kernel, which takes time, until the other thread's next period.
    for _ in 0..3 {
        let before = COUNT.load(SeqCst);
        while COUNT.load(SeqCst) == before {
            yield_now();
        }
    }
}

#[test]
#[should_panic(expected = "deadlock: no thread can run")]
fn waiting_for_nothing_is_a_deadlock() {
    sel4_hosted::run_test(
        module_path!(),
        "waiting_for_nothing_is_a_deadlock",
        |info| {
            // SAFETY: as above.
            let info = unsafe { BootInfo::from_ptr(info) };
            // SAFETY: as above.
            unsafe { Allocator::new(&info) }
                .make::<Notification>()
                .unwrap()
                .wait();
        },
    );
}
