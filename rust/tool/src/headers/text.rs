// SPDX-License-Identifier: BSD-2-Clause

//! Checks on the text of a generated header: names, includes, and types that C cannot use.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;
use syn::ext::IdentExt;

use super::crates::item_ident;
use super::exports::KEYWORDS;
use super::flat::Flat;
use super::settings::SEL4;
use crate::failure::{Failure, Result};

/// Returns whether the code of a header names `name`.
pub fn mentions(text: &str, name: &str) -> bool {
    tokens(text).contains(&name)
}

/// Returns the system headers that declare the names in `text`, and `wanted` ones.
pub fn includes(text: &str, wanted: &[String]) -> Vec<String> {
    // Values of macros have names as well; so have lines that end as on an old Macintosh.
    let text = text.replace('\r', "\n").replace("#define", "");
    let names: BTreeSet<&str> = tokens(&text).into_iter().collect();
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
        ("math.h", any(&|name| ["INFINITY", "NAN"].contains(&name))),
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

/// Macros of C's own that the headers which every program includes define.
const MACROS: [&str; 8] = [
    "BUFSIZ", "EOF", "NULL", "assert", "errno", "offsetof", "stderr", "stdout",
];

/// Returns whether each condition that the user's own lines open ends in them.
pub fn is_closed(lines: &str) -> bool {
    let count = |start: &str| {
        lines
            .lines()
            .filter(|line| line.trim_start().starts_with(start))
            .count()
    };
    count("#if") == count("#endif")
}

/// Returns the text without the parts under conditions, since those may exclude each other.
pub fn unconditional(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for line in text.lines() {
        let directive = line.trim_start();
        let opens = directive.starts_with("#if");
        if opens && (depth > 0 || !directive.ends_with("_H") && !directive.starts_with("#ifndef")) {
            depth += 1;
        } else if directive.starts_with("#endif") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// Returns the words and marks of C code outside comments, strings and directives.
pub fn tokens(text: &str) -> Vec<&str> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skip = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        let length = if rest.starts_with("/*") {
            skip("*/")
        } else if rest.starts_with("//") || letter == '#' {
            skip("\n")
        } else if letter == '"' || letter == '\'' {
            let end = rest
                .char_indices()
                .skip(1)
                .scan(false, |escaped, (at, each)| {
                    let ends = each == letter && !*escaped;
                    *escaped = each == '\\' && !*escaped;
                    Some((at, ends))
                });
            let end = end.filter(|(_, ends)| *ends).map(|(at, _)| at + 1);
            end.take(1).next().unwrap_or(rest.len())
        } else {
            let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            let end = end.max(letter.len_utf8());
            if !letter.is_whitespace() {
                found.push(&rest[..end]);
            }
            end
        };
        rest = &rest[length..];
    }
    found
}

/// Puts lines before and behind the definitions of the types for which `lines` has some.
///
/// cbindgen separates items by empty lines.
pub fn surrounded(text: &str, lines: impl Fn(&str) -> Option<(String, String)>) -> String {
    let blocks = text.split("\n\n").map(|block| {
        let tokens = tokens(block);
        // `struct Name {`, and `} Name;` or `typedef … Name;`.
        let defined = tokens.windows(3).find_map(|window| match window {
            ["struct" | "union" | "enum", name, "{" | ":"] => lines(name),
            _ => None,
        });
        let last = match tokens[..] {
            ["typedef" | "struct" | "union" | "enum", .., name, ";"] => lines(name),
            _ => None,
        };
        match defined.or(last) {
            Some((before, behind)) => {
                let block = block.trim_matches('\n');
                format!("{before}{block}\n{behind}")
            }
            None => block.to_owned(),
        }
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

/// Declares the structs and unions that the arguments of a function name first. They would be others in C.
pub fn declared(text: &str) -> String {
    let mut known = BTreeSet::new();
    let blocks = text.split("\n\n").map(|block| {
        let mut lines = String::new();
        let mut depth = 0_usize;
        for window in tokens(block).windows(2) {
            match *window {
                ["(", _] => depth += 1,
                [")", _] => depth = depth.saturating_sub(1),
                [kind @ ("struct" | "union"), name] if known.insert(name) && depth > 0 => {
                    lines += &format!("{kind} {name};\n");
                }
                _ => {}
            }
        }
        if lines.is_empty() {
            block.to_owned()
        } else {
            format!(
                "{}{lines}\n{}",
                if block.starts_with('\n') { "\n" } else { "" },
                block.trim_start()
            )
        }
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

/// Writes the numbers of 64 bits as C does where a `long` has as many.
pub fn long_numbers(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let start = line.trim_start();
        if ["*", "/*", "//"]
            .iter()
            .any(|comment| start.starts_with(comment))
        {
            return line.to_owned();
        }
        let words = line.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
        let words = words.map(|word| {
            let digits = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
            match digits.len() < word.len() && digits.trim_start_matches('u').starts_with("ll") {
                true => word.replacen("ll", "l", 1),
                false => word.to_owned(),
            }
        });
        words.collect::<String>()
    });
    lines.collect()
}

/// Gives each enum without a type the least size, as the ABI of bare-metal Arm and so Rust does. GCC for Linux takes an `int`.
pub fn least_enums(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let start = line.strip_prefix("typedef ").unwrap_or(line);
        match start.strip_prefix("enum ") {
            Some(name) if name.trim_end().ends_with('{') => {
                line.replacen("enum ", "enum __attribute__((packed)) ", 1)
            }
            _ => line.to_owned(),
        }
    });
    lines.collect()
}

/// Returns a struct or union that stands before the definition of a type that it has by value.
///
/// cbindgen writes types in the order in which it finds them, also behind pointers.
pub fn early(text: &str) -> Option<String> {
    let text = unconditional(text);
    let tokens = tokens(&text);
    let kinds = ["struct", "union"];
    let mut defined = BTreeSet::new();
    let mut holders: BTreeMap<&str, &str> = BTreeMap::new();
    let mut holder = None;
    let mut depth = 0_usize;
    for window in tokens.windows(4) {
        match window[0] {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            kind if kinds.contains(&kind) && window[2] == "{" && depth == 0 => {
                holder = Some(window[1]);
                defined.insert(window[1]);
                if let Some(early) = holders.get(window[1]) {
                    return Some((*early).to_owned());
                }
            }
            kind if kinds.contains(&kind) && depth > 0 => {
                // A name follows the type, and then the end of the field or an array.
                let by_value = window[2] != "*" && (window[3] == ";" || window[3] == "[");
                if let Some(holder) = holder
                    && by_value
                    && !defined.contains(window[1])
                {
                    holders.insert(window[1], holder);
                }
            }
            _ => {}
        }
    }
    None
}

/// Refuses two meanings of one name in C, which has neither modules nor names inside enums.
///
/// Macros that `own`, the user's part of the header, defines are the user's.
pub fn clashes(flat: &Flat, text: &str, own: &str) -> Result<()> {
    let text = unconditional(text);
    let mut macros = BTreeSet::new();
    let mut values = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("#define ") {
            let name = rest.split_whitespace().next().unwrap_or_default();
            let user = own.contains(&format!("define {name}"));
            if !user && !name.contains('(') && rest.len() > name.len() {
                macros.insert(name);
                if values.insert(name, rest).is_some_and(|other| other != rest) {
                    return Err(Failure::new(format!(
                        "two constants are called {} in C, one of them in an `impl` block",
                        named(flat, name)
                    ))
                    .help("rename one of them, or make it private"));
                }
            }
        }
    }
    for name in &macros {
        if MACROS.contains(name) || KEYWORDS.contains(name) {
            let kind = if MACROS.contains(name) {
                "macro"
            } else {
                "keyword"
            };
            return Err(Failure::new(format!(
                "the constant {} has the name of a {kind} of C",
                named(flat, name)
            ))
            .help("rename it, or make it private"));
        }
    }
    let tokens = tokens(&text);
    let token = |index: usize| tokens.get(index).copied().unwrap_or_default();
    // Enumerators, each with its enum; and other names of C's one space for functions, objects and types.
    let mut enumerators: BTreeMap<&str, &str> = BTreeMap::new();
    let mut others = BTreeSet::new();
    let mut types = BTreeSet::new();
    let mut functions = BTreeSet::new();
    let mut bodies = BTreeSet::new();
    let mut owner = None;
    let mut value = false;
    let mut start = "";
    let mut depth = 0_usize;
    for (index, word) in tokens.iter().enumerate() {
        match *word {
            "[" | "=" => value = true,
            "]" | "," | "}" | ";" => value = false,
            _ => {}
        }
        match *word {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                owner = None;
            }
            _ => {}
        }
        if !word.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
            continue;
        }
        if macros.contains(word) && !value {
            return Err(Failure::new(format!(
                "the constant {} has the name of {}, and C would replace the one by the other",
                named(flat, word),
                user_of(flat, word)
                    .unwrap_or_else(|| format!("something else in the header, `{word}`"))
            ))
            .help("rename one of them, or make the constant private"));
        }
        let before = if index == 0 { "" } else { tokens[index - 1] };
        if depth == 0 && ["", ";", "}"].contains(&before) && token(index + 1) != ";" {
            start = *word;
        }
        let defines = ["struct", "union", "enum"].contains(&before) && token(index + 1) == "{";
        let is_type = defines || start == "typedef" && token(index + 1) == ";" && depth == 0;
        if is_type && KEYWORDS.contains(word) {
            return Err(Failure::new(format!(
                "the type {} has the name of a keyword of C or C++",
                named(flat, word)
            ))
            .help("rename it, or give it another name in C by a line under `[export.rename]` in cbindgen.toml"));
        }
        if before == "enum" && token(index + 1) == "{" {
            owner = Some(*word);
        }
        if ["struct", "union", "enum"].contains(&before)
            && token(index + 1) == "{"
            && !bodies.insert(*word)
        {
            return Err(two_bodies(flat, word));
        }
        if let Some(owner) = owner
            && (before == "{" || before == ",")
        {
            let meaning = || format!("a value of the enum {}", named(flat, owner));
            if MACROS.contains(word) {
                return Err(Failure::new(format!(
                    "`{word}`, {}, has the name of a macro of C",
                    meaning()
                ))
                .help(PREFIX));
            }
            if let Some(other) = enumerators.insert(word, owner) {
                return Err(Failure::new(format!(
                    "`{word}` is {} and of the enum {}, and the two are one name in C",
                    meaning(),
                    named(flat, other)
                ))
                .help(PREFIX));
            }
        } else if token(index + 1) == ";" && (before == "}" || depth == 0)
            || token(index + 1) == "(" && depth == 0
        {
            others.insert(*word);
            let ends = token(index + 1) == ";";
            if depth == 0 && ends && (before == "}" || start == "typedef") {
                types.insert(*word);
            } else if depth == 0 && start != "typedef" && (ends || token(index + 2) != "*") {
                functions.insert(*word);
            }
        }
    }
    if let Some(name) = types.intersection(&functions).next() {
        let places = flat.0.iter().filter_map(|flat| {
            let found = item_ident(&flat.item).is_some_and(|ident| ident.unraw() == *name);
            found.then(|| format!("`{}`", flat.place))
        });
        let places: Vec<String> = places.collect();
        return Err(Failure::new(format!(
            "`{name}` is a type and a function or variable ({}), and the two are one name in C",
            places.join(" and ")
        ))
        .help("rename one of them, or write `style = \"tag\"` into the cbindgen.toml beside Cargo.toml"));
    }
    for (name, owner) in enumerators {
        if others.contains(name) {
            let other = match flat.place_of(name) {
                Some(place) => format!("the item `{name}` (`{place}`)"),
                None => user_of(flat, name)
                    .unwrap_or_else(|| format!("something else in the header, `{name}`")),
            };
            return Err(Failure::new(format!(
                "`{name}` is a value of the enum {} and the name of {}, and the two are one name in C",
                named(flat, owner),
                other
            ))
            .help(PREFIX));
        }
    }
    Ok(())
}

