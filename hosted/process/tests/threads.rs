// SPDX-License-Identifier: BSD-2-Clause

//! Threads, memory and faults on the hosted platform, through the typed API.

use std::arch::asm;
use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use libsel4::libsel4_sys::{
    seL4_BootInfo, seL4_UserContext, seL4_UserException_Number, seL4_Yield,
};
use libsel4::{
    Allocator, BootInfo, Cap, CapRights, Endpoint, Event, Fault, FaultEndpoint, IpcBuffer,
    MessageInfo, Notification, Priority, Retype, SchedParams, Slot, SmallPage, Space, Tcb, VSpace,
    VmAttributes, entry_context, message,
};

const PAGE: usize = 4096;
const BASE: usize = 0x1000_0000;
/// Parameters of the tests' threads.
const HIGHEST: SchedParams = SchedParams::new(Priority::MAX).mcp(Priority::MAX);

/// Fixture: an object allocator, and threads in the root server's address space.
struct World {
    info: BootInfo,
    objects: Allocator,
    threads: usize,
}

impl World {
    fn new(info: &seL4_BootInfo) -> Self {
        // SAFETY: the BootInfo is the kernel's, and nothing else uses the empty slots.
        let info = unsafe { BootInfo::from_ptr(info) };
        // SAFETY: as above.
        let objects = unsafe { Allocator::new(&info) };
        Self {
            info,
            objects,
            threads: 0,
        }
    }

    fn make<T: Retype + libsel4::FixedSize>(&mut self) -> Cap<T> {
        self.objects.make().unwrap()
    }

    fn map(&mut self, address: usize, rights: CapRights) -> Cap<SmallPage> {
        let page = self.make();
        self.map_page(page, address, rights);
        page
    }

    fn map_page(&mut self, page: Cap<SmallPage>, address: usize, rights: CapRights) {
        let vspace = self.info.vspace();
        // SAFETY: nothing else uses the address.
        unsafe {
            self.objects
                .map_page(vspace, page, address, rights, VmAttributes::DATA)
        }
        .unwrap();
    }

    /// Starts a thread of the highest priority that runs `body(argument)`.
    fn start(
        &mut self,
        faults: Cap<Endpoint>,
        body: extern "C" fn(usize) -> !,
        argument: usize,
    ) -> Cap<Tcb> {
        let buffer = BASE + self.threads * 16 * PAGE;
        self.threads += 1;
        let page = self.map(buffer, CapRights::READ_WRITE);
        for index in 2..6 {
            self.map(buffer + index * PAGE, CapRights::READ_WRITE);
        }
        // The thread's arguments are in the page of its IPC buffer.
        let start = with_exposed_provenance_mut::<[usize; 3]>(buffer + PAGE / 2);
        // SAFETY: the page is mapped, and nothing uses the rest of it.
        unsafe { start.write([buffer, body as usize, argument]) };
        let tcb: Cap<Tcb> = self.make();
        let (cnode, vspace) = (self.info.cnode(), self.info.vspace());
        let context = entry_context(begin, buffer + 6 * PAGE, start.addr());
        // SAFETY: only the thread uses the stack and the page.
        unsafe {
            let buffer = Some(IpcBuffer {
                address: buffer,
                page,
            });
            let space = Space::new(cnode, vspace).fault_endpoint(FaultEndpoint::new(faults));
            tcb.tcb_configure(&space, buffer).unwrap();
            tcb.tcb_set_sched_params(self.info.tcb(), &HIGHEST).unwrap();
            tcb.tcb_write_registers(true, &context).unwrap();
        }
        tcb
    }
}

extern "C" fn begin(start: usize) -> ! {
    // SAFETY: `World::start` has put the arguments there.
    unsafe {
        let [buffer, body, argument] = with_exposed_provenance::<[usize; 3]>(start).read();
        message::set_ipc_buffer(with_exposed_provenance_mut(buffer));
        std::mem::transmute::<usize, extern "C" fn(usize) -> !>(body)(argument)
    }
}

fn endpoint(word: usize) -> Cap<Endpoint> {
    // SAFETY: these tests pass endpoints.
    unsafe { Cap::from_word(word) }
}

extern "C" fn doubling(word: usize) -> ! {
    let service = endpoint(word);
    let (mut info, _) = service.recv(()).message();
    loop {
        let words: [usize; 20] = message::take(info).unwrap();
        (info, _) = service
            .reply_recv(message::put(0, &words.map(|word| word * 2)), ())
            .message();
    }
}

