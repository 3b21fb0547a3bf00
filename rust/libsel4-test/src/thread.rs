// SPDX-License-Identifier: BSD-2-Clause

//! Threads in the root server's own CSpace and VSpace, each in memory that is mapped for it once.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libsel4::libsel4_sys::seL4_PageBits;
use libsel4::{
    AllocationError, Allocator, BootInfo, Cap, CapRights, Endpoint, Guard, IpcBuffer, SmallPage,
    Tcb, VmAttributes, entry_context, message,
};

#[cfg(CONFIG_KERNEL_MCS)]
use libsel4::{MIN_SCHED_CONTEXT_BITS, SchedContext};

unsafe extern "C" {
    safe fn sel4runtime_get_tls_size() -> usize;
    /// Lays out thread-local storage there, and returns what the thread's register for it holds.
    fn sel4runtime_write_tls_image(memory: *mut u8) -> usize;
}

const PAGE: usize = 1 << seL4_PageBits;
/// Where the memory of threads is: far from images, and from where seL4's own libraries map things.
const BASE: usize = 0x4000_0000;
/// From one thread's memory to the next.
const STRIDE: usize = 32 * PAGE;
/// First the IPC buffer, then an unmapped page.
const TLS: usize = 2 * PAGE;
const TLS_BYTES: usize = 2 * PAGE;
/// muslc keeps a structure of its own on one side of the thread-local storage, say for `errno`.
const TLS_ROOM: usize = 1024;
/// An unmapped page, then the stack; what follows is unmapped up to the next thread's memory.
const STACK: usize = TLS + TLS_BYTES + PAGE;
pub(crate) const STACK_BYTES: usize = 16 * PAGE;
const _: () = assert!(STACK + STACK_BYTES < STRIDE);

/// How many threads there are: the test's own, those that it starts, and the monitor's.
pub(crate) const AREAS: usize = STARTED.end + 2;
/// Those that a test starts.
pub(crate) const STARTED: core::ops::Range<usize> = 1..7;

/// The thread that each area belongs to at present, 0 for none.
static OWNERS: [AtomicUsize; AREAS] = [const { AtomicUsize::new(0) }; AREAS];

/// Memory for a thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    number: usize,
    buffer: Cap<SmallPage>,
    /// Where its faults go.
    faults: Cap<Endpoint>,
}

