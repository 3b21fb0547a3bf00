// SPDX-License-Identifier: BSD-2-Clause

//! Size of the heap, from the compiler's environment.

/// Default of [`HEAP_BYTES`]: 256 KiB.
const DEFAULT: usize = 256 * 1024;

/// Granularity of both allocators in bytes, and alignment of the region.
pub(super) const GRAIN: usize = 64;

/// Size of the heap in bytes: `SEL4_RUST_HEAP_BYTES` at compile time, rounded up to [`GRAIN`].
pub(super) const HEAP_BYTES: usize = match option_env!("SEL4_RUST_HEAP_BYTES") {
    None => DEFAULT,
    Some(text) => match parse(text) {
        Some(bytes) => bytes,
        None => fail(text),
    },
};

/// Parses a decimal number of bytes above 0, and rounds it up to [`GRAIN`].
const fn parse(text: &str) -> Option<usize> {
    match usize::from_str_radix(text, 10) {
        Ok(bytes) if bytes > 0 => bytes.checked_next_multiple_of(GRAIN),
        _ => None,
    }
}

/// Fails the compilation with a message that names `text`. Constant evaluation has no formatting, so
/// the parts are joined by hand.
const fn fail(text: &str) -> ! {
    const PARTS: [&str; 2] = [
        "the heap size is `",
        "`, which is not a number of bytes above 0\nhelp: set RUST_HEAP_BYTES to a decimal number such as 262144",
    ];

    let mut message = [0; 512];
    let mut length = 0;
    let mut part = 0;
    while part < 3 {
        let bytes = if part == 1 { text } else { PARTS[part / 2] }.as_bytes();
        let mut index = 0;
        while index < bytes.len() && length < message.len() {
            message[length] = bytes[index];
            length += 1;
            index += 1;
        }
        part += 1;
    }
    match core::str::from_utf8(message.split_at(length).0) {
        Ok(message) => panic!("{}", message),
        Err(_) => panic!("the heap size is not a number"),
    }
}

#[cfg(test)]
mod tests {
    use super::{GRAIN, parse};

    #[test]
    fn a_size_is_rounded_up() {
        assert_eq!(parse("262144"), Some(262_144));
        assert_eq!(parse("1"), Some(GRAIN));
        assert_eq!(parse("65"), Some(2 * GRAIN));
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in [
            "",
            "0",
            "-1",
            "1.5",
            "0x1000",
            "64K",
            " 64",
            "99999999999999999999999999",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(&usize::MAX.to_string()), None);
    }
}
