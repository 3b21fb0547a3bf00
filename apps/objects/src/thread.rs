// SPDX-License-Identifier: BSD-2-Clause

//! Threads in the root server's address space, each with a stack and an IPC buffer.

use libsel4::libsel4_sys::{seL4_MaxPrio, seL4_PageBits};
use libsel4::{
    AllocationError, Allocator, Badge, BootInfo, Cap, CapRights, Endpoint, Guard, IpcBuffer,
    MessageInfo, Slot, SmallPage, Tcb, VmAttributes, entry_context, message,
};

#[cfg(CONFIG_KERNEL_MCS)]
use libsel4::Reply;

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
    pub fn new<const N: usize>(
        info: &BootInfo,
        objects: &mut Allocator<N>,
        endpoint: Cap<Endpoint>,
    ) -> Result<Self, AllocationError> {
        Ok(Self {
            endpoint: endpoint.word(),
            #[cfg(CONFIG_KERNEL_MCS)]
            reply: objects.make::<Reply>()?.word(),
            #[cfg(not(CONFIG_KERNEL_MCS))]
            reply: 0,
            cnode: info.cnode().word(),
            slot: objects.slot()?.index(),
        })
    }

    pub fn endpoint(&self) -> Cap<Endpoint> {
        // SAFETY: `new` stored a capability of this type, and C does not change it.
        unsafe { Cap::from_word(self.endpoint) }
    }

    #[cfg(CONFIG_KERNEL_MCS)]
    fn reply(&self) -> Cap<Reply> {
        // SAFETY: `new` stored a capability of this type, and C does not change it.
        unsafe { Cap::from_word(self.reply) }
    }

    pub fn slot(&self) -> Slot {
        // SAFETY: `new` stored a CNode capability, and C does not change it.
        let cnode = unsafe { Cap::from_word(self.cnode) };
        Cap::slot(cnode, self.slot, usize::BITS as u8)
    }

    pub fn recv(&self) -> (MessageInfo, Badge) {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.endpoint().recv(self.reply());
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return self.endpoint().recv();
    }

    pub fn reply_recv(&self, info: MessageInfo) -> (MessageInfo, Badge) {
        #[cfg(CONFIG_KERNEL_MCS)]
        return self.endpoint().reply_recv(info, self.reply());
        #[cfg(not(CONFIG_KERNEL_MCS))]
        return self.endpoint().reply_recv(info);
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
    pub fn start<const N: usize>(
        &mut self,
        objects: &mut Allocator<N>,
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
    fn page<const N: usize>(
        &self,
        objects: &mut Allocator<N>,
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

    #[cfg(not(CONFIG_KERNEL_MCS))]
    fn configure<const N: usize>(
        &self,
        _: &mut Allocator<N>,
        tcb: Cap<Tcb>,
        buffer: IpcBuffer,
        service: Service,
    ) -> Result<(), AllocationError> {
        let info = &self.info;
        // SAFETY: the thread does not run yet; it shares CSpace and VSpace with this one.
        unsafe {
            let faults = service.endpoint().cptr();
            tcb.tcb_configure(
                faults,
                info.cnode(),
                Guard::NONE,
                info.vspace(),
                Some(buffer),
            )?;
        }
        Ok(tcb.tcb_set_sched_params(info.tcb(), seL4_MaxPrio, seL4_MaxPrio)?)
    }

    #[cfg(CONFIG_KERNEL_MCS)]
    fn configure<const N: usize>(
        &self,
        objects: &mut Allocator<N>,
        tcb: Cap<Tcb>,
        buffer: IpcBuffer,
        service: Service,
    ) -> Result<(), AllocationError> {
        const MICROSECONDS: u64 = 10_000;
        let info = &self.info;
        // SAFETY: the thread does not run yet; it shares CSpace and VSpace with this one.
        unsafe { tcb.tcb_configure(info.cnode(), Guard::NONE, info.vspace(), Some(buffer))? };
        let time = objects.make_sized(libsel4::MIN_SCHED_CONTEXT_BITS)?;
        if let Some(control) = info.sched_control(info.node_id()) {
            control.sched_control_configure_flags(time, MICROSECONDS, MICROSECONDS, 0, 0, 0)?;
        }
        let faults = service.endpoint();
        // SAFETY: nothing replies to its faults.
        unsafe {
            tcb.tcb_set_sched_params(
                info.tcb(),
                seL4_MaxPrio,
                seL4_MaxPrio,
                Some(time),
                Some(faults),
            )?;
        }
        Ok(())
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
