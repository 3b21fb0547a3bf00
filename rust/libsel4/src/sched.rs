// SPDX-License-Identifier: BSD-2-Clause

//! Scheduling contexts, which a kernel with MCS has.

use libsel4_sys as sys;

use crate::cap::Cap;
use crate::error::{Result, check, check_int};
use crate::kind::{Kind, Notification, SchedContext, SchedControl, Tcb};
use crate::value::Badge;

/// Kinds that a scheduling context can be bound to: a thread or a notification.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, Notification, Result, SchedContext, Schedulable};
///
/// fn pass_on<T: Schedulable>(time: Cap<SchedContext>, to: Cap<T>) -> Result<()> {
///     time.sched_context_unbind()?;
///     time.sched_context_bind(to)
/// }
///
/// let time = objects.make_sized(libsel4::MIN_SCHED_CONTEXT_BITS)?;
/// pass_on::<Notification>(time, objects.make()?)?;
/// # Ok(()) }) }
/// ```
pub trait Schedulable: Kind {}
impl Schedulable for Tcb {}
impl Schedulable for Notification {}

/// Corresponds to `seL4_MinSchedContextBits`. The smallest size of a scheduling context.
#[doc(alias = "seL4_MinSchedContextBits")]
pub const MIN_SCHED_CONTEXT_BITS: usize = sys::seL4_MinSchedContextBits;

/// Corresponds to `seL4_MaxExtraRefills`. How many extra refills a scheduling context of 2 to the power
/// of `size_bits` bytes has room for.
#[doc(alias = "seL4_MaxExtraRefills")]
#[inline]
pub fn max_extra_refills(size_bits: usize) -> usize {
    // SAFETY: it computes a number.
    unsafe {
        sys::seL4_MaxExtraRefills(size_bits.clamp(MIN_SCHED_CONTEXT_BITS, sys::seL4_WordBits - 1))
    }
}

/// Time of a scheduling context, for
/// [`sched_control_configure_flags`](Cap::sched_control_configure_flags).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Budget, MIN_SCHED_CONTEXT_BITS, SchedContext};
///
/// // 2 ms in every 20 ms.
/// let budget = Budget::new(2_000, 20_000).badge(7);
/// let time = objects.make_sized::<SchedContext>(MIN_SCHED_CONTEXT_BITS)?;
/// let control = info.sched_control(0).expect("the first core");
/// control.sched_control_configure_flags(time, &budget)?;
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    budget: u64,
    period: u64,
    extra_refills: usize,
    badge: Badge,
    flags: usize,
}

impl Budget {
    /// `budget` in every `period`, both in microseconds, without extra refills.
    #[inline]
    pub const fn new(budget: u64, period: u64) -> Self {
        Self {
            budget,
            period,
            extra_refills: 0,
            badge: 0,
            flags: 0,
        }
    }

    /// Sets the number of extra refills, at most [`max_extra_refills`] of the scheduling context's size.
    #[inline]
    pub const fn extra_refills(self, extra_refills: usize) -> Self {
        Self {
            extra_refills,
            ..self
        }
    }

    /// Sets the word that is in timeout faults.
    #[inline]
    pub const fn badge(self, badge: Badge) -> Self {
        Self { badge, ..self }
    }

    /// Corresponds to `seL4_SchedContext_Sporadic`. Has the kernel schedule it as a sporadic task, also where
    /// the budget is as long as the period.
    #[doc(alias = "seL4_SchedContext_Sporadic")]
    #[inline]
    pub const fn sporadic(self) -> Self {
        Self {
            flags: self.flags | sys::seL4_SchedContext_Sporadic,
            ..self
        }
    }
}

impl Cap<SchedControl> {
    /// Corresponds to `seL4_SchedControl_ConfigureFlags`. Gives a scheduling context time on this core.
    #[doc(alias = "seL4_SchedControl_ConfigureFlags")]
    #[doc(alias = "seL4_SchedControl_Configure")]
    #[inline]
    pub fn sched_control_configure_flags(
        self,
        sched_context: Cap<SchedContext>,
        budget: &Budget,
    ) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe {
            sys::seL4_SchedControl_ConfigureFlags(
                self.word(),
                sched_context.word(),
                budget.budget,
                budget.period,
                budget.extra_refills,
                budget.badge,
                budget.flags,
            )
        })
    }
}

impl Cap<SchedContext> {
    /// Corresponds to `seL4_SchedContext_Bind`.
    #[doc(alias = "seL4_SchedContext_Bind")]
    #[inline]
    pub fn sched_context_bind<T: Schedulable>(self, to: Cap<T>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_SchedContext_Bind(self.word(), to.word()) })
    }

    /// Corresponds to `seL4_SchedContext_Unbind`. Takes it from whatever has it.
    #[doc(alias = "seL4_SchedContext_Unbind")]
    #[inline]
    pub fn sched_context_unbind(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_SchedContext_Unbind(self.word()) })
    }

    /// Corresponds to `seL4_SchedContext_UnbindObject`.
    #[doc(alias = "seL4_SchedContext_UnbindObject")]
    #[inline]
    pub fn sched_context_unbind_object<T: Schedulable>(self, from: Cap<T>) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_SchedContext_UnbindObject(self.word(), from.word()) })
    }

    /// Corresponds to `seL4_SchedContext_Consumed`. Microseconds that were used since this was last asked.
    #[doc(alias = "seL4_SchedContext_Consumed")]
    #[inline]
    pub fn sched_context_consumed(self) -> Result<u64> {
        // SAFETY: it touches no memory.
        let answer = unsafe { sys::seL4_SchedContext_Consumed(self.word()) };
        check_int(answer.error)?;
        Ok(answer.consumed)
    }

    /// Corresponds to `seL4_SchedContext_YieldTo`. Lets the thread that has it run first, if it has this
    /// thread's priority; returns microseconds as [`sched_context_consumed`](Self::sched_context_consumed).
    #[doc(alias = "seL4_SchedContext_YieldTo")]
    #[inline]
    pub fn sched_context_yield_to(self) -> Result<u64> {
        // SAFETY: it touches no memory.
        let answer = unsafe { sys::seL4_SchedContext_YieldTo(self.word()) };
        check_int(answer.error)?;
        Ok(answer.consumed)
    }
}
