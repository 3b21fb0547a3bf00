// SPDX-License-Identifier: GPL-2.0-only

//! Deletion and revocation of capabilities, and finalisation of objects with their last capability.
//!
//! CNodes and TCBs hold capabilities themselves. The final capability to one becomes a zombie,
//! which counts the slots that remain to be deleted, from the last one down. If one of these slots
//! holds another zombie, it is swapped with the first slot of its own object. So recursion is
//! bounded, and a CNode within a CNode is not deleted, but its zombie is left in itself (a cyclic
//! zombie), where nobody can address it until the untyped memory below is revoked. What it holds
//! stays alive.
//!
//! Deletion and revocation are preempted after some slots. The thread then makes its system call
//! again, which continues with what is left.

use crate::cap::{Cap, ZombieObject};
use crate::cte::SlotId;
use crate::hostile::Preempted;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::thread::{TCB_CNODE_ENTRIES, TCB_CNODE_RADIX};

/// Result of finalising a capability.
#[derive(Clone, Copy)]
struct Finalised {
    /// Content of the slot from now on.
    remainder: Cap,
    /// Capability whose resource is released once the slot is empty.
    cleanup: Cap,
}

impl Finalised {
    const DONE: Finalised = Finalised {
        remainder: Cap::Null,
        cleanup: Cap::Null,
    };

    /// Keeps a zombie in the slot.
    fn zombie(object: ZombieObject, base: SlotId, number: u32) -> Self {
        let remainder = Cap::Zombie {
            object,
            base,
            number,
        };
        Finalised {
            remainder,
            ..Finalised::DONE
        }
    }
}

impl<M: Machine> Kernel<M> {
    /// Deletes all capabilities derived from the one in a slot.
    pub(crate) fn cte_revoke(&mut self, slot: SlotId) -> Result<(), Preempted> {
        while self.has_children(slot)
            && let Some(child) = self.slots.mdb_next(slot)
        {
            self.cte_delete(child, true)?;
            self.preemption_point()?;
        }
        Ok(())
    }

    /// Deletes a capability. In a slot that is not `exposed` to user level, a cyclic zombie may
    /// remain.
    pub(crate) fn cte_delete(&mut self, slot: SlotId, exposed: bool) -> Result<(), Preempted> {
        let (can_empty, cleanup) = self.finalise_slot(slot, exposed)?;
        if exposed || can_empty {
            self.empty_slot(slot, cleanup);
        }
        Ok(())
    }

    /// Deletes a capability to neither a CNode nor a TCB.
    pub(crate) fn cte_delete_one(&mut self, slot: SlotId) {
        let is_final = self.is_final_capability(slot);
        self.finalise_cap(self.slots.cap(slot), is_final);
        self.empty_slot(slot, Cap::Null);
    }

    fn empty_slot(&mut self, slot: SlotId, cleanup: Cap) {
        if self.slots.cap(slot).is_null() {
            return;
        }
        self.slots.clear_slot(slot);
        match cleanup {
            Cap::IrqHandler(irq) => self.irqs.deleted_irq_handler(irq),
            Cap::IoPort { first, last } => self.ports.free_io_port_range(first, last),
            _ => {}
        }
    }

    /// Finalises the capability in a slot. Returns whether the slot can be emptied, and the
    /// capability whose resource is released then. If preempted, leaves a zombie in the slot, and
    /// deleting that continues the operation.
    fn finalise_slot(&mut self, slot: SlotId, exposed: bool) -> Result<(bool, Cap), Preempted> {
        loop {
            let cap = self.slots.cap(slot);
            if cap.is_null() {
                return Ok((true, Cap::Null));
            }
            let is_final = self.is_final_capability(slot);
            let Finalised { remainder, cleanup } = self.finalise_cap(cap, is_final);
            let Cap::Zombie {
                object,
                base,
                number,
            } = remainder
            else {
                return Ok((true, cleanup));
            };
            if number == 0 || number == 1 && base == slot {
                self.free_zombie_object(object);
                return Ok((true, cleanup));
            }
            *self.slots.cap_mut(slot) = remainder;
            if !exposed && base == slot {
                return Ok((false, cleanup));
            }
            self.reduce_zombie(slot, base, number, exposed)?;
            self.preemption_point()?;
        }
    }

    /// Deletes the last slot of the zombie in `slot`, or swaps the zombie into its own first slot.
    fn reduce_zombie(
        &mut self,
        slot: SlotId,
        base: SlotId,
        number: u32,
        exposed: bool,
    ) -> Result<(), Preempted> {
        if !exposed {
            let (first, zombie) = (self.slots.cap(base), self.slots.cap(slot));
            self.slots.cte_swap(first, base, zombie, slot);
            return Ok(());
        }
        self.cte_delete(base.plus(number as usize - 1), false)?;
        // The deletion may have swapped this zombie with a slot of its object.
        if let Cap::Zombie {
            base: now_base,
            number: now_number,
            ..
        } = self.slots.cap_mut(slot)
            && (*now_base, *now_number) == (base, number)
        {
            *now_number -= 1;
        }
        Ok(())
    }

    /// Undoes what a capability stands for: a mapping, and, if it is final, its object.
    fn finalise_cap(&mut self, cap: Cap, is_final: bool) -> Finalised {
        if let Cap::Frame(frame) = cap {
            self.unmap_page(frame);
        }
        if let Cap::Zombie {
            object,
            base,
            number,
        } = cap
        {
            return Finalised::zombie(object, base, number);
        }
        if !is_final {
            return Finalised::DONE;
        }
        match cap {
            Cap::Endpoint { object, .. } => {
                self.cancel_all_ipc(object);
                self.objects.endpoints.remove(object);
            }
            Cap::Notification { object, .. } => {
                self.unbind_maybe_notification(object);
                if let Some(sc) = self.objects.notifications[object].sched_context {
                    self.sched_context_unbind_ntfn(sc);
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
            } => return Finalised::zombie(ZombieObject::CNode(object), base, 1 << radix),
            Cap::Thread(thread) => {
                self.unbind_notification(thread);
                if let Some(sc) = self.objects.threads[thread].sched_context {
                    self.sched_context_unbind_tcb(sc);
                    self.sched_context_complete_yield_to(sc);
                }
                self.suspend(thread);
                let base = self.objects.threads[thread].slots;
                let object = ZombieObject::Thread(thread);
                return Finalised::zombie(object, base, TCB_CNODE_ENTRIES);
            }
            Cap::ReplyObject { object, .. } => {
                self.reply_clear(object);
                self.objects.replies.remove(object);
            }
            Cap::SchedContext { object, .. } => {
                self.finalise_sched_context(object);
                self.objects.sched_contexts.remove(object);
            }
            Cap::IrqHandler(irq) => {
                self.deleting_irq_handler(irq);
                return Finalised {
                    cleanup: cap,
                    ..Finalised::DONE
                };
            }
            Cap::IoPort { .. } => {
                return Finalised {
                    cleanup: cap,
                    ..Finalised::DONE
                };
            }
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
            | Cap::Untyped(_)
            | Cap::Reply { .. }
            | Cap::IrqControl
            | Cap::SchedControl
            | Cap::Domain
            | Cap::Zombie { .. }
            | Cap::Frame(_)
            | Cap::AsidControl
            | Cap::IoPortControl
            | Cap::SgiSignal { .. } => {}
        }
        Finalised::DONE
    }

    /// Releases the slots of a CNode or TCB that has no capabilities left, and the object itself.
    fn free_zombie_object(&mut self, object: ZombieObject) {
        match object {
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