#[sel4_hosted::test]
fn a_server_answers_with_registers_and_buffer(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let service: Cap<Endpoint> = world.make();
    world.start(service, doubling, service.word());
    for round in 0..1000 {
        let question = std::array::from_fn::<usize, 20, _>(|index| index + round);
        let answer = service.call(message::put(0, &question));
        assert_eq!(message::take(answer), Some(question.map(|word| word * 2)));
    }
}

extern "C" fn signals(word: usize) -> ! {
    // SAFETY: these tests pass a notification here.
    let bell: Cap<Notification> = unsafe { Cap::from_word(word) };
    loop {
        bell.signal();
        // SAFETY: the call accesses no memory.
        unsafe { seL4_Yield() };
    }
}

#[sel4_hosted::test]
fn equal_threads_take_turns(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let bell: Cap<Notification> = world.make();
    let badged = world.objects.mint(bell, CapRights::ALL, 4).unwrap();
    let nobody = world.make();
    world.start(nobody, signals, badged.word());
    for _ in 0..100 {
        assert_eq!(bell.wait(), 4);
    }
}

/// Reads from an unmapped page while a floating-point register holds a value, and sends both values.
extern "C" fn reads(word: usize) -> ! {
    let (read, kept): (usize, f64);
    // SAFETY: the fault handler maps a page there, and the instruction is repeated.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "fmov d7, {given:d}",
            "ldr {read}, [{address}]",
            "fmov {kept:d}, d7",
            given = in(vreg) 2.5_f64,
            address = in(reg) BASE + 0x100_0000,
            read = out(reg) read,
            kept = out(vreg) kept,
            out("v7") _,
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "movapd xmm7, {given}",
            "mov {read}, [{address}]",
            "movapd {kept}, xmm7",
            given = in(xmm_reg) 2.5_f64,
            address = in(reg) BASE + 0x100_0000,
            read = out(reg) read,
            kept = out(xmm_reg) kept,
            out("xmm7") _,
        );
    }
    endpoint(word).call(message::put(7, &[read, kept as usize]));
    loop {
        libsel4::yield_now();
    }
}

#[sel4_hosted::test]
fn a_thread_goes_on_when_its_fault_is_mended(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let faults: Cap<Endpoint> = world.make();
    world.start(faults, reads, faults.word());
    let (message, _) = faults.recv(()).message();
    let Fault::Vm { address, .. } = Fault::of(message) else {
        panic!("{:?}", Fault::of(message));
    };
    assert_eq!(address, BASE + 0x100_0000);
    let page = world.map(BASE + 0x100_0000, CapRights::READ_WRITE);
    // SAFETY: mapped above.
    unsafe { with_exposed_provenance_mut::<usize>(address).write(99) };
    // Computation here must not change the thread's registers. SAFETY: uses one register.
    unsafe {
        #[cfg(target_arch = "aarch64")]
        asm!("fmov d7, xzr", out("v7") _);
        #[cfg(target_arch = "x86_64")]
        asm!("xorps xmm7, xmm7", out("xmm7") _);
    }
    libsel4::reply((), MessageInfo::new(0, 0, 0, 0));
    let (message, _) = faults.recv(()).message();
    assert_eq!(
        (message.label(), message::take(message)),
        (7, Some([99_usize, 2]))
    );
    let _ = page;
}

/// Executes an undefined instruction.
extern "C" fn illegal(_: usize) -> ! {
    // SAFETY: the kernel stops the thread there.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("udf #0", options(noreturn))
    }
    // SAFETY: as above.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("ud2", options(noreturn))
    }
}

/// Divides by zero on x86_64, and hits a breakpoint on aarch64, which has no such exception.
extern "C" fn refused(zero: usize) -> ! {
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("brk #7", "udf #0", in("x0") zero, options(noreturn))
    }
    // SAFETY: as above.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("xor edx, edx", "div {zero}", "ud2", zero = in(reg) zero, options(noreturn))
    }
}

#[sel4_hosted::test]
fn exceptions_are_told_by_their_numbers(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let faults: Cap<Endpoint> = world.make();
    let numbers = match cfg!(target_arch = "aarch64") {
        true => [1 << 25, 0xf200_0007],
        false => [6, 0],
    };
    for (body, number) in [illegal as extern "C" fn(usize) -> !, refused]
        .into_iter()
        .zip(numbers)
    {
        world.start(faults, body, 0);
        let (message, _) = faults.recv(()).message();
        assert_eq!(message.label(), 3);
        assert_eq!(message::get_mr::<{ seL4_UserException_Number }>(), number);
    }
}

