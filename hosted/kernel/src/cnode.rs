// SPDX-License-Identifier: BSD-2-Clause

//! What CNodes are asked for: copying, moving and deleting capabilities.

use crate::cap::{Cap, Rights};
use crate::error::{Error, LookupFailure};
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::request::{Answer, Request};
use crate::slots::SlotId;
use crate::thread::ThreadSlot;

impl<M: Machine> Kernel<M> {
    pub(crate) fn ask_cnode(&mut self, request: &Request) -> Answer {
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
        request.ensure(2, 0)?;
        let [index, depth] = self.arguments(request);
        let slot = self.slot_at(request.cap, index, depth, false)?;
        match invocation {
            CNodeRevoke => {
                self.commit(request.thread);
                self.revoke(slot);
            }
            CNodeDelete => {
                self.commit(request.thread);
                self.delete(slot, true);
            }
            CNodeCancelBadgedSends => match self.slots.cap(slot) {
                Cap::Endpoint {
                    object,
                    badge,
                    rights: Rights::ALL,
                } => {
                    self.commit(request.thread);
                    if badge != 0 {
                        self.cancel_badged(object, badge);
                    }
                }
                _ => return Err(Error::IllegalOperation),
            },
            CNodeSaveCaller => {
                self.ensure_empty(slot)?;
                self.commit(request.thread);
                let caller = self.objects.threads[request.thread].slot(ThreadSlot::Caller);
                let cap = self.slots.cap(caller);
                if !cap.is_null() {
                    self.slots.relocate(caller, slot, cap);
                }
            }
            CNodeRotate => self.rotate(request, slot)?,
            _ => self.copy_or_move(request, invocation, slot)?,
        }
        Ok(())
    }

    fn copy_or_move(&mut self, request: &Request, invocation: Invocation, to: SlotId) -> Answer {
        request.ensure(4, 1)?;
        let [_, _, index, depth] = self.arguments(request);
        let (root, _) = self.extra_cap(request, 0)?;
        self.ensure_empty(to)?;
        let from = self.slot_at(root, index, depth, true)?;
        let cap = self.slots.cap(from);
        if cap.is_null() {
            return Err(nothing_there(true, depth));
        }
        let rights = || Rights::from_word(self.argument(request, 4));
        let (new, moves) = match invocation {
            Invocation::CNodeCopy => {
                request.ensure(5, 0)?;
                (self.derive(from, cap.mask(rights()))?, false)
            }
            Invocation::CNodeMint => {
                request.ensure(6, 0)?;
                let minted = cap
                    .mask(rights())
                    .with_data(false, self.argument(request, 5));
                (self.derive(from, minted)?, false)
            }
            Invocation::CNodeMutate => {
                request.ensure(5, 0)?;
                (cap.with_data(true, self.argument(request, 4)), true)
            }
            _ => (cap, true),
        };
        if new.is_null() {
            return Err(Error::IllegalOperation);
        }
        self.commit(request.thread);
        match moves {
            true => self.slots.relocate(from, to, new),
            false => self.insert(new, from, to),
        }
        Ok(())
    }

    /// What is in the source goes to the pivot, and what is in the pivot to the destination.
    fn rotate(&mut self, request: &Request, to: SlotId) -> Answer {
        request.ensure(8, 2)?;
        let [
            _,
            _,
            pivot_data,
            pivot_index,
            pivot_depth,
            data,
            index,
            depth,
        ] = self.arguments(request);
        let (pivot_root, _) = self.extra_cap(request, 0)?;
        let (root, _) = self.extra_cap(request, 1)?;
        let from = self.slot_at(root, index, depth, true)?;
        let pivot = self.slot_at(pivot_root, pivot_index, pivot_depth, true)?;
        if pivot == from || pivot == to {
            return Err(Error::IllegalOperation);
        }
        if from != to {
            self.ensure_empty(to)?;
        }
        let (cap, pivot_cap) = (self.slots.cap(from), self.slots.cap(pivot));
        if cap.is_null() {
            return Err(nothing_there(true, depth));
        }
        if pivot_cap.is_null() {
            return Err(nothing_there(false, pivot_depth));
        }
        let (new, new_pivot) = (
            cap.with_data(true, data),
            pivot_cap.with_data(true, pivot_data),
        );
        if new.is_null() || new_pivot.is_null() {
            return Err(Error::IllegalOperation);
        }
        self.commit(request.thread);
        if from == to {
            self.slots.exchange(from, new, pivot, new_pivot);
        } else {
            self.slots.relocate(pivot, to, new_pivot);
            self.slots.relocate(from, pivot, new);
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
