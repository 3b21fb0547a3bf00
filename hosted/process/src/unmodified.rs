// SPDX-License-Identifier: BSD-2-Clause

//! Unmodified images: a root server as the seL4 build links it for x86_64, with its `syscall` instructions.
//!
//! Linux turns each `syscall` instruction into a signal (syscall user dispatch). The thread's base of
//! thread-local storage is in the processor then, so a handler begins by restoring the host's.

use std::ptr;

use sel4_hosted_kernel::{Image, Region};

#[cfg(not(target_arch = "x86_64"))]
use crate::end::refuse;

/// A root server, as read from its ELF file.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Address of the first instruction.
    pub entry: usize,
    /// Loadable segments.
    pub segments: Vec<Segment>,
    /// Invocation labels: name and number.
    pub labels: Vec<(String, usize)>,
    /// Known part of the configuration that it was built for; names without `CONFIG_`.
    pub config: Vec<(String, String)>,
}

/// A loadable segment of a program.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Virtual address.
    pub address: usize,
    /// Initial content.
    pub content: Vec<u8>,
    /// Length in memory; bytes behind the content are zero.
    pub bytes: usize,
}

impl Program {
    /// Returns a numeric value of the configuration.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.config
            .iter()
            .find(|(known, _)| known == name)?
            .1
            .parse()
            .ok()
    }

    /// Returns a flag of the configuration, or `default` if the configuration does not name it.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        let found = self.config.iter().find(|(known, _)| known == name);
        found.map_or(default, |(_, value)| value == "true")
    }
}

const PAGE: usize = 4096;

impl Program {
    /// Describes the program to the kernel that boots it.
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

    /// Copies the segments to the pages that the kernel has mapped for them.
    pub(crate) fn load(&self) {
        for Segment {
            address,
            content,
            bytes,
        } in &self.segments
        {
            let length = content.len().min(*bytes);
            // SAFETY: the pages of all segments are mapped, and no thread has used them yet.
            unsafe {
                ptr::with_exposed_provenance_mut::<u8>(*address)
                    .copy_from_nonoverlapping(content.as_ptr(), length);
            }
        }
    }
}

/// Refuses unmodified images, which only x86_64 can run.
#[cfg(not(target_arch = "x86_64"))]
pub fn dispatch() {
    refuse("unmodified images run on x86_64 hosts only\nhelp: boot the image in QEMU: ./simulate");
}

#[cfg(target_arch = "x86_64")]
pub use traps::dispatch;

/// System calls as signals.
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

    /// `struct sigaction` of Linux' system call, which differs from the C library's.
    #[repr(C)]
    struct Action {
        handler: usize,
        flags: u64,
        restorer: usize,
        mask: u64,
    }

    const SA_RESTORER: u64 = 0x0400_0000;

    /// Has Linux turn the system calls of this thread of the host into signals from now on.
    pub fn dispatch() {
        // SAFETY: plain calls of Linux; the handler and its return do only what handlers may do.
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
                    // A handler that switches to the host does not return, so it must block no signal.
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
            // Linux always serves the system call that returns from a handler, whatever the selector says.
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
                    "this Linux cannot turn system calls into signals (syscall user dispatch): {}\n\
                     help: use Linux 5.11 or later, or boot the image in QEMU: ./simulate",
                    Error::last_os_error()
                ));
            }
        }
    }

    /// Signal handler for the threads of an unmodified image.
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
            // Return to the interrupted code.
            "add rsp, 8",
            "pop rcx",
            "pop rdx",
            "wrfsbase rdx",
            "mov byte ptr [rip + {selector}], cl",
            "ret",
            // Continue in the host, behind the switch to the thread. A return through Linux would double the time.
            "2:",
            "mov rdi, rax",
            "jmp {continue_in_host}",
            selector = sym SELECTOR,
            host_fs = sym HOST_FS,
            handler = sym signals::handler,
            continue_in_host = sym switch::continue_in_host,
        )
    }

    /// Returns from a signal handler (`sa_restorer`).
    #[unsafe(naked)]
    unsafe extern "C" fn restore() {
        naked_asm!("mov eax, {number}", "syscall", "ud2", number = const libc::SYS_rt_sigreturn)
    }
}
