// SPDX-License-Identifier: GPL-2.0-only

//! I/O ports: the capabilities to them, and a serial port that prints.
//!
//! No other device is modelled: writes to its ports are lost, and reads have all bits set, as
//! without a device.

use std::collections::BTreeSet;

use crate::cap::{Cap, low_bits};
use crate::decode::{InvocationResult, Request};
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;

/// State of the I/O ports.
#[derive(Default)]
pub(crate) struct IoPorts {
    /// Ranges to which a capability exists.
    allocated: Vec<(u16, u16)>,
    /// Ports without a device that the console has named.
    unmodelled: BTreeSet<u16>,
    /// Line control register of the serial port.
    line_control: u8,
}

/// Registers of the first serial port.
mod serial {
    pub const DATA: u16 = 0x3f8;
    pub const LINE_CONTROL: u16 = 0x3fb;
    pub const LINE_STATUS: u16 = 0x3fd;
    /// Bit of the line control register: the data register is the divisor latch.
    pub const DIVISOR: u8 = 0x80;
    /// Bits of the line status register: all data is sent.
    pub const EMPTY: usize = 0x60;
}

impl IoPorts {
    fn is_io_port_range_free(&self, first: u16, last: u16) -> bool {
        let mut allocated = self.allocated.iter();
        allocated.all(|(other_first, other_last)| last < *other_first || *other_last < first)
    }

    pub fn free_io_port_range(&mut self, first: u16, last: u16) {
        self.allocated.retain(|range| *range != (first, last));
    }
}

impl<M: Machine> Kernel<M> {
    pub(crate) fn decode_io_port_control_invocation(
        &mut self,
        request: &Request,
    ) -> InvocationResult {
        if request.invocation != Some(Invocation::X86IOPortControlIssue) {
            return Err(Error::IllegalOperation);
        }
        request.ensure_length(4, 1)?;
        let [first, last, index, depth] = self.get_syscall_args(request);
        let (root, _) = self.extra_cap(request, 0)?;
        let (first, last) = (first as u16, last as u16);
        if last < first {
            return Err(Error::InvalidArgument(1));
        }
        if !self.ports.is_io_port_range_free(first, last) {
            return Err(Error::RevokeFirst);
        }
        let slot = self.lookup_empty_target_slot(root, index, depth)?;
        self.begin_perform(request.thread);
        self.ports.allocated.push((first, last));
        self.cte_insert(Cap::IoPort { first, last }, request.slot, slot);
        Ok(())
    }

    pub(crate) fn decode_io_port_invocation(
        &mut self,
        request: &Request,
        first: u16,
        last: u16,
    ) -> InvocationResult {
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
        request.ensure_length(words, 0)?;
        let port = u32::from(self.get_syscall_arg(request, 0) as u16);
        if port < u32::from(first) || port + bytes - 1 > u32::from(last) {
            return Err(Error::IllegalOperation);
        }
        let port = port as u16;
        if words == 1 {
            let value = self.read_port(port, bytes);
            return self.reply_from_kernel(request, &[value]);
        }
        let value = self.get_syscall_arg(request, 1);
        self.begin_perform(request.thread);
        self.write_port(port, value);
        Ok(())
    }

    fn read_port(&mut self, port: u16, bytes: u32) -> usize {
        match port {
            serial::LINE_STATUS => serial::EMPTY,
            serial::LINE_CONTROL => self.ports.line_control.into(),
            port => {
                self.report_unmodelled(port);
                low_bits(8 * bytes)
            }
        }
    }

    fn write_port(&mut self, port: u16, value: usize) {
        match port {
            serial::DATA if self.ports.line_control & serial::DIVISOR == 0 => {
                self.machine.put_char(value as u8);
            }
            serial::LINE_CONTROL => self.ports.line_control = value as u8,
            // The serial line has no settings.
            0x3f8..=0x3ff => {}
            port => self.report_unmodelled(port),
        }
    }

    /// Prints, once per port, that no device is modelled.
    fn report_unmodelled(&mut self, port: u16) {
        if self.ports.unmodelled.insert(port) {
            self.print(&format!(
                "not modelled: what is behind I/O port {port:#x}\n"
            ));
        }
    }
}
