// SPDX-License-Identifier: BSD-2-Clause

//! Checks on the text of a generated header: names, includes, and types that C cannot use.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;
use syn::ext::IdentExt;

use super::complaints::{Log, TYPES};
use super::crates::{Crates, Parsed, item_ident, type_ident};
use super::settings::SEL4;
use crate::failure::{Failure, Result};
use crate::headers::source::{SourceItem, attributes};

/// Returns the identifiers of C code outside comments and strings, each with the text after it.
fn identifiers(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skip = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        let length = if rest.starts_with("/*") {
            skip("*/")
        } else if rest.starts_with("#define") {
            "#define".len()
        } else if rest.starts_with("//") || rest.starts_with('#') {
            skip("\n")
        } else if letter == '"' {
            1 + rest[1..].find('"').map_or(rest.len() - 1, |at| at + 1)
        } else if letter.is_ascii_alphanumeric() || letter == '_' {
            let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            let end = end.unwrap_or(rest.len());
            found.push((&rest[..end], rest[end..].trim_start()));
            end
        } else {
            letter.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// Returns whether the code of a header names `name`.
pub fn mentions(text: &str, name: &str) -> bool {
    identifiers(text).iter().any(|(known, _)| *known == name)
}

/// Returns the system headers that declare the names in `text`, and `wanted` ones.
pub fn includes(text: &str, wanted: &[String]) -> Vec<String> {
    let names: BTreeSet<&str> = identifiers(text)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let any = |test: &dyn Fn(&str) -> bool| names.iter().any(|name| test(name));
    let mut includes = Vec::new();
    let fixed = |name: &str| {
        let name = name.strip_prefix('u').unwrap_or(name);
        name.strip_prefix("int")
            .is_some_and(|rest| ["8_t", "16_t", "32_t", "64_t", "ptr_t", "max_t"].contains(&rest))
    };
    for (header, needed) in [
        ("stdarg.h", any(&|name| name == "va_list")),
        (
            "stdbool.h",
            any(&|name| ["bool", "true", "false"].contains(&name)),
        ),
        (
            "stddef.h",
            any(&|name| ["size_t", "ptrdiff_t", "NULL", "wchar_t"].contains(&name)),
        ),
        ("stdint.h", any(&fixed)),
        ("sys/types.h", any(&|name| name == "ssize_t")),
        ("sel4/sel4.h", any(&|name| name.starts_with(SEL4))),
    ] {
        if needed {
            includes.push(header.to_owned());
        }
    }
    includes.extend(
        wanted
            .iter()
            .filter(|header| !includes.contains(header))
            .cloned()
            .collect::<Vec<_>>(),
    );
    includes
}

/// Types of Rust's library that cbindgen declares as opaque structs.
const OPAQUE: [&str; 17] = [
    "Arc",
    "BTreeMap",
    "BTreeSet",
    "Box",
    "HashMap",
    "HashSet",
    "LinkedList",
    "ManuallyDrop",
    "MaybeUninit",
    "NonNull",
    "Option",
    "Rc",
    "RefCell",
    "Result",
    "String",
    "Vec",
    "VecDeque",
];

/// Refuses a type by value whose layout C does not know.
pub fn by_value(crates: &Crates<'_>, text: &str, log: &Log) -> Result<()> {
    let names = identifiers(text);
    let mut opaque: BTreeMap<&str, bool> = BTreeMap::new();
    for pair in names.windows(3) {
        if let [("typedef", _), ("struct", named), (name, after)] = pair
            && !named.starts_with('{')
        {
            // `typedef struct X X;` without a body, as cbindgen writes it.
            opaque.insert(name, !after.starts_with('{'));
        }
    }
    for pair in names.windows(2) {
        if let [("struct", _), (name, after)] = pair
            && after.starts_with('{')
        {
            opaque.insert(name, false);
        }
    }
    for (name, after) in &names {
        let copied = after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        let declared = after
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(';'));
        if opaque.get(name) == Some(&true) && copied && !declared && !after.starts_with("const ") {
            let named = name.split('_').next().unwrap_or(name);
            if OPAQUE.contains(&named) {
                return Err(Failure::new(format!(
                    "{} has `{named}` by value, whose layout C does not know",
                    crates.users_of(named)
                ))
                .help(format!("use {TYPES}")));
            }
            let message = format!(
                "{} has the type `{name}` ({}) by value, but C does not know its layout",
                crates.users_of(name),
                crates.place_of(name)
            );
            // Types that have a representation lack something else.
            return Err(match log.reason_for_opaque(name) {
                Some(reason) if crates.has_repr(name) => {
                    Failure::new(format!("{message}: {reason}")).help(format!(
                        "give `{name}` fields that C has ({TYPES}), or pass a pointer"
                    ))
                }
                _ => Failure::new(message).help("add #[repr(C)] to the type, or pass a pointer"),
            });
        }
    }
    Ok(())
}

/// Refuses two different types of one name in the header, since C has no modules.
pub fn namesakes(crates: &Crates<'_>, text: &str) -> Result<()> {
    let used: BTreeSet<&str> = identifiers(text)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let mut known: BTreeMap<String, (&Parsed<'_>, &SourceItem)> = BTreeMap::new();
    for parsed in [&crates.own].into_iter().chain(&crates.others) {
        for source in &parsed.sources.items {
            let Some(ident) = type_ident(&source.item) else {
                continue;
            };
            let name = ident.unraw().to_string();
            // Types that are still behind a #[cfg] exclude each other.
            let conditional = attributes(&source.item)
                .iter()
                .any(|attribute| attribute.path().is_ident("cfg"));
            if conditional || !used.contains(&*name) {
                continue;
            }
            let (other, first) = *known.entry(name.clone()).or_insert((parsed, source));
            if first.item != source.item {
                let line =
                    |item: &Item| item_ident(item).map_or(1, |ident| ident.span().start().line);
                return Err(Failure::new(format!(
                    "two types are called `{name}`: `{}` and `{}`",
                    other.place(first, line(&first.item)),
                    parsed.place(source, line(&source.item))
                ))
                .help("rename one of them, since C has no modules to tell them apart"));
            }
        }
    }
    Ok(())
}
