// SPDX-License-Identifier: BSD-2-Clause

//! Scheduling contexts, which a kernel with MCS has.

use libsel4_sys as sys;

use crate::cap::Cap;
use crate::error::{Result, check, check_int};
use crate::kind::{Kind, Notification, SchedContext, SchedControl, Tcb};
use crate::value::Badge;

/// Kinds that a scheduling context can be bound to: a thread or a notification.
pub trait Schedulable: Kind {}
impl Schedulable for Tcb {}
impl Schedulable for Notification {}

/// Corresponds to `seL4_MinSchedContextBits`. The smallest size of a scheduling context.
#[doc(alias = "seL4_MinSchedContextBits")]
pub const MIN_SCHED_CONTEXT_BITS: usize = sys::seL4_MinSchedContextBits;

/// Corresponds to `seL4_MaxExtraRefills`. How many extra refills a scheduling context of 2 to the power
/// of `size_bits` bytes has room for.
#[doc(alias = "seL4_MaxExtraRefills")]
pub fn max_extra_refills(size_bits: usize) -> usize {
    // SAFETY: it computes a number.
    unsafe {
        sys::seL4_MaxExtraRefills(size_bits.clamp(MIN_SCHED_CONTEXT_BITS, sys::seL4_WordBits - 1))
    }
}

impl Cap<SchedControl> {
    /// Corresponds to `seL4_SchedControl_ConfigureFlags`. Gives a scheduling context `budget` in every
    /// `period`, both in microseconds, on this core. `extra_refills` is at most [`max_extra_refills`] of
    /// its size; `badge` is in timeout faults; `flags` is 0 or `seL4_SchedContext_Sporadic`.
    #[doc(alias = "seL4_SchedControl_ConfigureFlags")]
    #[doc(alias = "seL4_SchedControl_Configure")]
    pub fn sched_control_configure_flags(
        self,
        sched_context: Cap<SchedContext>,
        budget: u64,
        period: u64,
        extra_refills: usize,
        badge: Badge,
        flags: usize,
    ) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe {
            sys::seL4_SchedControl_ConfigureFlags(
                self.word(),
                sched_context.word(),
                budget,
                period,
                extra_refills,
                badge,
                flags,
            )
        })
    }
}

impl Cap<SchedContext> {
    /// Corresponds to `seL4_SchedContext_Bind`.
    #[doc(alias = "seL4_SchedContext_Bind")]
    pub fn sched_context_bind<T: Schedulable>(self, to: Cap<T>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_SchedContext_Bind(self.word(), to.word()) })
    }

    /// Corresponds to `seL4_SchedContext_Unbind`. Takes it from whatever has it.
    #[doc(alias = "seL4_SchedContext_Unbind")]
    pub fn sched_context_unbind(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_SchedContext_Unbind(self.word()) })
    }

    /// Corresponds to `seL4_SchedContext_UnbindObject`.
    #[doc(alias = "seL4_SchedContext_UnbindObject")]
    pub fn sched_context_unbind_object<T: Schedulable>(self, from: Cap<T>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_SchedContext_UnbindObject(self.word(), from.word()) })
    }

    /// Corresponds to `seL4_SchedContext_Consumed`. Microseconds that were used since this was last asked.
    #[doc(alias = "seL4_SchedContext_Consumed")]
    pub fn sched_context_consumed(self) -> Result<u64> {
        // SAFETY: it touches no memory.
        let answer = unsafe { sys::seL4_SchedContext_Consumed(self.word()) };
        check_int(answer.error)?;
        Ok(answer.consumed)
    }

    /// Corresponds to `seL4_SchedContext_YieldTo`. Lets the thread that has it run first, if it has this
    /// thread's priority; returns microseconds as [`sched_context_consumed`](Self::sched_context_consumed).
    #[doc(alias = "seL4_SchedContext_YieldTo")]
    pub fn sched_context_yield_to(self) -> Result<u64> {
        // SAFETY: it touches no memory.
        let answer = unsafe { sys::seL4_SchedContext_YieldTo(self.word()) };
        check_int(answer.error)?;
        Ok(answer.consumed)
    }
}
