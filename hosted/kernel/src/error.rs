// SPDX-License-Identifier: GPL-2.0-only

//! What the kernel refuses, in the words a caller finds in its message registers.

/// Why a capability was not found. The numbers are libsel4's `seL4_LookupFailureType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupFailure {
    /// The root is no CNode, or an address space has no root.
    InvalidRoot,
    /// There is nothing in the slot, or not what was needed.
    MissingCapability {
        /// Bits of the address that were left.
        bits_left: usize,
    },
    /// A CNode resolves more bits than the address has left, or fewer than were asked for.
    DepthMismatch {
        /// Bits of the address that were left.
        bits_left: usize,
        /// Bits that the CNode resolves.
        bits_found: usize,
    },
    /// A CNode's guard differs from the address.
    GuardMismatch {
        /// Bits of the address that were left.
        bits_left: usize,
        /// The CNode's guard.
        guard_found: usize,
        /// The number of bits of the guard.
        bits_found: usize,
    },
}

impl LookupFailure {
    /// The words that a message has of it, and how many.
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

/// Why an invocation was refused, with the details that its answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// An argument, by its number, has a wrong value.
    InvalidArgument(usize),
    /// A capability, by its number, is of the wrong kind; 0 is the one that was invoked.
    InvalidCapability(usize),
    /// Not now, or not with this.
    IllegalOperation,
    /// An argument is outside the range.
    RangeError {
        /// The least that is right.
        min: usize,
        /// The greatest that is right.
        max: usize,
    },
    /// An address is not aligned.
    AlignmentError,
    /// A slot was not found.
    FailedLookup {
        /// Whether it is the source, not the destination.
        source: bool,
        /// Why.
        failure: LookupFailure,
    },
    /// The message has too few words or capabilities.
    TruncatedMessage,
    /// What is there must be deleted first.
    DeleteFirst,
    /// What was derived must be revoked first.
    RevokeFirst,
    /// An untyped has no room.
    NotEnoughMemory {
        /// The bytes it has left.
        bytes_left: usize,
    },
}

impl Error {
    /// libsel4's number of it, the label of the answer.
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

    /// The words that the answer has of it, and how many.
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
