// SPDX-License-Identifier: BSD-2-Clause

//! Attacks of safe code on libsel4 that compile and must do no harm.
//!
//! Each tries to change what an existing capability leads to, or memory that Rust refers to. [`run`] judges it: the memory
//! of a page, where the page lies, and a thread that answers messages must be as before. The README lists what stops each.

#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use libsel4::{
    AllocationError, Allocator, BootInfo, Cap, Endpoint, MessageInfo, Notification, ReplyHandle,
    SmallPage, Tcb, message,
};

pub mod messages;
pub mod objects;
pub mod replies;
pub mod slots;
pub mod threads;

/// Result of an attack: an error means that it could not be made.
pub type Done = Result<(), AllocationError>;

/// An attack, with what it has and what it is on.
pub type Attack = fn(&mut dyn World, &Prey) -> Done;

/// Number of words of the page under attack.
pub const WORDS: usize = 4096 / size_of::<usize>();

/// Everything that a thread of an attack is given.
#[derive(Clone, Copy)]
pub struct Shared {
    /// Endpoint to the attacker, or of the prey.
    pub endpoint: Cap<Endpoint>,
    /// Authority to reply, of this thread alone.
    pub reply: ReplyHandle,
    /// TCB under attack.
    pub tcb: Cap<Tcb>,
}

/// Root server in which an attack runs.
pub trait World {
    /// Returns the boot information.
    fn info(&self) -> BootInfo;

    /// Returns the allocator of the attack.
    fn objects(&mut self) -> &mut Allocator;

    /// Returns the TCB of the attack's thread.
    fn tcb(&self) -> Cap<Tcb>;

    /// Starts a thread that runs `body`, at the priority of the attack's.
    fn spawn(&mut self, body: fn(Shared), shared: Shared) -> Result<Cap<Tcb>, AllocationError>;

    /// Lets the other threads run until all of them wait.
    fn settle(&self);
}

/// Page that is mapped at `memory`, to which nothing else refers.
pub struct Victim {
    /// Capability of the page.
    pub page: Cap<SmallPage>,
    /// Content of the page.
    pub memory: &'static mut [usize; WORDS],
}

/// Capabilities of what is under attack.
pub struct Prey {
    /// Page that Rust has a reference to.
    pub page: Cap<SmallPage>,
    /// Thread that answers messages.
    pub tcb: Cap<Tcb>,
    /// Endpoint of that thread.
    pub endpoint: Cap<Endpoint>,
    /// Notification.
    pub bell: Cap<Notification>,
}

impl Prey {
    /// Checks that the thread still answers.
    pub fn answers(&self) {
        let answer = self.endpoint.call(message::put(0, &20_usize));
        assert_eq!(message::take::<usize>(answer), Some(21));
    }

    /// Checks that the notification is still the same.
    pub fn rings(&self, badged: Cap<Notification>, badge: usize) {
        badged.signal();
        assert_eq!(self.bell.poll(), Some(badge));
    }

    /// Writes the registers of an invocation that would delete the page, write registers of a thread, or unmap: with each
    /// label the kernel reads the first words differently.
    pub fn invocation(&self, label: usize) -> MessageInfo {
        let depth = usize::BITS as usize;
        message::write(label, &[self.page.word(), depth, self.tcb.word(), depth])
    }
}

/// Labels that are invocations on every architecture, and more.
pub const LABELS: core::ops::Range<usize> = 0..64;

fn serve(shared: Shared) {
    let mut received = shared.endpoint.recv(shared.reply);
    loop {
        let (info, _) = received.message();
        let number = message::take::<usize>(info).unwrap_or(0);
        let answer = message::put(0, &number.wrapping_add(1));
        received = shared.endpoint.reply_recv(answer, shared.reply);
    }
}

/// Makes an attack, and checks that nothing has changed.
///
/// # Panics
///
/// If it did harm.
pub fn run(world: &mut dyn World, victim: Victim, attack: Attack) -> Done {
    let Victim { page, memory } = victim;
    let pattern = |index: usize| index.wrapping_mul(0x0101_0101) ^ 0x5a5a_5a5a;
    for (index, word) in memory.iter_mut().enumerate() {
        *word = pattern(index);
    }
    let memory = black_box(memory);
    let address = page.page_get_address()?;
    let endpoint = world.objects().make()?;
    let shared = Shared {
        endpoint,
        reply: world.objects().make_reply()?,
        tcb: world.tcb(),
    };
    let prey = Prey {
        page,
        tcb: world.spawn(serve, shared)?,
        endpoint,
        bell: world.objects().make()?,
    };
    prey.answers();

    attack(world, &prey)?;

    for (index, word) in black_box(memory).iter().enumerate() {
        assert_eq!(*word, pattern(index), "word {index} of the page");
    }
    assert_eq!(page.page_get_address(), Ok(address));
    prey.answers();
    Ok(())
}
