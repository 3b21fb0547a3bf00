// SPDX-License-Identifier: BSD-2-Clause

//! Deleting and revoking capabilities. With the last to an object, the object goes.
//!
//! CNodes and threads hold capabilities themselves. The last capability to one becomes a zombie,
//! which counts the slots that are still to be emptied, from the last one down. A zombie that is
//! met on the way changes places with what is in the first slot of its own object: so the depth is
//! bounded, and a CNode within a CNode is cut off, not emptied. Its zombie lies in itself, where
//! nobody reaches it, until the untyped memory it was made of is revoked. What it holds lives on.

use crate::cap::{Cap, Remains};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::slots::SlotId;
use crate::thread::{THREAD_SLOT_BITS, THREAD_SLOTS};

impl<M: Machine> Kernel<M> {
    /// Deletes all that was derived from what is in a slot.
    pub(crate) fn revoke(&mut self, slot: SlotId) {
        while let Some(child) = self
            .slots
            .next(slot)
            .filter(|child| self.is_parent(slot, *child))
        {
            self.delete(child, true);
        }
    }

    /// Empties a slot; or, where it was not `exposed` to user level, may leave a zombie in it that
    /// lies in its own object.
    pub(crate) fn delete(&mut self, slot: SlotId, exposed: bool) {
        let (emptied, after) = self.finalise_slot(slot, exposed);
        if exposed || emptied {
            self.empty(slot, after);
        }
    }

    /// Deletes a capability that is neither to a CNode nor to a thread.
    pub(crate) fn delete_simple(&mut self, slot: SlotId) {
        let cap = self.slots.cap(slot);
        let last = self.is_final(slot);
        self.finalise(cap, last);
        self.empty(slot, Cap::Null);
    }

    fn empty(&mut self, slot: SlotId, after: Cap) {
        if self.slots.cap(slot).is_null() {
            return;
        }
        self.slots.clear(slot);
        match after {
            Cap::IrqHandler(irq) => self.irqs.release(irq),
            Cap::IoPort { first, last } => self.ports.release(first, last),
            _ => {}
        }
    }

    /// Whether the slot can be emptied, and what is to be done after that.
    fn finalise_slot(&mut self, slot: SlotId, exposed: bool) -> (bool, Cap) {
        loop {
            let cap = self.slots.cap(slot);
            if cap.is_null() {
                return (true, Cap::Null);
            }
            let last = self.is_final(slot);
            let (remainder, after) = self.finalise(cap, last);
            let Cap::Zombie { of, base, left } = remainder else {
                return (true, after);
            };
            if left == 0 || left == 1 && base == slot {
                self.free(of);
                return (true, after);
            }
            *self.slots.cap_mut(slot) = remainder;
            if !exposed && base == slot {
                return (false, after);
            }
            self.reduce(slot, base, left, exposed);
        }
    }

    /// Makes a zombie that is in `slot` smaller, or puts it out of the way.
    fn reduce(&mut self, slot: SlotId, base: SlotId, left: u32, exposed: bool) {
        if !exposed {
            let (first, zombie) = (self.slots.cap(base), self.slots.cap(slot));
            return self.slots.exchange(base, first, slot, zombie);
        }
        self.delete(base.plus(left as usize - 1), false);
        // It may have changed places with what was in its slots.
        if let Cap::Zombie {
            base: now_base,
            left: now_left,
            ..
        } = self.slots.cap_mut(slot)
            && (*now_base, *now_left) == (base, left)
        {
            *now_left -= 1;
        }
    }

    /// What becomes of an object when a capability to it goes: what is in the slot then, and what
    /// is to be done after the slot is empty.
    fn finalise(&mut self, cap: Cap, last: bool) -> (Cap, Cap) {
        if let Cap::Frame {
            paddr,
            vaddr,
            asid,
            size_bits,
            ..
        } = cap
            && asid != 0
        {
            self.unmap_frame(asid, vaddr, paddr, size_bits);
        }
        if !last {
            return match cap {
                Cap::Zombie { .. } => (cap, Cap::Null),
                _ => (Cap::Null, Cap::Null),
            };
        }
        match cap {
            Cap::Endpoint { object, .. } => {
                self.cancel_all(object);
                self.objects.endpoints.remove(object);
            }
            Cap::Notification { object, .. } => {
                self.unbind_notification(object);
                if let Some(context) = self.objects.notifications[object].context {
                    self.unbind_context_notification(context);
                }
                self.cancel_signals(object);
                self.delayed
                    .retain(|delayed| delayed.notification != object);
                self.objects.notifications.remove(object);
            }
            Cap::CNode {
                object,
                base,
                radix,
                ..
            } => {
                let remainder = Cap::Zombie {
                    of: Remains::CNode(object),
                    base,
                    left: 1 << radix,
                };
                return (remainder, Cap::Null);
            }
            Cap::Thread(thread) => {
                self.unbind_thread(thread);
                if let Some(context) = self.objects.threads[thread].context_id {
                    self.unbind_context(context);
                    self.complete_yield(context);
                }
                self.suspend(thread);
                let remainder = Cap::Zombie {
                    of: Remains::Thread(thread),
                    base: self.objects.threads[thread].slots,
                    left: THREAD_SLOTS,
                };
                return (remainder, Cap::Null);
            }
            Cap::Zombie { .. } => return (cap, Cap::Null),
            Cap::ReplyObject { object, .. } => {
                self.finalise_reply(object);
                self.objects.replies.remove(object);
            }
            Cap::SchedContext { object, .. } => {
                self.finalise_context(object);
                self.objects.contexts.remove(object);
            }
            Cap::IrqHandler(irq) => {
                let slot = self.irqs.slot(irq);
                if !self.slots.cap(slot).is_null() {
                    self.delete_simple(slot);
                }
                return (Cap::Null, cap);
            }
            Cap::IoPort { .. } => return (Cap::Null, cap),
            Cap::Table {
                object,
                vaddr,
                asid,
                mapped,
            } => {
                if mapped {
                    self.unmap_table(object, asid, vaddr);
                }
                self.objects.tables.remove(object);
            }
            Cap::VSpace { object, asid } => {
                if asid != 0 {
                    self.drop_asid(asid, object);
                }
                self.objects.tables.remove(object);
            }
            Cap::AsidPool { object, base } => {
                self.drop_pool(base, object);
                self.objects.pools.remove(object);
            }
            Cap::Null
            | Cap::Untyped { .. }
            | Cap::Reply { .. }
            | Cap::IrqControl
            | Cap::SchedControl
            | Cap::Domain
            | Cap::Frame { .. }
            | Cap::AsidControl
            | Cap::IoPortControl
            | Cap::SgiSignal { .. } => {}
        }
        (Cap::Null, Cap::Null)
    }

    /// Gives back what an object held that has no capabilities left.
    fn free(&mut self, remains: Remains) {
        match remains {
            Remains::CNode(cnode) if self.objects.cnodes.is_live(cnode) => {
                let object = &self.objects.cnodes[cnode];
                self.slots.release(object.base, object.radix);
                self.objects.cnodes.remove(cnode);
            }
            Remains::Thread(thread) if self.objects.threads.is_live(thread) => {
                let slots = self.objects.threads[thread].slots;
                self.slots.release(slots, THREAD_SLOT_BITS);
                self.objects.threads.remove(thread);
            }
            _ => {}
        }
    }
}
