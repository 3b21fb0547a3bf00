// SPDX-License-Identifier: BSD-2-Clause

//! Runs tests one after another, watches them, and reclaims their resources.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libsel4::{
    AllocationError, Allocator, Badge, BootInfo, Cap, CapRights, EmptySlots, Endpoint, Fault,
    FaultEndpoint, MessageInfo, Priority, Slots, Tcb, Untyped, UntypedDesc,
};

use crate::selection::Selection;
use crate::thread::{AREAS, Area, Plan, STACK_BYTES, STARTED, Thread};
use crate::{Resources, Test, Verdict, abort, console, resources};

/// Sizes of a test's memory, in bits. The first available one is used.
const MEMORY_BITS: [usize; 5] = [24, 23, 22, 20, 18];
/// Number of slots of a test.
const SLOTS: usize = 512;
/// Time limit of a test in seconds, on kernels with MCS.
const LIMIT: usize = 10;

// Labels of a test's last message.
const PASSED: usize = 0;
const FAILED: usize = 1;
pub(crate) const SKIPPED: usize = 2;

// Badges of messages to the monitor. Those of faults start at FAULTS, one for each area.
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

/// Number of ticks of the clock since the test began, ten per second.
static TICKS: AtomicUsize = AtomicUsize::new(0);

/// Runs `tests`, with the free memory and slots of `info`. Returns the number of failed tests. If it
/// cannot start, prints the error and returns 1.
///
/// # Safety
///
/// Nothing else uses the untypeds and the empty slots of `info`, and nothing is mapped from 0x4000_0000 to
/// 0x6000_0000. The calling thread is the root server's initial thread, and has its highest priority.
pub unsafe fn run(info: &BootInfo, tests: &[&[Test]]) -> usize {
    match Monitor::new(info) {
        Ok(mut monitor) => monitor.run(tests),
        Err(error) => {
            console::line(format_args!("cannot start: {error}"));
            1
        }
    }
}

struct Monitor {
    info: BootInfo,
    endpoint: Cap<Endpoint>,
    end: Cap<Endpoint>,
    areas: [Area; AREAS],
    /// Untyped memory for the objects of tests.
    memory: UntypedDesc,
    /// Slots for the capabilities of tests.
    slots: Slots,
}

/// Outcome of a test, with the reason.
enum End {
    Passed,
    Failed(&'static str),
    Skipped,
}

impl Monitor {
    fn new(info: &BootInfo) -> Result<Self, AllocationError> {
        // SAFETY: nothing else uses them, by the contract of `run`, which calls this once.
        let mut slots = unsafe { info.empty_slots() };
        let test_slots = slots.split_off(SLOTS).ok_or(AllocationError::Slots)?;
        let untypeds = info.untypeds().filter(|untyped| !untyped.is_device);
        let mut objects = Allocator::with(untypeds, slots);
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
            // SAFETY: the monitor answers no fault.
            let faults = unsafe { FaultEndpoint::new(faults[number]) };
            *area = Some(Area::map(info, &mut objects, number, faults)?);
        }
        let this = Self {
            info: *info,
            endpoint,
            end,
            areas: areas.map(|area| area.expect("all are mapped")),
            memory,
            slots: test_slots.slots(),
        };
        abort::install(info, aborts);
        if info.num_nodes() == 1 {
            // Other cores may be busy while this one is idle.
            let thread = Thread::make(&mut objects)?;
            this.plan(IDLE_AREA, Priority::MIN)
                .start(thread, move || watch_idle(idle))?;
        }
        #[cfg(CONFIG_KERNEL_MCS)]
        {
            let mut plan = this.plan(CLOCK_AREA, Priority::new(resources::HIGHEST.word() + 1));
            plan.time = (1_000, 100_000);
            plan.start(Thread::make(&mut objects)?, move || count_time(late))?;
        }
        #[cfg(not(CONFIG_KERNEL_MCS))]
        let _ = late;
        Ok(this)
    }

