// SPDX-License-Identifier: BSD-2-Clause

//! Assembly for aarch64.

use std::arch::{asm, naked_asm};
use std::cell::Cell;
use std::mem::offset_of;
use std::ptr;

use sel4_hosted_kernel::{Context, Register};

use super::{Frame, TRAP};

/// Number of words that [`enter`] saves on the host's stack.
pub const SAVED_WORDS: usize = 20;

/// Returns the saved words of a new host, with which it calls `main` with its frame.
pub fn initial_words(
    frame: *mut Frame,
    main: unsafe extern "C" fn(*mut Frame) -> !,
) -> [usize; SAVED_WORDS] {
    let mut words = [0; SAVED_WORDS];
    // x19, x20 and x30.
    words[0] = frame as usize;
    words[1] = main as usize;
    words[11] = begin as *const () as usize;
    words
}

/// Addresses of the functions during which neither host nor thread has all of its registers.
pub fn switch_code() -> [usize; 4] {
    [
        enter as *const () as usize,
        entry as *const () as usize,
        signal_return as *const () as usize,
        resume as *const () as usize,
    ]
}

const fn register(register: Register) -> usize {
    register as usize * size_of::<usize>()
}

const NEXT: usize = offset_of!(Context, next);

/// Returns to the host behind its call of [`enter`].
macro_rules! leave {
    () => {
        concat!(
            "ldp x19, x20, [sp, #0]\n",
            "ldp x21, x22, [sp, #16]\n",
            "ldp x23, x24, [sp, #32]\n",
            "ldp x25, x26, [sp, #48]\n",
            "ldp x27, x28, [sp, #64]\n",
            "ldp x29, x30, [sp, #80]\n",
            "ldp d8, d9, [sp, #96]\n",
            "ldp d10, d11, [sp, #112]\n",
            "ldp d12, d13, [sp, #128]\n",
            "ldp d14, d15, [sp, #144]\n",
            "add sp, sp, #160\n",
            "ret\n",
        )
    };
}

/// Runs a thread until it stops. Returns `SYSCALL` or `TRAP`.
///
/// # Safety
///
/// The frame's context holds registers with which the thread can continue.
#[unsafe(naked)]
pub unsafe extern "C" fn enter(frame: *mut Frame) -> usize {
    naked_asm!(
        "sub sp, sp, #160",
        "stp x19, x20, [sp, #0]",
        "stp x21, x22, [sp, #16]",
        "stp x23, x24, [sp, #32]",
        "stp x25, x26, [sp, #48]",
        "stp x27, x28, [sp, #64]",
        "stp x29, x30, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mov x9, sp",
        "str x9, [x0, {stack}]",
        "ldrb w9, [x0, {fp_restores}]",
        "cbnz w9, 2f",
        "ldr x10, [x0, {context}]",
        // A thread in a system call through libsel4 has its next instruction in x30 and the address of
        // `entry` in x10. It needs neither register nor the flags; other threads need all registers.
        "ldr x11, [x10, {next}]",
        "ldr x12, [x10, {x30}]",
        "cmp x11, x12",
        "b.ne 2f",
        "ldr x11, [x10, {x10}]",
        "adrp x12, {entry}",
        "add x12, x12, :lo12:{entry}",
        "cmp x11, x12",
        "b.ne 2f",
        "mov w11, #1",
        "strb w11, [x0, {in_thread}]",
        "ldr x11, [x10, {sp}]",
        "mov sp, x11",
        "ldr x9, [x10, {x9}]",
        "ldr x11, [x10, {x11}]",
        "ldp x0, x1, [x10, {x0}]",
        "ldp x2, x3, [x10, {x2}]",
        "ldp x4, x5, [x10, {x4}]",
        "ldp x6, x7, [x10, {x6}]",
        "ldr x8, [x10, {x8}]",
        "ldp x16, x17, [x10, {x16}]",
        "ldr x18, [x10, {x18}]",
        "ldp x29, x30, [x10, {x29}]",
        "ldp x12, x13, [x10, {x12}]",
        "ldp x14, x15, [x10, {x14}]",
        "ldp x19, x20, [x10, {x19}]",
        "ldp x21, x22, [x10, {x21}]",
        "ldp x23, x24, [x10, {x23}]",
        "ldp x25, x26, [x10, {x25}]",
        "ldp x27, x28, [x10, {x27}]",
        "ret",
        "2:",
        "b {resume}",
        stack = const offset_of!(Frame, stack),
        context = const offset_of!(Frame, context),
        fp_restores = const offset_of!(Frame, fp_restores),
        in_thread = const offset_of!(Frame, in_thread),
        next = const NEXT,
        entry = sym entry,
        resume = sym resume,
        sp = const register(Register::Sp),
        x9 = const register(Register::X9),
        x10 = const register(Register::X10),
        x11 = const register(Register::X11),
        x30 = const register(Register::X30),
        x0 = const register(Register::X0),
        x2 = const register(Register::X2),
        x4 = const register(Register::X4),
        x6 = const register(Register::X6),
        x8 = const register(Register::X8),
        x16 = const register(Register::X16),
        x18 = const register(Register::X18),
        x29 = const register(Register::X29),
        x12 = const register(Register::X12),
        x14 = const register(Register::X14),
        x19 = const register(Register::X19),
        x21 = const register(Register::X21),
        x23 = const register(Register::X23),
        x25 = const register(Register::X25),
        x27 = const register(Register::X27),
    )
}

