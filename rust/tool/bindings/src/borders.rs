// SPDX-License-Identifier: BSD-2-Clause

//! Borders of the bindings of one library: types that libsel4-sys has, and what of the headers Rust does not get.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use syn::{Expr, File, ForeignItem, Item, Stmt, Type, UseTree, parse_quote};

use super::unit::Unit;

/// Replaces by those of libsel4-sys the items that headers in the folders `sys` declare; `places` are the files that
/// declare items.
pub fn reuse(file: &mut File, sys: &[PathBuf], places: &BTreeMap<String, PathBuf>) {
    let is_theirs = |name: &str| {
        let place = places.get(name);
        place.is_some_and(|place| sys.iter().any(|folder| place.starts_with(folder)))
    };
    let mut types = BTreeSet::new();
    file.items.retain(|item| match item {
        Item::Struct(syn::ItemStruct { ident, .. })
        | Item::Union(syn::ItemUnion { ident, .. })
        | Item::Type(syn::ItemType { ident, .. }) => {
            let theirs = is_theirs(&ident.to_string());
            if theirs {
                types.insert(ident.clone());
            }
            !theirs
        }
        // `pub use self::tag as name`, a typedef of an enumeration.
        Item::Use(item) => match renamed(&item.tree) {
            Some(name) if is_theirs(&name.to_string()) => {
                types.insert(name);
                false
            }
            _ => true,
        },
        _ => true,
    });
    let is_type = |ty: &Type| match ty {
        Type::Path(path) => path
            .path
            .get_ident()
            .is_some_and(|name| types.contains(name)),
        _ => false,
    };
    file.items.retain(|item| match item {
        Item::Const(item) if item.ident == "_" => !tests_one_of(&item.expr, &is_theirs),
        Item::Const(item) => !is_type(&item.ty) && !is_theirs(&item.ident.to_string()),
        Item::Impl(item) => !is_type(&item.self_ty),
        _ => true,
    });
    if !types.is_empty() {
        // A crate that includes the bindings depends on libsel4-kit-sys.
        file.items
            .insert(0, parse_quote!(pub use ::libsel4_sys::{#(#types),*};));
    }
}

fn renamed(tree: &UseTree) -> Option<syn::Ident> {
    match tree {
        UseTree::Path(path) => renamed(&path.tree),
        UseTree::Rename(pair) => Some(pair.rename.clone()),
        _ => None,
    }
}

/// Returns whether `test`, a block of layout tests, is about a type that `is_theirs`.
fn tests_one_of(test: &Expr, is_theirs: &impl Fn(&str) -> bool) -> bool {
    let Expr::Block(body) = test else {
        return false;
    };
    body.block.stmts.iter().any(|statement| {
        let Stmt::Expr(Expr::Index(line), _) = statement else {
            return false;
        };
        let Expr::Array(what) = &*line.expr else {
            return false;
        };
        let Some(Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(what),
            ..
        })) = what.elems.first()
        else {
            return false;
        };
        let what = what.value();
        what.strip_prefix("Size of ").is_some_and(is_theirs)
    })
}

/// Returns lines of comments that name what Rust does not get, and why: macros and functions of the library in `unit` that
/// `file` lacks, its thread-local variables, and `headers` with the errors for which they were left out.
pub fn left_out(file: &File, unit: &Unit, headers: &[(String, String)]) -> String {
    let mut known = BTreeSet::new();
    for item in &file.items {
        match item {
            Item::Const(item) => {
                known.insert(item.ident.to_string());
            }
            Item::ForeignMod(block) => {
                known.extend(block.items.iter().filter_map(|item| match item {
                    ForeignItem::Fn(function) => Some(function.sig.ident.to_string()),
                    ForeignItem::Static(variable) => Some(variable.ident.to_string()),
                    _ => None,
                }))
            }
            _ => {}
        }
    }
    // bindgen appends an underscore to names that are keywords of Rust.
    let is_known = |name: &str| known.contains(name) || known.contains(&format!("{name}_"));
    let mut lines = Vec::new();
    for (header, error) in headers {
        lines.push(format!("`<{header}>` does not compile: {error}"));
    }
    for name in &unit.thread_locals {
        lines.push(format!("`{name}` is thread-local"));
    }
    for name in unit.functions.iter().filter(|name| !is_known(name)) {
        lines.push(format!(
            "`{name}()` is an inline function that no wrapper can call, as with a variable number of arguments"
        ));
    }
    for (name, takes_arguments) in &unit.macros {
        // Reserved names, which mostly guard a header or a declaration.
        if name.starts_with('_') || name.starts_with("CONFIG_") || is_known(name) {
            continue;
        }
        lines.push(match takes_arguments {
            true => format!("`{name}(…)` is a macro with arguments"),
            false => format!("`{name}` is a macro, and its value is neither a number nor text"),
        });
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut text =
        "// Not bound; a `static inline` function in a header of the library can stand for each:\n"
            .to_owned();
    for line in lines {
        text += &format!("// * {}\n", line.replace('\n', " "));
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_libsel4_are_those_of_libsel4_sys() {
        let mut file: File = syn::parse_quote! {
            pub type seL4_CPtr = usize;
            pub use self::seL4_Fault as seL4_Fault_t;
            pub struct own { pub cap: seL4_CPtr }
            pub const seL4_Bad: seL4_Fault_t = 1;
            const _: () = { ["Size of seL4_Pair"][::core::mem::size_of::<seL4_Pair>() - 8usize]; };
            const _: () = { ["Size of own"][::core::mem::size_of::<own>() - 8usize]; };
            pub struct seL4_Pair { pub one: u32 }
            impl Default for seL4_Pair {}
        };
        let place = |name: &str, file: &str| (name.to_owned(), PathBuf::from(file));
        let places = BTreeMap::from([
            place("seL4_CPtr", "/sel4/include/sel4/types.h"),
            place("seL4_Fault_t", "/sel4/include/sel4/types.h"),
            place("seL4_Pair", "/sel4/include/sel4/types.h"),
            place("own", "/own/include/own.h"),
        ]);
        reuse(&mut file, &["/sel4/include".into()], &places);
        let expected: File = syn::parse_quote! {
            pub use ::libsel4_sys::{seL4_CPtr, seL4_Fault_t, seL4_Pair};
            pub struct own { pub cap: seL4_CPtr }
            const _: () = { ["Size of own"][::core::mem::size_of::<own>() - 8usize]; };
        };
        assert_eq!(
            prettyplease::unparse(&file),
            prettyplease::unparse(&expected)
        );
    }

    #[test]
    fn what_is_not_bound_is_named_with_the_reason() {
        let file: File = syn::parse_quote! {
            pub const LED_MAX: usize = 8;
            unsafe extern "C" { pub fn led_add(n: u32); }
        };
        let name = |name: &str| name.to_owned();
        let unit = Unit {
            thread_locals: [name("led_mine")].into(),
            macros: [
                (name("LED_MAX"), false),
                (name("LED_BIT"), true),
                (name("LED_NULL"), false),
                (name("_LED_H"), false),
            ]
            .into(),
            functions: [name("led_add"), name("led_log")].into(),
            ..Unit::default()
        };
        let headers = [(name("led/old.h"), name("led/old.h:3: error: no type"))];
        let text = left_out(&file, &unit, &headers);
        for line in [
            "`<led/old.h>` does not compile: led/old.h:3: error: no type",
            "`led_mine` is thread-local",
            "`led_log()` is an inline function",
            "`LED_BIT(…)` is a macro with arguments",
            "`LED_NULL` is a macro, and its value is neither",
        ] {
            assert!(text.contains(&format!("// * {line}")), "{line}:\n{text}");
        }
        assert_eq!(text.lines().count(), 7, "{text}");
    }
}
