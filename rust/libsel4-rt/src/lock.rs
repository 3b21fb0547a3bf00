// SPDX-License-Identifier: BSD-2-Clause

//! The lock around the heap: a spin lock that yields to its peers.

use spin::{mutex::SpinMutex, relax::RelaxStrategy};

use crate::c;

/// A mutex that waits by `seL4_Yield`, through C's `sched_yield`.
///
/// The kernel yields only to threads of the same priority on the same core; see `docs/runtime.md` for
/// threads of different priorities.
pub(crate) type Lock<T> = SpinMutex<T, YieldToPeers>;

/// Strategy for waiting for the lock: `sched_yield`.
pub struct YieldToPeers;

impl RelaxStrategy for YieldToPeers {
    fn relax() {
        c::sched_yield();
    }
}
