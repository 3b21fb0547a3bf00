// SPDX-License-Identifier: BSD-2-Clause

//! Decimal numbers without `core::fmt`, which would add kilobytes to the image.

/// Number of digits of the largest `usize` of any target.
const DIGITS: usize = 20;

/// A number written out in decimal.
pub(crate) struct Decimal {
    digits: [u8; DIGITS],
    start: usize,
}

impl Decimal {
    // Not inlined: one copy, not one for each number of a message.
    #[inline(never)]
    pub(crate) fn new(mut number: usize) -> Self {
        let mut digits = [b'0'; DIGITS];
        let mut start = DIGITS;
        while let Some(place) = start.checked_sub(1) {
            start = place;
            if let Some(digit) = digits.get_mut(place) {
                *digit = b'0' + (number % 10) as u8;
            }
            number /= 10;
            if number == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn agrees_with_core_fmt() {
        let powers = (0..usize::BITS).map(|shift| 1usize << shift);
        let tens = (0..20).filter_map(|exponent| 10usize.checked_pow(exponent));
        for near in powers.chain(tens) {
            for number in [near - 1, near, near + 1] {
                assert_eq!(
                    Decimal::new(number).as_bytes(),
                    number.to_string().as_bytes()
                );
            }
        }
        assert_eq!(
            Decimal::new(usize::MAX).as_bytes(),
            usize::MAX.to_string().as_bytes()
        );
    }
}
