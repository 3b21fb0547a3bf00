// SPDX-License-Identifier: GPL-2.0-only

//! Invocations of the domain capability: domains of threads, and the domain schedule.

use crate::cap::Cap;
use crate::decode::{InvocationResult, Request, range_check};
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::scheduler::{DomainSchedule, MAX_DOMAIN_DURATION};

impl<M: Machine> Kernel<M> {
    pub(crate) fn decode_domain_invocation(&mut self, request: &Request) -> InvocationResult {
        let domains = usize::from(self.config.domains);
        let schedules = self.scheduler.dom_schedule.len();
        match request.invocation {
            Some(Invocation::DomainSetSet) => {
                request.ensure_length(1, 0)?;
                let domain = self.get_syscall_arg(request, 0);
                if domain >= domains {
                    return Err(Error::InvalidArgument(0));
                }
                request.ensure_length(1, 1)?;
                let (Cap::Thread(thread), _) = self.extra_cap(request, 0)? else {
                    return Err(Error::InvalidArgument(1));
                };
                self.begin_perform(request.thread);
                self.set_domain(thread, domain as u8);
            }
            Some(Invocation::DomainScheduleConfigure) => {
                request.ensure_length(3, 0)?;
                let [index, domain, duration] = self.get_syscall_args(request);
                range_check(index, 0..=schedules - 2)?;
                range_check(domain, 0..=domains - 1)?;
                if duration as u64 > MAX_DOMAIN_DURATION {
                    return Err(Error::InvalidArgument(2));
                }
                if duration == 0 && domain != 0 {
                    return Err(Error::InvalidArgument(1));
                }
                if duration == 0 && index == self.scheduler.dom_schedule_start {
                    return Err(Error::InvalidArgument(2));
                }
                self.begin_perform(request.thread);
                self.scheduler.dom_schedule[index] = DomainSchedule {
                    domain: domain as u8,
                    duration: duration as u64,
                };
            }
            Some(Invocation::DomainScheduleSetStart) => {
                request.ensure_length(1, 0)?;
                let index = self.get_syscall_arg(request, 0);
                range_check(index, 0..=schedules - 1)?;
                if self.scheduler.dom_schedule[index].duration == 0 {
                    return Err(Error::InvalidArgument(0));
                }
                self.begin_perform(request.thread);
                self.set_domain_schedule_start(index);
            }
            _ => return Err(Error::IllegalOperation),
        }
        Ok(())
    }
}
