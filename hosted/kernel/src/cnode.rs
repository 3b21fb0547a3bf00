// SPDX-License-Identifier: GPL-2.0-only

//! What CNodes are asked for: copying, moving and deleting capabilities.

use crate::cap::{Cap, CapRights};
use crate::error::{Error, LookupFailure};
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::request::{InvocationResult, Request};
use crate::slots::SlotId;
use crate::thread::TcbSlot;

impl<M: Machine> Kernel<M> {
    pub(crate) fn decode_cnode_invocation(&mut self, request: &Request) -> InvocationResult {
        use Invocation::*;
        let invocation = match request.invocation {
            Some(
                invocation @ (CNodeRevoke
                | CNodeDelete
                | CNodeCancelBadgedSends
                | CNodeCopy
                | CNodeMint
                | CNodeMove
                | CNodeMutate
                | CNodeRotate
                | CNodeSaveCaller),
            ) => invocation,
            _ => return Err(Error::IllegalOperation),
        };
        request.ensure_length(2, 0)?;
        let [index, depth] = self.get_syscall_args(request);
        let slot = self.lookup_slot_for_cnode_op(request.cap, index, depth, false)?;
        match invocation {
            CNodeRevoke => {
                self.begin_perform(request.thread);
                self.cte_revoke(slot);
            }
            CNodeDelete => {
                self.begin_perform(request.thread);
                self.cte_delete(slot, true);
            }
            CNodeCancelBadgedSends => match self.slots.cap(slot) {
                Cap::Endpoint {
                    object,
                    badge,
                    rights: CapRights::ALL,
                } => {
                    self.begin_perform(request.thread);
                    if badge != 0 {
                        self.cancel_badged_sends(object, badge);
                    }
                }
                _ => return Err(Error::IllegalOperation),
            },
            CNodeSaveCaller => {
                self.ensure_empty_slot(slot)?;
                self.begin_perform(request.thread);
                let caller = self.objects.threads[request.thread].slot(TcbSlot::Caller);
                let cap = self.slots.cap(caller);
                if !cap.is_null() {
                    self.slots.cte_move(caller, slot, cap);
                }
            }
            CNodeRotate => self.rotate(request, slot)?,
            _ => self.copy_or_move(request, invocation, slot)?,
        }
        Ok(())
    }

    fn copy_or_move(
        &mut self,
        request: &Request,
        invocation: Invocation,
        to: SlotId,
    ) -> InvocationResult {
        request.ensure_length(4, 1)?;
        let [_, _, index, depth] = self.get_syscall_args(request);
        let (root, _) = self.extra_cap(request, 0)?;
        self.ensure_empty_slot(to)?;
        let from = self.lookup_slot_for_cnode_op(root, index, depth, true)?;
        let cap = self.slots.cap(from);
        if cap.is_null() {
            return Err(nothing_there(true, depth));
        }
        let rights = || CapRights::from_word(self.get_syscall_arg(request, 4));
        let (new, moves) = match invocation {
            Invocation::CNodeCopy => {
                request.ensure_length(5, 0)?;
                (self.derive_cap(from, cap.mask_cap_rights(rights()))?, false)
            }
            Invocation::CNodeMint => {
                request.ensure_length(6, 0)?;
                let minted = cap
                    .mask_cap_rights(rights())
                    .update_cap_data(false, self.get_syscall_arg(request, 5));
                (self.derive_cap(from, minted)?, false)
            }
            Invocation::CNodeMutate => {
                request.ensure_length(5, 0)?;
                (
                    cap.update_cap_data(true, self.get_syscall_arg(request, 4)),
                    true,
                )
            }
            _ => (cap, true),
        };
        if new.is_null() {
            return Err(Error::IllegalOperation);
        }
        self.begin_perform(request.thread);
        match moves {
            true => self.slots.cte_move(from, to, new),
            false => self.cte_insert(new, from, to),
        }
        Ok(())
    }

    /// What is in the source goes to the pivot, and what is in the pivot to the destination.
    fn rotate(&mut self, request: &Request, to: SlotId) -> InvocationResult {
        request.ensure_length(8, 2)?;
        let [
            _,
            _,
            pivot_data,
            pivot_index,
            pivot_depth,
            data,
            index,
            depth,
        ] = self.get_syscall_args(request);
        let (pivot_root, _) = self.extra_cap(request, 0)?;
        let (root, _) = self.extra_cap(request, 1)?;
        let from = self.lookup_slot_for_cnode_op(root, index, depth, true)?;
        let pivot = self.lookup_slot_for_cnode_op(pivot_root, pivot_index, pivot_depth, true)?;
        if pivot == from || pivot == to {
            return Err(Error::IllegalOperation);
        }
        if from != to {
            self.ensure_empty_slot(to)?;
        }
        let (cap, pivot_cap) = (self.slots.cap(from), self.slots.cap(pivot));
        if cap.is_null() {
            return Err(nothing_there(true, depth));
        }
        if pivot_cap.is_null() {
            return Err(nothing_there(false, pivot_depth));
        }
        let (new, new_pivot) = (
            cap.update_cap_data(true, data),
            pivot_cap.update_cap_data(true, pivot_data),
        );
        if new.is_null() || new_pivot.is_null() {
            return Err(Error::IllegalOperation);
        }
        self.begin_perform(request.thread);
        if from == to {
            self.slots.cte_swap(from, new, pivot, new_pivot);
        } else {
            self.slots.cte_move(pivot, to, new_pivot);
            self.slots.cte_move(from, pivot, new);
        }
        Ok(())
    }
}

fn nothing_there(source: bool, depth: usize) -> Error {
    Error::FailedLookup {
        source,
        failure: LookupFailure::MissingCapability { bits_left: depth },
    }
}
