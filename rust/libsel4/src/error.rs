// SPDX-License-Identifier: BSD-2-Clause

//! Errors of invocations.

use core::fmt;

use libsel4_sys as sys;

/// Result of an invocation.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, Result, Tcb};
///
/// fn restart(thread: Cap<Tcb>) -> Result<()> {
///     thread.tcb_suspend()?;
///     thread.tcb_resume()
/// }
///
/// restart(objects.make()?)?;
/// # Ok(()) }) }
/// ```
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Corresponds to `seL4_Error`. Why the kernel refused an invocation, with the details that it gives.
///
/// There is no `seL4_NoError`; that is `Ok`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Error, FillError, Tcb};
///
/// let slot = objects.slot()?;
/// let Err(FillError { error, .. }) = info.irq_control().irq_control_get(usize::MAX, slot) else {
///     unreachable!("no interrupt has this number");
/// };
/// println!("the interrupt: {error}");
/// assert_ne!(error, Error::NotEnoughMemory { bytes_left: 0 });
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_Error")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// Corresponds to `seL4_InvalidArgument`.
    #[doc(alias = "seL4_InvalidArgument")]
    InvalidArgument {
        /// Which one, as the kernel counts the message's registers.
        argument: usize,
    },
    /// Corresponds to `seL4_InvalidCapability`.
    #[doc(alias = "seL4_InvalidCapability")]
    InvalidCapability {
        /// Which one: 0 is the invoked capability, then those that were passed.
        argument: usize,
    },
    /// Corresponds to `seL4_IllegalOperation`.
    #[doc(alias = "seL4_IllegalOperation")]
    IllegalOperation,
    /// Corresponds to `seL4_RangeError`. A number was too small or too large.
    #[doc(alias = "seL4_RangeError")]
    RangeError {
        /// Lower bound of valid values.
        min: usize,
        /// Upper bound of valid values.
        max: usize,
    },
    /// Corresponds to `seL4_AlignmentError`.
    #[doc(alias = "seL4_AlignmentError")]
    AlignmentError,
    /// Corresponds to `seL4_FailedLookup`.
    #[doc(alias = "seL4_FailedLookup")]
    FailedLookup {
        /// Set if the lookup of the source failed, and not that of the destination.
        source: bool,
        /// Why.
        failure: LookupFailure,
    },
    /// Corresponds to `seL4_TruncatedMessage`. The invocation had too few arguments or capabilities.
    #[doc(alias = "seL4_TruncatedMessage")]
    TruncatedMessage,
    /// Corresponds to `seL4_DeleteFirst`. What was to be filled is not empty.
    #[doc(alias = "seL4_DeleteFirst")]
    DeleteFirst,
    /// Corresponds to `seL4_RevokeFirst`. The object has others that are made of it, or somebody has the
    /// interrupt or ports already.
    #[doc(alias = "seL4_RevokeFirst")]
    RevokeFirst,
    /// Corresponds to `seL4_NotEnoughMemory`.
    #[doc(alias = "seL4_NotEnoughMemory")]
    NotEnoughMemory {
        /// Number of bytes left.
        bytes_left: usize,
    },
    /// A code that seL4 did not have when this was written.
    Unknown(sys::seL4_Error),
}

/// Corresponds to `seL4_LookupFailureType`. Why an address in a CSpace or VSpace leads nowhere.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{CapRights, Error, LookupFailure, SmallPage, VmAttributes};
///
/// let page = objects.make::<SmallPage>()?;
/// let (address, rights) = (0x1000_0000, CapRights::READ_WRITE);
/// // SAFETY: nothing is mapped at the address.
/// let mapped = unsafe { page.page_map(info.vspace(), address, rights, VmAttributes::DATA) };
/// let Err(Error::FailedLookup { failure, .. }) = mapped else {
///     unreachable!("the page table is missing");
/// };
/// assert!(matches!(failure, LookupFailure::MissingCapability { .. }));
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_LookupFailureType")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookupFailure {
    /// Corresponds to `seL4_InvalidRoot`. The root is no CNode, or no VSpace.
    #[doc(alias = "seL4_InvalidRoot")]
    InvalidRoot,
    /// Corresponds to `seL4_MissingCapability`. The slot is empty, or the page table is not there.
    #[doc(alias = "seL4_MissingCapability")]
    MissingCapability {
        /// Number of unresolved bits of the address.
        bits_left: usize,
    },
    /// Corresponds to `seL4_DepthMismatch`. The address ends inside a CNode.
    #[doc(alias = "seL4_DepthMismatch")]
    DepthMismatch {
        /// Number of unresolved bits of the address.
        bits_left: usize,
        /// Number of bits that the CNode resolves.
        bits_found: usize,
    },
    /// Corresponds to `seL4_GuardMismatch`. The address differs from a CNode's guard.
    #[doc(alias = "seL4_GuardMismatch")]
    GuardMismatch {
        /// Number of unresolved bits of the address.
        bits_left: usize,
        /// The guard.
        guard_found: usize,
        /// Number of bits of the guard.
        bits_found: usize,
    },
    /// A kind that seL4 did not have when this was written.
    Unknown(usize),
}

