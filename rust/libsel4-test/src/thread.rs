// SPDX-License-Identifier: BSD-2-Clause

//! Threads in the root server's CSpace and VSpace, each with an area of memory that is mapped once.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libsel4::libsel4_sys::seL4_PageBits;
use libsel4::{
    AllocationError, Allocator, BootInfo, Cap, CapRights, FaultEndpoint, IpcBuffer, Priority,
    SchedParams, SmallPage, Space, Tcb, VmAttributes, entry_context, message,
};

#[cfg(CONFIG_KERNEL_MCS)]
use libsel4::{Budget, MIN_SCHED_CONTEXT_BITS, SchedContext};

unsafe extern "C" {
    safe fn sel4runtime_get_tls_size() -> usize;
    /// Writes the initial thread-local storage to `memory`, and returns the value of its register.
    fn sel4runtime_write_tls_image(memory: *mut u8) -> usize;
}

const PAGE: usize = 1 << seL4_PageBits;
/// Start of the threads' memory, far from images and from the addresses that seL4's libraries map.
const BASE: usize = 0x4000_0000;
/// Distance between the areas of two threads.
const STRIDE: usize = 32 * PAGE;
/// Offset of the thread-local storage, after the IPC buffer and an unmapped page.
const TLS: usize = 2 * PAGE;
const TLS_BYTES: usize = 2 * PAGE;
/// Room for muslc's own structure, for example for `errno`, on one side of the thread-local storage.
const TLS_ROOM: usize = 1024;
/// Offset of the stack, after an unmapped page. The rest, up to the next area, is unmapped.
const STACK: usize = TLS + TLS_BYTES + PAGE;
pub(crate) const STACK_BYTES: usize = 16 * PAGE;
const _: () = assert!(STACK + STACK_BYTES < STRIDE);

/// Number of areas: one for the test's thread, one for each thread it starts, two for the monitor's.
pub(crate) const AREAS: usize = STARTED.end + 2;
/// Areas of the threads that a test starts.
pub(crate) const STARTED: core::ops::Range<usize> = 1..7;

/// TCB capability of the thread in each area, or 0.
static OWNERS: [AtomicUsize; AREAS] = [const { AtomicUsize::new(0) }; AREAS];

/// Memory for a thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    number: usize,
    buffer: Cap<SmallPage>,
    /// Endpoint of the monitor for the thread's faults.
    faults: FaultEndpoint,
}

impl Area {
    pub(crate) fn map(
        info: &BootInfo,
        objects: &mut Allocator,
        number: usize,
        faults: FaultEndpoint,
    ) -> Result<Self, AllocationError> {
        let start = BASE + number * STRIDE;
        let mut page = |address| {
            let page = objects.make()?;
            // SAFETY: the page is new, and nothing is mapped at the address.
            unsafe {
                objects.map_page(
                    info.vspace(),
                    page,
                    address,
                    CapRights::READ_WRITE,
                    VmAttributes::DATA,
                )?;
            }
            Ok::<_, AllocationError>(page)
        };
        let tls = (TLS..TLS + TLS_BYTES).step_by(PAGE);
        for offset in tls.chain((STACK..STACK + STACK_BYTES).step_by(PAGE)) {
            page(start + offset)?;
        }
        Ok(Self {
            number,
            buffer: page(start)?,
            faults,
        })
    }

    fn start(self) -> usize {
        BASE + self.number * STRIDE
    }

    /// Returns the thread in area `number`.
    pub(crate) fn owner(number: usize) -> Option<Cap<Tcb>> {
        let word = OWNERS.get(number)?.load(Relaxed);
        // SAFETY: `Plan::start` stored a TCB capability; `forget_owners` removes it before its end.
        (word != 0).then(|| unsafe { Cap::from_word(word) })
    }

    /// Returns whether `address` is in the unmapped page below the stack of area `number`.
    pub(crate) fn is_below_stack(number: usize, address: usize) -> bool {
        let end = BASE + number * STRIDE + STACK;
        (end - PAGE..end).contains(&address)
    }

    /// Clears the owners of a test's areas.
    pub(crate) fn forget_owners() {
        for owner in &OWNERS[..STARTED.end] {
            owner.store(0, Relaxed);
        }
    }
}

/// Capabilities of a started thread.
#[derive(Clone, Copy, Debug)]
pub struct Thread {
    /// TCB of the thread.
    pub tcb: Cap<Tcb>,
    /// Scheduling context of the thread.
    #[cfg(CONFIG_KERNEL_MCS)]
    pub sched_context: Cap<SchedContext>,
}

