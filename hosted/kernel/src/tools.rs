// SPDX-License-Identifier: GPL-2.0-only

//! Tools of the model: threads as a table, capabilities as a graph, injected failures.

use core::fmt::Write;

use crate::arch;
use crate::arena::Id;
use crate::cap::{Cap, FrameCap, ZombieObject};
use crate::cte::SlotId;
use crate::kernel::Kernel;
use crate::machine::{Machine, VSpaceId};
use crate::objects::{Endpoint, Notification};
use crate::thread::{TcbSlot, ThreadId, ThreadState};

/// Failures to inject.
#[derive(Clone, Copy, Debug, Default)]
pub struct Injection {
    /// Number of the retype, from 1, that runs out of memory. 0: none.
    pub failing_retype: u64,
    /// Number of the signal, from 1, that is delayed. 0: none.
    pub delayed_signal: u64,
    /// Kernel entries by which the signal is delayed; it arrives earlier if no thread is runnable.
    pub delay: u64,
}

/// Delayed signal.
#[derive(Clone, Copy)]
pub(crate) struct DelayedSignal {
    pub notification: Id<Notification>,
    badge: usize,
    due: u64,
}

impl Injection {
    /// Counts a retype. Returns whether it is to fail.
    pub(crate) fn fails(self, count: &mut u64) -> bool {
        *count += 1;
        *count == self.failing_retype
    }
}

/// Read-only view of a thread, for debuggers.
#[derive(Clone, Debug)]
pub struct ThreadView<'a> {
    /// Number of the thread.
    pub id: ThreadId,
    /// Name of the thread.
    pub name: &'a str,
    /// State of the thread.
    pub state: ThreadState,
    /// Priority of the thread.
    pub priority: u8,
    /// Address of the next instruction.
    pub ip: usize,
}

