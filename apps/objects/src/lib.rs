// SPDX-License-Identifier: BSD-2-Clause

//! Objects, threads and messages, made by Rust in a C root server.

#![no_std]

mod thread;

use libsel4::{
    AllocationError, Allocator, Badge, BootInfo, Cap, CapRights, Endpoint, Error, Fault,
    MessageInfo, Notification, Slot, Tcb, Untyped, message,
};
use libsel4_sys::seL4_BootInfo;

use thread::{Service, Threads};

/// Number of threads to start.
pub const THREADS: usize = 3;

/// Thread-local storage and functions that C provides.
#[repr(C)]
pub struct CSide {
    /// Thread-local storage for each thread: the value of its register.
    pub tls: [usize; THREADS],
    /// Client: calls an endpoint, and also sends a notification capability.
    pub ask: extern "C" fn(endpoint: usize, notification: usize),
    /// Server, which does not return.
    pub serve: extern "C" fn(service: &Service),
}

/// Message of clients, which ask for the sum of two numbers.
#[derive(Clone, Copy)]
#[repr(C)]
struct Question {
    left: usize,
    right: usize,
}

// SAFETY: the type is two words without padding, and any value is valid.
unsafe impl message::Plain for Question {}

/// Reply of servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
struct Answer {
    sum: usize,
    /// Badge of the client's endpoint capability.
    badge: Badge,
}

// SAFETY: the type is two words without padding, and any value is valid.
unsafe impl message::Plain for Answer {}

/// Runs the app. Logs an error, and then returns false.
///
/// # Safety
///
/// `info` is the root server's BootInfo, and nothing else uses its empty slots; `c.tls` are
/// thread-local storages that nothing else uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn objects_run(info: *const seL4_BootInfo, c: &CSide) -> bool {
    // SAFETY: by the contract of this function, the pointer is BootInfo's.
    let info = unsafe { BootInfo::from_ptr(info) };
    read(&info);
    // SAFETY: nothing else uses the empty slots, by the contract of this function.
    let objects = unsafe { Allocator::new(&info) };
    let result = run(&info, objects, c);
    if let Err(error) = &result {
        log::error!("{error}");
    }
    result.is_ok()
}

/// Prints the part of BootInfo that every platform has.
fn read(info: &BootInfo) {
    let memory = || info.untypeds().filter(|untyped| !untyped.is_device);
    let bytes: u64 = memory().map(|untyped| 1 << untyped.size_bits).sum();
    log::info!(
        "untypeds of memory: {}, {} MiB",
        memory().count(),
        bytes >> 20
    );
    log::info!("untypeds of devices: {}", info.device_untypeds().count());
    log::info!("empty slots: {}", info.empty().len());
    for piece in info.extra() {
        log::debug!(
            "extra information {}: {} bytes",
            piece.id,
            piece.content.len()
        );
    }
}

fn run(info: &BootInfo, mut objects: Allocator, c: &CSide) -> Result<(), AllocationError> {
    let mut threads = Threads::new(info, c.tls);

    log::info!("C asks, Rust serves");
    let endpoint: Cap<Endpoint> = objects.make()?;
    let notification: Cap<Notification> = objects.make()?;
    let service = Service::new(info, &mut objects, endpoint)?;
    threads.start(&mut objects, serve, service)?;
    let client = objects.mint(endpoint, CapRights::ALL, 17)?;
    let bell = objects.mint(notification, CapRights::WRITE | CapRights::READ, 5)?;
    (c.ask)(client.word(), bell.word());

    log::info!("Rust asks, C serves");
    let endpoint: Cap<Endpoint> = objects.make()?;
    let service = Service::new(info, &mut objects, endpoint)?;
    threads.start(&mut objects, c.serve, service)?;
    let client = objects.mint(endpoint, CapRights::ALL, 23)?;
    ask(client, bell);

    log::info!("a thread that faults");
    let faults = endpoint_for_faults(&mut objects)?;
    let handler = Service::new(info, &mut objects, faults)?;
    let service = Service::new(info, &mut objects, handler.endpoint())?;
    let tcb = threads.start(&mut objects, read_unmapped, service)?;
    explain(&handler, tcb)?;

    log::info!("errors of the kernel");
    errors(&mut objects)?;

    // SAFETY: the reset destroys the threads, nothing else uses their stacks, and no capability made
    // here is used later.
    unsafe { objects.reset()? };
    let again: Cap<Endpoint> = objects.make()?;
    log::info!(
        "after the reset, the same slot again: {}",
        again == endpoint_of_first(info)
    );
    Ok(())
}