impl Area {
    pub(crate) fn map<const N: usize>(
        info: &BootInfo,
        objects: &mut Allocator<N>,
        number: usize,
        faults: Cap<Endpoint>,
    ) -> Result<Self, AllocationError> {
        let start = BASE + number * STRIDE;
        let mut page = |address| {
            let page = objects.make()?;
            // SAFETY: a fresh page, where nothing is.
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

    /// The thread that runs here.
    pub(crate) fn owner(number: usize) -> Option<Cap<Tcb>> {
        let word = OWNERS.get(number)?.load(Relaxed);
        // SAFETY: `Plan::start` has put a thread's there, and `forget_owners` comes before its end.
        (word != 0).then(|| unsafe { Cap::from_word(word) })
    }

    /// Whether the address is where a stack that is used up goes on.
    pub(crate) fn is_below_stack(number: usize, address: usize) -> bool {
        let end = BASE + number * STRIDE + STACK;
        (end - PAGE..end).contains(&address)
    }

    /// What ran in the areas of a test is gone.
    pub(crate) fn forget_owners() {
        for owner in &OWNERS[..STARTED.end] {
            owner.store(0, Relaxed);
        }
    }
}

/// A thread that was started.
#[derive(Clone, Copy, Debug)]
pub struct Thread {
    /// The thread.
    pub tcb: Cap<Tcb>,
    /// Its time.
    #[cfg(CONFIG_KERNEL_MCS)]
    pub sched_context: Cap<SchedContext>,
}

/// How to start a thread.
pub(crate) struct Plan {
    pub(crate) info: BootInfo,
    pub(crate) area: Area,
    pub(crate) priority: usize,
    /// The highest priority that it may give.
    pub(crate) mcp: usize,
    /// Where its faults go instead of to the monitor.
    pub(crate) faults: Option<Cap<Endpoint>>,
    /// How many microseconds it may run in each period of so many.
    #[cfg(CONFIG_KERNEL_MCS)]
    pub(crate) time: (u64, u64),
}

/// What a thread finds when it begins.
struct Start<F> {
    buffer: usize,
    tcb: Cap<Tcb>,
    body: F,
}

impl Thread {
    /// Makes the objects of a thread.
    pub(crate) fn make<const N: usize>(
        objects: &mut Allocator<N>,
    ) -> Result<Self, AllocationError> {
        Ok(Self {
            tcb: objects.make()?,
            #[cfg(CONFIG_KERNEL_MCS)]
            sched_context: objects.make_sized(MIN_SCHED_CONTEXT_BITS)?,
        })
    }
}

impl Plan {
    /// Lets a fresh thread run `body`.
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
        // SAFETY: it fits, and the memory is this thread's, where nothing runs any more.
        let tls = unsafe { sel4runtime_write_tls_image(tls) };

        let Thread { tcb, .. } = thread;
        let top = (memory + STACK + STACK_BYTES - size_of::<Start<F>>()) & !63;
        let start = core::ptr::with_exposed_provenance_mut::<Start<F>>(top);
        let buffer = IpcBuffer {
            address: memory,
            page: self.area.buffer,
        };
        // SAFETY: aligned, within the stack, of which nobody uses anything yet.
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
        // SAFETY: the function may run there, on a stack and with an IPC buffer and thread-local
        // storage that are the thread's own.
        unsafe {
            tcb.tcb_write_registers(false, &context)?;
            tcb.tcb_set_tls_base(tls)?;
        }
        Ok(tcb.tcb_resume()?)
    }

    #[cfg(not(CONFIG_KERNEL_MCS))]
    fn configure(&self, thread: Thread, buffer: IpcBuffer) -> libsel4::Result<()> {
        let Self { info, .. } = self;
        let faults = self.faults.unwrap_or(self.area.faults).cptr();
        let buffer = Some(buffer);
        // SAFETY: the thread does not run yet; it shares CSpace and VSpace with this one.
        unsafe {
            let tcb = thread.tcb;
            tcb.tcb_configure(faults, info.cnode(), Guard::NONE, info.vspace(), buffer)?;
        }
        let authority = info.tcb();
        thread
            .tcb
            .tcb_set_sched_params(authority, self.mcp, self.priority)
    }

    #[cfg(CONFIG_KERNEL_MCS)]
    fn configure(&self, thread: Thread, buffer: IpcBuffer) -> libsel4::Result<()> {
        let Self { info, .. } = self;
        let Thread { tcb, sched_context } = thread;
        // SAFETY: the thread does not run yet; it shares CSpace and VSpace with this one.
        unsafe { tcb.tcb_configure(info.cnode(), Guard::NONE, info.vspace(), Some(buffer))? };
        if let Some(control) = info.sched_control(info.node_id()) {
            let (budget, period) = self.time;
            control.sched_control_configure_flags(sched_context, budget, period, 0, 0, 0)?;
        }
        let faults = self.faults.unwrap_or(self.area.faults);
        // SAFETY: the monitor answers no fault, and whoever else does has promised it.
        unsafe {
            tcb.tcb_set_sched_params(
                info.tcb(),
                self.mcp,
                self.priority,
                Some(sched_context),
                Some(faults),
            )
        }
    }
}

/// Where threads begin.
extern "C" fn begin<F: FnOnce()>(start: usize) -> ! {
    let start = core::ptr::with_exposed_provenance::<Start<F>>(start);
    // SAFETY: `Plan::start` has put it there for this thread, which takes it once.
    let Start { buffer, tcb, body } = unsafe { start.read() };
    // SAFETY: with this address the thread was configured.
    unsafe { message::set_ipc_buffer(core::ptr::with_exposed_provenance_mut(buffer)) };
    body();
    loop {
        // Should the kernel refuse, the thread goes on here.
        let _ = tcb.tcb_suspend();
    }
}
