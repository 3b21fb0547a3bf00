// SPDX-License-Identifier: BSD-2-Clause

//! Emulation of accesses to a device's registers.

use sel4_hosted_kernel::{Fault, ThreadId};

use super::{Instance, Platform};
use crate::signals::{self, Trap};
use crate::switch::{self, Step};

impl Platform {
    /// Executes the faulting instruction with the device's registers accessible. Returns `false` if `fault` is no
    /// access to a device.
    pub(super) fn access_device(
        &mut self,
        instance: &mut Instance,
        thread: ThreadId,
        fault: Fault,
    ) -> bool {
        const WRITE: usize = if cfg!(target_arch = "aarch64") {
            1 << 6
        } else {
            1 << 1
        };
        let Fault::Vm {
            address, status, ..
        } = fault
        else {
            return false;
        };
        let write = status & WRITE != 0;
        let Some(word) = self.kernel.machine().register(address, write) else {
            return false;
        };
        self.kernel.machine_mut().open_registers(address);
        let step = Step::begin(self.kernel.context_mut(thread));
        instance.frame.stepping = 1;
        let other = loop {
            instance.frame.context = self.kernel.context_mut(thread);
            // SAFETY: the thread continues where it has stopped.
            unsafe { switch::enter(&raw mut instance.frame) };
            instance.frame.fp_restores = 1;
            match instance.frame.trap.take() {
                Some(Trap::Step) => break None,
                Some(Trap::Fault(other)) => break Some(other),
                Some(trap) => {
                    if let Some(end) = signals::end_for(trap) {
                        self.end(end);
                    }
                }
                None => {}
            }
        };
        instance.frame.stepping = 0;
        step.end(self.kernel.context_mut(thread), other.is_none());
        let written = (write && other.is_none()).then_some(word);
        self.kernel.machine_mut().close_registers(address, written);
        self.update_ticks();
        if let Some(fault) = other {
            self.count_entry();
            self.kernel.fault(fault);
        }
        true
    }
}
