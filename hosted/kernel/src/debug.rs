// SPDX-License-Identifier: GPL-2.0-only

//! Debug calls.

use crate::arch;
use crate::cap::Cap;
use crate::config::{MSG_MAX_LENGTH, WORD};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::thread::ThreadId;

/// Maximum number of bytes of a thread's name.
pub(crate) const NAME_BYTES: usize = 847;

/// Numbers of the debug calls, without mixed-criticality scheduling.
mod number {
    pub const PUT_CHAR: isize = -9;
    pub const DUMP_SCHEDULER: isize = -10;
    pub const HALT: isize = -11;
    pub const CAP_IDENTIFY: isize = -12;
    pub const SNAPSHOT: isize = -13;
    pub const NAME_THREAD: isize = -14;
    pub const SET_TLS_BASE: isize = -30;
}

impl<M: Machine> Kernel<M> {
    /// Handles a system call if it is a debug call. Returns whether it is. None of them switches
    /// threads.
    pub(crate) fn handle_debug_syscall(&mut self, current: ThreadId, call: isize) -> bool {
        let argument = self.objects.threads[current].context[arch::CAP];
        // Mixed-criticality scheduling has three more system calls, with the numbers before these.
        let call = if self.config.mcs { call + 3 } else { call };
        if call == number::SET_TLS_BASE && self.config.set_tls_base_self {
            if arch::is_tls_base(argument) {
                self.objects.threads[current].context[arch::TLS_BASE] = argument;
            }
            return true;
        }
        if !self.config.debug {
            return false;
        }
        match call {
            number::PUT_CHAR => self.machine.put_char(argument as u8),
            number::DUMP_SCHEDULER => {
                let table = self.thread_table();
                self.print(&table);
            }
            number::HALT => self.halt(current, "the system is halted"),
            number::CAP_IDENTIFY => {
                let cap = self.lookup_cap(current, argument);
                let tag = cap.map_or(0, |cap| {
                    cap.cap_type(|table| self.objects.page_tables[table].level)
                });
                self.objects.threads[current].context[arch::CAP] = tag;
            }
            number::SNAPSHOT => {
                let graph = self.graph();
                self.print(&graph);
            }
            number::NAME_THREAD => self.name_thread(current, argument),
            _ => return false,
        }
        true
    }

    fn halt(&mut self, current: ThreadId, why: &str) {
        let name = &self.objects.threads[current].name;
        let text = format!("thread `{name}`: {why}\n");
        self.print(&text);
        self.halted = true;
    }

    /// Names a thread by the string in the IPC buffer.
    fn name_thread(&mut self, current: ThreadId, cptr: usize) {
        let Ok(Cap::Thread(thread)) = self.lookup_cap(current, cptr) else {
            return self.halt(current, "seL4_DebugNameThread: the capability is not a TCB");
        };
        let Some(buffer) = self.lookup_ipc_buffer(current, true) else {
            return self.halt(
                current,
                "seL4_DebugNameThread: the caller has no IPC buffer",
            );
        };
        let words = (1..=MSG_MAX_LENGTH).map(|word| self.machine.read_word(buffer + word * WORD));
        let bytes: Vec<u8> = words.flat_map(usize::to_ne_bytes).collect();
        let Some(length) = bytes.iter().position(|byte| *byte == 0) else {
            return self.halt(
                current,
                "seL4_DebugNameThread: the name does not end with a zero byte",
            );
        };
        let name = &bytes[..length.min(NAME_BYTES)];
        self.objects.threads[thread].name = String::from_utf8_lossy(name).into_owned();
    }
}
