// SPDX-License-Identifier: BSD-2-Clause

//! The single source file that cbindgen reads.
//!
//! The file has no modules, as C has none; no declarations of C functions, which have their own headers; no constants
//! that cbindgen would get wrong; and only the types of other crates.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, Item};

use super::crates::{Crates, type_ident};
use super::settings::Settings;

/// Name of the file. cbindgen takes its stem for the name of the crate.
pub const FILE: &str = "flat.rs";

/// Returns the text of the file.
pub fn text(crates: &Crates<'_>, settings: &Settings) -> String {
    let wanted = |ident: &syn::Ident| !settings.known_to_c.has(&ident.unraw().to_string());
    let constants = Constants::find(crates);
    let mut text = String::new();
    let mut add = |item: &Item| text += &format!("{}\n", item.to_token_stream());
    for source in &crates.own.sources.items {
        match &source.item {
            Item::Use(_) | Item::ExternCrate(_) | Item::ForeignMod(_) | Item::Trait(_) => {}
            Item::Const(item) if !constants.are_plain(&item.expr) => {
                if is_public(&item.vis) && is_number(&item.ty) {
                    let line = item.ident.span().start().line;
                    eprintln!(
                        "warning: {}: the constant `{}` is not in the header, since its value is not arithmetic on numbers",
                        crates.own.place(source, line),
                        item.ident
                    );
                }
            }
            Item::Impl(block) => {
                let mut block = block.clone();
                block.items.retain(|item| match item {
                    syn::ImplItem::Const(item) => constants.are_plain(&item.expr),
                    _ => true,
                });
                add(&Item::Impl(block));
            }
            item if type_ident(item).is_some_and(|ident| !wanted(ident)) => {}
            item => add(item),
        }
    }
    let others = crates.others.iter();
    for source in others.flat_map(|parsed| &parsed.sources.items) {
        if type_ident(&source.item).is_some_and(wanted) {
            add(&source.item);
        }
    }
    text
}

/// Names of public constants that C can express, on which other constants may build.
struct Constants(BTreeSet<String>);

impl Constants {
    fn find(crates: &Crates<'_>) -> Self {
        let items = crates.own.sources.items.iter();
        let names = items.filter_map(|source| match &source.item {
            Item::Const(item) if is_public(&item.vis) => Some((item.ident.to_string(), &item.expr)),
            _ => None,
        });
        let candidates: Vec<_> = names.collect();
        // First constants made of literals, then constants made of those, and so on.
        let mut known = Self(BTreeSet::new());
        loop {
            let before = known.0.len();
            for (name, value) in &candidates {
                if known.are_plain(value) {
                    known.0.insert(name.clone());
                }
            }
            if known.0.len() == before {
                return known;
            }
        }
    }

    /// Returns whether a value is arithmetic on numbers, which C has as well.
    fn are_plain(&self, value: &Expr) -> bool {
        match value {
            Expr::Lit(literal) => !matches!(
                literal.lit,
                syn::Lit::Str(_) | syn::Lit::ByteStr(_) | syn::Lit::CStr(_)
            ),
            Expr::Unary(unary) => self.are_plain(&unary.expr),
            Expr::Binary(binary) => self.are_plain(&binary.left) && self.are_plain(&binary.right),
            Expr::Cast(cast) => is_number(&cast.ty) && self.are_plain(&cast.expr),
            Expr::Paren(inner) => self.are_plain(&inner.expr),
            Expr::Group(inner) => self.are_plain(&inner.expr),
            Expr::Path(path) => {
                let ident = path.path.get_ident().map(ToString::to_string);
                ident.is_some_and(|ident| self.0.contains(&ident))
            }
            _ => false,
        }
    }
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

/// Returns whether C has this type. Nobody expects a constant of any other type in a header.
fn is_number(ty: &syn::Type) -> bool {
    const NUMBERS: [&str; 14] = [
        "bool", "char", "f32", "f64", "i16", "i32", "i64", "i8", "isize", "u16", "u32", "u64",
        "u8", "usize",
    ];
    let syn::Type::Path(path) = ty else {
        return false;
    };
    let ident = path.path.get_ident().map(ToString::to_string);
    ident.is_some_and(|ident| NUMBERS.contains(&&*ident))
}
