// SPDX-License-Identifier: BSD-2-Clause

//! What a test takes.

use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use libsel4::{
    AllocationError, Allocator, Badge, BootInfo, Cap, Endpoint, MessageInfo, Tcb, message,
};

#[cfg(CONFIG_KERNEL_MCS)]
use libsel4::Reply;

use crate::monitor::SKIPPED;
use crate::thread::{Area, Plan, STARTED, Thread};

/// The priority that tests begin with.
pub(crate) const PRIORITY: usize = 100;
/// The highest one that they may give.
pub(crate) const HIGHEST: usize = 200;
/// Turns of this many microseconds, as often as it is a thread's turn.
#[cfg(CONFIG_KERNEL_MCS)]
pub(crate) const TURNS: (u64, u64) = (10_000, 10_000);
/// Addresses where nothing is mapped before a test begins.
const FREE: Range<usize> = 0x5000_0000..0x6000_0000;

/// Whether the test has said that it will wait while nobody runs.
static WAITS: AtomicBool = AtomicBool::new(false);

/// What a test has for itself. All of it is taken back when the test ends, with what the test's
/// threads do at that time.
#[derive(Debug)]
pub struct Resources {
    /// What the root server has from the beginning.
    pub info: BootInfo,
    /// Fresh memory, and slots, for what the test makes.
    pub objects: Allocator<1>,
    /// The thread that the test runs in.
    pub tcb: Cap<Tcb>,
    pub(crate) areas: [Area; STARTED.end - STARTED.start],
    pub(crate) started: usize,
    pub(crate) end: Cap<Endpoint>,
}

impl Resources {
    /// Starts a thread that runs `body`, at the priority of tests, which is 100. Its faults and panics
    /// are the test's. There is room for 6.
    ///
    /// # Errors
    ///
    /// [`AllocationError::Slots`] for one too many, and what making a thread may be refused for.
    pub fn spawn<F>(&mut self, body: F) -> Result<Thread, AllocationError>
    where
        F: FnOnce() + Send + 'static,
    {
        self.start(None, body)
    }

    /// The same for a thread whose faults come to `faults`, as messages.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Safety
    ///
    /// Who answers these faults with a message that is not empty sets the thread's registers: as for
    /// [`tcb_write_registers`](Cap::tcb_write_registers).
    pub unsafe fn spawn_watched<F>(
        &mut self,
        faults: Cap<Endpoint>,
        body: F,
    ) -> Result<Thread, AllocationError>
    where
        F: FnOnce() + Send + 'static,
    {
        self.start(Some(faults), body)
    }

    fn start<F: FnOnce() + Send + 'static>(
        &mut self,
        faults: Option<Cap<Endpoint>>,
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

    /// Lets the threads that the test has started run until all of them wait, on this core.
    ///
    /// # Errors
    ///
    /// None, as long as the test's thread has the priority that it began with.
    pub fn settle(&self) -> libsel4::Result<()> {
        self.tcb.tcb_set_priority(self.tcb, PRIORITY - 1)?;
        self.tcb.tcb_set_priority(self.tcb, PRIORITY)
    }

    /// A fresh endpoint, and what receiving through it takes.
    ///
    /// # Errors
    ///
    /// What making objects may be refused for.
    pub fn service(&mut self) -> Result<Service, AllocationError> {
        Ok(Service {
            endpoint: self.objects.make()?,
            #[cfg(CONFIG_KERNEL_MCS)]
            reply: self.objects.make()?,
        })
    }

    /// Addresses of the own VSpace where nothing is mapped, and no page table either.
    pub fn free_addresses(&self) -> Range<usize> {
        FREE
    }

    /// Says that the test will wait for something that comes when no thread runs: an interrupt, or time
    /// that a scheduling context gets. Else that is taken for a deadlock, and ends the test.
    pub fn waits_while_idle(&self) {
        WAITS.store(true, Relaxed);
    }

    /// Ends the test: it cannot be done here.
    pub fn skip(&self, reason: &str) -> ! {
        let words = [reason.as_ptr().expose_provenance(), reason.len()];
        self.end.send(message::write(SKIPPED, &words));
        loop {
            libsel4::yield_now();
        }
    }
}

/// Whether no thread but the asking one may be there to run.
pub(crate) fn waits_while_idle() -> bool {
    WAITS.load(Relaxed)
}

pub(crate) fn begin() {
    WAITS.store(false, Relaxed);
}

/// An endpoint with what receiving through it takes: a reply object where the kernel has MCS.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Where messages come from.
    pub endpoint: Cap<Endpoint>,
    /// Where replies go.
    #[cfg(CONFIG_KERNEL_MCS)]
    pub reply: Cap<Reply>,
}

impl Service {
    /// Corresponds to `seL4_Recv`.
    pub fn recv(&self) -> (MessageInfo, Badge) {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.endpoint.recv(self.reply);
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return self.endpoint.recv();
    }

    /// Corresponds to `seL4_NBRecv`.
    pub fn nb_recv(&self) -> (MessageInfo, Badge) {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.endpoint.nb_recv(self.reply);
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return self.endpoint.nb_recv();
    }

    /// Corresponds to `seL4_ReplyRecv`.
    pub fn reply_recv(&self, info: MessageInfo) -> (MessageInfo, Badge) {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.endpoint.reply_recv(info, self.reply);
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return self.endpoint.reply_recv(info);
    }

    /// Corresponds to `seL4_Reply`, and to `seL4_Send` on a reply object.
    pub fn reply(&self, info: MessageInfo) {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.reply.send(info);
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return libsel4::reply(info);
    }
}
