// SPDX-License-Identifier: BSD-2-Clause

//! Selection of the tests to run. The host writes it into the image. So a run can continue after a test
//! that hung the whole system, and running one test needs no rebuild.

/// Maximum length of the text that names must contain.
const TEXT: usize = 64;

/// Selection that the host writes. The host finds it by `mark`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Selection {
    mark: [u8; 24],
    /// Number of the first test, in decimal.
    first: [u8; 6],
    /// Text that names must contain, padded with zeroes.
    text: [u8; TEXT],
}

static SELECTION: Selection = Selection {
    mark: *b"libsel4-test selection: ",
    first: *b"000000",
    text: [0; TEXT],
};

impl Selection {
    /// Reads the selection from the image.
    pub(crate) fn read() -> Self {
        // Volatile, because the host changes the value after the compiler has seen it.
        // SAFETY: the pointer is that of a live static of this type.
        unsafe { (&raw const SELECTION).read_volatile() }
    }

    /// Returns whether the test with this number and name is selected.
    pub(crate) fn includes(&self, number: usize, name: &str) -> bool {
        let digits = self.first.iter();
        let first = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit & 0xf));
        let length = self.text.iter().position(|byte| *byte == 0);
        let text = &self.text[..length.unwrap_or(TEXT)];
        let found = |window: &[u8]| window == text;
        number >= first && (text.is_empty() || name.as_bytes().windows(text.len()).any(found))
    }
}
