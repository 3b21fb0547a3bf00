// SPDX-License-Identifier: BSD-2-Clause

//! Attacks of safe code, whose sources tests/libsel4/attacks has.

use attacks::{Attack, Done, Shared, Victim, WORDS, World};
use libsel4::libsel4_sys::seL4_PageBits;
use libsel4::{AllocationError, Allocator, BootInfo, Cap, CapRights, Tcb, VmAttributes};
use libsel4_test::Resources;

const _: () = assert!(WORDS * size_of::<usize>() == 1 << seL4_PageBits);

/// Resources of a test, as an attack sees them.
struct Kernel<'a>(&'a mut Resources);

impl World for Kernel<'_> {
    fn info(&self) -> BootInfo {
        self.0.info
    }

    fn objects(&mut self) -> &mut Allocator {
        &mut self.0.objects
    }

    fn tcb(&self) -> Cap<Tcb> {
        self.0.tcb
    }

    fn spawn(&mut self, body: fn(Shared), shared: Shared) -> Result<Cap<Tcb>, AllocationError> {
        Ok(self.0.spawn(move || body(shared))?.tcb)
    }

    fn settle(&self) {
        self.0.settle().expect("the test has its own priority");
    }
}

/// Makes an attack on a page at a free address.
fn run(t: &mut Resources, attack: Attack) -> Done {
    let address = t.free_addresses().start;
    let page = t.objects.make()?;
    let vspace = t.info.vspace();
    // SAFETY: the page is new, and nothing else uses the address. The page is mapped there then, and only this reference
    // is to it.
    let memory = unsafe {
        t.objects.map_page(
            vspace,
            page,
            address,
            CapRights::READ_WRITE,
            VmAttributes::DATA,
        )?;
        &mut *core::ptr::with_exposed_provenance_mut::<[usize; WORDS]>(address)
    };
    attacks::run(&mut Kernel(t), Victim { page, memory }, attack)
}

#[libsel4_test::tests]
pub mod tests {
    use super::run;
    use attacks::{Done, messages, objects, replies, slots, threads};
    use libsel4_test::Resources;

    #[test]
    fn all_slots_taken(t: &mut Resources) -> Done {
        run(t, slots::all_slots_taken)
    }

    #[test]
    fn slot_of_an_error(t: &mut Resources) -> Done {
        run(t, slots::slot_of_an_error)
    }

    #[test]
    fn slots_of_an_error(t: &mut Resources) -> Done {
        run(t, slots::slots_of_an_error)
    }

    #[test]
    fn allocators_exchanged(t: &mut Resources) -> Done {
        run(t, slots::allocators_exchanged)
    }

    #[test]
    fn guard_as_a_badge(t: &mut Resources) -> Done {
        run(t, slots::guard_as_a_badge)
    }

    #[test]
    fn root_with_other_guards(t: &mut Resources) -> Done {
        run(t, slots::root_with_other_guards)
    }

    #[test]
    fn sends_cancelled_elsewhere(t: &mut Resources) -> Done {
        run(t, slots::sends_cancelled_elsewhere)
    }

    #[test]
    fn slot_of_a_refused_interrupt(t: &mut Resources) -> Done {
        run(t, slots::slot_of_a_refused_interrupt)
    }

    #[cfg(CONFIG_ARCH_X86)]
    #[test]
    fn slot_of_refused_ports(t: &mut Resources) -> Done {
        run(t, slots::slot_of_refused_ports)
    }

    #[test]
    fn asid_pool_of_live_memory(t: &mut Resources) -> Done {
        run(t, slots::asid_pool_of_live_memory)
    }

    #[test]
    fn full_untyped_retyped(t: &mut Resources) -> Done {
        run(t, objects::full_untyped_retyped)
    }

    #[test]
    fn untyped_and_its_copy_retyped(t: &mut Resources) -> Done {
        run(t, objects::untyped_and_its_copy_retyped)
    }

    #[test]
    fn live_untyped_copied(t: &mut Resources) -> Done {
        run(t, objects::live_untyped_copied)
    }

    #[test]
    fn untypeds_in_two_allocators(t: &mut Resources) -> Done {
        run(t, objects::untypeds_in_two_allocators)
    }

    #[test]
    fn forged_description_of_an_untyped(t: &mut Resources) -> Done {
        run(t, objects::forged_description_of_an_untyped)
    }

    #[test]
    fn absurd_sizes(t: &mut Resources) -> Done {
        run(t, objects::absurd_sizes)
    }

    #[test]
    fn device_page_twice(t: &mut Resources) -> Done {
        run(t, objects::device_page_twice)
    }

    #[test]
    fn tables_over_memory(t: &mut Resources) -> Done {
        run(t, objects::tables_over_memory)
    }

    #[test]
    fn reply_to_nobody(t: &mut Resources) -> Done {
        run(t, replies::reply_to_nobody)
    }

    #[test]
    fn reply_twice(t: &mut Resources) -> Done {
        run(t, replies::reply_twice)
    }

    #[test]
    fn reply_to_a_suspended_caller(t: &mut Resources) -> Done {
        run(t, replies::reply_to_a_suspended_caller)
    }

    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[test]
    fn slot_of_a_reply_filled(t: &mut Resources) -> Done {
        run(t, replies::slot_of_a_reply_filled)
    }

    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[test]
    fn saved_caller_suspended(t: &mut Resources) -> Done {
        run(t, replies::saved_caller_suspended)
    }

    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[test]
    fn nobody_saved(t: &mut Resources) -> Done {
        run(t, replies::nobody_saved)
    }

    #[test]
    fn invocations_as_messages(t: &mut Resources) -> Done {
        run(t, replies::invocations_as_messages)
    }

    #[test]
    fn registers_beyond_the_last(t: &mut Resources) -> Done {
        run(t, messages::registers_beyond_the_last)
    }

    #[test]
    fn value_of_a_forged_length(t: &mut Resources) -> Done {
        run(t, messages::value_of_a_forged_length)
    }

    #[test]
    fn bytes_after_a_value(t: &mut Resources) -> Done {
        run(t, messages::bytes_after_a_value)
    }

    #[test]
    fn forged_faults(t: &mut Resources) -> Done {
        run(t, messages::forged_faults)
    }

    #[test]
    fn two_capabilities_received(t: &mut Resources) -> Done {
        run(t, messages::two_capabilities_received)
    }

    #[test]
    fn endpoint_received_by_itself(t: &mut Resources) -> Done {
        run(t, messages::endpoint_received_by_itself)
    }

    #[test]
    fn boot_information_read_to_its_end(t: &mut Resources) -> Done {
        run(t, messages::boot_information_read_to_its_end)
    }

    #[test]
    fn blank_thread_resumed(t: &mut Resources) -> Done {
        run(t, threads::blank_thread_resumed)
    }

    #[test]
    fn server_suspended_and_resumed(t: &mut Resources) -> Done {
        run(t, threads::server_suspended_and_resumed)
    }

    #[test]
    fn caller_resumed(t: &mut Resources) -> Done {
        run(t, threads::caller_resumed)
    }

    #[test]
    fn server_signalled(t: &mut Resources) -> Done {
        run(t, threads::server_signalled)
    }

    #[test]
    fn registers_read(t: &mut Resources) -> Done {
        run(t, threads::registers_read)
    }

    #[test]
    fn absurd_priorities(t: &mut Resources) -> Done {
        run(t, threads::absurd_priorities)
    }

    #[cfg(CONFIG_KERNEL_MCS)]
    #[test]
    fn nothing_from_slot_0(t: &mut Resources) -> Done {
        run(t, threads::nothing_from_slot_0)
    }
}
