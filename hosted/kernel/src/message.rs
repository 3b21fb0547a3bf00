// SPDX-License-Identifier: GPL-2.0-only

//! Messages: registers, IPC buffers, and the transfer from one thread to another.

use crate::arch;
use crate::arena::Id;
use crate::cap::{Cap, VmRights, low_bits};
use crate::config::{MSG_MAX_EXTRA_CAPS, MSG_MAX_LENGTH, WORD};
use crate::cte::SlotId;
use crate::error::LookupFailure;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Endpoint;
use crate::thread::{TcbSlot, ThreadId};

/// Number of message registers that are machine registers.
pub(crate) const NUM_MSG_REGISTERS: usize = arch::MESSAGE.len();

/// Word of the IPC buffer with `seL4_IPCBuffer.caps_or_badges`.
const CAPS_OR_BADGES: usize = MSG_MAX_LENGTH + 2;
/// Word of the IPC buffer with `seL4_IPCBuffer.receiveCNode`, followed by index and depth.
const RECEIVE_CNODE: usize = CAPS_OR_BADGES + MSG_MAX_EXTRA_CAPS;

/// Slots of a message's extra capabilities, up to the first `None`.
pub(crate) type ExtraCaps = [Option<SlotId>; MSG_MAX_EXTRA_CAPS];

/// `seL4_MessageInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageInfo(pub usize);

impl MessageInfo {
    /// Makes a message info of its fields.
    #[must_use]
    pub const fn new(
        label: usize,
        caps_unwrapped: usize,
        extra_caps: usize,
        length: usize,
    ) -> Self {
        MessageInfo(label << 12 | (caps_unwrapped & 7) << 9 | (extra_caps & 3) << 7 | length & 127)
    }

    /// Returns the label: an invocation, an error, a fault, or what the sender chose.
    #[must_use]
    pub const fn label(self) -> usize {
        self.0 >> 12
    }

    /// Returns a bit per extra capability that was received as its badge.
    #[must_use]
    pub const fn caps_unwrapped(self) -> usize {
        self.0 >> 9 & 7
    }

    /// Returns the number of extra capabilities.
    #[must_use]
    pub const fn extra_caps(self) -> usize {
        self.0 >> 7 & 3
    }

    /// Returns the number of message words, at most [`MSG_MAX_LENGTH`]; the field could hold 127.
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
    /// Returns the physical address of a thread's IPC buffer, if the thread has one and may read it
    /// or, as a receiver, write it.
    pub(crate) fn lookup_ipc_buffer(&self, thread: ThreadId, is_receiver: bool) -> Option<usize> {
        let thread = &self.objects.threads[thread];
        match self.slots.cap(thread.slot(TcbSlot::Buffer)) {
            Cap::Frame(frame)
                if !frame.device
                    && (frame.rights == VmRights::ReadWrite
                        || !is_receiver && frame.rights == VmRights::ReadOnly) =>
            {
                let offset = thread.ipc_buffer & low_bits(frame.size_bits.into());
                Some(frame.paddr + offset)
            }
            _ => None,
        }
    }

    /// Returns the info of the message that a thread sends.
    pub(crate) fn message_info(&self, thread: ThreadId) -> MessageInfo {
        MessageInfo(self.objects.threads[thread].context[arch::INFO])
    }

    /// Returns a message register of a sender.
    pub(crate) fn get_mr(&self, thread: ThreadId, buffer: Option<usize>, index: usize) -> usize {
        match arch::MESSAGE.get(index) {
            Some(register) => self.objects.threads[thread].context[*register],
            None => buffer.map_or(0, |buffer| {
                self.machine.read_word(buffer + (index + 1) * WORD)
            }),
        }
    }

    /// Sets the message registers of a receiver. Returns the length of the message, which is
    /// shorter than `words` if the receiver has no IPC buffer.
    pub(crate) fn set_mrs(
        &mut self,
        thread: ThreadId,
        words: impl IntoIterator<Item = usize>,
    ) -> usize {
        let buffer = self.lookup_ipc_buffer(thread, true);
        let mut length = 0;
        for (index, word) in words.into_iter().enumerate() {
            if let Some(register) = arch::MESSAGE.get(index) {
                self.objects.threads[thread].context[*register] = word;
            } else if let Some(buffer) = buffer {
                self.machine.write_word(buffer + (index + 1) * WORD, word);
            } else {
                break;
            }
            length = index + 1;
        }
        length
    }

    /// Sets the badge and the message info that a receiver gets, whose message is complete.
    pub(crate) fn set_badge_and_info(&mut self, thread: ThreadId, badge: usize, info: MessageInfo) {
        let context = &mut self.objects.threads[thread].context;
        context[arch::CAP] = badge;
        context[arch::INFO] = info.0;
        self.poison_mrs(thread, info.length());
    }

