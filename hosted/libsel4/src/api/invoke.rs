// SPDX-License-Identifier: BSD-2-Clause

//! Common part of all invocations: a call with the invocation's label.

use super::{
    seL4_CPtr, seL4_GetMR, seL4_MessageInfo_new, seL4_SetCap, seL4_SetMR, seL4_SysCall,
    seL4_UserContext, seL4_Word,
};
use crate::host::{Registers, trap};

const REGISTERS: usize = size_of::<seL4_UserContext>() / size_of::<seL4_Word>();

/// Calls `service` with `caps` and `words`. Returns the error and the first words of the answer, which are
/// also in the IPC buffer if the error is not 0.
///
/// # Safety
///
/// The caller has an IPC buffer.
#[inline(always)]
pub(super) unsafe fn invoke<const CAPS: usize, const WORDS: usize>(
    service: seL4_CPtr,
    label: usize,
    caps: [seL4_CPtr; CAPS],
    words: [seL4_Word; WORDS],
) -> (usize, [seL4_Word; 4]) {
    let mut mrs = [0; 4];
    // SAFETY: as the caller promises.
    unsafe {
        for (index, cap) in caps.into_iter().enumerate() {
            seL4_SetCap(index as _, cap);
        }
        for (index, word) in words.into_iter().enumerate() {
            match mrs.get_mut(index) {
                Some(mr) => *mr = word,
                None => seL4_SetMR(index as _, word),
            }
        }
        call(service, label, CAPS, WORDS, mrs)
    }
}

/// # Safety
///
/// The caller has an IPC buffer, which holds the words and capabilities that are not in registers.
#[inline(always)]
unsafe fn call(
    service: seL4_CPtr,
    label: usize,
    caps: usize,
    length: usize,
    mrs: [seL4_Word; 4],
) -> (usize, [seL4_Word; 4]) {
    // SAFETY: as the caller promises.
    unsafe {
        let info = seL4_MessageInfo_new(label as u64, 0, caps as u64, length as u64);
        let cap = service;
        let answer = trap(
            seL4_SysCall,
            Registers {
                cap,
                info: info.words[0] as usize,
                mrs,
                ..Default::default()
            },
        );
        let error = answer.info >> 12;
        if error != 0 {
            for (index, word) in answer.mrs.into_iter().enumerate() {
                seL4_SetMR(index as _, word);
            }
        }
        (error, answer.mrs)
    }
}

/// Reads `count` registers of a thread.
///
/// # Safety
///
/// The caller has an IPC buffer, and `to` can be written to.
pub(super) unsafe fn read_registers(
    service: seL4_CPtr,
    label: usize,
    words: [seL4_Word; 2],
    to: *mut seL4_UserContext,
) -> (usize, [seL4_Word; 4]) {
    // SAFETY: as the caller promises; no more registers than a thread has.
    unsafe {
        let answer = invoke(service, label, [], words);
        if answer.0 == 0 {
            for index in 0..words[1].min(REGISTERS) {
                let value = answer.1.get(index).copied();
                let value = value.unwrap_or_else(|| seL4_GetMR(index as _));
                to.cast::<seL4_Word>().add(index).write(value);
            }
        }
        answer
    }
}

/// Writes `count` registers of a thread.
///
/// # Safety
///
/// The caller has an IPC buffer, and `from` can be read.
pub(super) unsafe fn write_registers(
    service: seL4_CPtr,
    label: usize,
    words: [seL4_Word; 2],
    from: *mut seL4_UserContext,
) -> (usize, [seL4_Word; 4]) {
    // SAFETY: as the caller promises; no more registers than a thread has.
    unsafe {
        let register = |index| from.cast::<seL4_Word>().add(index).read();
        for index in 2..words[1].min(REGISTERS) {
            seL4_SetMR((index + 2) as _, register(index));
        }
        let mrs = [words[0], words[1], register(0), register(1)];
        call(service, label, 0, REGISTERS + 2, mrs)
    }
}

/// Passes eight registers to the firmware and stores the eight that it returns.
///
/// # Safety
///
/// The caller has an IPC buffer, `from` can be read, and `to` can be written to.
#[cfg(target_arch = "aarch64")]
pub(super) unsafe fn exchange_registers(
    service: seL4_CPtr,
    label: usize,
    from: *mut super::seL4_ARM_SMCContext,
    to: *mut super::seL4_ARM_SMCContext,
) -> (usize, [seL4_Word; 4]) {
    // SAFETY: as the caller promises.
    unsafe {
        let words = from.cast::<[seL4_Word; 8]>().read();
        let answer = invoke(service, label, [], words);
        if answer.0 == 0 {
            for index in 0..words.len() {
                let value = answer.1.get(index).copied();
                let value = value.unwrap_or_else(|| seL4_GetMR(index as _));
                to.cast::<seL4_Word>().add(index).write(value);
            }
        }
        answer
    }
}
