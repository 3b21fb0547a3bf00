// SPDX-License-Identifier: GPL-2.0-only

//! A model of the seL4 kernel.
//!
//! The model has the kernel's objects, capabilities and threads, and answers system calls as the
//! kernel does, with the same errors in the same order. A thread enters it with its registers, and
//! finds the answer there. A [`Machine`] provides the memory; the program that uses the model runs
//! the threads.
//!
//! | module | content |
//! |---|---|
//! | `kernel`, `syscall` | the kernel's state, and the kernel entries |
//! | `boot`, `config`, `machine` | booting, the configuration, and the machine below the kernel |
//! | `cap`, `cte`, `mdb`, `cspace`, `delete` | capabilities, slots, derivation, lookup, deletion |
//! | `objects`, `arena`, `queue`, `thread`, `arch` | objects, queues of threads, and what depends on the architecture |
//! | `endpoint`, `notification`, `message`, `fault` | messages between threads, signals and faults |
//! | `scheduler` | choice of the current thread |
//! | `sched_context`, `refill`, `reply` | mixed-criticality scheduling: scheduling contexts, their budgets, reply objects |
//! | `decode`, `invocation`, `error` | invocations of kernel objects, their labels and errors |
//! | `untyped`, `cnode`, `tcb`, `vspace`, `interrupt`, `io_port`, `domain` | the invocations of each object type |
//! | `debug`, `tools`, `event`, `check` | debug calls, tables and graphs, traces, invariants |

#![forbid(unsafe_code)]

mod arch;
mod arena;
mod boot;
mod cap;
mod check;
mod cnode;
mod config;
mod cspace;
mod cte;
mod debug;
mod decode;
mod delete;
mod domain;
mod endpoint;
mod error;
mod event;
mod fault;
mod hostile;
mod interrupt;
mod invocation;
mod io_port;
mod kernel;
mod machine;
mod mdb;
mod message;
mod notification;
mod objects;
mod queue;
mod refill;
mod reply;
mod sched_context;
mod scheduler;
mod syscall;
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