/// Refuses names in a header that C's compiler, or the headers that most programs include, replace by something else.
///
/// `exports` has the place of each, and `defines` the compiler's list of macros: `#define NAME VALUE`.
pub fn macros_of_c(
    flat: &Flat,
    header: &str,
    exports: &BTreeMap<String, String>,
    defines: &str,
) -> Result<()> {
    let lines = |text: &str| {
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("#define "));
        let lines = lines.map(|line| {
            let end = line.find([' ', '(']).unwrap_or(line.len());
            let (name, value) = line.split_at(end);
            (
                name.to_owned(),
                value.trim().to_owned(),
                value.starts_with('('),
            )
        });
        lines.collect::<Vec<_>>()
    };
    let of_c: BTreeMap<String, (String, bool)> = lines(defines)
        .into_iter()
        .map(|(name, value, has_arguments)| (name, (value, has_arguments)))
        .collect();
    let is_constant = |name: &str| {
        let mut items = flat.0.iter();
        items.any(|flat| matches!(&flat.item, Item::Const(item) if item.ident.unraw() == name))
    };
    for (name, value, _) in lines(header) {
        // C lets an equal definition pass.
        if of_c.get(&name).is_some_and(|(of_c, _)| *of_c != value) && is_constant(&name) {
            return Err(Failure::new(format!(
                "the constant {} has the name of a macro of C",
                named(flat, &name)
            ))
            .help("rename it, or make it private"));
        }
    }
    let tokens = tokens(header);
    for (index, word) in tokens.iter().enumerate() {
        let Some((value, has_arguments)) = of_c.get(*word) else {
            continue;
        };
        let called = tokens.get(index + 1) == Some(&"(");
        if value.trim_matches(['(', ')']) == *word || *has_arguments && !called {
            continue;
        }
        let what = match exports.get(*word) {
            Some(place) => format!("the export `{word}` (`{place}`)"),
            None if *has_arguments || is_constant(word) => continue,
            None => match user_of(flat, word) {
                Some(what) => what,
                None => continue,
            },
        };
        return Err(Failure::new(format!("{what} has the name of a macro of C")).help(
            "rename it; an export has another name in C by #[unsafe(export_name = \"...\")], and variants by \
             `prefix_with_name = true` under `[enum]` in cbindgen.toml",
        ));
    }
    Ok(())
}