impl<M: Machine> Kernel<M> {
    /// Iterates over all threads, the newest first.
    pub fn threads(&self) -> impl Iterator<Item = ThreadView<'_>> {
        let mut threads: Vec<_> = self.objects.threads.iter().collect();
        threads.sort_by_key(|(_, thread)| core::cmp::Reverse(thread.serial));
        threads.into_iter().map(|(id, thread)| ThreadView {
            id,
            name: &thread.name,
            state: thread.state,
            priority: thread.priority,
            ip: thread.context[arch::IP],
        })
    }

    /// Returns the name of a thread.
    #[must_use]
    pub fn name(&self, thread: ThreadId) -> &str {
        &self.objects.threads[thread].name
    }

    /// Returns the VSpace of a thread, if it has one.
    #[must_use]
    pub fn vspace(&self, thread: ThreadId) -> Option<VSpaceId> {
        let slot = self.objects.threads[thread].slot(TcbSlot::VTable);
        match self.slots.cap(slot) {
            Cap::VSpace { object, .. } => Some(VSpaceId(self.objects.page_tables.paddr(object))),
            _ => None,
        }
    }

    /// Counts a signal, and keeps it if it must be delayed. Returns whether it must.
    pub(crate) fn delay_signal(&mut self, notification: Id<Notification>, badge: usize) -> bool {
        self.signals += 1;
        let late = self.signals == self.injection.delayed_signal;
        if late {
            self.delayed_signals.push(DelayedSignal {
                notification,
                badge,
                due: self.entries + self.injection.delay,
            });
        }
        late
    }

    /// Delivers the delayed signals that are due, or all of them.
    pub(crate) fn deliver_delayed_signals(&mut self, all: bool) {
        let entries = self.entries;
        let is_due = |delayed: &mut DelayedSignal| all || delayed.due <= entries;
        let due: Vec<_> = self.delayed_signals.extract_if(.., is_due).collect();
        for delayed in due {
            self.deliver_signal(delayed.notification, delayed.badge);
        }
    }

    /// Sets the failures to inject.
    pub const fn inject(&mut self, injection: Injection) {
        self.injection = injection;
    }

    /// Returns a table of all threads, with what each waits for.
    #[must_use]
    pub fn thread_table(&self) -> String {
        let mut table = format!(
            "{:<24} {:>8} {:>16}  state\n",
            "thread", "priority", "address"
        );
        // libsel4std keeps several TCBs that it has not configured yet. They have no address space and no name.
        let is_unused = |thread: &ThreadView| {
            self.vspace(thread.id).is_none() && thread.name.starts_with("child of: ")
        };
        for thread in self.threads().filter(|thread| !is_unused(thread)) {
            let state = match self.current() == Some(thread.id) {
                true => "running".into(),
                false => self.state_description(thread.state),
            };
            let (name, priority, ip) = (thread.name, thread.priority, thread.ip);
            _ = writeln!(table, "{name:<24} {priority:>8} {ip:>#16x}  {state}");
        }
        table
    }

    fn state_description(&self, state: ThreadState) -> String {
        let at = |endpoint: Id<Endpoint>| self.objects.endpoints.paddr(endpoint);
        match state {
            ThreadState::Inactive => "inactive".into(),
            ThreadState::Running => "ready".into(),
            ThreadState::Restart => "ready to begin again".into(),
            ThreadState::BlockedOnReceive { endpoint, .. } => {
                format!("waits to receive from endpoint {:#x}", at(endpoint))
            }
            ThreadState::BlockedOnSend {
                endpoint, badge, ..
            } => {
                let at = at(endpoint);
                format!("waits to send to endpoint {at:#x} with badge {badge}")
            }
            ThreadState::BlockedOnReply => "waits for a reply".into(),
            ThreadState::BlockedOnNotification(notification) => {
                let at = self.objects.notifications.paddr(notification);
                format!("waits for notification {at:#x}")
            }
        }
    }

    /// Returns the number of slots in use, and the bytes in use of the untypeds that are derived
    /// from none and are not device memory.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        let mut holdings = Holdings::default();
        for (slot, cap) in self.slots.occupied() {
            holdings.slots += 1;
            if let Cap::Untyped(untyped) = cap
                && !untyped.device
                && self.slots.mdb_prev(slot).is_none()
                && self.has_children(slot)
            {
                holdings.bytes += untyped.free_index;
            }
        }
        holdings
    }

    /// Returns the capabilities and their derivations as a graph, in Graphviz's language.
    #[must_use]
    pub fn graph(&self) -> String {
        let mut graph =
            String::from("digraph capabilities {\n  rankdir = LR\n  node [shape = box]\n");
        let mut parents: Vec<SlotId> = Vec::new();
        let number = |slot: SlotId| slot.number();
        for (root, _) in self.slots.occupied() {
            if self.slots.mdb_prev(root).is_some() {
                continue;
            }
            parents.clear();
            let mut next = Some(root);
            while let Some(slot) = next {
                while parents
                    .last()
                    .is_some_and(|parent| !self.is_mdb_parent_of(*parent, slot))
                {
                    parents.pop();
                }
                let label = self.cap_label(self.slots.cap(slot));
                _ = writeln!(graph, "  s{} [label = \"{label}\"]", number(slot));
                if let Some(parent) = parents.last() {
                    _ = writeln!(graph, "  s{} -> s{}", number(*parent), number(slot));
                }
                parents.push(slot);
                next = self.slots.mdb_next(slot);
            }
        }
        graph.push_str("}\n");
        graph
    }

    /// Describes a capability in a few words.
    fn cap_label(&self, cap: Cap) -> String {
        let place = match self.objects.cap_region(cap) {
            Some((paddr, bits)) => format!(" {paddr:#x} 2^{bits}"),
            None => String::new(),
        };
        let badge = |badge: usize| match badge {
            0 => String::new(),
            badge => format!(" badge {badge}"),
        };
        match cap {
            Cap::Null => "empty".into(),
            Cap::Untyped(untyped) => {
                let kind = match untyped.device {
                    true => "device memory",
                    false => "untyped",
                };
                format!("{kind}{place}, {} used", untyped.free_index)
            }
            Cap::Endpoint { badge: of, .. } => format!("endpoint{place}{}", badge(of)),
            Cap::Notification { badge: of, .. } => format!("notification{place}{}", badge(of)),
            Cap::Reply { thread, master, .. } => {
                let kind = if master { "replies to" } else { "reply to" };
                format!("{kind} {}", escaped(&self.objects.threads[thread].name))
            }
            Cap::ReplyObject { .. } => format!("reply object{place}"),
            Cap::SchedContext { .. } => format!("scheduling context{place}"),
            Cap::SchedControl => "scheduling".into(),
            Cap::CNode { radix, .. } => format!("CNode{place}, 2^{radix} slots"),
            Cap::Thread(thread) => {
                format!(
                    "thread {}{place}",
                    escaped(&self.objects.threads[thread].name)
                )
            }
            Cap::Zombie {
                object: ZombieObject::CNode(_),
                number: left,
                ..
            } => format!("remains of a CNode{place}, {left} slots"),
            Cap::Zombie {
                object: ZombieObject::Thread(_),
                number: left,
                ..
            } => format!("remains of a thread{place}, {left} slots"),
            Cap::IrqControl => "interrupts".into(),
            Cap::IrqHandler(irq) => format!("interrupt {}", irq.number()),
            Cap::SgiSignal { irq, .. } => format!("signal of interrupt {}", irq.number()),
            Cap::Domain => "domains".into(),
            Cap::Frame(FrameCap { asid: 0, .. }) => format!("frame{place}"),
            Cap::Frame(frame) => format!("frame{place} at {:#x}", frame.vaddr),
            Cap::PageTable { object, .. } => {
                format!(
                    "table of level {}{place}",
                    self.objects.page_tables[object].level
                )
            }
            Cap::VSpace { asid, .. } => format!("address space {asid}{place}"),
            Cap::AsidControl => "address space identifiers".into(),
            Cap::AsidPool { base, .. } => format!("address space identifiers from {base}"),
            Cap::IoPortControl => "I/O ports".into(),
            Cap::IoPort { first, last } => format!("I/O ports {first:#x} to {last:#x}"),
        }
    }
}

/// Escapes a name for a label of Graphviz.
fn escaped(name: &str) -> String {
    let kept = name.chars().filter(|char| !char.is_control());
    kept.flat_map(|char| match char {
        '"' | '\\' => vec!['\\', char],
        _ => vec![char],
    })
    .collect()
}

/// Resources in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Number of slots that are not empty.
    pub slots: usize,
    /// Bytes of untyped memory below the free index.
    pub bytes: usize,
}
