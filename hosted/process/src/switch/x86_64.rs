// SPDX-License-Identifier: BSD-2-Clause

//! The machine code for x86_64.

use std::arch::naked_asm;
use std::mem::offset_of;

use sel4_hosted_kernel::{Context, Register};

use super::{Frame, SELECTOR, TROUBLE};

/// Words that [`enter`] keeps on the host's stack.
pub const KEPT: usize = 7;

/// Those words for a host that begins: it calls `main` with its frame.
pub fn first_words(
    frame: *mut Frame,
    main: unsafe extern "C" fn(*mut Frame) -> !,
) -> [usize; KEPT] {
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

/// Where neither host nor thread has all its registers.
pub fn places() -> [usize; 3] {
    [
        enter as *const () as usize,
        entry as *const () as usize,
        returned as *const () as usize,
    ]
}

const fn register(register: Register) -> usize {
    register as usize * size_of::<usize>()
}

const NEXT: usize = offset_of!(Context, next);

/// Runs a thread until it comes back; says how.
///
/// # Safety
///
/// The frame has the context of a thread whose registers make sense to it.
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
        "cmp byte ptr [rdi + {foreign}], 0",
        "je 4f",
        "mov rcx, [r11 + {fs_base}]",
        "wrfsbase rcx",
        "mov byte ptr [rip + {selector}], 1",
        "4:",
        "mov rcx, [r11 + {next}]",
        // As on hardware: a thread that has its next instruction in rcx, and the flags in r11, came by a
        // system call, which leaves nothing else there.
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
        // All registers at once, without a word on the thread's stack.
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
        foreign = const offset_of!(Frame, foreign),
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

/// Where libsel4 calls with the registers of a system call: keeps them in the thread's context, and
/// goes on in the host.
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
        // A thread that is restarted begins with the call, which has two bytes.
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
        // What hardware leaves of the flags.
        "mov qword ptr [r11 + {rflags}], 0x202",
        "mov qword ptr [r11 + {r11}], 0x202",
        "mov byte ptr [rax + {in_thread}], 0",
        "mov rsp, [rax + {stack}]",
        "xor eax, eax",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        // Not `ret`: the processor would take it for that of the call above.
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

/// Where a signal handler returns to when it has taken a thread's registers: keeps the state of
/// floating-point numbers, and goes on in the host. In rdi is the frame, in rsp the host's stack.
///
/// # Safety
///
/// Only a signal handler goes here.
#[unsafe(naked)]
pub unsafe extern "C" fn returned() {
    naked_asm!(
        "mov rcx, [rdi + {fp}]",
        "mov eax, [rdi + {fp_mask}]",
        "xor edx, edx",
        "xsave64 [rcx]",
        "cld",
        "mov eax, {trouble}",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        "pop rcx",
        "jmp rcx",
        fp = const offset_of!(Frame, fp),
        fp_mask = const offset_of!(Frame, fp_mask),
        trouble = const TROUBLE,
    )
}

/// Goes on in the host, with the frame in rdi.
///
/// # Safety
///
/// Only a signal handler goes here, after it has kept all of the thread's state.
#[unsafe(naked)]
pub unsafe extern "C" fn go_on() {
    naked_asm!(
        "mov rsp, [rdi + {stack}]",
        "cld",
        "mov eax, {trouble}",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        "pop rcx",
        "jmp rcx",
        stack = const offset_of!(Frame, stack),
        trouble = const TROUBLE,
    )
}

/// Where a fresh host begins, on its own stack, when [`entry`] is called for the first time: the
/// frame is in rbx, what to call in rbp.
///
/// # Safety
///
/// Only [`prepare`] leads here.
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    naked_asm!("mov rdi, rbx", "call rbp", "ud2")
}

/// A thread that executes one instruction and comes back: the processor traps behind it.
pub struct Step;

const TRAP_FLAG: usize = 1 << 8;

impl Step {
    /// The thread with these registers executes one instruction.
    pub fn begin(context: &mut Context) -> Self {
        context[Register::Rflags] |= TRAP_FLAG;
        Self
    }

    /// It has come back.
    pub fn end(self, context: &mut Context, _done: bool) {
        context[Register::Rflags] &= !TRAP_FLAG;
    }
}
