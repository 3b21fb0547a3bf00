// SPDX-License-Identifier: BSD-2-Clause

//! Domains: which thread is in which, and when each has its turn.

use crate::cap::Cap;
use crate::error::Error;
use crate::invocation::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::request::{Answer, Request};
use crate::scheduler::{DOMAIN_SCHEDULES, Turn};

/// A turn's duration has so many bits.
const DURATION_BITS: u32 = 56;

impl<M: Machine> Kernel<M> {
    pub(crate) fn ask_domain(&mut self, request: &Request) -> Answer {
        let domains = usize::from(self.config.domains);
        match request.invocation {
            Some(Invocation::DomainSetSet) => {
                request.ensure(1, 0)?;
                let domain = self.argument(request, 0);
                if domain >= domains {
                    return Err(Error::InvalidArgument(0));
                }
                request.ensure(1, 1)?;
                let (Cap::Thread(thread), _) = self.extra_cap(request, 0)? else {
                    return Err(Error::InvalidArgument(1));
                };
                self.commit(request.thread);
                self.set_domain(thread, domain as u8);
            }
            Some(Invocation::DomainScheduleConfigure) => {
                request.ensure(3, 0)?;
                let [index, domain, duration] = self.arguments(request);
                within(index, DOMAIN_SCHEDULES - 2)?;
                within(domain, domains - 1)?;
                if duration >> DURATION_BITS != 0 {
                    return Err(Error::InvalidArgument(2));
                }
                if duration == 0 && domain != 0 {
                    return Err(Error::InvalidArgument(1));
                }
                if duration == 0 && index == self.scheduler.first_turn {
                    return Err(Error::InvalidArgument(2));
                }
                self.commit(request.thread);
                self.scheduler.turns[index] = Turn {
                    domain: domain as u8,
                    duration: duration as u64,
                };
            }
            Some(Invocation::DomainScheduleSetStart) => {
                request.ensure(1, 0)?;
                let index = self.argument(request, 0);
                within(index, DOMAIN_SCHEDULES - 1)?;
                if self.scheduler.turns[index].duration == 0 {
                    return Err(Error::InvalidArgument(0));
                }
                self.commit(request.thread);
                self.restart_domains(index);
            }
            _ => return Err(Error::IllegalOperation),
        }
        Ok(())
    }
}

fn within(value: usize, max: usize) -> Answer {
    match value > max {
        true => Err(Error::RangeError { min: 0, max }),
        false => Ok(()),
    }
}
