// SPDX-License-Identifier: BSD-2-Clause

//! Runs tests one after another, watches them, and takes back what they had.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libsel4::{
    AllocationError, Allocator, Badge, BootInfo, Cap, CapRights, Endpoint, Fault, MessageInfo,
    Slots, Tcb, Untyped, UntypedDesc, message,
};

use crate::selection::Selection;
use crate::thread::{AREAS, Area, Plan, STACK_BYTES, STARTED, Thread};
use crate::{Resources, Test, Verdict, abort, console, resources};

/// How much memory a test has, in bits: the first of these that there is.
const MEMORY_BITS: [usize; 5] = [24, 23, 22, 20, 18];
/// How many slots a test has.
const SLOTS: usize = 512;
/// Seconds after which a test is cut off, where the kernel gives threads time of their own.
const LIMIT: usize = 10;

// Labels of what a test sends at its end.
const PASSED: usize = 0;
const FAILED: usize = 1;
pub(crate) const SKIPPED: usize = 2;

// Badges of what the monitor hears from. Faults have those from FAULTS on, one for each area.
const END: usize = 1;
const ABORT: usize = 2;
const IDLE: usize = 3;
const LATE: usize = 4;
const FAULTS: usize = 8;

/// Areas of the test's own thread and of the monitor's.
const TEST_AREA: usize = 0;
const IDLE_AREA: usize = STARTED.end;
#[cfg(CONFIG_KERNEL_MCS)]
const CLOCK_AREA: usize = STARTED.end + 1;

/// How often the clock has ticked since the test began, ten times in a second.
static TICKS: AtomicUsize = AtomicUsize::new(0);

/// Runs these tests, with all memory and all slots that `info` says are free. Returns how many failed; of
/// what hinders it, it says why and returns 1.
///
/// # Safety
///
/// Nobody else uses the untypeds and the empty slots of `info`, and nothing is mapped from 0x4000_0000 to
/// 0x6000_0000. The calling thread is the root server's own, and has its highest priority.
pub unsafe fn run(info: &BootInfo, tests: &[&[Test]]) -> usize {
    match Monitor::new(info) {
        Ok(mut monitor) => monitor.run(tests),
        Err(error) => {
            console::line(format_args!("cannot begin: {error}"));
            1
        }
    }
}

struct Monitor {
    info: BootInfo,
    endpoint: Cap<Endpoint>,
    end: Cap<Endpoint>,
    areas: [Area; AREAS],
    /// What the tests' objects are made of.
    memory: UntypedDesc,
    /// What tests put their capabilities into.
    slots: Slots,
}

