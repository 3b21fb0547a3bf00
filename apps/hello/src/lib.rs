// SPDX-License-Identifier: BSD-2-Clause
//! A routine in Rust that a C root server calls.
#![no_std]

/// Adds two numbers, except that an `a` of 1 counts as 0.
///
/// A sum that does not fit wraps around, as unsigned arithmetic does in C.
#[unsafe(no_mangle)]
pub extern "C" fn routine(a: i32, b: i32) -> i32 {
    let a = if a == 1 { 0 } else { a };
    a.wrapping_add(b)
}

#[cfg(test)]
mod tests {
    use super::routine;

    #[test]
    fn adds() {
        assert_eq!(routine(10, 20), 30);
    }

    #[test]
    fn one_counts_as_zero() {
        assert_eq!(routine(1, 20), 20);
    }
}