/// Next step for names of variants that clash.
const PREFIX: &str = "put `prefix_with_name = true` under `[enum]` into the cbindgen.toml beside Cargo.toml, or rename one of them";

/// Returns a name with its place. The enum of a type with fields has a name of its own.
fn named(flat: &Flat, name: &str) -> String {
    let tagged = name
        .strip_suffix("_Tag")
        .filter(|_| flat.place_of(name).is_none());
    let name = tagged.unwrap_or(name);
    match flat.place_of(name) {
        Some(place) => format!("`{name}` (`{place}`)"),
        None => format!("`{name}`"),
    }
}

/// Returns the failure for two variants whose fields become structs of one name.
fn two_bodies(flat: &Flat, name: &str) -> Failure {
    let variant = name.strip_suffix("_Body").unwrap_or(name);
    let enums = flat.0.iter().filter_map(|item| match &item.item {
        Item::Enum(found)
            if found
                .variants
                .iter()
                .any(|each| each.ident.unraw() == variant) =>
        {
            Some(format!("`{}` (`{}`)", found.ident.unraw(), item.place))
        }
        _ => None,
    });
    let enums = enums.collect::<Vec<_>>().join(" and ");
    Failure::new(format!(
        "two structs of the header are called `{name}`, for the variants `{variant}` of {enums}"
    ))
    .help(PREFIX)
}

