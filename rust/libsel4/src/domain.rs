// SPDX-License-Identifier: BSD-2-Clause

//! Scheduling domains.

use libsel4_sys as sys;

use crate::cap::Cap;
use crate::error::{Result, check};
use crate::kind::{Domain, Tcb};

impl Cap<Domain> {
    /// Corresponds to `seL4_DomainSet_Set`. Puts a thread into a domain, below `CONFIG_NUM_DOMAINS`.
    #[doc(alias = "seL4_DomainSet_Set")]
    #[inline]
    pub fn domain_set_set(self, domain: u8, thread: Cap<Tcb>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_DomainSet_Set(self.word(), domain, thread.word()) })
    }

    /// Corresponds to `seL4_DomainSet_ScheduleConfigure`. Entry `index` of the schedule: which domain
    /// runs, and for how long, as C counts it. Both 0 end the schedule.
    #[cfg(sel4_has = "seL4_DomainSet_ScheduleConfigure")]
    #[doc(alias = "seL4_DomainSet_ScheduleConfigure")]
    #[inline]
    pub fn domain_set_schedule_configure(
        self,
        index: usize,
        domain: u8,
        duration: u64,
    ) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe {
            sys::seL4_DomainSet_ScheduleConfigure(self.word(), index, domain, duration)
        })
    }

    /// Corresponds to `seL4_DomainSet_ScheduleSetStart`. The entry that the schedule begins with.
    #[cfg(sel4_has = "seL4_DomainSet_ScheduleSetStart")]
    #[doc(alias = "seL4_DomainSet_ScheduleSetStart")]
    #[inline]
    pub fn domain_set_schedule_set_start(self, index: usize) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_DomainSet_ScheduleSetStart(self.word(), index) })
    }
}
