// SPDX-License-Identifier: BSD-2-Clause

//! Unmodified code: a root server as the seL4 build links it for x86_64, its system calls included.
//!
//! Linux makes a signal of each `syscall` instruction (syscall user dispatch). The thread has the base of
//! its thread-local storage in the processor, so a handler begins with giving the host its own back.

use std::ptr;

use sel4_hosted_kernel::{Image, Region};

#[cfg(not(target_arch = "x86_64"))]
use crate::end::refuse;

/// A root server, as its file has it.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Where it begins.
    pub entry: usize,
    /// What is loaded.
    pub segments: Vec<Segment>,
    /// The numbers of the invocations, by their names.
    pub labels: Vec<(String, usize)>,
    /// The configuration it was built for, as far as it is known: names without `CONFIG_`.
    pub config: Vec<(String, String)>,
}

/// A part of a program.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its address.
    pub address: usize,
    /// What it begins with.
    pub content: Vec<u8>,
    /// Its length; what has no content is zero.
    pub bytes: usize,
}

impl Program {
    /// A number of the configuration.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.config
            .iter()
            .find(|(known, _)| known == name)?
            .1
            .parse()
            .ok()
    }

    /// A flag of the configuration; `default` if it is not there.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        let found = self.config.iter().find(|(known, _)| known == name);
        found.map_or(default, |(_, value)| value == "true")
    }
}

const PAGE: usize = 4096;

impl Program {
    /// What the kernel is to know of it.
    pub(crate) fn image(&self) -> Image {
        let start = self
            .segments
            .iter()
            .map(|segment| segment.address & !(PAGE - 1))
            .min();
        let end = self
            .segments
            .iter()
            .map(|segment| segment.address.saturating_add(segment.bytes))
            .max();
        let end = end
            .unwrap_or(0)
            .checked_next_multiple_of(PAGE)
            .unwrap_or(usize::MAX & !(PAGE - 1));
        Image {
            vaddrs: Region {
                start: start.unwrap_or(0),
                end,
            },
            ipc_buffer: end,
            entry: self.entry,
            extra: Vec::new(),
        }
    }

    /// Puts it where the kernel has mapped its pages.
    pub(crate) fn load(&self) {
        for Segment {
            address,
            content,
            bytes,
        } in &self.segments
        {
            let length = content.len().min(*bytes);
            // SAFETY: the pages of all segments are mapped, and nobody has used them yet.
            unsafe {
                ptr::with_exposed_provenance_mut::<u8>(*address)
                    .copy_from_nonoverlapping(content.as_ptr(), length);
            }
        }
    }
}

/// Only x86_64 has what this needs.
#[cfg(not(target_arch = "x86_64"))]
pub fn dispatch() {
    refuse("images as they are run on x86_64 hosts only\nhelp: boot the image in QEMU: ./simulate");
}

#[cfg(target_arch = "x86_64")]
pub use traps::dispatch;

/// Making signals of system calls.
#[cfg(target_arch = "x86_64")]
mod traps {
    use std::arch::naked_asm;
    use std::ffi::c_int;
    use std::io::Error;
    use std::ptr;
    use std::sync::atomic::Ordering::Relaxed;

    use crate::end::refuse;
    use crate::signals;
    use crate::storage;
    use crate::switch::{self, HOST_FS, SELECTOR};

    /// From Linux' <linux/prctl.h>.
    const PR_SET_SYSCALL_USER_DISPATCH: c_int = 59;
    const PR_SYS_DISPATCH_ON: usize = 1;

    /// How Linux itself takes the description of a handler.
    #[repr(C)]
    struct Action {
        handler: usize,
        flags: u64,
        restorer: usize,
        mask: u64,
    }

    const SA_RESTORER: u64 = 0x0400_0000;

    /// Makes signals of the system calls of threads, from now on and in this thread of the host.
    pub fn dispatch() {
        // SAFETY: plain calls of Linux; the handler and what it returns by keep to what handlers may do.
        unsafe {
            if !storage::can_set_fs() {
                refuse(
                    "this machine does not let programs set the base of thread-local storage (FSGSBASE)\nhelp: boot the image in QEMU: ./simulate",
                );
            }
            HOST_FS.store(storage::base(), Relaxed);
            for signal in signals::FAULTS
                .iter()
                .copied()
                .chain(signals::OTHERS)
                .chain([libc::SIGSYS])
            {
                let action = Action {
                    handler: handler as *const () as usize,
                    // A handler that goes on in the host does not return, so nothing may be held back meanwhile.
                    flags: (libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER) as u64
                        | SA_RESTORER,
                    restorer: restore as *const () as usize,
                    mask: 0,
                };
                libc::syscall(
                    libc::SYS_rt_sigaction,
                    signal,
                    &raw const action,
                    ptr::null::<Action>(),
                    8,
                );
            }
            // The return from a handler is Linux' own, whatever the selector says.
            let (place, bytes) = (restore as *const () as usize, 16_usize);
            if libc::prctl(
                PR_SET_SYSCALL_USER_DISPATCH,
                PR_SYS_DISPATCH_ON,
                place,
                bytes,
                SELECTOR.as_ptr(),
            ) != 0
            {
                refuse(&format!(
                    "this Linux does not make signals of system calls: {}\n\
                 help: it needs 5.11 or later, with syscall user dispatch; or boot the image in QEMU: ./simulate",
                    Error::last_os_error()
                ));
            }
        }
    }

    /// Where a signal of a thread arrives.
    #[unsafe(naked)]
    unsafe extern "C" fn handler() {
        naked_asm!(
            "rdfsbase rax",
            "push rax",
            "movzx eax, byte ptr [rip + {selector}]",
            "push rax",
            "sub rsp, 8",
            "mov byte ptr [rip + {selector}], 0",
            "mov rax, [rip + {host_fs}]",
            "wrfsbase rax",
            "call {handler}",
            "test rax, rax",
            "jne 2f",
            // Back to where it was.
            "add rsp, 8",
            "pop rcx",
            "pop rdx",
            "wrfsbase rdx",
            "mov byte ptr [rip + {selector}], cl",
            "ret",
            // Into the host, where it let the thread run. A return by Linux would take as long again.
            "2:",
            "mov rdi, rax",
            "jmp {go_on}",
            selector = sym SELECTOR,
            host_fs = sym HOST_FS,
            handler = sym signals::handler,
            go_on = sym switch::go_on,
        )
    }

    /// Returns from a handler.
    #[unsafe(naked)]
    unsafe extern "C" fn restore() {
        naked_asm!("mov eax, {number}", "syscall", "ud2", number = const libc::SYS_rt_sigreturn)
    }
}
