// SPDX-License-Identifier: BSD-2-Clause

//! How a thread accesses the registers of a device.

use sel4_hosted_kernel::{Fault, ThreadId};

use super::{Platform, World};
use crate::signals::{self, Trouble};
use crate::switch::{self, Step};

impl Platform {
    /// A thread accesses a register of a device, by one instruction; whether that is why it came back.
    pub(super) fn access_device(
        &mut self,
        world: &mut World,
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
        world.frame.stepping = 1;
        let other = loop {
            world.frame.context = self.kernel.context_mut(thread);
            // SAFETY: it goes on where it came back.
            unsafe { switch::enter(&raw mut world.frame) };
            world.frame.fp_restores = 1;
            match world.frame.trouble.take() {
                Some(Trouble::Step) => break None,
                Some(Trouble::Fault(other)) => break Some(other),
                Some(trouble) => {
                    if let Some(end) = signals::end_of(trouble) {
                        self.end(end);
                    }
                }
                None => {}
            }
        };
        world.frame.stepping = 0;
        step.end(self.kernel.context_mut(thread), other.is_none());
        let written = (write && other.is_none()).then_some(word);
        self.kernel.machine_mut().close_registers(address, written);
        self.choose_ticks();
        if let Some(fault) = other {
            self.count_entry();
            self.kernel.fault(fault);
        }
        true
    }
}