    /// Looks up the extra capabilities that a thread sends. Fails with the address that names no
    /// slot.
    pub(crate) fn lookup_extra_caps(
        &self,
        thread: ThreadId,
        buffer: Option<usize>,
        info: MessageInfo,
    ) -> Result<ExtraCaps, (usize, LookupFailure)> {
        let mut extra_caps = ExtraCaps::default();
        if let Some(buffer) = buffer {
            for (index, slot) in extra_caps.iter_mut().take(info.extra_caps()).enumerate() {
                let cptr = self
                    .machine
                    .read_word(buffer + (CAPS_OR_BADGES + index) * WORD);
                let found = self.lookup_slot(thread, cptr);
                *slot = Some(found.map_err(|failure| (cptr, failure))?);
            }
        }
        Ok(extra_caps)
    }

    /// Transfers the sender's message, or its fault, to the receiver.
    pub(crate) fn do_ipc_transfer(
        &mut self,
        sender: ThreadId,
        endpoint: Option<Id<Endpoint>>,
        badge: usize,
        can_grant: bool,
        receiver: ThreadId,
    ) {
        self.machine.event(Event::Transfer {
            from: sender,
            to: receiver,
            badge,
        });
        match self.objects.threads[sender].fault {
            Some(fault) => self.do_fault_transfer(sender, fault, badge, receiver),
            None => self.do_normal_transfer(sender, endpoint, badge, can_grant, receiver),
        }
    }

    fn do_normal_transfer(
        &mut self,
        sender: ThreadId,
        endpoint: Option<Id<Endpoint>>,
        badge: usize,
        can_grant: bool,
        receiver: ThreadId,
    ) {
        let info = self.message_info(sender);
        let (length, has_caps) = (info.length(), can_grant && info.extra_caps() != 0);
        for register in arch::MESSAGE.iter().take(length) {
            let word = self.objects.threads[sender].context[*register];
            self.objects.threads[receiver].context[*register] = word;
        }
        // Such a message needs no IPC buffer.
        if length <= NUM_MSG_REGISTERS && !has_caps {
            let info = MessageInfo::new(info.label(), 0, 0, length);
            return self.set_badge_and_info(receiver, badge, info);
        }
        let send_buffer = self.lookup_ipc_buffer(sender, false);
        let receive_buffer = self.lookup_ipc_buffer(receiver, true);
        let mut transferred = length.min(NUM_MSG_REGISTERS);
        if let (Some(from), Some(to)) = (send_buffer, receive_buffer) {
            for index in NUM_MSG_REGISTERS..length {
                let word = self.machine.read_word(from + (index + 1) * WORD);
                self.machine.write_word(to + (index + 1) * WORD, word);
            }
            transferred = length;
        }
        let extra_caps = match has_caps {
            true => self
                .lookup_extra_caps(sender, send_buffer, info)
                .unwrap_or_default(),
            false => ExtraCaps::default(),
        };
        let (unwrapped, caps) = match receive_buffer {
            Some(buffer) => self.transfer_caps(&extra_caps, endpoint, receiver, buffer),
            None => (0, 0),
        };
        let info = MessageInfo::new(info.label(), unwrapped, caps, transferred);
        self.set_badge_and_info(receiver, badge, info);
    }

    /// Transfers extra capabilities: those to the endpoint itself as their badges, and one other
    /// into the receive slot. Returns the bits of the unwrapped ones, and the number of all
    /// transferred.
    fn transfer_caps(
        &mut self,
        extra_caps: &ExtraCaps,
        endpoint: Option<Id<Endpoint>>,
        receiver: ThreadId,
        receive_buffer: usize,
    ) -> (usize, usize) {
        let (mut unwrapped, mut count) = (0, 0);
        if extra_caps[0].is_none() {
            return (0, 0);
        }
        let mut receive_slot = self.get_receive_slot(receiver, receive_buffer);
        for slot in extra_caps.iter().map_while(|slot| *slot) {
            match self.slots.cap(slot) {
                Cap::Endpoint { object, badge, .. } if Some(object) == endpoint => {
                    let paddr = receive_buffer + (CAPS_OR_BADGES + count) * WORD;
                    self.machine.write_word(paddr, badge);
                    unwrapped |= 1 << count;
                }
                cap => {
                    let Some(destination) = receive_slot.take() else {
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

    /// Returns the slot for a received capability that the receiver's IPC buffer names, if it is
    /// empty.
    fn get_receive_slot(&self, thread: ThreadId, buffer: usize) -> Option<SlotId> {
        let [root, index, depth] = [0, 1, 2].map(|word| {
            self.machine
                .read_word(buffer + (RECEIVE_CNODE + word) * WORD)
        });
        let root = self.lookup_cap(thread, root).ok()?;
        self.lookup_empty_target_slot(root, index, depth).ok()
    }
}
