// SPDX-License-Identifier: GPL-2.0-only

//! Deleting and revoking capabilities. With the last to an object, the object goes.
//!
//! CNodes and threads hold capabilities themselves. The last capability to one becomes a zombie,
//! which counts the slots that are still to be emptied, from the last one down. A zombie that is
//! met on the way changes places with what is in the first slot of its own object: so the depth is
//! bounded, and a CNode within a CNode is cut off, not emptied. Its zombie lies in itself, where
//! nobody reaches it, until the untyped memory it was made of is revoked. What it holds lives on.

use crate::cap::{Cap, ZombieObject};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::slots::SlotId;
use crate::thread::{TCB_CNODE_ENTRIES, TCB_CNODE_RADIX};

impl<M: Machine> Kernel<M> {
    /// Deletes all that was derived from what is in a slot.
    pub(crate) fn cte_revoke(&mut self, slot: SlotId) {
        while let Some(child) = self
            .slots
            .mdb_next(slot)
            .filter(|child| self.is_mdb_parent_of(slot, *child))
        {
            self.cte_delete(child, true);
        }
    }

    /// Empties a slot; or, where it was not `exposed` to user level, may leave a zombie in it that
    /// lies in its own object.
    pub(crate) fn cte_delete(&mut self, slot: SlotId, exposed: bool) {
        let (emptied, after) = self.finalise_slot(slot, exposed);
        if exposed || emptied {
            self.empty_slot(slot, after);
        }
    }

    /// Deletes a capability that is neither to a CNode nor to a thread.
    pub(crate) fn cte_delete_one(&mut self, slot: SlotId) {
        let cap = self.slots.cap(slot);
        let last = self.is_final_capability(slot);
        self.finalise_cap(cap, last);
        self.empty_slot(slot, Cap::Null);
    }

    fn empty_slot(&mut self, slot: SlotId, after: Cap) {
        if self.slots.cap(slot).is_null() {
            return;
        }
        self.slots.clear_slot(slot);
        match after {
            Cap::IrqHandler(irq) => self.irqs.deleted_irq_handler(irq),
            Cap::IoPort { first, last } => self.ports.free_io_port_range(first, last),
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
            let last = self.is_final_capability(slot);
            let (remainder, after) = self.finalise_cap(cap, last);
            let Cap::Zombie {
                object,
                base,
                number,
            } = remainder
            else {
                return (true, after);
            };
            if number == 0 || number == 1 && base == slot {
                self.free_zombie_object(object);
                return (true, after);
            }
            *self.slots.cap_mut(slot) = remainder;
            if !exposed && base == slot {
                return (false, after);
            }
            self.reduce_zombie(slot, base, number, exposed);
        }
    }

    /// Makes a zombie that is in `slot` smaller, or puts it out of the way.
    fn reduce_zombie(&mut self, slot: SlotId, base: SlotId, number: u32, exposed: bool) {
        if !exposed {
            let (first, zombie) = (self.slots.cap(base), self.slots.cap(slot));
            return self.slots.cte_swap(base, first, slot, zombie);
        }
        self.cte_delete(base.plus(number as usize - 1), false);
        // It may have changed places with what was in its slots.
        if let Cap::Zombie {
            base: now_base,
            number: now_number,
            ..
        } = self.slots.cap_mut(slot)
            && (*now_base, *now_number) == (base, number)
        {
            *now_number -= 1;
        }
    }

    /// What becomes of an object when a capability to it goes: what is in the slot then, and what
    /// is to be done after the slot is empty.
    fn finalise_cap(&mut self, cap: Cap, last: bool) -> (Cap, Cap) {
        if let Cap::Frame {
            paddr,
            vaddr,
            asid,
            size_bits,
            ..
        } = cap
            && asid != 0
        {
            self.unmap_page(asid, vaddr, paddr, size_bits);
        }
        if !last {
            return match cap {
                Cap::Zombie { .. } => (cap, Cap::Null),
                _ => (Cap::Null, Cap::Null),
            };
        }
        match cap {
            Cap::Endpoint { object, .. } => {
                self.cancel_all_ipc(object);
                self.objects.endpoints.remove(object);
            }
            Cap::Notification { object, .. } => {
                self.unbind_maybe_notification(object);
                if let Some(context) = self.objects.notifications[object].sched_context {
                    self.sched_context_unbind_ntfn(context);
                }
                self.cancel_all_signals(object);
                self.delayed_signals
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
                    object: ZombieObject::CNode(object),
                    base,
                    number: 1 << radix,
                };
                return (remainder, Cap::Null);
            }
            Cap::Thread(thread) => {
                self.unbind_notification(thread);
                if let Some(context) = self.objects.threads[thread].sched_context {
                    self.sched_context_unbind_tcb(context);
                    self.sched_context_complete_yield_to(context);
                }
                self.suspend(thread);
                let remainder = Cap::Zombie {
                    object: ZombieObject::Thread(thread),
                    base: self.objects.threads[thread].slots,
                    number: TCB_CNODE_ENTRIES,
                };
                return (remainder, Cap::Null);
            }
            Cap::Zombie { .. } => return (cap, Cap::Null),
            Cap::ReplyObject { object, .. } => {
                self.reply_clear(object);
                self.objects.replies.remove(object);
            }
            Cap::SchedContext { object, .. } => {
                self.finalise_sched_context(object);
                self.objects.sched_contexts.remove(object);
            }
            Cap::IrqHandler(irq) => {
                let slot = self.irqs.slot(irq);
                if !self.slots.cap(slot).is_null() {
                    self.cte_delete_one(slot);
                }
                return (Cap::Null, cap);
            }
            Cap::IoPort { .. } => return (Cap::Null, cap),
            Cap::PageTable {
                object,
                vaddr,
                asid,
                mapped,
            } => {
                if mapped {
                    self.unmap_page_table(object, asid, vaddr);
                }
                self.objects.page_tables.remove(object);
            }
            Cap::VSpace { object, asid } => {
                if asid != 0 {
                    self.delete_asid(asid, object);
                }
                self.objects.page_tables.remove(object);
            }
            Cap::AsidPool { object, base } => {
                self.delete_asid_pool(base, object);
                self.objects.asid_pools.remove(object);
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

    /// Gives back what an object held that has no capabilities number.
    fn free_zombie_object(&mut self, remains: ZombieObject) {
        match remains {
            ZombieObject::CNode(cnode) if self.objects.cnodes.is_live(cnode) => {
                let object = &self.objects.cnodes[cnode];
                self.slots.release(object.base, object.radix);
                self.objects.cnodes.remove(cnode);
            }
            ZombieObject::Thread(thread) if self.objects.threads.is_live(thread) => {
                let slots = self.objects.threads[thread].slots;
                self.slots.release(slots, TCB_CNODE_RADIX);
                self.objects.threads.remove(thread);
            }
            _ => {}
        }
    }
}
