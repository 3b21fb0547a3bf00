// SPDX-License-Identifier: BSD-2-Clause

//! Types of camkes.h in the signatures of exports: C has them, from a header that differs between instances.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;

use super::crates::Crates;

/// Header that declares the types.
pub const HEADER: &str = "camkes.h";

/// Returns the names that the crates take from the raw bindings of libsel4-camkes.
pub fn types(crates: &Crates<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for parsed in &crates.all {
        let bindings = parsed.dependencies.iter().find(|(_, index)| {
            index.is_some_and(|index| crates.all[index].package.name == "libsel4-camkes")
        });
        let Some((name, _)) = bindings else {
            continue;
        };
        let mut paths = Vec::new();
        for source in &parsed.sources.items {
            find_paths(source.item.to_token_stream(), &[], &mut paths);
        }
        let sys = [name.replace('-', "_"), "sys".to_owned()];
        // After `use camkes::sys`, the module has the short name too.
        let is_imported = paths.iter().any(|path| {
            *path == sys || matches!(path.strip_prefix(&sys), Some([last]) if last == "self")
        });
        for path in &paths {
            let mut rest = path.strip_prefix(&sys);
            if is_imported {
                rest = rest.or(path.strip_prefix(&sys[1..]));
            }
            found.extend(rest.and_then(|rest| rest.first()).cloned());
        }
    }
    found
}

/// Collects the paths in Rust code, those in the braces of a `use` with what stands `before` them.
fn find_paths(tokens: TokenStream, before: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = before.to_owned();
    let mut colons = 0;
    for token in tokens {
        let goes_on = colons == 2;
        match token {
            TokenTree::Punct(mark) if mark.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Ident(name) => {
                if !goes_on && path.len() > before.len() {
                    paths.push(std::mem::replace(&mut path, before.to_owned()));
                }
                path.push(name.to_string());
            }
            TokenTree::Group(group) => {
                let inner = goes_on && group.delimiter() == Delimiter::Brace;
                find_paths(group.stream(), if inner { &path } else { &[] }, paths);
            }
            _ => {
                if path.len() > before.len() {
                    paths.push(std::mem::replace(&mut path, before.to_owned()));
                }
            }
        }
        colons = 0;
    }
    if path.len() > before.len() {
        paths.push(path);
    }
}
