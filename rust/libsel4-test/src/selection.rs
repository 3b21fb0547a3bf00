// SPDX-License-Identifier: BSD-2-Clause

//! Which tests run. The host writes it into the image: so a run can go on behind a test that hung the
//! whole system, and no image is built again to run one test.

/// How long the text is that names must contain.
const TEXT: usize = 64;

/// What the host writes. It finds it by its mark.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Selection {
    mark: [u8; 24],
    /// The number of the first test, in decimal.
    first: [u8; 6],
    /// What names contain, and zeroes.
    text: [u8; TEXT],
}

static SELECTION: Selection = Selection {
    mark: *b"libsel4-test selection: ",
    first: *b"000000",
    text: [0; TEXT],
};

impl Selection {
    /// As it is in the image.
    pub(crate) fn read() -> Self {
        // Volatile: what is there is not what the compiler sees there.
        // SAFETY: a reference, read as what it leads to.
        unsafe { (&raw const SELECTION).read_volatile() }
    }

    /// Whether the test with this number and name runs.
    pub(crate) fn takes(&self, number: usize, name: &str) -> bool {
        let digits = self.first.iter();
        let first = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit & 0xf));
        let length = self.text.iter().position(|byte| *byte == 0);
        let text = &self.text[..length.unwrap_or(TEXT)];
        let found = |window: &[u8]| window == text;
        number >= first && (text.is_empty() || name.as_bytes().windows(text.len()).any(found))
    }
}