/// Raises a signal whose handler loads all registers of a thread. No other means but Linux' return from
/// a signal can do that.
///
/// # Safety
///
/// Only [`enter`] jumps here.
#[unsafe(naked)]
pub unsafe extern "C" fn resume() {
    naked_asm!("udf #0")
}

/// Kernel entry, which libsel4 calls with the registers of a system call. Saves them in the thread's context
/// and continues in the host.
///
/// # Safety
///
/// The frame in x9 has the context of the thread that calls.
#[unsafe(naked)]
pub unsafe extern "C" fn entry() {
    naked_asm!(
        "ldr x10, [x9, {context}]",
        "str x9, [x10, {x9}]",
        "str x11, [x10, {x11}]",
        "stp x0, x1, [x10, {x0}]",
        "stp x2, x3, [x10, {x2}]",
        "stp x4, x5, [x10, {x4}]",
        "stp x6, x7, [x10, {x6}]",
        "str x8, [x10, {x8}]",
        "stp x16, x17, [x10, {x16}]",
        "str x18, [x10, {x18}]",
        "stp x29, x30, [x10, {x29}]",
        "stp x12, x13, [x10, {x12}]",
        "stp x14, x15, [x10, {x14}]",
        "stp x19, x20, [x10, {x19}]",
        "stp x21, x22, [x10, {x21}]",
        "stp x23, x24, [x10, {x23}]",
        "stp x25, x26, [x10, {x25}]",
        "stp x27, x28, [x10, {x27}]",
        "adrp x11, {entry}",
        "add x11, x11, :lo12:{entry}",
        "str x11, [x10, {x10}]",
        "mov x11, sp",
        "str x11, [x10, {sp}]",
        "str x30, [x10, {next}]",
        // A restarted thread repeats the call.
        "sub x11, x30, #4",
        "str x11, [x10, {pc}]",
        "mrs x11, nzcv",
        "orr x11, x11, #0x40",
        "str x11, [x10, {spsr}]",
        "strb wzr, [x9, {in_thread}]",
        "ldr x11, [x9, {stack}]",
        "mov sp, x11",
        "mov x0, #0",
        leave!(),
        stack = const offset_of!(Frame, stack),
        context = const offset_of!(Frame, context),
        in_thread = const offset_of!(Frame, in_thread),
        next = const NEXT,
        entry = sym entry,
        pc = const register(Register::Pc),
        sp = const register(Register::Sp),
        spsr = const register(Register::Spsr),
        x9 = const register(Register::X9),
        x10 = const register(Register::X10),
        x11 = const register(Register::X11),
        x0 = const register(Register::X0),
        x2 = const register(Register::X2),
        x4 = const register(Register::X4),
        x6 = const register(Register::X6),
        x8 = const register(Register::X8),
        x16 = const register(Register::X16),
        x18 = const register(Register::X18),
        x29 = const register(Register::X29),
        x12 = const register(Register::X12),
        x14 = const register(Register::X14),
        x19 = const register(Register::X19),
        x21 = const register(Register::X21),
        x23 = const register(Register::X23),
        x25 = const register(Register::X25),
        x27 = const register(Register::X27),
    )
}

/// Return address of a signal handler that has saved a thread's state. Continues in the host, whose stack
/// the handler has selected.
///
/// # Safety
///
/// Only a signal handler returns here.
#[unsafe(naked)]
pub unsafe extern "C" fn signal_return() {
    naked_asm!(
        "mov x0, {trap}",
        leave!(),
        trap = const TRAP,
    )
}

/// First code of a new host, on its own stack, after the first call of [`entry`].
///
/// # Safety
///
/// Only [`initial_words`] refers to this.
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    naked_asm!("mov x0, x19", "blr x20", "udf #0")
}

/// Single step over a load or store. The thread executes a copy of the instruction in front of a breakpoint,
/// because Linux offers single steps to debuggers only.
pub struct Step {
    /// Address of the instruction.
    pc: usize,
}

impl Step {
    /// Prepares the thread with these registers for a single step.
    pub fn begin(context: &mut Context) -> Self {
        /// `brk #0`
        const BREAKPOINT: u32 = 0xd420_0000;
        let pc = context.next;
        let at = instruction_page();
        // SAFETY: the thread has just executed that instruction; only this thread of the host uses the page, and it
        // invalidates the instruction cache.
        unsafe {
            at.write_volatile(ptr::with_exposed_provenance::<u32>(pc).read());
            at.add(1).write_volatile(BREAKPOINT);
            asm!("dc cvau, {at}", "dsb ish", "ic ivau, {at}", "dsb ish", "isb", at = in(reg) at);
        }
        context.next = at.addr();
        Self { pc }
    }

    /// Ends the step. The thread continues behind the instruction if `done`, else at it.
    pub fn end(self, context: &mut Context, done: bool) {
        context.next = self.pc + usize::from(done) * 4;
        context[Register::Pc] = context.next;
    }
}

/// Returns this host thread's page for copies of instructions.
fn instruction_page() -> *mut u32 {
    thread_local! {
        static PAGE: Cell<*mut u32> = const { Cell::new(ptr::null_mut()) };
    }
    if PAGE.get().is_null() {
        let protection = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh page.
        let page = unsafe { libc::mmap(ptr::null_mut(), 4096, protection, flags, -1, 0) };
        if page == libc::MAP_FAILED {
            let error = std::io::Error::last_os_error();
            crate::end::refuse(&format!(
                "cannot map an executable page: {error}\nhelp: allow this process writable and executable memory"
            ));
        }
        PAGE.set(page.cast());
    }
    PAGE.get()
}
