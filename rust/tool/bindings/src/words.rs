// SPDX-License-Identifier: BSD-2-Clause

//! Wrappers with structures of one word, on 32-bit Arm.
//!
//! C passes such a structure as it passes a word. But LLVM sees an array from clang and a word from rustc, and does not
//! inline a function into a call with other types. On that architecture the wrappers take words instead.

use std::collections::BTreeSet;

use syn::{File, Item, Type};

use super::{Request, layout};

/// Returns the C wrappers of the bindings `file`, changed where the target requires it.
pub fn passed(request: &Request, wrappers: String, file: &File) -> String {
    if !request.target.starts_with("arm") {
        return wrappers;
    }
    let known = structures(file, request.word_bytes());
    let lines = wrappers
        .lines()
        .map(|line| line_with_words(line, &known).unwrap_or_else(|| line.to_owned()) + "\n");
    lines.collect()
}

/// Returns the names of structures of one word, aliases included.
fn structures(file: &File, word_bytes: u32) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = layout::sizes(file)
        .filter(|(_, size)| *size == word_bytes.to_string())
        .map(|(name, _)| name)
        .collect();
    for item in &file.items {
        if let Item::Type(alias) = item
            && let Type::Path(path) = &*alias.ty
            && path
                .path
                .get_ident()
                .is_some_and(|name| found.contains(&name.to_string()))
        {
            found.insert(alias.ident.to_string());
        }
    }
    found
}

/// Changes one wrapper, as bindgen writes it. Returns `None` if no parameter is a structure of one word.
fn line_with_words(line: &str, known: &BTreeSet<String>) -> Option<String> {
    let (head, rest) = line.split_once("__extern(")?;
    let (parameters, body) = rest.split_once(") { ")?;
    let (call, arguments) = body.strip_suffix("); }")?.split_once('(')?;
    let mut changed = false;
    let mut passed = Vec::new();
    let mut taken = Vec::new();
    for (parameter, argument) in parameters.split(", ").zip(arguments.split(", ")) {
        let (ty, name) = parameter.rsplit_once(' ')?;
        if known.contains(ty.trim_start_matches("struct ")) && name == argument {
            changed = true;
            taken.push(format!("seL4_Word {name}"));
            passed.push(format!(
                "((union {{ seL4_Word word; {ty} whole; }}) {{ {name} }}).whole"
            ));
        } else {
            taken.push(parameter.to_owned());
            passed.push(argument.to_owned());
        }
    }
    changed.then(|| {
        format!(
            "{head}__extern({}) {{ {call}({}); }}",
            taken.join(", "),
            passed.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_of_a_word_and_nothing_else_become_words() {
        let known = [
            "seL4_MessageInfo_t".to_owned(),
            "seL4_MessageInfo".to_owned(),
        ]
        .into();
        let line = |line| line_with_words(line, &known);
        assert_eq!(
            line(
                "void send__extern(seL4_CPtr dest, seL4_MessageInfo_t info) { send(dest, info); }"
            )
            .as_deref(),
            Some(
                "void send__extern(seL4_CPtr dest, seL4_Word info) { send(dest, ((union { seL4_Word word; seL4_MessageInfo_t whole; }) { info }).whole); }"
            )
        );
        assert_eq!(
            line("void set__extern(seL4_MessageInfo_t *info) { set(info); }"),
            None
        );
        assert_eq!(line("seL4_Word get__extern(void) { return get(); }"), None);
        assert_eq!(line("#include <sel4/sel4.h>"), None);
    }
}
