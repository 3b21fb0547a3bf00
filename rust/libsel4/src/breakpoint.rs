// SPDX-License-Identifier: BSD-2-Clause

//! Breakpoints of the hardware, and single steps.

use libsel4_sys as sys;

use crate::cap::Cap;
use crate::error::{Error, Result, check, check_int};
use crate::kind::Tcb;

/// Accesses to data that a breakpoint stops at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Corresponds to `seL4_BreakOnRead`.
    #[doc(alias = "seL4_BreakOnRead")]
    Read,
    /// Corresponds to `seL4_BreakOnWrite`.
    #[doc(alias = "seL4_BreakOnWrite")]
    Write,
    /// Corresponds to `seL4_BreakOnReadWrite`.
    #[doc(alias = "seL4_BreakOnReadWrite")]
    ReadWrite,
}

/// Condition that stops a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breakpoint {
    /// Corresponds to `seL4_InstructionBreakpoint`: before the instruction at this address.
    #[doc(alias = "seL4_InstructionBreakpoint")]
    Instruction {
        /// Address of the instruction.
        address: usize,
    },
    /// Corresponds to `seL4_DataBreakpoint`: at an access to data.
    #[doc(alias = "seL4_DataBreakpoint")]
    Data {
        /// Address of the data, a multiple of `size`.
        address: usize,
        /// Bytes: 1, 2, 4, or 8 where words have 64 bits.
        size: usize,
        /// Which accesses.
        access: Access,
    },
}

impl Cap<Tcb> {
    /// Corresponds to `seL4_TCB_SetBreakpoint`. Stops the thread there, with
    /// [`Fault::DebugException`](crate::Fault::DebugException). `number` is below
    /// `seL4_NumHWBreakpoints`, and C's `seL4_FirstBreakpoint`, `seL4_FirstWatchpoint` and
    /// `seL4_FirstDualFunctionMonitor` tell which stop at instructions, at data, and at both.
    ///
    /// # Errors
    ///
    /// [`RangeError`](crate::Error::RangeError) where there is no such number,
    /// [`InvalidArgument`](crate::Error::InvalidArgument) where it does not stop at this,
    /// [`AlignmentError`](crate::Error::AlignmentError).
    #[doc(alias = "seL4_TCB_SetBreakpoint")]
    pub fn tcb_set_breakpoint(self, number: u16, breakpoint: Breakpoint) -> Result<()> {
        let (address, kind, size, access) = match breakpoint {
            Breakpoint::Instruction { address } => {
                let (kind, access) = (sys::seL4_InstructionBreakpoint, sys::seL4_BreakOnRead);
                (address, kind, 0, access)
            }
            Breakpoint::Data {
                address,
                size,
                access,
            } => {
                let access = match access {
                    Access::Read => sys::seL4_BreakOnRead,
                    Access::Write => sys::seL4_BreakOnWrite,
                    Access::ReadWrite => sys::seL4_BreakOnReadWrite,
                };
                (address, sys::seL4_DataBreakpoint, size, access)
            }
        };
        // SAFETY: a thread that is stopped breaks nothing.
        check(unsafe {
            sys::seL4_TCB_SetBreakpoint(self.word(), number, address, kind, size, access)
        })
    }

    /// Corresponds to `seL4_TCB_GetBreakpoint`. What was set; `None` if nothing is.
    #[doc(alias = "seL4_TCB_GetBreakpoint")]
    pub fn tcb_get_breakpoint(self, number: u16) -> Result<Option<Breakpoint>> {
        // The kernel for ARM halts on a number that is too large.
        let max = sys::seL4_NumHWBreakpoints - 1;
        if usize::from(number) > max {
            return Err(Error::RangeError { min: 0, max });
        }
        // SAFETY: it only reads.
        let answer = unsafe { sys::seL4_TCB_GetBreakpoint(self.word(), number) };
        check_int(answer.error)?;
        let address = answer.vaddr;
        let breakpoint = if answer.type_ == sys::seL4_InstructionBreakpoint {
            Breakpoint::Instruction { address }
        } else {
            Breakpoint::Data {
                address,
                size: answer.size,
                access: match answer.rw {
                    sys::seL4_BreakOnRead => Access::Read,
                    sys::seL4_BreakOnWrite => Access::Write,
                    _ => Access::ReadWrite,
                },
            }
        };
        Ok((answer.is_enabled != 0).then_some(breakpoint))
    }

    /// Corresponds to `seL4_TCB_UnsetBreakpoint`.
    #[doc(alias = "seL4_TCB_UnsetBreakpoint")]
    pub fn tcb_unset_breakpoint(self, number: u16) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_TCB_UnsetBreakpoint(self.word(), number) })
    }

    /// Corresponds to `seL4_TCB_ConfigureSingleStepping`. Stops the thread after so many instructions,
    /// again and again; 0 ends it. Whether the breakpoint `number` is used up for it is returned; where
    /// the processor needs none, it does not count.
    #[doc(alias = "seL4_TCB_ConfigureSingleStepping")]
    pub fn tcb_configure_single_stepping(self, number: u16, instructions: usize) -> Result<bool> {
        // SAFETY: a thread that is stopped breaks nothing.
        let answer =
            unsafe { sys::seL4_TCB_ConfigureSingleStepping(self.word(), number, instructions) };
        check_int(answer.error)?;
        Ok(answer.bp_was_consumed != 0)
    }
}