/// How a test ended.
enum End {
    Passed,
    Failed(&'static str),
    Skipped(&'static str),
}

impl Monitor {
    fn new(info: &BootInfo) -> Result<Self, AllocationError> {
        let mut slots = info.empty();
        let of_tests = slots.split_off(SLOTS).ok_or(AllocationError::Slots)?;
        let untypeds = info.untypeds().filter(|untyped| !untyped.is_device);
        let mut objects = Allocator::<64>::with(untypeds, slots);
        let memory = memory(&mut objects)?;
        let endpoint = objects.make()?;
        let mut mint = |badge| objects.mint(endpoint, CapRights::ALL, badge);
        let [end, aborts, idle, late] = [mint(END)?, mint(ABORT)?, mint(IDLE)?, mint(LATE)?];
        let mut faults = [end; AREAS];
        for (number, fault) in faults.iter_mut().enumerate() {
            *fault = mint(FAULTS + number)?;
        }
        let mut areas = [None; AREAS];
        for (number, area) in areas.iter_mut().enumerate() {
            *area = Some(Area::map(info, &mut objects, number, faults[number])?);
        }
        let this = Self {
            info: *info,
            endpoint,
            end,
            areas: areas.map(|area| area.expect("all are mapped")),
            memory,
            slots: of_tests,
        };
        abort::tell(info, aborts);
        if info.num_nodes() == 1 {
            // Other cores may be busy while this one is idle.
            let thread = Thread::make(&mut objects)?;
            this.plan(IDLE_AREA, 0)
                .start(thread, move || watch_idle(idle))?;
        }
        #[cfg(CONFIG_KERNEL_MCS)]
        {
            let mut plan = this.plan(CLOCK_AREA, resources::HIGHEST + 1);
            plan.time = (1_000, 100_000);
            plan.start(Thread::make(&mut objects)?, move || count_time(late))?;
        }
        #[cfg(not(CONFIG_KERNEL_MCS))]
        let _ = late;
        Ok(this)
    }

    fn plan(&self, area: usize, priority: usize) -> Plan {
        Plan {
            info: self.info,
            area: self.areas[area],
            priority,
            mcp: resources::HIGHEST,
            faults: None,
            #[cfg(CONFIG_KERNEL_MCS)]
            time: resources::TURNS,
        }
    }

    fn run(&mut self, tests: &[&[Test]]) -> usize {
        let selection = Selection::read();
        let tests = || {
            let all = tests.iter().flat_map(|module| module.iter());
            let chosen =
                |(number, test): &(usize, &Test)| selection.takes(*number, test.short_name());
            all.enumerate().filter(chosen)
        };
        console::line(format_args!("{} tests", tests().count()));
        let mut failed = 0;
        for (number, test) in tests() {
            let name = test.short_name();
            console::line(format_args!("run {number} {name}"));
            let end = match self.begin(test) {
                Ok(tcb) => self.watch(tcb),
                Err(error) => {
                    console::detail(format_args!("{error}"));
                    End::Failed("it could not be started")
                }
            };
            let left = self.take_back();
            match end {
                End::Passed if left == 0 => console::line(format_args!("ok {name}")),
                End::Passed if left == 1 => {
                    console::line(format_args!("ok {name} # a capability was left behind"));
                }
                End::Passed => {
                    console::line(format_args!(
                        "ok {name} # {left} capabilities were left behind"
                    ));
                }
                End::Failed(why) => {
                    failed += 1;
                    console::line(format_args!("not ok {name} # {why}"));
                }
                End::Skipped(why) => console::line(format_args!("skip {name} # {why}")),
            }
        }
        for area in STARTED.end..AREAS {
            if let Some(tcb) = Area::owner(area) {
                // Should the kernel refuse, they go on, and nobody listens.
                let _ = tcb.tcb_suspend();
            }
        }
        abort::forget();
        console::line(format_args!("end"));
        failed
    }

    /// Lets the test run in a thread of its own.
    fn begin(&self, test: &Test) -> Result<Cap<Tcb>, AllocationError> {
        resources::begin();
        TICKS.store(0, Relaxed);
        let mut objects = Allocator::with([self.memory].into_iter(), self.slots.clone());
        let thread = Thread::make(&mut objects)?;
        let mut resources = Resources {
            info: self.info,
            objects,
            tcb: thread.tcb,
            areas: core::array::from_fn(|index| self.areas[STARTED.start + index]),
            started: 0,
            end: self.end,
        };
        let (run, end) = (test.run, self.end);
        let body = move || {
            let label = match run(&mut resources) {
                Verdict::Passed => PASSED,
                Verdict::Failed => FAILED,
            };
            end.send(MessageInfo::new(label, 0, 0, 0));
        };
        self.plan(TEST_AREA, resources::PRIORITY)
            .start(thread, body)?;
        Ok(thread.tcb)
    }

    /// Waits until the test has ended, in whatever way.
    fn watch(&self, tcb: Cap<Tcb>) -> End {
        loop {
            let (info, badge) = self.receive();
            match badge {
                END => match info.label() {
                    PASSED => return End::Passed,
                    SKIPPED => return End::Skipped(reason()),
                    _ => return End::Failed("it returned an error"),
                },
                ABORT => return End::Failed("it panicked, or called abort()"),
                IDLE => {
                    console::detail(format_args!(
                        "no thread can run any more; the test's waits here:"
                    ));
                    show_registers(tcb);
                    return End::Failed("deadlock");
                }
                LATE if TICKS.load(Relaxed) >= LIMIT * 10 => {
                    console::detail(format_args!("after {LIMIT} s the test's thread is here:"));
                    show_registers(tcb);
                    return End::Failed("it took too long");
                }
                // Late for the test before.
                LATE => (),
                _ => {
                    let area = badge.wrapping_sub(FAULTS);
                    let whose = if area == TEST_AREA {
                        "the test's thread"
                    } else {
                        "a thread of the test"
                    };
                    let fault = Fault::of(info);
                    console::detail(format_args!("{whose}: {fault}"));
                    if let Fault::Vm { address, .. } = fault
                        && Area::is_below_stack(area, address)
                    {
                        console::detail(format_args!(
                            "its stack of {STACK_BYTES} bytes is used up"
                        ));
                    }
                    if let Some(tcb) = Area::owner(area) {
                        show_registers(tcb);
                    }
                    return End::Failed("fault");
                }
            }
        }
    }

    /// Receives what nobody replies to.
    fn receive(&self) -> (MessageInfo, Badge) {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.endpoint.wait();
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return self.endpoint.recv();
    }

    /// Destroys all that the test made of its memory, threads included, and empties its slots. Returns
    /// how many of them were not empty by then.
    fn take_back(&self) -> usize {
        Area::forget_owners();
        let root = self.info.cnode();
        // SAFETY: what ran on it is gone with it; no capability of the test's is used after this.
        let revoked = unsafe { root.slot_of(self.memory.cap).cnode_revoke() };
        let endpoint = root.slot_of(self.endpoint);
        let mut left = 0;
        for slot in self.slots.clone() {
            // Only an empty slot takes a copy. Asked so, kernels that print what they refuse are silent.
            left += usize::from(slot.cnode_copy(endpoint, CapRights::NONE).is_err());
            // SAFETY: as above.
            let deleted = unsafe { slot.cnode_delete() };
            if let Err(error) = deleted.and(revoked) {
                console::line(format_args!(
                    "cannot take back slot {}: {error}",
                    slot.index()
                ));
                return left;
            }
        }
        left
    }
}

/// What a test says when it is skipped.
fn reason() -> &'static str {
    let address = message::get_mr::<0>();
    let length = message::get_mr::<1>();
    // SAFETY: `Resources::skip` has sent a string's, and the test's thread waits with it.
    unsafe {
        let bytes = core::ptr::with_exposed_provenance(address);
        core::str::from_utf8_unchecked(core::slice::from_raw_parts(bytes, length))
    }
}

fn show_registers(tcb: Cap<Tcb>) {
    match tcb.tcb_read_registers(true) {
        Ok(registers) => console::fields(&registers),
        Err(error) => console::detail(format_args!("its registers: {error}")),
    }
}

/// Memory for the tests, one untyped.
fn memory<const N: usize>(objects: &mut Allocator<N>) -> Result<UntypedDesc, AllocationError> {
    let mut result = Err(AllocationError::Slots);
    for size_bits in MEMORY_BITS {
        result = objects
            .make_sized::<Untyped>(size_bits)
            .map(|cap| UntypedDesc {
                cap,
                paddr: 0,
                size_bits,
                is_device: false,
            });
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Runs when no other thread can.
fn watch_idle(monitor: Cap<Endpoint>) {
    loop {
        if !resources::waits_while_idle() {
            monitor.nb_send(MessageInfo::new(0, 0, 0, 0));
        }
    }
}

/// Runs a little, ten times a second: on this kernel that is what yielding comes to where there is a
/// budget for each period.
#[cfg(CONFIG_KERNEL_MCS)]
fn count_time(monitor: Cap<Endpoint>) {
    loop {
        if TICKS.fetch_add(1, Relaxed) >= LIMIT * 10 {
            monitor.nb_send(MessageInfo::new(0, 0, 0, 0));
        }
        libsel4::yield_now();
    }
}
