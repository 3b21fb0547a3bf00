// SPDX-License-Identifier: BSD-2-Clause

//! The attacks on the hosted platform, each in a process and with a kernel of its own.

use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use attacks::{
    Attack, Done, Prey, Shared, Victim, WORDS, World, messages, objects, replies, slots, threads,
};
use libsel4::libsel4_sys::seL4_BootInfo;
use libsel4::{
    AllocationError, Allocator, BootInfo, Cap, CapRights, IpcBuffer, Priority, SchedParams,
    SmallPage, Space, Tcb, VmAttributes, entry_context, message,
};

const PAGE: usize = 4096;
const BASE: usize = 0x1000_0000;
const VICTIM: usize = 0x2000_0000;
/// Pages between the beginnings of two threads' memory.
const STRIDE: usize = 32;
const PRIORITY: Priority = Priority::new(100);

struct Hosted {
    info: BootInfo,
    objects: Allocator,
    threads: usize,
}

/// Arguments of a thread, in the page of its IPC buffer.
#[derive(Clone, Copy)]
struct Start {
    buffer: usize,
    body: fn(Shared),
    shared: Shared,
    tcb: Cap<Tcb>,
}

impl Hosted {
    fn map(&mut self, address: usize) -> Result<Cap<SmallPage>, AllocationError> {
        let page = self.objects.make()?;
        let (vspace, rights) = (self.info.vspace(), CapRights::READ_WRITE);
        // SAFETY: the page is new, and nothing else uses the address.
        unsafe {
            self.objects
                .map_page(vspace, page, address, rights, VmAttributes::DATA)?;
        }
        Ok(page)
    }
}

impl World for Hosted {
    fn info(&self) -> BootInfo {
        self.info
    }

    fn objects(&mut self) -> &mut Allocator {
        &mut self.objects
    }

    fn tcb(&self) -> Cap<Tcb> {
        self.info.tcb()
    }

    fn spawn(&mut self, body: fn(Shared), shared: Shared) -> Result<Cap<Tcb>, AllocationError> {
        let buffer = BASE + self.threads * STRIDE * PAGE;
        self.threads += 1;
        let page = self.map(buffer)?;
        for index in 2..STRIDE - 1 {
            self.map(buffer + index * PAGE)?;
        }
        let tcb: Cap<Tcb> = self.objects.make()?;
        let start = with_exposed_provenance_mut::<Start>(buffer + PAGE / 2);
        // SAFETY: the page is mapped, and nothing uses the rest of it.
        unsafe {
            start.write(Start {
                buffer,
                body,
                shared,
                tcb,
            });
        }
        let context = entry_context(begin, buffer + (STRIDE - 1) * PAGE, start.addr());
        let space = Space::new(self.info.cnode(), self.info.vspace());
        let params = SchedParams::new(PRIORITY);
        let buffer = IpcBuffer {
            address: buffer,
            page,
        };
        // SAFETY: only this thread uses the stack and the page, and it has the CSpace of all.
        unsafe {
            tcb.tcb_configure(&space, Some(buffer))?;
            tcb.tcb_set_sched_params(self.info.tcb(), &params)?;
            tcb.tcb_write_registers(true, &context)?;
        }
        Ok(tcb)
    }

    fn settle(&self) {
        let own = self.info.tcb();
        for priority in [Priority::new(PRIORITY.word() - 1), PRIORITY] {
            own.tcb_set_priority(own, priority)
                .expect("a priority below the maximum");
        }
    }
}

extern "C" fn begin(start: usize) -> ! {
    // SAFETY: `Hosted::spawn` has put the arguments there.
    let start = unsafe { with_exposed_provenance::<Start>(start).read() };
    // SAFETY: the thread was configured with this address.
    unsafe { message::set_ipc_buffer(with_exposed_provenance_mut(start.buffer)) };
    (start.body)(start.shared);
    loop {
        start.tcb.tcb_suspend().expect("a TCB");
    }
}

fn run(info: &seL4_BootInfo, attack: Attack) {
    // SAFETY: the test receives its kernel's BootInfo.
    let info = unsafe { BootInfo::from_ptr(info) };
    // SAFETY: nothing else uses the kernel's empty slots.
    let objects = unsafe { Allocator::new(&info) };
    let mut world = Hosted {
        info,
        objects,
        threads: 0,
    };
    world.settle();
    let page = world.map(VICTIM).expect("a page");
    // SAFETY: the page is mapped there, new, and used by this reference only.
    let memory = unsafe { &mut *with_exposed_provenance_mut::<[usize; WORDS]>(VICTIM) };
    attacks::run(&mut world, Victim { page, memory }, attack).expect("the attack is made");
}

/// Harm, to see that it is noticed: a word of the page changes.
fn writes(_: &mut dyn World, _: &Prey) -> Done {
    let word = with_exposed_provenance_mut::<usize>(VICTIM + 7 * size_of::<usize>());
    // SAFETY: none; the reference to the page is exclusive.
    unsafe { word.write_volatile(0) };
    Ok(())
}

#[sel4_hosted::test]
#[should_panic(expected = "word 7 of the page")]
fn a_changed_word_is_noticed(info: &seL4_BootInfo) {
    run(info, writes);
}

/// Harm, to see that it is noticed: the page lies elsewhere.
fn replaces(world: &mut dyn World, prey: &Prey) -> Done {
    let other: Cap<SmallPage> = world.objects().make()?;
    let root = world.info().cnode();
    // SAFETY: none; the page is in use.
    unsafe {
        prey.page.page_unmap()?;
        other.page_map(
            world.info().vspace(),
            VICTIM,
            CapRights::READ_WRITE,
            VmAttributes::DATA,
        )?;
        root.slot_of(prey.page).cnode_delete()?;
    }
    Ok(())
}

#[sel4_hosted::test]
#[should_panic(expected = "word 0 of the page")]
fn a_page_mapped_over_is_noticed(info: &seL4_BootInfo) {
    run(info, replaces);
}

macro_rules! attacks {
    ($($module:ident: $($name:ident)*;)*) => {$($(
        #[sel4_hosted::test]
        fn $name(info: &seL4_BootInfo) {
            run(info, $module::$name);
        }
    )*)*};
}

attacks! {
    slots: all_slots_taken slot_of_an_error slots_of_an_error allocators_exchanged guard_as_a_badge
        root_with_other_guards sends_cancelled_elsewhere slot_of_a_refused_interrupt asid_pool_of_live_memory;
    objects: full_untyped_retyped untyped_and_its_copy_retyped live_untyped_copied untypeds_in_two_allocators
        forged_description_of_an_untyped absurd_sizes device_page_twice tables_over_memory;
    replies: reply_to_nobody reply_twice reply_to_a_suspended_caller invocations_as_messages;
    messages: registers_beyond_the_last value_of_a_forged_length bytes_after_a_value forged_faults
        two_capabilities_received endpoint_received_by_itself boot_information_read_to_its_end;
    threads: blank_thread_resumed server_suspended_and_resumed caller_resumed server_signalled registers_read
        absurd_priorities;
}

#[cfg(not(CONFIG_KERNEL_MCS))]
attacks! {
    replies: slot_of_a_reply_filled saved_caller_suspended nobody_saved;
}

#[cfg(CONFIG_ARCH_X86)]
attacks! {
    slots: slot_of_refused_ports;
}
