// SPDX-License-Identifier: BSD-2-Clause

//! Trace of the kernel's events, one line each, on standard error.

use sel4_hosted_kernel::Event;

use crate::end;

/// A trace in progress.
#[derive(Debug, Default)]
pub struct Trace {
    count: u64,
}

impl Trace {
    /// Starts a trace if the environment variable `SEL4_HOSTED_TRACE` asks for one.
    pub fn wanted() -> Option<Self> {
        std::env::var_os("SEL4_HOSTED_TRACE")
            .is_some_and(|value| !value.is_empty() && value != "0")
            .then(Self::default)
    }

    /// Writes the line of an event.
    pub fn event(&mut self, event: Event) {
        self.count += 1;
        end::write(2, format!("{:>7} {event:?}\n", self.count).as_bytes());
    }
}