/// Writes to an address.
extern "C" fn writes(address: usize) -> ! {
    // SAFETY: the kernel stops the thread there.
    unsafe { with_exposed_provenance_mut::<u8>(address).write_volatile(1) };
    loop {
        libsel4::yield_now();
    }
}

/// Runs a thread that writes to `address`. Returns the address of its fault.
fn fault_of_write(world: &mut World, address: usize) -> usize {
    let faults: Cap<Endpoint> = world.make();
    world.start(faults, writes, address);
    let (message, _) = faults.recv(()).message();
    match Fault::of(message) {
        Fault::Vm { address, .. } => address,
        other => panic!("{other}"),
    }
}

#[sel4_hosted::test]
fn rights_of_a_mapping_are_kept(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let address = BASE + 0x200_0000;
    let page = world.map(address, CapRights::READ);
    // SAFETY: mapped, and no thread writes there.
    let read = unsafe { with_exposed_provenance::<u8>(address).read_volatile() };
    assert_eq!(read, 0);
    assert_eq!(fault_of_write(&mut world, address), address);
    // SAFETY: nothing uses the page.
    unsafe { page.page_unmap() }.unwrap();
    let _ = page;
}

#[sel4_hosted::test]
fn a_page_at_two_addresses_is_one(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let (one, two) = (BASE + 0x300_0000, BASE + 0x400_0000);
    let page = world.map(one, CapRights::READ_WRITE);
    let copy = world.objects.mint(page, CapRights::READ_WRITE, 0).unwrap();
    world.map_page(copy, two, CapRights::READ_WRITE);
    // SAFETY: both are mapped.
    unsafe {
        with_exposed_provenance_mut::<u64>(one).write_volatile(11);
        assert_eq!(with_exposed_provenance::<u64>(two).read_volatile(), 11);
        page.page_unmap().unwrap();
        assert_eq!(with_exposed_provenance::<u64>(two).read_volatile(), 11);
    }
    assert_eq!(fault_of_write(&mut world, one), one);
}

#[sel4_hosted::test]
fn deleting_the_last_capability_unmaps(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let address = BASE + 0x500_0000;
    let page = world.map(address, CapRights::READ_WRITE);
    let slot: Slot = world.info.cnode().slot(page.word(), 64);
    // SAFETY: nothing uses the page.
    unsafe { slot.cnode_delete() }.unwrap();
    assert_eq!(fault_of_write(&mut world, address), address);
}

const SAME: usize = BASE + 0x600_0000;

/// Reads from an address that is mapped in two address spaces.
extern "C" fn reads_in_its_own(word: usize) -> ! {
    // SAFETY: both pages are mapped in this thread's address space.
    let value = unsafe {
        message::set_ipc_buffer(with_exposed_provenance_mut(SAME + PAGE));
        with_exposed_provenance::<usize>(SAME).read_volatile()
    };
    endpoint(word).call(message::put(9, &value));
    loop {
        libsel4::yield_now();
    }
}

#[sel4_hosted::test]
fn address_spaces_are_apart(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let told: Cap<Endpoint> = world.make();
    let (here, there, buffer) = (world.make(), world.make(), world.make());
    world.map_page(here, SAME, CapRights::READ_WRITE);
    let vspace: Cap<VSpace> = world.make();
    world.info.asid_pool().asid_pool_assign(vspace).unwrap();
    // The other page is mapped in both address spaces, so that this thread can write to it.
    let seen = world.objects.mint(there, CapRights::READ_WRITE, 0).unwrap();
    world.map_page(seen, SAME + 2 * PAGE, CapRights::READ_WRITE);
    let stack = vec![0_u128; 4096].leak().as_mut_ptr_range().end.addr();
    // SAFETY: mapped above; only the thread uses its stack and IPC buffer.
    unsafe {
        for (page, address) in [(there, SAME), (buffer, SAME + PAGE)] {
            let (rights, attributes) = (CapRights::READ_WRITE, VmAttributes::DATA);
            world
                .objects
                .map_page(vspace, page, address, rights, attributes)
                .unwrap();
        }
        with_exposed_provenance_mut::<usize>(SAME).write_volatile(1);
        with_exposed_provenance_mut::<usize>(SAME + 2 * PAGE).write_volatile(2);
        let tcb: Cap<Tcb> = world.make();
        let ipc = Some(IpcBuffer {
            address: SAME + PAGE,
            page: buffer,
        });
        let faults = FaultEndpoint::new(told);
        let space = Space::new(world.info.cnode(), vspace).fault_endpoint(faults);
        tcb.tcb_configure(&space, ipc).unwrap();
        tcb.tcb_set_sched_params(world.info.tcb(), &HIGHEST)
            .unwrap();
        tcb.tcb_write_registers(true, &entry_context(reads_in_its_own, stack, told.word()))
            .unwrap();
    }
    let (message, _) = told.recv(()).message();
    assert_eq!(
        (message.label(), message::take(message)),
        (9, Some(2_usize))
    );
    // SAFETY: mapped above.
    let read = unsafe { with_exposed_provenance::<usize>(SAME).read_volatile() };
    assert_eq!(read, 1);
    // A page that only this address space maps is not visible there.
    assert_eq!(fault_of_write(&mut world, SAME + 8 * PAGE), SAME + 8 * PAGE);
}

