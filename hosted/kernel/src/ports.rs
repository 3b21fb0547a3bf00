// SPDX-License-Identifier: BSD-2-Clause

//! I/O ports: who may use which is modelled, and behind them is nothing.

use crate::cap::Cap;
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::request::{Answer, Request};

/// The ranges that somebody has.
#[derive(Default)]
pub(crate) struct Ports {
    taken: Vec<(u16, u16)>,
}

impl Ports {
    fn is_free(&self, first: u16, last: u16) -> bool {
        let mut taken = self.taken.iter();
        taken.all(|(other_first, other_last)| last < *other_first || *other_last < first)
    }

    pub fn release(&mut self, first: u16, last: u16) {
        self.taken.retain(|taken| *taken != (first, last));
    }
}

impl<M: Machine> Kernel<M> {
    pub(crate) fn ask_port_control(&mut self, request: &Request) -> Answer {
        if request.invocation != Some(Invocation::X86IOPortControlIssue) {
            return Err(Error::IllegalOperation);
        }
        request.ensure(4, 1)?;
        let [first, last, index, depth] = self.arguments(request);
        let (root, _) = self.extra_cap(request, 0)?;
        let (first, last) = (first as u16, last as u16);
        if last < first {
            return Err(Error::InvalidArgument(1));
        }
        if !self.ports.is_free(first, last) {
            return Err(Error::RevokeFirst);
        }
        let slot = self.empty_slot_at(root, index, depth)?;
        self.commit(request.thread);
        self.ports.taken.push((first, last));
        self.insert(Cap::IoPort { first, last }, request.slot, slot);
        Ok(())
    }

    pub(crate) fn ask_port(&mut self, request: &Request, first: u16, last: u16) -> Answer {
        use Invocation::*;
        let (bytes, words) = match request.invocation {
            Some(X86IOPortIn8) => (1, 1),
            Some(X86IOPortIn16) => (2, 1),
            Some(X86IOPortIn32) => (4, 1),
            Some(X86IOPortOut8) => (1, 2),
            Some(X86IOPortOut16) => (2, 2),
            Some(X86IOPortOut32) => (4, 2),
            _ => return Err(Error::IllegalOperation),
        };
        request.ensure(words, 0)?;
        let port = u32::from(self.argument(request, 0) as u16);
        if port < u32::from(first) || port + bytes - 1 > u32::from(last) {
            return Err(Error::IllegalOperation);
        }
        self.not_modelled(&format!("what is behind I/O port {port:#x}"))
    }
}
