// SPDX-License-Identifier: BSD-2-Clause

//! Names of functions, as messages show them.

/// Returns the path of a symbol without its hash and generic arguments, which only one of rustc's two forms of symbols has:
/// `std::fs::write` for `std::fs::write::<&str, &str>`.
pub fn demangled(symbol: &[u8]) -> String {
    let symbol = String::from_utf8_lossy(symbol);
    without_arguments(&format!("{:#}", rustc_demangle::demangle(&symbol)))
}

fn without_arguments(path: &str) -> String {
    let mut kept = String::new();
    let mut depth = 0_u32;
    let mut rest = path;
    while let Some(character) = rest.chars().next() {
        let (part, next) = if depth == 0 && rest.starts_with("::<") {
            depth = 1;
            ("", &rest[3..])
        } else if rest.starts_with("->") {
            rest.split_at(2)
        } else {
            rest.split_at(character.len_utf8())
        };
        match part {
            "<" if depth > 0 => depth += 1,
            ">" if depth > 0 => depth -= 1,
            part if depth == 0 => kept.push_str(part),
            _ => {}
        }
        rest = next;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_left_out() {
        for (path, kept) in [
            ("std::fs::write::<&str, &str>", "std::fs::write"),
            (
                "<std::fs::File>::create::<Vec<u8>>",
                "<std::fs::File>::create",
            ),
            ("a::b::<fn() -> T<u8>>::{closure#0}", "a::b::{closure#0}"),
            ("<a::T as b::U<c::V>>::f", "<a::T as b::U<c::V>>::f"),
            ("memcpy", "memcpy"),
        ] {
            assert_eq!(without_arguments(path), kept);
        }
    }

    #[test]
    fn both_forms_of_symbols_give_one_name() {
        assert_eq!(
            demangled(b"_ZN3std2fs5write17h0123456789abcdefE"),
            "std::fs::write"
        );
        assert_eq!(
            demangled(b"_RINvNtCs3vIF18vCiwS_3std2fs5writeReE"),
            "std::fs::write"
        );
    }
}