/// Returns the capability of the first object that a new allocator makes.
fn endpoint_of_first(info: &BootInfo) -> Cap<Endpoint> {
    let first = info.empty().next().map_or(0, Slot::index);
    // SAFETY: the capability is only compared.
    unsafe { Cap::from_word(first) }
}

/// Makes the endpoint capability for faults. Its badge identifies them as the kernel's messages.
fn endpoint_for_faults(objects: &mut Allocator) -> Result<Cap<Endpoint>, AllocationError> {
    let endpoint: Cap<Endpoint> = objects.make()?;
    objects.mint(endpoint, CapRights::ALL, 99)
}

/// Server in Rust, in a separate thread.
extern "C" fn serve(service: &Service) {
    // SAFETY: this thread alone uses the service's slot, which was empty.
    let received = message::set_cap_receive_path(unsafe { service.slot() });
    let (mut info, mut badge) = service.recv();
    loop {
        let reply = answer(info, badge);
        if info.extra_caps() > 0 {
            // SAFETY: clients send notifications.
            let bell: Cap<Notification> = unsafe { received.cap() };
            bell.signal();
        }
        // Write the reply last: the signal may use the message registers.
        let reply = reply.map_or(MessageInfo::labelled(1), |answer| message::put(0, &answer));
        (info, badge) = service.reply_recv(reply);
    }
}

fn answer(info: MessageInfo, badge: Badge) -> Option<Answer> {
    let question: Question = message::take(info)?;
    let sum = question.left.wrapping_add(question.right);
    Some(Answer { sum, badge })
}

/// Client in Rust: three calls, the last with a capability.
fn ask(endpoint: Cap<Endpoint>, bell: Cap<Notification>) {
    for left in 1..=3 {
        let question = message::put(0, &Question { left, right: 50 });
        message::set_cap::<0, _>(bell);
        let reply = endpoint.call(question.with_extra_caps(usize::from(left == 3)));
        match message::take::<Answer>(reply) {
            Some(Answer { sum, badge }) => log::info!("badge {badge}: {left} + 50 = {sum}"),
            None => log::error!("the reply is too short: {reply:?}"),
        }
    }
    log::info!(
        "C has signalled what Rust sent: {}",
        bell.poll().unwrap_or(0)
    );
}

/// Thread that reads an unmapped address.
extern "C" fn read_unmapped(_: &Service) {
    // SAFETY: nothing is mapped there, so the kernel stops the thread, as intended.
    unsafe { core::ptr::without_provenance::<u32>(0x18).read_volatile() };
}

/// Waits for the fault, and prints it.
fn explain(handler: &Service, tcb: Cap<Tcb>) -> Result<(), Error> {
    let (info, badge) = handler.recv();
    log::info!("badge {badge}: {}", Fault::of(info));
    // The registers of the stopped thread are available, too.
    let registers = tcb.tcb_read_registers(true)?;
    log::info!(
        "its registers can be read: {}",
        registers != Default::default()
    );
    Ok(())
}

/// Makes invalid calls, and prints the errors.
fn errors(objects: &mut Allocator) -> Result<(), AllocationError> {
    let untyped = objects.make_sized::<Untyped>(12)?;
    let slot = objects.slot()?.into_slot();
    // SAFETY: nothing else names the slot, and nothing uses what is made there.
    let retype = |count| unsafe {
        untyped.untyped_retype_at::<Tcb>(0, slot.root().itself(), slot.index(), count)
    };
    let (to, from) = (objects.slot()?.into_slot(), objects.slot()?.into_slot());
    // SAFETY: nothing else names the slot.
    let copy = || unsafe { to.cnode_copy(from, CapRights::ALL) };
    for (what, result) in [
        ("no objects at all", retype(0)),
        ("one TCB", retype(1)),
        ("another in the same slot", retype(1)),
        ("a copy of nothing", copy()),
    ] {
        match result {
            Ok(()) => log::info!("{what}: done"),
            Err(error) => log::info!("{what}: {error}"),
        }
    }
    match objects.make_sized::<Untyped>(62) {
        Ok(_) => log::error!("more memory than there is"),
        Err(error) => log::info!("more memory than there is: {error}"),
    }
    Ok(())
}
