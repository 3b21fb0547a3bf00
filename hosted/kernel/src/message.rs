// SPDX-License-Identifier: GPL-2.0-only

//! Messages: their words and capabilities, and how they go from one thread to another.

use crate::arch;
use crate::arena::Id;
use crate::cap::{Cap, VmRights, low_bits};
use crate::config::{MSG_MAX_EXTRA_CAPS, MSG_MAX_LENGTH, WORD};
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Endpoint;
use crate::slots::SlotId;
use crate::thread::{TcbSlot, ThreadId};

/// Words of a message that travel in registers.
pub(crate) const MSG_REGISTERS: usize = arch::MESSAGE.len();

/// The word of the IPC buffer where the addresses of capabilities, or the badges of unwrapped
/// ones, begin.
const CAPS: usize = MSG_MAX_LENGTH + 2;
/// The word where it says where a capability shall go.
const RECEIVE: usize = CAPS + MSG_MAX_EXTRA_CAPS;

/// The capabilities of a message, up to the first that is none.
pub(crate) type ExtraCaps = [Option<SlotId>; MSG_MAX_EXTRA_CAPS];

/// A `seL4_MessageInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageInfo(pub usize);

impl MessageInfo {
    /// Of its fields.
    #[must_use]
    pub const fn new(label: usize, unwrapped: usize, extra_caps: usize, length: usize) -> Self {
        MessageInfo(label << 12 | (unwrapped & 7) << 9 | (extra_caps & 3) << 7 | length & 127)
    }

    /// What it is about.
    #[must_use]
    pub const fn label(self) -> usize {
        self.0 >> 12
    }

    /// Which capabilities came as their badges.
    #[must_use]
    pub const fn unwrapped(self) -> usize {
        self.0 >> 9 & 7
    }

    /// The number of capabilities.
    #[must_use]
    pub const fn extra_caps(self) -> usize {
        self.0 >> 7 & 3
    }

    /// The number of words.
    ///
    /// There is room for 127 in it, and for 120 in a message.
    #[must_use]
    pub const fn length(self) -> usize {
        let length = self.0 & 127;
        if length > MSG_MAX_LENGTH {
            MSG_MAX_LENGTH
        } else {
            length
        }
    }
}

impl<M: Machine> Kernel<M> {
    /// Where a thread's IPC buffer is, if it has one that can be read, or, to `write`, written.
    pub(crate) fn lookup_ipc_buffer(&self, thread: ThreadId, write: bool) -> Option<usize> {
        let thread = &self.objects.threads[thread];
        match self.slots.cap(thread.slot(TcbSlot::Buffer)) {
            Cap::Frame {
                paddr,
                size_bits,
                rights,
                device: false,
                ..
            } if rights == VmRights::ReadWrite || !write && rights == VmRights::ReadOnly => {
                Some(paddr + (thread.ipc_buffer & low_bits(size_bits.into())))
            }
            _ => None,
        }
    }

    /// The info of the message that a thread sends.
    pub(crate) fn message_info(&self, thread: ThreadId) -> MessageInfo {
        MessageInfo(self.objects.threads[thread].context[arch::INFO])
    }

    /// A word of the message that a thread sends.
    pub(crate) fn get_mr(&self, thread: ThreadId, buffer: Option<usize>, index: usize) -> usize {
        match arch::MESSAGE.get(index) {
            Some(register) => self.objects.threads[thread].context[*register],
            None => buffer.map_or(0, |buffer| {
                self.machine.read_word(buffer + (index + 1) * WORD)
            }),
        }
    }

    /// Sets a word of the message that a thread gets. How long the message is with it.
    pub(crate) fn set_mr(
        &mut self,
        thread: ThreadId,
        buffer: Option<usize>,
        index: usize,
        word: usize,
    ) -> usize {
        if let Some(register) = arch::MESSAGE.get(index) {
            self.objects.threads[thread].context[*register] = word;
            return index + 1;
        }
        match buffer {
            Some(buffer) => {
                self.machine.write_word(buffer + (index + 1) * WORD, word);
                index + 1
            }
            None => MSG_REGISTERS,
        }
    }

    /// What a thread sees with the message it gets.
    pub(crate) fn set_badge_and_info(&mut self, thread: ThreadId, badge: usize, info: MessageInfo) {
        let context = &mut self.objects.threads[thread].context;
        context[arch::CAP] = badge;
        context[arch::INFO] = info.0;
    }