impl Error {
    /// The error with this code; `register` gives the message registers that the kernel answered with.
    fn decode(code: sys::seL4_Error, register: impl Fn(usize) -> usize) -> Self {
        match code {
            sys::seL4_InvalidArgument => Self::InvalidArgument {
                argument: register(0),
            },
            sys::seL4_InvalidCapability => Self::InvalidCapability {
                argument: register(0),
            },
            sys::seL4_IllegalOperation => Self::IllegalOperation,
            sys::seL4_RangeError => Self::RangeError {
                min: register(0),
                max: register(1),
            },
            sys::seL4_AlignmentError => Self::AlignmentError,
            sys::seL4_FailedLookup => Self::FailedLookup {
                source: register(0) != 0,
                failure: LookupFailure::decode(|index| register(1 + index)),
            },
            sys::seL4_TruncatedMessage => Self::TruncatedMessage,
            sys::seL4_DeleteFirst => Self::DeleteFirst,
            sys::seL4_RevokeFirst => Self::RevokeFirst,
            sys::seL4_NotEnoughMemory => Self::NotEnoughMemory {
                bytes_left: register(0),
            },
            code => Self::Unknown(code),
        }
    }

    /// The code that C has for it.
    pub const fn code(self) -> sys::seL4_Error {
        match self {
            Self::InvalidArgument { .. } => sys::seL4_InvalidArgument,
            Self::InvalidCapability { .. } => sys::seL4_InvalidCapability,
            Self::IllegalOperation => sys::seL4_IllegalOperation,
            Self::RangeError { .. } => sys::seL4_RangeError,
            Self::AlignmentError => sys::seL4_AlignmentError,
            Self::FailedLookup { .. } => sys::seL4_FailedLookup,
            Self::TruncatedMessage => sys::seL4_TruncatedMessage,
            Self::DeleteFirst => sys::seL4_DeleteFirst,
            Self::RevokeFirst => sys::seL4_RevokeFirst,
            Self::NotEnoughMemory { .. } => sys::seL4_NotEnoughMemory,
            Self::Unknown(code) => code,
        }
    }
}

impl LookupFailure {
    /// The failure that begins at register 0: its kind, then what belongs to the kind.
    pub(crate) fn decode(register: impl Fn(usize) -> usize) -> Self {
        match register(0) {
            sys::seL4_InvalidRoot => Self::InvalidRoot,
            sys::seL4_MissingCapability => Self::MissingCapability {
                bits_left: register(1),
            },
            sys::seL4_DepthMismatch => Self::DepthMismatch {
                bits_left: register(1),
                bits_found: register(2),
            },
            sys::seL4_GuardMismatch => Self::GuardMismatch {
                bits_left: register(1),
                guard_found: register(2),
                bits_found: register(3),
            },
            kind => Self::Unknown(kind),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArgument { argument } => write!(f, "argument {argument} is invalid"),
            Self::InvalidCapability { argument } => write!(f, "capability {argument} is invalid"),
            Self::IllegalOperation => f.write_str("the operation is illegal"),
            Self::RangeError { min, max } => write!(f, "not within {min} to {max}"),
            Self::AlignmentError => f.write_str("not aligned"),
            Self::FailedLookup { source, failure } => {
                let what = if *source { "source" } else { "destination" };
                write!(f, "the {what} was not found: {failure}")
            }
            Self::TruncatedMessage => f.write_str("too few arguments"),
            Self::DeleteFirst => f.write_str("the destination is not empty"),
            Self::RevokeFirst => f.write_str("it is in use, or others are made of it"),
            Self::NotEnoughMemory { bytes_left } => {
                write!(f, "not enough memory: {bytes_left} bytes left")
            }
            Self::Unknown(code) => write!(f, "unknown error {code}"),
        }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for LookupFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRoot => f.write_str("the root is invalid"),
            Self::MissingCapability { bits_left } => {
                write!(f, "nothing there, {bits_left} bits left")
            }
            Self::DepthMismatch {
                bits_left,
                bits_found,
            } => write!(f, "{bits_left} bits left where {bits_found} are resolved"),
            Self::GuardMismatch {
                bits_left,
                guard_found,
                bits_found,
            } => write!(
                f,
                "guard {guard_found:#x} of {bits_found} bits differs, {bits_left} bits left"
            ),
            Self::Unknown(kind) => write!(f, "unknown failure {kind}"),
        }
    }
}

/// Converts the result of a C invocation, with its details while they are in the IPC buffer.
#[inline]
pub(crate) fn check(code: sys::seL4_Error) -> Result<()> {
    if code == sys::seL4_NoError {
        Ok(())
    } else {
        Err(refusal(code))
    }
}

/// Converts the error of invocations that return it in a structure, as `int`.
#[inline]
pub(crate) fn check_int(code: core::ffi::c_int) -> Result<()> {
    check(code as sys::seL4_Error)
}

#[cold]
fn refusal(code: sys::seL4_Error) -> Error {
    Error::decode(code, crate::message::register)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_this_libsel4_has_a_variant_and_gives_itself_back() {
        for code in 1..sys::seL4_NumErrors {
            let error = Error::decode(code, |index| index + 7);
            assert!(!matches!(error, Error::Unknown(_)), "{code}");
            assert_eq!(error.code(), code);
        }
    }

    #[test]
    fn an_unknown_code_is_kept() {
        let error = Error::decode(77, |_| unreachable!());
        assert_eq!((error, error.code()), (Error::Unknown(77), 77));
    }

    #[test]
    fn details_are_where_the_kernel_writes_them() {
        let answer = |index: usize| [1, sys::seL4_GuardMismatch, 30, 5, 12][index];
        let failure = LookupFailure::GuardMismatch {
            bits_left: 30,
            guard_found: 5,
            bits_found: 12,
        };
        assert_eq!(
            Error::decode(sys::seL4_FailedLookup, answer),
            Error::FailedLookup {
                source: true,
                failure
            }
        );
        assert_eq!(
            Error::decode(sys::seL4_RangeError, |index| [1, 256][index]),
            Error::RangeError { min: 1, max: 256 }
        );
        assert_eq!(LookupFailure::decode(|_| 9), LookupFailure::Unknown(9));
    }
}