    fn plan(&self, area: usize, priority: Priority) -> Plan {
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
                |(number, test): &(usize, &Test)| selection.includes(*number, test.short_name());
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
            let left = self.reclaim();
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
                End::Skipped => {
                    let why = resources::skip_reason();
                    let why = why.split(|byte| *byte == 0).next().unwrap_or_default();
                    let why = why.utf8_chunks().next().map_or("", |text| text.valid());
                    console::line(format_args!("skip {name} # {why}"));
                }
            }
        }
        for area in STARTED.end..AREAS {
            if let Some(tcb) = Area::owner(area) {
                // If this fails, the thread continues, and its messages are ignored.
                let _ = tcb.tcb_suspend();
            }
        }
        abort::restore();
        console::line(format_args!("end"));
        failed
    }

    /// Starts the test in a new thread.
    fn begin(&self, test: &Test) -> Result<Cap<Tcb>, AllocationError> {
        resources::begin();
        TICKS.store(0, Relaxed);
        let (root, slots) = (self.slots.root(), self.slots.range());
        // SAFETY: nothing else uses these slots, and what an earlier test had there is no longer used.
        let slots = unsafe { EmptySlots::new(root, slots) };
        let mut objects = Allocator::with([self.memory].into_iter(), slots);
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

    /// Waits for the end of the test.
    fn watch(&self, tcb: Cap<Tcb>) -> End {
        loop {
            let (info, badge) = self.receive();
            match badge {
                END => match info.label() {
                    PASSED => return End::Passed,
                    SKIPPED => return End::Skipped,
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
                // A tick for the previous test.
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

    /// Receives a message that gets no reply.
    fn receive(&self) -> (MessageInfo, Badge) {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.endpoint.wait().message();
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return self.endpoint.recv(()).message();
    }

    /// Revokes the test's memory, which destroys its objects, and empties its slots. Returns the number
    /// of slots that were not empty after the revocation.
    fn reclaim(&self) -> usize {
        Area::forget_owners();
        let root = self.info.cnode();
        // SAFETY: the test's threads end with the revocation; none of its capabilities is used later.
        let revoked = unsafe { root.slot_of(self.memory.cap).cnode_revoke() };
        let endpoint = root.slot_of(self.endpoint);
        let mut left = 0;
        for slot in self.slots.clone() {
            // A copy succeeds only if the slot is empty. Kernels that print errors print none for it.
            // SAFETY: the test has ended, and with it all that names the slot.
            let copied = unsafe { slot.cnode_copy(endpoint, CapRights::NONE) };
            left += usize::from(copied.is_err());
            // SAFETY: as above.
            let deleted = unsafe { slot.cnode_delete() };
            if let Err(error) = deleted.and(revoked) {
                console::line(format_args!("cannot empty slot {}: {error}", slot.index()));
                return left;
            }
        }
        left
    }
}

fn show_registers(tcb: Cap<Tcb>) {
    match tcb.tcb_read_registers(true) {
        Ok(registers) => console::fields(&registers),
        Err(error) => console::detail(format_args!("its registers: {error}")),
    }
}

/// Makes the untyped memory for the tests.
fn memory(objects: &mut Allocator) -> Result<UntypedDesc, AllocationError> {
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

/// Reports a deadlock. This thread has the lowest priority, so it runs when no other thread can.
fn watch_idle(monitor: Cap<Endpoint>) {
    loop {
        if !resources::waits_while_idle() {
            monitor.nb_send(MessageInfo::new(0, 0, 0, 0));
        }
    }
}

/// Counts ticks, ten per second: a thread with a budget per period that yields waits for its next
/// period.
#[cfg(CONFIG_KERNEL_MCS)]
fn count_time(monitor: Cap<Endpoint>) {
    loop {
        if TICKS.fetch_add(1, Relaxed) >= LIMIT * 10 {
            monitor.nb_send(MessageInfo::new(0, 0, 0, 0));
        }
        libsel4::yield_now();
    }
}