/// Returns the thing that bears a name in the header, if it is not made by cbindgen.
fn user_of(flat: &Flat, name: &str) -> Option<String> {
    let found = flat.0.iter().find_map(|flat| {
        let of = |kind: &str| {
            let ident = item_ident(&flat.item).map(|ident| ident.unraw().to_string());
            let ident = ident.unwrap_or_default();
            Some(format!("{kind} `{name}` of `{ident}` (`{}`)", flat.place))
        };
        let is_field = |field: &syn::Field| {
            field
                .ident
                .as_ref()
                .is_some_and(|ident| ident.unraw() == name)
        };
        match &flat.item {
            Item::Struct(item) if item.fields.iter().any(is_field) => of("the field"),
            Item::Union(item) if item.fields.named.iter().any(is_field) => of("the field"),
            Item::Enum(item) => {
                let mut variants = item.variants.iter();
                if variants.any(|variant| variant.ident.unraw() == name) {
                    return of("the variant");
                }
                let mut fields = item.variants.iter().flat_map(|variant| &variant.fields);
                fields.any(is_field).then(|| of("the field"))?
            }
            Item::Fn(item) => {
                let mut inputs = item.sig.inputs.iter();
                let is_argument = inputs.any(|input| match input {
                    syn::FnArg::Typed(input) => {
                        matches!(&*input.pat, syn::Pat::Ident(pat) if pat.ident.unraw() == name)
                    }
                    syn::FnArg::Receiver(_) => false,
                });
                is_argument.then(|| of("the argument"))?
            }
            _ => None,
        }
    });
    found.or_else(|| {
        let other = flat.0.iter().find(|flat| {
            !matches!(flat.item, Item::Const(_))
                && item_ident(&flat.item).is_some_and(|ident| ident.unraw() == name)
        });
        other.map(|other| format!("an item `{name}` (`{}`)", other.place))
    })
}
