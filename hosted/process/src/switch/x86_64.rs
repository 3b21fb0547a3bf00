// SPDX-License-Identifier: BSD-2-Clause

//! Assembly for x86_64.

use std::arch::naked_asm;
use std::mem::offset_of;

use sel4_hosted_kernel::{Context, Register};

use super::{Frame, SELECTOR, TRAP};

/// Number of words that [`enter`] saves on the host's stack.
pub const SAVED_WORDS: usize = 7;

/// Returns the saved words of a new host, with which it calls `main` with its frame.
pub fn initial_words(
    frame: *mut Frame,
    main: unsafe extern "C" fn(*mut Frame) -> !,
) -> [usize; SAVED_WORDS] {
    [
        0,
        0,
        0,
        0,
        main as usize,
        frame as usize,
        begin as *const () as usize,
    ]
}

/// Addresses of the functions during which neither host nor thread has all of its registers.
pub fn switch_code() -> [usize; 3] {
    [
        enter as *const () as usize,
        entry as *const () as usize,
        signal_return as *const () as usize,
    ]
}

const fn register(register: Register) -> usize {
    register as usize * size_of::<usize>()
}

const NEXT: usize = offset_of!(Context, next);

/// Runs a thread until it stops. Returns `SYSCALL` or `TRAP`.
///
/// # Safety
///
/// The frame's context holds registers with which the thread can continue.
#[unsafe(naked)]
pub unsafe extern "C" fn enter(frame: *mut Frame) -> usize {
    naked_asm!(
        "push rbx", "push rbp", "push r12", "push r13", "push r14", "push r15",
        "mov [rdi + {stack}], rsp",
        "mov r11, [rdi + {context}]",
        "cmp byte ptr [rdi + {fp_restores}], 0",
        "je 2f",
        "mov byte ptr [rdi + {fp_restores}], 0",
        "mov rcx, [rdi + {fp}]",
        "mov eax, [rdi + {fp_mask}]",
        "xor edx, edx",
        "xrstor64 [rcx]",
        "2:",
        "mov byte ptr [rdi + {in_thread}], 1",
        "cmp byte ptr [rdi + {unmodified}], 0",
        "je 4f",
        "mov rcx, [r11 + {fs_base}]",
        "wrfsbase rcx",
        "mov byte ptr [rip + {selector}], 1",
        "4:",
        "mov rcx, [r11 + {next}]",
        // As on hardware, a system call leaves the next instruction in rcx and the flags in r11. A thread
        // with these values needs no `iretq`.
        "cmp rcx, [r11 + {rcx}]",
        "jne 3f",
        "mov rax, [r11 + {rflags}]",
        "cmp rax, [r11 + {r11}]",
        "jne 3f",
        "mov rsp, [r11 + {rsp}]",
        "mov rax, [r11 + {rax}]",
        "mov rbx, [r11 + {rbx}]",
        "mov rdx, [r11 + {rdx}]",
        "mov rsi, [r11 + {rsi}]",
        "mov rdi, [r11 + {rdi}]",
        "mov rbp, [r11 + {rbp}]",
        "mov r8, [r11 + {r8}]",
        "mov r9, [r11 + {r9}]",
        "mov r10, [r11 + {r10}]",
        "mov r12, [r11 + {r12}]",
        "mov r13, [r11 + {r13}]",
        "mov r14, [r11 + {r14}]",
        "mov r15, [r11 + {r15}]",
        "mov r11, [r11 + {r11}]",
        "jmp rcx",
        // Load all registers at once, without a write to the thread's stack.
        "3:",
        "mov eax, ss",
        "push rax",
        "push qword ptr [r11 + {rsp}]",
        "push qword ptr [r11 + {rflags}]",
        "mov eax, cs",
        "push rax",
        "push rcx",
        "mov rax, [r11 + {rax}]",
        "mov rbx, [r11 + {rbx}]",
        "mov rcx, [r11 + {rcx}]",
        "mov rdx, [r11 + {rdx}]",
        "mov rsi, [r11 + {rsi}]",
        "mov rdi, [r11 + {rdi}]",
        "mov rbp, [r11 + {rbp}]",
        "mov r8, [r11 + {r8}]",
        "mov r9, [r11 + {r9}]",
        "mov r10, [r11 + {r10}]",
        "mov r12, [r11 + {r12}]",
        "mov r13, [r11 + {r13}]",
        "mov r14, [r11 + {r14}]",
        "mov r15, [r11 + {r15}]",
        "mov r11, [r11 + {r11}]",
        "iretq",
        stack = const offset_of!(Frame, stack),
        context = const offset_of!(Frame, context),
        fp = const offset_of!(Frame, fp),
        fp_restores = const offset_of!(Frame, fp_restores),
        fp_mask = const offset_of!(Frame, fp_mask),
        in_thread = const offset_of!(Frame, in_thread),
        unmodified = const offset_of!(Frame, unmodified),
        selector = sym SELECTOR,
        fs_base = const register(Register::FsBase),
        next = const NEXT,
        rsp = const register(Register::Rsp),
        rflags = const register(Register::Rflags),
        rax = const register(Register::Rax),
        rbx = const register(Register::Rbx),
        rcx = const register(Register::Rcx),
        rdx = const register(Register::Rdx),
        rsi = const register(Register::Rsi),
        rdi = const register(Register::Rdi),
        rbp = const register(Register::Rbp),
        r8 = const register(Register::R8),
        r9 = const register(Register::R9),
        r10 = const register(Register::R10),
        r11 = const register(Register::R11),
        r12 = const register(Register::R12),
        r13 = const register(Register::R13),
        r14 = const register(Register::R14),
        r15 = const register(Register::R15),
    )
}