    /// The slots of the capabilities that a thread sends; else the address that leads to none.
    pub(crate) fn lookup_extra_caps(
        &self,
        thread: ThreadId,
        buffer: Option<usize>,
        info: MessageInfo,
    ) -> Result<ExtraCaps, (usize, crate::error::LookupFailure)> {
        let mut extra = [None; MSG_MAX_EXTRA_CAPS];
        if let Some(buffer) = buffer {
            for (index, slot) in extra.iter_mut().take(info.extra_caps()).enumerate() {
                let cptr = self.machine.read_word(buffer + (CAPS + index) * WORD);
                *slot = Some(
                    self.lookup_slot(thread, cptr)
                        .map_err(|failure| (cptr, failure))?,
                );
            }
        }
        Ok(extra)
    }

    /// Hands a message, or the description of a fault, from one thread to another.
    pub(crate) fn do_ipc_transfer(
        &mut self,
        from: ThreadId,
        endpoint: Option<Id<Endpoint>>,
        badge: usize,
        grant: bool,
        to: ThreadId,
    ) {
        self.machine.event(Event::Transfer { from, to, badge });
        if self.objects.threads[from].fault.is_some() {
            return self.do_fault_transfer(from, badge, to);
        }
        let info = self.message_info(from);
        let (length, has_caps) = (info.length(), grant && info.extra_caps() != 0);
        for register in arch::MESSAGE.iter().take(length) {
            let word = self.objects.threads[from].context[*register];
            self.objects.threads[to].context[*register] = word;
        }
        // Nothing else lies in memory.
        if length <= MSG_REGISTERS && !has_caps {
            return self.set_badge_and_info(
                to,
                badge,
                MessageInfo::new(info.label(), 0, 0, length),
            );
        }
        let (source, destination) = (
            self.lookup_ipc_buffer(from, false),
            self.lookup_ipc_buffer(to, true),
        );
        let mut transferred = length.min(MSG_REGISTERS);
        if let (Some(source), Some(destination)) = (source, destination) {
            for index in MSG_REGISTERS..length {
                let word = self.machine.read_word(source + (index + 1) * WORD);
                self.machine
                    .write_word(destination + (index + 1) * WORD, word);
            }
            transferred = length;
        }
        let extra = match has_caps {
            true => self
                .lookup_extra_caps(from, source, info)
                .unwrap_or_default(),
            false => ExtraCaps::default(),
        };
        let (unwrapped, caps) = match destination {
            Some(buffer) => self.transfer_caps(&extra, endpoint, to, buffer),
            None => (0, 0),
        };
        let info = MessageInfo::new(info.label(), unwrapped, caps, transferred);
        self.set_badge_and_info(to, badge, info);
    }

    /// Hands capabilities over: those to the endpoint itself as their badges, and one more.
    fn transfer_caps(
        &mut self,
        extra: &ExtraCaps,
        endpoint: Option<Id<Endpoint>>,
        to: ThreadId,
        buffer: usize,
    ) -> (usize, usize) {
        let (mut unwrapped, mut count) = (0, 0);
        if extra[0].is_none() {
            return (0, 0);
        }
        let mut room = self.get_receive_slot(to, buffer);
        for slot in extra.iter().map_while(|slot| *slot) {
            match self.slots.cap(slot) {
                Cap::Endpoint { object, badge, .. } if Some(object) == endpoint => {
                    self.machine
                        .write_word(buffer + (CAPS + count) * WORD, badge);
                    unwrapped |= 1 << count;
                }
                cap => {
                    let Some(destination) = room.take() else {
                        break;
                    };
                    match self.derive_cap(slot, cap) {
                        Ok(Cap::Null) | Err(_) => break,
                        Ok(cap) => self.cte_insert(cap, slot, destination),
                    }
                }
            }
            count += 1;
        }
        (unwrapped, count)
    }

    /// Where a thread wants a capability to go, if that is empty.
    fn get_receive_slot(&self, thread: ThreadId, buffer: usize) -> Option<SlotId> {
        let [root, index, depth] =
            [0, 1, 2].map(|word| self.machine.read_word(buffer + (RECEIVE + word) * WORD));
        let root = self.slots.cap(self.lookup_slot(thread, root).ok()?);
        let slot = self
            .lookup_slot_for_cnode_op(root, index, depth, false)
            .ok()?;
        self.slots.cap(slot).is_null().then_some(slot)
    }
}