/// Loops for ever.
extern "C" fn spins(_: usize) -> ! {
    loop {
        libsel4::yield_now();
    }
}

extern "C" fn arrives(word: usize) -> ! {
    endpoint(word).send(MessageInfo::new(5, 0, 0, 0));
    loop {
        libsel4::yield_now();
    }
}

#[sel4_hosted::test]
fn a_signal_is_told_from_a_message(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let (service, nobody): (Cap<Endpoint>, Cap<Endpoint>) = (world.make(), world.make());
    let bell: Cap<Notification> = world.make();
    let rung = world.objects.mint(bell, CapRights::ALL, 0x100).unwrap();
    let named = world.objects.mint(service, CapRights::ALL, 1).unwrap();
    world.info.tcb().tcb_bind_notification(bell).unwrap();
    world.start(nobody, arrives, named.word());
    let event = service.recv(()).event(0x100);
    assert_eq!(event, Event::Message(MessageInfo::labelled(5), 1));
    rung.signal();
    assert_eq!(service.recv(()).event(0x100), Event::Signal(0x100));
    assert_eq!(service.nb_recv(()), None);
}

#[sel4_hosted::test]
fn registers_written_from_outside_are_what_a_thread_goes_on_with(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let (nobody, told): (Cap<Endpoint>, Cap<Endpoint>) = (world.make(), world.make());
    let tcb = world.start(nobody, spins, 0);
    libsel4::yield_now();
    // SAFETY: only the thread uses the stack.
    unsafe {
        let before: seL4_UserContext = tcb.tcb_read_registers(true).unwrap();
        #[cfg(target_arch = "aarch64")]
        let after = {
            assert!(before.sp > BASE && before.pc != 0);
            seL4_UserContext {
                pc: arrives as *const () as usize,
                sp: before.sp & !15,
                x0: told.word(),
                ..before
            }
        };
        #[cfg(target_arch = "x86_64")]
        let after = {
            assert!(before.rsp > BASE && before.rip != 0);
            seL4_UserContext {
                rip: arrives as *const () as usize,
                // The ABI expects a return address below an aligned stack pointer.
                rsp: (before.rsp & !15) - 8,
                rdi: told.word(),
                ..before
            }
        };
        tcb.tcb_write_registers(true, &after).unwrap();
    }
    let (message, _) = told.recv(()).message();
    assert_eq!(message.label(), 5);
}

#[sel4_hosted::test]
fn what_the_kernel_refuses_is_told_as_ever(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let error = world
        .objects
        .make_sized::<libsel4::Untyped>(62)
        .unwrap_err();
    assert_eq!(error.to_string(), "no untyped has room for 2^62 bytes");
}

#[sel4_hosted::test]
#[should_panic(expected = "as it should")]
fn a_panic_is_expected() {
    panic!("this test panics as it should");
}

#[sel4_hosted::test]
#[should_panic(expected = "deadlock")]
fn a_deadlock_fails_a_test(info: &seL4_BootInfo) {
    let mut world = World::new(info);
    let nobody: Cap<Endpoint> = world.make();
    nobody.recv(()).message();
}

#[test]
fn without_a_kernel_a_test_is_an_ordinary_one() {
    assert!(sel4_hosted::boot_info().is_null());
}

#[test]
fn a_function_runs_on_a_kernel_and_returns() {
    for round in 0..3 {
        let slots = sel4_hosted::run(|info| info.empty.end);
        assert_eq!((slots, round), (8192, round));
    }
}
