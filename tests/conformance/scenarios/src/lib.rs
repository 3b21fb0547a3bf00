// SPDX-License-Identifier: BSD-2-Clause

//! Scenarios in Rust, by the typed API.

#![no_std]

mod world;

use core::ffi::{CStr, c_char};

use libsel4::{
    AllocationError, Allocator, CNode, Cap, CapRights, Endpoint, Error, Fault, FixedSize, Guard,
    MessageInfo, Notification, Priority, SmallPage, Tcb, Untyped, UntypedDesc, UserContext,
    VmAttributes, message,
};

use world::World;

type Result = core::result::Result<(), AllocationError>;

type Scenario = (&'static CStr, fn(&World) -> Result);

const SCENARIOS: [Scenario; 11] = [
    (c"the wrong uses of the bindings' tests", wrong_uses),
    (c"an allocator comes to its end", allocator),
    (c"badges", badges),
    (c"slots move", moves),
    (c"lookups that fail", lookups),
    (c"typed messages", messages),
    (c"capabilities in messages", transfer),
    (c"faults", faults),
    (c"threads", threads),
    (c"pages", pages),
    (c"yields", yields),
];

/// Returns the number of scenarios.
#[unsafe(no_mangle)]
pub extern "C" fn scenarios_count() -> usize {
    SCENARIOS.len()
}

/// Returns the name of the scenario with this index.
#[unsafe(no_mangle)]
pub extern "C" fn scenarios_name(index: usize) -> *const c_char {
    SCENARIOS[index].0.as_ptr()
}

/// Runs the scenario with this index.
#[unsafe(no_mangle)]
pub extern "C" fn scenarios_run(index: usize, world: &World) {
    if let Err(error) = SCENARIOS[index].1(world) {
        say!(world, "gave up: {error}");
    }
}

fn outcome(world: &World, what: &str, result: libsel4::Result<()>) {
    match result {
        Ok(()) => say!(world, "{what}: done"),
        Err(error) => say!(world, "{what}: {error}"),
    }
}

fn wrong_uses(world: &World) -> Result {
    let empty = world.slot().index();
    let untyped = world.make_sized::<Untyped>(20)?;
    let count = checks::refusals(&world.info(), untyped, empty, &mut |error: Error| {
        say!(world, "{error}")
    });
    say!(world, "the same from C: {count:?}");
    Ok(())
}

fn allocator(world: &World) -> Result {
    let cap = world.make_sized::<Untyped>(13)?;
    let untyped = UntypedDesc {
        cap,
        paddr: 0,
        size_bits: 13,
        is_device: false,
    };
    let mut some = Allocator::with([untyped].into_iter(), world.slots(24));
    for round in 1..=2 {
        let mut made = 0;
        let end = loop {
            match some.make_sized::<Untyped>(10) {
                Ok(_) => made += 1,
                Err(error) => break error,
            }
        };
        say!(world, "round {round}: {made}, then: {end}");
        // SAFETY: nobody uses what was made.
        outcome(world, "reset", unsafe { some.reset() });
    }
    match some.make_sized::<Untyped>(60) {
        Ok(_) => say!(world, "more than there is"),
        Err(error) => say!(world, "{error}"),
    }
    Ok(())
}

fn badges(world: &World) -> Result {
    let bell: Cap<Notification> = world.make()?;
    for badge in [1, 6, usize::MAX] {
        let copy = world.mint(bell, badge)?;
        copy.signal();
        say!(world, "{badge:#x}: {}", bell.poll().unwrap_or(0));
        let again = world.empty().cnode_mint(copy, CapRights::ALL, 3);
        outcome(world, "another badge", again.map(drop).map_err(Error::from));
    }
    Ok(())
}

fn moves(world: &World) -> Result {
    let bell: Cap<Notification> = world.make()?;
    let [from, to, pivot] = [world.slot_of(bell), world.slot(), world.slot()];
    let show = || {
        let [from, to, pivot] = [from, to, pivot].map(|slot| world.taken(slot));
        say!(world, "from {from}, to {to}, pivot {pivot}");
    };
    // SAFETY: nobody uses the capability but for this.
    unsafe {
        outcome(world, "move", to.cnode_move(from));
        show();
        outcome(world, "move it again", to.cnode_move(from));
        outcome(world, "mutate", from.cnode_mutate(to, 5));
        show();
        outcome(world, "copy", pivot.cnode_copy(to, CapRights::READ));
        show();
        let rotated = from.cnode_rotate(0, pivot, 0, to);
        outcome(world, "rotate", rotated);
        show();
        outcome(world, "revoke", from.cnode_revoke());
        show();
        outcome(world, "delete", from.cnode_delete());
        outcome(world, "delete", from.cnode_delete());
        show();
    }
    let cancelled = from.cnode_cancel_badged_sends();
    outcome(world, "cancel the sends of nothing", cancelled);
    Ok(())
}

fn lookups(world: &World) -> Result {
    let node = world.make_sized::<CNode>(4)?;
    let guarded = world.mint(node, Guard::new(0x2b, 6).word())?;
    let bell: Cap<Notification> = world.make()?;
    let source = world.slot_of(bell);
    for depth in [0, 3, 6, 9, 10, 11, 64, 65, 255] {
        for index in [0x2b << 4 | 5, 0x2a << 4 | 5] {
            let to = guarded.slot(index, depth);
            // SAFETY: the CNode is new, and no thread has it as its CSpace.
            let copied = unsafe { to.cnode_copy(source, CapRights::ALL) };
            say!(world, "index {index:#x}, depth {depth}");
            outcome(world, "copy", copied);
        }
    }
    Ok(())
}

/// Message and reply.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Numbers([u16; 8]);

// SAFETY: 16 bytes of any value, without padding.
unsafe impl message::Plain for Numbers {}

/// Replies to one message, and receives the next without a reply.
extern "C" fn server(world: usize, endpoint: usize) {
    let world = World::at(world);
    // SAFETY: who starts this passes an endpoint.
    let endpoint: Cap<Endpoint> = unsafe { Cap::from_word(endpoint) };
    let (mut info, mut badge) = world.recv(endpoint);
    for _ in 0..3 {
        let asked: Option<Numbers> = message::take(info);
        say!(world, "badge {badge}: {asked:?}");
        let answer = asked.map(|Numbers(numbers)| Numbers(numbers.map(|number| number * 2)));
        let answer = answer.map_or(MessageInfo::new(1, 0, 0, 0), |answer| {
            message::put(0, &answer)
        });
        (info, badge) = world.reply_recv(endpoint, answer);
    }
    say!(world, "badge {badge} gets no answer");
}

fn messages(world: &World) -> Result {
    let endpoint: Cap<Endpoint> = world.make()?;
    world.start(c"server", 150, server, endpoint.word());
    let client = world.mint(endpoint, 17)?;
    for start in [1, 1000] {
        let question = Numbers(core::array::from_fn(|index| start + index as u16));
        let info = client.call(message::put(0, &question));
        say!(world, "answer: {:?}", message::take::<Numbers>(info));
    }
    let info = client.call(MessageInfo::new(0, 0, 0, 1));
    say!(world, "a question too short: {info:?}");
    client.nb_send(MessageInfo::new(5, 0, 0, 0));
    client.nb_send(MessageInfo::new(6, 0, 0, 0));
    Ok(())
}

/// Sends the capability behind the endpoint's slot, twice.
extern "C" fn giver(world: usize, endpoint: usize) {
    let world = World::at(world);
    // SAFETY: who starts this passes an endpoint, with a notification in the next slot.
    let (endpoint, gift): (Cap<Endpoint>, Cap<Notification>) =
        unsafe { (Cap::from_word(endpoint), Cap::from_word(endpoint + 1)) };
    for _ in 0..2 {
        message::set_cap::<0, _>(gift);
        message::set_cap::<1, _>(endpoint);
        endpoint.send(MessageInfo::new(0, 0, 2, 0));
        say!(world, "sent");
    }
}

fn transfer(world: &World) -> Result {
    let endpoint: Cap<Endpoint> = world.make()?;
    let bell: Cap<Notification> = world.make()?;
    let through = world.mint(endpoint, 30)?;
    world.mint(bell, 31)?;
    let target = message::set_cap_receive_path(world.empty());
    world.start(c"giver", 150, giver, through.word());
    for _ in 0..2 {
        let (info, badge) = world.recv(endpoint);
        say!(world, "badge {badge}: {info:?}");
        say!(world, "the slot is taken: {}", world.taken(target.slot()));
        for _ in 0..info.caps_unwrapped() >> 1 {
            say!(world, "unwrapped: badge {}", message::get_badge::<1>());
        }
    }
    // SAFETY: what came is the notification.
    let came: Cap<Notification> = unsafe { target.cap() };
    came.signal();
    say!(world, "what came rings with {}", bell.poll().unwrap_or(0));
    Ok(())
}

/// Reads where nothing is, and then uses a capability that is not there.
extern "C" fn wrong(_: usize, endpoint: usize) {
    if endpoint == 0 {
        // SAFETY: nothing of this program is there; the kernel stops the thread.
        unsafe { core::ptr::without_provenance::<u8>(0x1800_0018).read_volatile() };
    }
    // SAFETY: there is no such capability; the kernel stops the thread.
    let nothing: Cap<Notification> = unsafe { Cap::from_word(1 << 40) };
    nothing.wait();
}

fn faults(world: &World) -> Result {
    for which in [0, 1] {
        let endpoint: Cap<Endpoint> = world.make()?;
        let handler = world.mint(endpoint, 9)?;
        world.start_with_handler(c"thread", 150, wrong, which, handler.word());
        let (info, badge) = world.recv(endpoint);
        match Fault::of(info) {
            Fault::Vm {
                address,
                instruction,
                fsr,
                ..
            } => say!(
                world,
                "badge {badge}: memory {address:#x} {instruction} {fsr:#x}"
            ),
            Fault::Cap {
                address,
                in_receive_phase,
                failure,
                ..
            } => {
                say!(
                    world,
                    "badge {badge}: capability {address:#x} {in_receive_phase} {failure:?}"
                )
            }
            other => say!(world, "badge {badge}: {other:?}"),
        }
    }
    Ok(())
}

fn threads(world: &World) -> Result {
    let tcb: Cap<Tcb> = world.make()?;
    let own = world.info().tcb();
    say!(world, "a TCB has 2^{} bytes", Tcb::SIZE_BITS);
    let fresh = tcb.tcb_read_registers(false)?;
    // SAFETY: the thread never runs.
    let written = unsafe { tcb.tcb_write_registers(false, &fresh) };
    outcome(world, "what was read is written", written);
    let same = tcb.tcb_read_registers(false)? == fresh;
    say!(world, "and is read again: {same}");
    let zeros = fresh == UserContext::default();
    say!(world, "all zeros: {zeros}");
    for priority in [0, 255, 256, usize::MAX] {
        say!(world, "priority {priority}");
        let set = tcb.tcb_set_priority(own, Priority::new(priority));
        outcome(world, "priority", set);
        let set = tcb.tcb_set_mc_priority(own, Priority::new(priority));
        outcome(world, "maximum", set);
    }
    let bell: Cap<Notification> = world.make()?;
    outcome(world, "bind", tcb.tcb_bind_notification(bell));
    outcome(world, "bind again", tcb.tcb_bind_notification(bell));
    outcome(world, "unbind", tcb.tcb_unbind_notification());
    outcome(world, "unbind again", tcb.tcb_unbind_notification());
    outcome(world, "suspend", tcb.tcb_suspend());
    outcome(
        world,
        "read one's own",
        own.tcb_read_registers(false).map(drop),
    );
    Ok(())
}

fn pages(world: &World) -> Result {
    const NEAR: usize = 0x1800_0000;
    let space = world.info().vspace();
    let page: Cap<SmallPage> = world.make()?;
    let map = |page: Cap<SmallPage>, address, rights| {
        // SAFETY: nothing is there that Rust uses.
        unsafe { page.page_map(space, address, rights, VmAttributes::DATA) }
    };
    outcome(world, "a table is missing", map(page, NEAR, CapRights::ALL));
    let cap = world.make_sized::<Untyped>(14)?;
    let untyped = UntypedDesc {
        cap,
        paddr: 0,
        size_bits: 14,
        is_device: false,
    };
    let mut tables = Allocator::with([untyped].into_iter(), world.slots(4));
    // SAFETY: a fresh page, where nothing is.
    unsafe { tables.map_page(space, page, NEAR, CapRights::ALL, VmAttributes::DATA)? };
    let word = core::ptr::with_exposed_provenance_mut::<usize>(NEAR);
    // SAFETY: mapped just now, and nobody else's.
    unsafe { word.write_volatile(0x1234) };
    // SAFETY: as above.
    let read = unsafe { word.read_volatile() };
    say!(world, "written and read: {read:#x}");
    let here = map(page, NEAR, CapRights::ALL);
    outcome(world, "the same again", here);
    let moved = map(page, NEAR + 0x1000, CapRights::ALL);
    outcome(world, "another address", moved);
    let crooked = map(page, NEAR + 1, CapRights::ALL);
    outcome(world, "not aligned", crooked);
    // SAFETY: nobody uses it any more.
    outcome(world, "unmap", unsafe { page.page_unmap() });
    let address = page.page_get_address()?;
    say!(
        world,
        "its address is that of a page: {}",
        address % 0x1000 == 0
    );
    Ok(())
}

extern "C" fn turns(world: usize, count: usize) {
    for turn in 1..=count {
        say!(World::at(world), "turn {turn}");
        libsel4::yield_now();
    }
}

fn yields(world: &World) -> Result {
    for name in [c"a", c"b", c"c"] {
        world.start(name, 50, turns, 2);
    }
    world.settle();
    Ok(())
}
