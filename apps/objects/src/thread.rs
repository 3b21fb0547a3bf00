// SPDX-License-Identifier: BSD-2-Clause

//! Threads in the root server's address space, each with a stack and an IPC buffer.

use libsel4::libsel4_sys::seL4_PageBits;
use libsel4::{
    AllocationError, Allocator, Badge, BootInfo, Cap, CapRights, EmptySlot, Endpoint,
    FaultEndpoint, IpcBuffer, MessageInfo, Priority, ReplyHandle, SchedParams, SmallPage, Space,
    Tcb, VmAttributes, entry_context, message,
};

use crate::THREADS;

/// Start of the threads' memory, far from the root server's image.
const BASE: usize = 0x1000_0000;
const PAGE: usize = 1 << seL4_PageBits;
const STACK_PAGES: usize = 4;
/// Distance between the memory of two threads; the rest stays unmapped.
const STRIDE: usize = 16 * PAGE;
/// Offset of a thread's [`Start`] in the page of its IPC buffer.
const START: usize = PAGE / 2;

/// Capabilities of a server, also for servers in C.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Service {
    /// Endpoint to receive from.
    endpoint: usize,
    /// Reply object; 0 without MCS.
    reply: usize,
    /// CNode of `slot`, which resolves all bits of a word.
    cnode: usize,
    /// Empty slot for a capability in a message.
    slot: usize,
}

impl Service {
    pub fn new(
        info: &BootInfo,
        objects: &mut Allocator,
        endpoint: Cap<Endpoint>,
    ) -> Result<Self, AllocationError> {
        Ok(Self {
            endpoint: endpoint.word(),
            reply: objects.make_reply()?.word(),
            cnode: info.cnode().word(),
            slot: objects.slot()?.into_slot().index(),
        })
    }

    pub fn endpoint(&self) -> Cap<Endpoint> {
        // SAFETY: `new` stored a capability of this type, and C does not change it.
        unsafe { Cap::from_word(self.endpoint) }
    }

    fn reply(&self) -> ReplyHandle {
        // SAFETY: `new` stored a capability of this type, and C does not change it.
        unsafe { ReplyHandle::from_word(self.reply) }
    }

    /// Returns the empty slot for a capability in a message.
    ///
    /// # Safety
    ///
    /// Only the server calls this, and once.
    pub unsafe fn slot(&self) -> EmptySlot {
        // SAFETY: `new` stored a CNode capability and the slot of an allocator, which nothing else fills.
        unsafe {
            let cnode = Cap::from_word(self.cnode);
            EmptySlot::from_slot(Cap::slot(cnode, self.slot, usize::BITS as u8))
        }
    }

    pub fn recv(&self) -> (MessageInfo, Badge) {
        self.endpoint().recv(self.reply()).message()
    }

    pub fn reply_recv(&self, info: MessageInfo) -> (MessageInfo, Badge) {
        self.endpoint().reply_recv(info, self.reply()).message()
    }
}

/// Function that a thread runs.
type Body = extern "C" fn(service: &Service);

/// Data for a new thread.
struct Start {
    buffer: usize,
    body: Body,
    service: Service,
}

/// Starter of threads, one for each thread-local storage.
pub struct Threads {
    info: BootInfo,
    tls: [usize; THREADS],
    started: usize,
}

impl Threads {
    pub fn new(info: &BootInfo, tls: [usize; THREADS]) -> Self {
        Self {
            info: *info,
            tls,
            started: 0,
        }
    }

    /// Starts a thread that runs `body`. Its faults go to the service's endpoint.
    pub fn start(
        &mut self,
        objects: &mut Allocator,
        body: Body,
        service: Service,
    ) -> Result<Cap<Tcb>, AllocationError> {
        let number = self.started;
        let tls = *self.tls.get(number).ok_or(AllocationError::Slots)?;
        self.started += 1;
        let buffer = BASE + number * STRIDE;
        let page = self.page(objects, buffer)?;
        // The page between the IPC buffer and the stack stays unmapped.
        let stack = buffer + 2 * PAGE;
        for index in 0..STACK_PAGES {
            self.page(objects, stack + index * PAGE)?;
        }
        let start = core::ptr::with_exposed_provenance_mut::<Start>(buffer + START);
        // SAFETY: the address is mapped, aligned and behind the IPC buffer, and nothing else uses it.
        unsafe {
            start.write(Start {
                buffer,
                body,
                service,
            })
        };

        let tcb: Cap<Tcb> = objects.make()?;
        let buffer = IpcBuffer {
            address: buffer,
            page,
        };
        self.configure(objects, tcb, buffer, service)?;
        let context = entry_context(begin, stack + STACK_PAGES * PAGE, start.addr());
        // SAFETY: the function runs with a stack, an IPC buffer and thread-local storage that only
        // this thread uses.
        unsafe {
            tcb.tcb_write_registers(false, &context)?;
            tcb.tcb_set_tls_base(tls)?;
        }
        tcb.tcb_resume()?;
        Ok(tcb)
    }

    /// Makes a page and maps it.
    fn page(
        &self,
        objects: &mut Allocator,
        address: usize,
    ) -> Result<Cap<SmallPage>, AllocationError> {
        let page = objects.make()?;
        // SAFETY: the page is new, and nothing is mapped at the address.
        unsafe {
            objects.map_page(
                self.info.vspace(),
                page,
                address,
                CapRights::READ_WRITE,
                VmAttributes::DATA,
            )?;
        }
        Ok(page)
    }

    fn configure(
        &self,
        #[cfg_attr(not(CONFIG_KERNEL_MCS), expect(unused_variables))] objects: &mut Allocator,
        tcb: Cap<Tcb>,
        buffer: IpcBuffer,
        service: Service,
    ) -> Result<(), AllocationError> {
        let info = &self.info;
        // SAFETY: nothing replies to the faults.
        let faults = unsafe { FaultEndpoint::new(service.endpoint()) };
        let space = Space::new(info.cnode(), info.vspace()).fault_endpoint(faults);
        let params = SchedParams::new(Priority::MAX).fault_endpoint(faults);
        #[cfg(CONFIG_KERNEL_MCS)]
        let params = {
            let time = objects.make_sized(libsel4::MIN_SCHED_CONTEXT_BITS)?;
            if let Some(control) = info.sched_control(info.node_id()) {
                let budget = libsel4::Budget::new(10_000, 10_000);
                control.sched_control_configure_flags(time, &budget)?;
            }
            params.sched_context(time)
        };
        // SAFETY: the thread does not run yet; it shares CSpace and VSpace with this one.
        unsafe { tcb.tcb_configure(&space, Some(buffer))? };
        Ok(tcb.tcb_set_sched_params(info.tcb(), &params)?)
    }
}

/// Entry point of threads.
extern "C" fn begin(start: usize) -> ! {
    let start = core::ptr::with_exposed_provenance::<Start>(start);
    // SAFETY: `Threads::start` wrote the value for this thread, with the buffer's address.
    let start = unsafe {
        let start = &*start;
        message::set_ipc_buffer(core::ptr::with_exposed_provenance_mut(start.buffer));
        start
    };
    (start.body)(&start.service);
    loop {
        libsel4::yield_now();
    }
}