/// Parameters of a thread.
pub(crate) struct Plan {
    pub(crate) info: BootInfo,
    pub(crate) area: Area,
    pub(crate) priority: Priority,
    /// Maximum controlled priority.
    pub(crate) mcp: Priority,
    /// Endpoint for faults, instead of the monitor's.
    pub(crate) faults: Option<FaultEndpoint>,
    /// Budget and period, in microseconds.
    #[cfg(CONFIG_KERNEL_MCS)]
    pub(crate) time: (u64, u64),
}

/// Data on the stack of a new thread.
struct Start<F> {
    buffer: usize,
    tcb: Cap<Tcb>,
    body: F,
}

impl Thread {
    /// Makes the objects of a thread.
    pub(crate) fn make(objects: &mut Allocator) -> Result<Self, AllocationError> {
        Ok(Self {
            tcb: objects.make()?,
            #[cfg(CONFIG_KERNEL_MCS)]
            sched_context: objects.make_sized(MIN_SCHED_CONTEXT_BITS)?,
        })
    }
}

impl Plan {
    /// Starts the thread, which runs `body`.
    pub(crate) fn start<F: FnOnce() + Send + 'static>(
        self,
        thread: Thread,
        body: F,
    ) -> Result<(), AllocationError> {
        const { assert!(size_of::<Start<F>>() < PAGE && align_of::<Start<F>>() <= 64) };
        let memory = self.area.start();
        if sel4runtime_get_tls_size() + 2 * TLS_ROOM > TLS_BYTES {
            let size_bits = sel4runtime_get_tls_size().ilog2() as usize + 1;
            return Err(AllocationError::Memory { size_bits });
        }
        let tls = core::ptr::with_exposed_provenance_mut(memory + TLS + TLS_ROOM);
        // SAFETY: the image fits, and no other thread uses this area.
        let tls = unsafe { sel4runtime_write_tls_image(tls) };

        let Thread { tcb, .. } = thread;
        let top = (memory + STACK + STACK_BYTES - size_of::<Start<F>>()) & !63;
        let start = core::ptr::with_exposed_provenance_mut::<Start<F>>(top);
        let buffer = IpcBuffer {
            address: memory,
            page: self.area.buffer,
        };
        // SAFETY: the address is aligned, and within the stack, which is not in use yet.
        unsafe {
            start.write(Start {
                buffer: buffer.address,
                tcb,
                body,
            });
        }
        OWNERS[self.area.number].store(tcb.word(), Relaxed);
        self.configure(thread, buffer)?;
        let context = entry_context(begin::<F>, top, top);
        // SAFETY: the function runs with a stack, an IPC buffer and thread-local storage that only
        // this thread uses.
        unsafe {
            tcb.tcb_write_registers(false, &context)?;
            tcb.tcb_set_tls_base(tls)?;
        }
        Ok(tcb.tcb_resume()?)
    }

    fn configure(&self, thread: Thread, buffer: IpcBuffer) -> libsel4::Result<()> {
        let Self { info, .. } = self;
        let faults = self.faults.unwrap_or(self.area.faults);
        let space = Space::new(info.cnode(), info.vspace()).fault_endpoint(faults);
        let params = SchedParams::new(self.priority)
            .mcp(self.mcp)
            .fault_endpoint(faults);
        #[cfg(CONFIG_KERNEL_MCS)]
        let params = params.sched_context(thread.sched_context);
        #[cfg(CONFIG_KERNEL_MCS)]
        if let Some(control) = info.sched_control(info.node_id()) {
            let (budget, period) = self.time;
            let budget = Budget::new(budget, period);
            control.sched_control_configure_flags(thread.sched_context, &budget)?;
        }
        // SAFETY: the thread does not run yet; it shares CSpace and VSpace with this one.
        unsafe { thread.tcb.tcb_configure(&space, Some(buffer))? };
        thread.tcb.tcb_set_sched_params(info.tcb(), &params)
    }
}

/// Entry point of threads.
extern "C" fn begin<F: FnOnce()>(start: usize) -> ! {
    let start = core::ptr::with_exposed_provenance::<Start<F>>(start);
    // SAFETY: `Plan::start` wrote the value for this thread, which reads it once.
    let Start { buffer, tcb, body } = unsafe { start.read() };
    // SAFETY: the thread was configured with this address.
    unsafe { message::set_ipc_buffer(core::ptr::with_exposed_provenance_mut(buffer)) };
    body();
    loop {
        // If suspending fails, the thread tries again.
        let _ = tcb.tcb_suspend();
    }
}
