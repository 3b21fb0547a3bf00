// SPDX-License-Identifier: BSD-2-Clause

//! The world of C, as scenarios in Rust see it.

use core::ffi::{CStr, c_char};
use core::fmt::{self, Write};

use libsel4::libsel4_sys as sys;
use libsel4::{
    AllocationError, Badge, BootInfo, Cap, CapRights, EmptySlot, EmptySlots, Endpoint, FixedSize,
    Kind, MessageInfo, ReplyHandle, Retype, Slot, Untyped, debug,
};

/// Function of a thread.
pub type Body = extern "C" fn(first: usize, second: usize);

/// Objects and functions from C; see world.h and thread.h.
#[repr(C)]
pub struct World {
    /// The root server's BootInfo.
    pub bootinfo: *const sys::seL4_BootInfo,
    /// Untyped memory for objects.
    pub untyped: usize,
    /// The next empty slot.
    pub next_slot: extern "C" fn() -> usize,
    /// Adds a line to the transcript.
    pub say_line: extern "C" fn(text: *const c_char, length: usize),
    /// Starts a thread; the handler may be null.
    pub start_thread: extern "C" fn(
        name: *const c_char,
        priority: usize,
        body: Body,
        first: usize,
        second: usize,
        handler: usize,
    ),
    /// Lets all threads run that can.
    pub let_run: extern "C" fn(),
    /// The reply object of the thread that asks; kernels without MCS have none.
    pub own_reply: extern "C" fn() -> usize,
}

/// A line of text that is not longer than this.
struct Line {
    text: [u8; 200],
    length: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.text.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Adds a line to the transcript: `say!(world, "{}", …)`.
#[macro_export]
macro_rules! say {
    ($world:expr, $($format:tt)*) => { $world.say(format_args!($($format)*)) };
}

impl World {
    /// Returns the world whose address a thread got as a number.
    pub fn at(address: usize) -> &'static Self {
        // SAFETY: `start` passes the address of one that C keeps while threads run.
        unsafe { &*core::ptr::with_exposed_provenance(address) }
    }

    pub fn say(&self, text: fmt::Arguments<'_>) {
        let mut line = Line {
            text: [0; 200],
            length: 0,
        };
        if line.write_fmt(text).is_err() {
            let _ = line.write_str("…");
        }
        (self.say_line)(line.text.as_ptr().cast(), line.length);
    }

    pub fn info(&self) -> BootInfo {
        // SAFETY: C passes that of the root server.
        unsafe { BootInfo::from_ptr(self.bootinfo) }
    }

    pub fn slot(&self) -> Slot {
        let index = (self.next_slot)();
        self.info().cnode().slot(index, usize::BITS as u8)
    }

    pub fn empty(&self) -> EmptySlot {
        // SAFETY: C gives each slot once.
        unsafe { EmptySlot::from_slot(self.slot()) }
    }

    /// Empty slots next to each other.
    pub fn slots(&self, count: usize) -> EmptySlots {
        let first = self.slot();
        for _ in 1..count {
            self.slot();
        }
        let range = first.index()..first.index() + count;
        // SAFETY: C gives each slot once, one after the other.
        unsafe { EmptySlots::new(first.root(), range) }
    }

    pub fn slot_of<T: Kind>(&self, cap: Cap<T>) -> Slot {
        self.info().cnode().slot_of(cap)
    }

    pub fn taken(&self, slot: Slot) -> bool {
        // SAFETY: the kernel only says what kind it is.
        let cap: Cap<Untyped> = unsafe { slot.cap() };
        debug::debug_cap_identify(cap) != 0
    }

    pub fn make_sized<T: Retype>(&self, size_bits: usize) -> Result<Cap<T>, AllocationError> {
        // SAFETY: C passes one.
        let untyped: Cap<Untyped> = unsafe { Cap::from_word(self.untyped) };
        Ok(untyped.untyped_retype(size_bits, self.empty())?)
    }

    pub fn make<T: FixedSize>(&self) -> Result<Cap<T>, AllocationError> {
        self.make_sized(T::SIZE_BITS)
    }

    pub fn mint<T: Kind>(&self, cap: Cap<T>, badge: usize) -> Result<Cap<T>, AllocationError> {
        Ok(self.empty().cnode_mint(cap, CapRights::ALL, badge)?)
    }

    /// Starts a thread that gets this world and a word.
    pub fn start(&self, name: &'static CStr, priority: usize, body: Body, second: usize) {
        self.start_with_handler(name, priority, body, second, 0);
    }

    pub fn start_with_handler(
        &self,
        name: &'static CStr,
        priority: usize,
        body: Body,
        second: usize,
        handler: usize,
    ) {
        let first = core::ptr::from_ref(self).expose_provenance();
        (self.start_thread)(name.as_ptr(), priority, body, first, second, handler);
    }

    pub fn settle(&self) {
        (self.let_run)();
    }

    fn reply(&self) -> ReplyHandle {
        // SAFETY: C passes one.
        unsafe { ReplyHandle::from_word((self.own_reply)()) }
    }

    pub fn recv(&self, endpoint: Cap<Endpoint>) -> (MessageInfo, Badge) {
        endpoint.recv(self.reply()).message()
    }

    pub fn reply_recv(&self, endpoint: Cap<Endpoint>, info: MessageInfo) -> (MessageInfo, Badge) {
        endpoint.reply_recv(info, self.reply()).message()
    }
}
