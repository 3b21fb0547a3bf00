// SPDX-License-Identifier: BSD-2-Clause
//! Says how often to greet.
#![no_std]

/// Returns the number of the next greetings: twice as many as before.
#[unsafe(no_mangle)]
pub extern "C" fn greet(times: u32) -> u32 {
    times * 2
}

/// Signature of a greeting.
#[repr(C)]
pub struct Signature {
    /// Number of the signature; the first is 1.
    pub number: u32,
}

/// Signs.
#[unsafe(no_mangle)]
pub extern "C" fn greet_sign() -> Signature {
    Signature { number: 1 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn greets_twice_as_often() {
        assert_eq!(super::greet(2), 4);
    }
}