/// Kernel entry, which libsel4 calls with the registers of a system call. Saves them in the thread's context
/// and continues in the host.
///
/// # Safety
///
/// The frame in rax has the context of the thread that calls.
#[unsafe(naked)]
pub unsafe extern "C" fn entry() {
    naked_asm!(
        "pop rcx",
        "mov r11, [rax + {context}]",
        "mov [r11 + {rsp}], rsp",
        "mov [r11 + {next}], rcx",
        "mov [r11 + {rcx}], rcx",
        // A restarted thread repeats the call, which has two bytes.
        "sub rcx, 2",
        "mov [r11 + {rip}], rcx",
        "mov [r11 + {rax}], rax",
        "mov [r11 + {rbx}], rbx",
        "mov [r11 + {rdx}], rdx",
        "mov [r11 + {rsi}], rsi",
        "mov [r11 + {rdi}], rdi",
        "mov [r11 + {rbp}], rbp",
        "mov [r11 + {r8}], r8",
        "mov [r11 + {r9}], r9",
        "mov [r11 + {r10}], r10",
        "mov [r11 + {r12}], r12",
        "mov [r11 + {r13}], r13",
        "mov [r11 + {r14}], r14",
        "mov [r11 + {r15}], r15",
        // Flags after the `syscall` instruction.
        "mov qword ptr [r11 + {rflags}], 0x202",
        "mov qword ptr [r11 + {r11}], 0x202",
        "mov byte ptr [rax + {in_thread}], 0",
        "mov rsp, [rax + {stack}]",
        "xor eax, eax",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        // Not `ret`, which the processor would predict to return to the caller of `entry`.
        "pop rcx",
        "jmp rcx",
        stack = const offset_of!(Frame, stack),
        context = const offset_of!(Frame, context),
        in_thread = const offset_of!(Frame, in_thread),
        next = const NEXT,
        rip = const register(Register::Rip),
        rflags = const register(Register::Rflags),
        rsp = const register(Register::Rsp),
        rax = const register(Register::Rax),
        rbx = const register(Register::Rbx),
        rcx = const register(Register::Rcx),
        rdx = const register(Register::Rdx),
        rsi = const register(Register::Rsi),
        rdi = const register(Register::Rdi),
        rbp = const register(Register::Rbp),
        r8 = const register(Register::R8),
        r9 = const register(Register::R9),
        r10 = const register(Register::R10),
        r11 = const register(Register::R11),
        r12 = const register(Register::R12),
        r13 = const register(Register::R13),
        r14 = const register(Register::R14),
        r15 = const register(Register::R15),
    )
}

/// Return address of a signal handler that has saved a thread's registers. Saves the floating-point state
/// and continues in the host. The frame is in rdi, the host's stack pointer in rsp.
///
/// # Safety
///
/// Only a signal handler returns here.
#[unsafe(naked)]
pub unsafe extern "C" fn signal_return() {
    naked_asm!(
        "mov rcx, [rdi + {fp}]",
        "mov eax, [rdi + {fp_mask}]",
        "xor edx, edx",
        "xsave64 [rcx]",
        "cld",
        "mov eax, {trap}",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        "pop rcx",
        "jmp rcx",
        fp = const offset_of!(Frame, fp),
        fp_mask = const offset_of!(Frame, fp_mask),
        trap = const TRAP,
    )
}

/// Continues in the host, with the frame in rdi.
///
/// # Safety
///
/// Only a signal handler jumps here, after it has saved the thread's state.
#[unsafe(naked)]
pub unsafe extern "C" fn continue_in_host() {
    naked_asm!(
        "mov rsp, [rdi + {stack}]",
        "cld",
        "mov eax, {trap}",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        "pop rcx",
        "jmp rcx",
        stack = const offset_of!(Frame, stack),
        trap = const TRAP,
    )
}

/// First code of a new host, on its own stack, after the first call of [`entry`]. The frame is in rbx, the
/// function to call in rbp.
///
/// # Safety
///
/// Only [`prepare`](super::prepare) refers to this.
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    naked_asm!("mov rdi, rbx", "call rbp", "ud2")
}

/// Single step, by the processor's trap flag.
pub struct Step;

const TRAP_FLAG: usize = 1 << 8;

impl Step {
    /// Prepares the thread with these registers for a single step.
    pub fn begin(context: &mut Context) -> Self {
        context[Register::Rflags] |= TRAP_FLAG;
        Self
    }

    /// Ends the step.
    pub fn end(self, context: &mut Context, _done: bool) {
        context[Register::Rflags] &= !TRAP_FLAG;
    }
}
