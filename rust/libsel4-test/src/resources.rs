// SPDX-License-Identifier: BSD-2-Clause

//! Resources of a test.

use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use libsel4::{
    AllocationError, Allocator, Badge, BootInfo, Cap, Endpoint, FaultEndpoint, MessageInfo,
    Priority, ReplyHandle, Tcb,
};

use crate::monitor::SKIPPED;
use crate::thread::{Area, Plan, STARTED, Thread};

/// Initial priority of tests.
pub(crate) const PRIORITY: Priority = Priority::new(100);
/// Maximum controlled priority of tests.
pub(crate) const HIGHEST: Priority = Priority::new(200);
/// Budget and period of threads, in microseconds: round-robin with this time slice.
#[cfg(CONFIG_KERNEL_MCS)]
pub(crate) const TURNS: (u64, u64) = (10_000, 10_000);
/// Addresses where nothing is mapped at the start of a test.
const FREE: Range<usize> = 0x5000_0000..0x6000_0000;

/// Reason of a skipped test, with zeros behind it. A message would have an address, and the monitor cannot
/// tell a message from what a notification leaves that a test has bound to the monitor's thread.
static REASON: [AtomicU8; 128] = [const { AtomicU8::new(0) }; 128];

/// Set by tests that wait while no thread runs.
static WAITS: AtomicBool = AtomicBool::new(false);

/// Resources of a test. All are reclaimed at its end, and its threads are destroyed.
#[derive(Debug)]
pub struct Resources {
    /// Boot information of the root server.
    pub info: BootInfo,
    /// Allocator with the memory and slots of the test.
    pub objects: Allocator,
    /// Thread of the test.
    pub tcb: Cap<Tcb>,
    pub(crate) areas: [Area; STARTED.end - STARTED.start],
    pub(crate) started: usize,
    pub(crate) end: Cap<Endpoint>,
}

impl Resources {
    /// Starts a thread that runs `body`, at the tests' priority, 100. A fault or panic in it fails the
    /// test. A test can start 6 threads.
    ///
    /// # Errors
    ///
    /// [`AllocationError::Slots`] for the seventh thread, and the errors of making a thread's objects.
    pub fn spawn<F>(&mut self, body: F) -> Result<Thread, AllocationError>
    where
        F: FnOnce() + Send + 'static,
    {
        self.start(None, body)
    }

    /// Starts a thread like [`spawn`](Self::spawn), whose fault messages go to `faults`.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn).
    pub fn spawn_watched<F>(
        &mut self,
        faults: FaultEndpoint,
        body: F,
    ) -> Result<Thread, AllocationError>
    where
        F: FnOnce() + Send + 'static,
    {
        self.start(Some(faults), body)
    }

    fn start<F: FnOnce() + Send + 'static>(
        &mut self,
        faults: Option<FaultEndpoint>,
        body: F,
    ) -> Result<Thread, AllocationError> {
        let area = *self.areas.get(self.started).ok_or(AllocationError::Slots)?;
        self.started += 1;
        let plan = Plan {
            info: self.info,
            area,
            priority: PRIORITY,
            mcp: HIGHEST,
            faults,
            #[cfg(CONFIG_KERNEL_MCS)]
            time: TURNS,
        };
        let thread = Thread::make(&mut self.objects)?;
        plan.start(thread, body)?;
        Ok(thread)
    }

    /// Lets the test's other threads on this core run until all of them wait.
    ///
    /// # Errors
    ///
    /// None, as long as the test's thread has its initial priority.
    pub fn settle(&self) -> libsel4::Result<()> {
        let lower = Priority::new(PRIORITY.word() - 1);
        self.tcb.tcb_set_priority(self.tcb, lower)?;
        self.tcb.tcb_set_priority(self.tcb, PRIORITY)
    }

    /// Makes an endpoint and, with MCS, a reply object.
    ///
    /// # Errors
    ///
    /// The errors of making objects.
    pub fn service(&mut self) -> Result<Service, AllocationError> {
        Ok(Service {
            endpoint: self.objects.make()?,
            reply: self.objects.make_reply()?,
        })
    }

    /// Returns addresses of this VSpace without mapped frames and page tables.
    pub fn free_addresses(&self) -> Range<usize> {
        FREE
    }

    /// Declares that the test waits for something that happens while no thread runs: an interrupt, or
    /// the next period of a scheduling context. Otherwise such a wait counts as a deadlock, and fails the
    /// test.
    pub fn waits_while_idle(&self) {
        WAITS.store(true, Relaxed);
    }

    /// Ends the test as skipped, with a reason.
    pub fn skip(&self, reason: &str) -> ! {
        let end = reason.bytes().chain([0; REASON.len()]);
        for (to, byte) in REASON.iter().zip(end) {
            to.store(byte, Relaxed);
        }
        self.end.send(MessageInfo::labelled(SKIPPED));
        loop {
            libsel4::yield_now();
        }
    }
}

/// Returns the reason why a test was skipped, as bytes before zeros.
pub(crate) fn skip_reason() -> [u8; REASON.len()] {
    core::array::from_fn(|index| REASON[index].load(Relaxed))
}

/// Returns whether the test waits while no thread runs.
pub(crate) fn waits_while_idle() -> bool {
    WAITS.load(Relaxed)
}

pub(crate) fn begin() {
    WAITS.store(false, Relaxed);
}

/// An endpoint and, with MCS, a reply object to receive with, for threads without a bound notification.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Endpoint that messages come through.
    pub endpoint: Cap<Endpoint>,
    /// Reply object, or `()` without MCS.
    pub reply: ReplyHandle,
}

impl Service {
    /// Corresponds to `seL4_Recv`.
    pub fn recv(&self) -> (MessageInfo, Badge) {
        self.endpoint.recv(self.reply).message()
    }

    /// Corresponds to `seL4_NBRecv`.
    pub fn nb_recv(&self) -> Option<(MessageInfo, Badge)> {
        Some(self.endpoint.nb_recv(self.reply)?.message())
    }

    /// Corresponds to `seL4_ReplyRecv`.
    pub fn reply_recv(&self, info: MessageInfo) -> (MessageInfo, Badge) {
        self.endpoint.reply_recv(info, self.reply).message()
    }

    /// Corresponds to `seL4_Reply`, and to `seL4_Send` on a reply object.
    pub fn reply(&self, info: MessageInfo) {
        libsel4::reply(self.reply, info);
    }
}
