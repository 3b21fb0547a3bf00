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

/// How many threads are started.
pub const THREADS: usize = 3;

/// What C brings along.
#[repr(C)]
pub struct CSide {
    /// Thread-local storage for each thread, as the thread's register points to it.
    pub tls: [usize; THREADS],
    /// A client: asks through an endpoint, and sends a notification along.
    pub ask: extern "C" fn(endpoint: usize, notification: usize),
    /// A server, which does not return.
    pub serve: extern "C" fn(service: &Service),
}

/// What clients ask: the sum of two numbers.
#[derive(Clone, Copy)]
#[repr(C)]
struct Question {
    left: usize,
    right: usize,
}

// SAFETY: two words of any value, with nothing between.
unsafe impl message::Plain for Question {}

/// What servers answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
struct Answer {
    sum: usize,
    /// The badge of what the question came through.
    badge: Badge,
}

// SAFETY: two words of any value, with nothing between.
unsafe impl message::Plain for Answer {}

/// Runs it all; false if something failed, which is then logged.
///
/// # Safety
///
/// `info` is the root server's BootInfo, of which nobody else uses the empty slots; `c.tls` are
/// thread-local storages that nobody else uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn objects_run(info: *const seL4_BootInfo, c: &CSide) -> bool {
    // SAFETY: the caller promises it.
    let info = unsafe { BootInfo::from_ptr(info) };
    read(&info);
    let result = run(&info, c);
    if let Err(error) = &result {
        log::error!("{error}");
    }
    result.is_ok()
}

/// What BootInfo says, as far as it is the same everywhere.
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

fn run(info: &BootInfo, c: &CSide) -> Result<(), AllocationError> {
    let mut objects = Allocator::<64>::new(info);
    let mut threads = Threads::new(info, c.tls);

    log::info!("C asks, Rust serves");
    let endpoint: Cap<Endpoint> = objects.make()?;
    let notification: Cap<Notification> = objects.make()?;
    let service = Service::new(info, &mut objects, endpoint)?;
    threads.start(&mut objects, serve, service)?;
    let client = objects.mint(endpoint, CapRights::ALL, 17)?;
    let bell = objects.mint(notification, CapRights::WRITE.union(CapRights::READ), 5)?;
    (c.ask)(client.word(), bell.word());

    log::info!("Rust asks, C serves");
    let endpoint: Cap<Endpoint> = objects.make()?;
    let service = Service::new(info, &mut objects, endpoint)?;
    threads.start(&mut objects, c.serve, service)?;
    let client = objects.mint(endpoint, CapRights::ALL, 23)?;
    ask(client, bell);

    log::info!("a thread that goes wrong");
    let faults = endpoint_for_faults(&mut objects)?;
    let handler = Service::new(info, &mut objects, faults)?;
    let service = Service::new(info, &mut objects, handler.endpoint())?;
    let tcb = threads.start(&mut objects, go_wrong, service)?;
    explain(&handler, tcb)?;

    log::info!("what the kernel refuses");
    refusals(&mut objects)?;

    // SAFETY: the threads are gone with it, nobody else uses their stacks, and no capability that was
    // made here is used after it.
    unsafe { objects.reset()? };
    let again: Cap<Endpoint> = objects.make()?;
    log::info!(
        "after the reset, the same slot again: {}",
        again == endpoint_of_first(info)
    );
    Ok(())
}

/// The capability that a fresh allocator's first object has.
fn endpoint_of_first(info: &BootInfo) -> Cap<Endpoint> {
    let first = info.empty().next().map_or(0, Slot::index);
    // SAFETY: it is compared, and nothing else.
    unsafe { Cap::from_word(first) }
}

/// What faults are sent through has a badge, which tells the handler that they come from the kernel.
fn endpoint_for_faults<const N: usize>(
    objects: &mut Allocator<N>,
) -> Result<Cap<Endpoint>, AllocationError> {
    let endpoint: Cap<Endpoint> = objects.make()?;
    objects.mint(endpoint, CapRights::ALL, 99)
}

/// The server in Rust, in a thread of its own.
extern "C" fn serve(service: &Service) {
    message::set_cap_receive_path(service.slot());
    let (mut info, mut badge) = service.recv();
    loop {
        let reply = answer(info, badge);
        if info.extra_caps() > 0 {
            // SAFETY: clients send notifications.
            let bell: Cap<Notification> = unsafe { service.slot().cap() };
            bell.signal();
        }
        // What is sent is written last: the signal might have used the registers.
        let reply = reply.map_or(MessageInfo::new(1, 0, 0, 0), |answer| {
            message::put(0, &answer)
        });
        (info, badge) = service.reply_recv(reply);
    }
}

fn answer(info: MessageInfo, badge: Badge) -> Option<Answer> {
    let question: Question = message::take(info)?;
    let sum = question.left.wrapping_add(question.right);
    Some(Answer { sum, badge })
}

/// The client in Rust: three questions, the last with a capability.
fn ask(endpoint: Cap<Endpoint>, bell: Cap<Notification>) {
    for left in 1..=3 {
        let question = message::put(0, &Question { left, right: 50 });
        message::set_cap::<0, _>(bell);
        let reply = endpoint.call(question.with_extra_caps(usize::from(left == 3)));
        match message::take::<Answer>(reply) {
            Some(Answer { sum, badge }) => log::info!("badge {badge}: {left} + 50 = {sum}"),
            None => log::error!("an answer too short: {reply:?}"),
        }
    }
    log::info!("C has signalled what Rust sent: {}", bell.poll());
}

/// A thread that reads where nothing is.
extern "C" fn go_wrong(_: &Service) {
    // SAFETY: nothing of this program is there; the kernel stops the thread, which is the point.
    unsafe { core::ptr::without_provenance::<u32>(0x18).read_volatile() };
}

/// Waits for the fault, and says what happened.
fn explain(handler: &Service, tcb: Cap<Tcb>) -> Result<(), Error> {
    let (info, badge) = handler.recv();
    log::info!("badge {badge}: {}", Fault::of(info));
    // The kernel knows more of a thread that stands still.
    let registers = tcb.tcb_read_registers(true)?;
    log::info!(
        "its registers are there: {}",
        registers != Default::default()
    );
    Ok(())
}

/// Wrong uses, and what becomes of them.
fn refusals<const N: usize>(objects: &mut Allocator<N>) -> Result<(), AllocationError> {
    let untyped = objects.make_sized::<Untyped>(12)?;
    let slot = objects.slot()?;
    let retype =
        |count| untyped.untyped_retype::<Tcb>(0, slot.root().itself(), slot.index(), count);
    for (what, result) in [
        ("no objects at all", retype(0)),
        ("one TCB", retype(1)),
        ("another in the same slot", retype(1)),
        (
            "a copy of nothing",
            objects.slot()?.cnode_copy(objects.slot()?, CapRights::ALL),
        ),
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
