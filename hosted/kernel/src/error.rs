// SPDX-License-Identifier: GPL-2.0-only

//! Errors of invocations and lookups, and the words that describe them in a message.

/// Reason of a failed lookup: `seL4_LookupFailureType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupFailure {
    /// Root that is not a CNode, or a VSpace without a root.
    InvalidRoot,
    /// Slot that is empty, or holds a capability of the wrong type.
    MissingCapability {
        /// Bits of the address that remained to be resolved.
        bits_left: usize,
    },
    /// CNode that resolves more bits than remain, or address with more bits than CNodes resolve.
    DepthMismatch {
        /// Bits of the address that remained to be resolved.
        bits_left: usize,
        /// Bits that the CNode resolves, with its guard.
        bits_found: usize,
    },
    /// Guard of a CNode that differs from the address.
    GuardMismatch {
        /// Bits of the address that remained to be resolved.
        bits_left: usize,
        /// Guard of the CNode.
        guard_found: usize,
        /// Number of bits of the guard.
        bits_found: usize,
    },
}

impl LookupFailure {
    /// Returns the words that describe the failure in a message, and their number.
    pub(crate) fn words(self) -> ([usize; 4], usize) {
        match self {
            LookupFailure::InvalidRoot => ([1, 0, 0, 0], 1),
            LookupFailure::MissingCapability { bits_left } => ([2, bits_left, 0, 0], 2),
            LookupFailure::DepthMismatch {
                bits_left,
                bits_found,
            } => ([3, bits_left, bits_found, 0], 3),
            LookupFailure::GuardMismatch {
                bits_left,
                guard_found,
                bits_found,
            } => ([4, bits_left, guard_found, bits_found], 4),
        }
    }
}

/// Error of an invocation, with the details that the reply has: `seL4_Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Argument with an invalid value, by its number.
    InvalidArgument(usize),
    /// Capability of the wrong type, by its number; 0 is the invoked one.
    InvalidCapability(usize),
    /// Operation that is not permitted, or not in this state.
    IllegalOperation,
    /// Argument outside its range.
    RangeError {
        /// Minimum.
        min: usize,
        /// Maximum.
        max: usize,
    },
    /// Address that is not aligned.
    AlignmentError,
    /// Failed lookup of a slot.
    FailedLookup {
        /// Set for a source slot, clear for a target slot.
        source: bool,
        /// Reason of the failure.
        failure: LookupFailure,
    },
    /// Message with too few words or extra capabilities.
    TruncatedMessage,
    /// Destination that is not empty: delete first.
    DeleteFirst,
    /// Capability with derived ones, or object in use: revoke first.
    RevokeFirst,
    /// Untyped without enough free memory.
    NotEnoughMemory {
        /// Free bytes of the untyped.
        bytes_left: usize,
    },
}

impl Error {
    /// Returns the number of the `seL4_Error`, which is the label of the reply.
    #[must_use]
    pub const fn code(self) -> usize {
        match self {
            Error::InvalidArgument(_) => 1,
            Error::InvalidCapability(_) => 2,
            Error::IllegalOperation => 3,
            Error::RangeError { .. } => 4,
            Error::AlignmentError => 5,
            Error::FailedLookup { .. } => 6,
            Error::TruncatedMessage => 7,
            Error::DeleteFirst => 8,
            Error::RevokeFirst => 9,
            Error::NotEnoughMemory { .. } => 10,
        }
    }

    /// Returns the words that describe the error in the reply, and their number.
    pub(crate) fn words(self) -> ([usize; 5], usize) {
        match self {
            Error::InvalidArgument(word)
            | Error::InvalidCapability(word)
            | Error::NotEnoughMemory { bytes_left: word } => ([word, 0, 0, 0, 0], 1),
            Error::RangeError { min, max } => ([min, max, 0, 0, 0], 2),
            Error::FailedLookup { source, failure } => {
                let ([kind, a, b, c], count) = failure.words();
                ([source.into(), kind, a, b, c], count + 1)
            }
            _ => ([0; 5], 0),
        }
    }
}
