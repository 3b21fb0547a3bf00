// SPDX-License-Identifier: GPL-2.0-only

//! A model of the seL4 kernel.
//!
//! It has the kernel's objects, capabilities and threads, and answers system calls as the kernel
//! does, with the same errors in the same order. It is entered with the registers of a thread and
//! leaves its answer there. What runs the threads, and the memory they run in, is a [`Machine`].
//!
//! | module | what it holds |
//! |---|---|
//! | `kernel` | the state, and the ways in |
//! | `boot`, `config`, `machine` | how a kernel begins, and what it stands on |
//! | `cap`, `slots`, `derivation`, `cspace`, `delete` | capabilities, and where they are |
//! | `objects`, `arena`, `queue`, `thread`, `arch` | objects, and what differs between architectures |
//! | `endpoint`, `notification`, `message`, `fault` | messages between threads |
//! | `scheduler` | which thread runs |
//! | `sched_context`, `budget`, `reply` | mixed-criticality scheduling: time on the processor, and who lends it |
//! | `request`, `invocation`, `error` | what is asked of objects, and refused |
//! | `untyped`, `cnode`, `tcb`, `vspace`, `irq`, `ports`, `domain` | each what one kind of object is asked for |
//! | `debug`, `tools`, `event`, `check` | debug calls, tables and graphs, a trace, what must always hold |

#![forbid(unsafe_code)]

mod arch;
mod arena;
mod boot;
mod budget;
mod cap;
mod check;
mod cnode;
mod config;
mod cspace;
mod debug;
mod delete;
mod derivation;
mod domain;
mod endpoint;
mod error;
mod event;
mod fault;
mod invocation;
mod irq;
mod kernel;
mod machine;
mod message;
mod notification;
mod objects;
mod ports;
mod queue;
mod reply;
mod request;
mod sched_context;
mod scheduler;
mod slots;
mod tcb;
mod thread;
mod tools;
mod untyped;
mod vspace;

pub use arch::{Context, Register};
pub use arena::Id;
pub use boot::{BootError, Image, Layout};
pub use cap::CapRights;
pub use config::{Config, MSG_MAX_EXTRA_CAPS, MSG_MAX_LENGTH, PAGE_BITS, Region};
pub use error::{Error, LookupFailure};
pub use event::Event;
pub use fault::Fault;
pub use invocation::{Invocation, Labels};
pub use kernel::Kernel;
pub use machine::{Access, Machine, VSpaceId};
pub use message::MessageInfo;
pub use objects::{Endpoint, Notification, SchedContext};
pub use reply::Reply;
pub use thread::{Tcb, ThreadId, ThreadState};
pub use tools::{Holdings, Injection, ThreadView};
