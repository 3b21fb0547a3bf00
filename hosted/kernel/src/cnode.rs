// SPDX-License-Identifier: GPL-2.0-only

//! Invocations of CNodes: copying, moving and deleting capabilities.

use crate::cap::{Cap, CapRights};
use crate::cte::SlotId;
use crate::decode::{InvocationResult, Request};
use crate::error::{Error, LookupFailure};
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
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
        let slot = self.lookup_target_slot(request.cap, index, depth)?;
        match invocation {
            CNodeRevoke => {
                self.begin_perform(request.thread);
                self.preempted = self.cte_revoke(slot).is_err();
            }
            CNodeDelete => {
                self.begin_perform(request.thread);
                self.preempted = self.cte_delete(slot, true).is_err();
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
                    self.slots.cte_move(cap, caller, slot);
                }
            }
            CNodeRotate => self.decode_cnode_rotate(request, slot)?,
            _ => self.decode_cnode_copy_or_move(request, invocation, slot)?,
        }
        Ok(())
    }

    fn decode_cnode_copy_or_move(
        &mut self,
        request: &Request,
        invocation: Invocation,
        destination: SlotId,
    ) -> InvocationResult {
        request.ensure_length(4, 1)?;
        let [_, _, index, depth] = self.get_syscall_args(request);
        let (root, _) = self.extra_cap(request, 0)?;
        self.ensure_empty_slot(destination)?;
        let source = self.lookup_source_slot(root, index, depth)?;
        let cap = self.slots.cap(source);
        if cap.is_null() {
            return Err(missing_capability(true, depth));
        }
        let masked = || cap.mask_cap_rights(CapRights::from_word(self.get_syscall_arg(request, 4)));
        let (new_cap, is_move) = match invocation {
            Invocation::CNodeCopy => {
                request.ensure_length(5, 0)?;
                (self.derive_cap(source, masked())?, false)
            }
            Invocation::CNodeMint => {
                request.ensure_length(6, 0)?;
                let minted = masked().update_cap_data(false, self.get_syscall_arg(request, 5));
                (self.derive_cap(source, minted)?, false)
            }
            Invocation::CNodeMutate => {
                request.ensure_length(5, 0)?;
                let data = self.get_syscall_arg(request, 4);
                (cap.update_cap_data(true, data), true)
            }
            _ => (cap, true),
        };
        if new_cap.is_null() {
            return Err(Error::IllegalOperation);
        }
        self.begin_perform(request.thread);
        match is_move {
            true => self.slots.cte_move(new_cap, source, destination),
            false => self.cte_insert(new_cap, source, destination),
        }
        Ok(())
    }

    /// Moves the capability in the pivot to the destination, and that in the source to the pivot.
    fn decode_cnode_rotate(&mut self, request: &Request, destination: SlotId) -> InvocationResult {
        request.ensure_length(8, 2)?;
        let [
            _,
            _,
            pivot_data,
            pivot_index,
            pivot_depth,
            source_data,
            source_index,
            source_depth,
        ] = self.get_syscall_args(request);
        let (pivot_root, _) = self.extra_cap(request, 0)?;
        let (source_root, _) = self.extra_cap(request, 1)?;
        let source = self.lookup_source_slot(source_root, source_index, source_depth)?;
        // The kernel reports a failed lookup of the pivot as one of a source.
        let pivot = self.lookup_source_slot(pivot_root, pivot_index, pivot_depth)?;
        if pivot == source || pivot == destination {
            return Err(Error::IllegalOperation);
        }
        if source != destination {
            self.ensure_empty_slot(destination)?;
        }
        let (source_cap, pivot_cap) = (self.slots.cap(source), self.slots.cap(pivot));
        if source_cap.is_null() {
            return Err(missing_capability(true, source_depth));
        }
        if pivot_cap.is_null() {
            return Err(missing_capability(false, pivot_depth));
        }
        let new_source_cap = source_cap.update_cap_data(true, source_data);
        let new_pivot_cap = pivot_cap.update_cap_data(true, pivot_data);
        if new_source_cap.is_null() || new_pivot_cap.is_null() {
            return Err(Error::IllegalOperation);
        }
        self.begin_perform(request.thread);
        if source == destination {
            let slots = &mut self.slots;
            slots.cte_swap(new_source_cap, source, new_pivot_cap, pivot);
        } else {
            self.slots.cte_move(new_pivot_cap, pivot, destination);
            self.slots.cte_move(new_source_cap, source, pivot);
        }
        Ok(())
    }
}

fn missing_capability(source: bool, depth: usize) -> Error {
    Error::FailedLookup {
        source,
        failure: LookupFailure::MissingCapability { bits_left: depth },
    }
}
