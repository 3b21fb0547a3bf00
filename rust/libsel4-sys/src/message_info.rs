// SPDX-License-Identifier: BSD-2-Clause

//! Fields of a message's description, for builds that call C's functions, as in `words.rs`. Builds with assertions
//! call C's, which assert that each value fits into its field.

#![allow(non_snake_case)]

use crate::{seL4_MessageInfo_t, seL4_MsgExtraCapBits, seL4_MsgLengthBits, seL4_MsgMaxExtraCaps};

/// Type of a field in C.
#[cfg(target_pointer_width = "64")]
type Field = u64;
#[cfg(not(target_pointer_width = "64"))]
type Field = u32;

/// Number of bits of the field for unwrapped capabilities: one for each that a message can carry.
const UNWRAPPED_BITS: usize = seL4_MsgMaxExtraCaps;
const UNWRAPPED_SHIFT: usize = seL4_MsgLengthBits + seL4_MsgExtraCapBits;
const LABEL_SHIFT: usize = UNWRAPPED_SHIFT + UNWRAPPED_BITS;

const fn low(word: Field, bits: usize) -> Field {
    word & ((1 << bits) - 1)
}

/// Returns the description of a message.
///
/// # Safety
///
/// There is no condition.
#[inline]
pub unsafe extern "C" fn seL4_MessageInfo_new(
    label: Field,
    capsUnwrapped: Field,
    extraCaps: Field,
    length: Field,
) -> seL4_MessageInfo_t {
    seL4_MessageInfo_t {
        words: [label << LABEL_SHIFT
            | low(capsUnwrapped, UNWRAPPED_BITS) << UNWRAPPED_SHIFT
            | low(extraCaps, seL4_MsgExtraCapBits) << seL4_MsgLengthBits
            | low(length, seL4_MsgLengthBits)],
    }
}

/// Returns the label.
///
/// # Safety
///
/// There is no condition.
#[inline]
pub unsafe extern "C" fn seL4_MessageInfo_get_label(info: seL4_MessageInfo_t) -> Field {
    info.words[0] >> LABEL_SHIFT
}

/// Returns the bits of the capabilities that were unwrapped.
///
/// # Safety
///
/// There is no condition.
#[inline]
pub unsafe extern "C" fn seL4_MessageInfo_get_capsUnwrapped(info: seL4_MessageInfo_t) -> Field {
    low(info.words[0] >> UNWRAPPED_SHIFT, UNWRAPPED_BITS)
}

/// Returns the number of capabilities.
///
/// # Safety
///
/// There is no condition.
#[inline]
pub unsafe extern "C" fn seL4_MessageInfo_get_extraCaps(info: seL4_MessageInfo_t) -> Field {
    low(info.words[0] >> seL4_MsgLengthBits, seL4_MsgExtraCapBits)
}

/// Returns the number of message registers.
///
/// # Safety
///
/// There is no condition.
#[inline]
pub unsafe extern "C" fn seL4_MessageInfo_get_length(info: seL4_MessageInfo_t) -> Field {
    low(info.words[0], seL4_MsgLengthBits)
}
