// SPDX-License-Identifier: BSD-2-Clause

//! The crate and its path dependencies, parsed, with the places of their items.

use std::collections::BTreeSet;
use std::path::PathBuf;

use quote::ToTokens;
use syn::Item;
use syn::ext::IdentExt;

use crate::cargo::{Metadata, Package};
use crate::failure::{Failure, Result};
use crate::headers::source::{Cfg, SourceItem, Sources, attributes};

/// A crate and the path dependencies whose types it may use.
pub struct Crates<'a> {
    /// The crate itself.
    pub own: Parsed<'a>,
    /// Path dependencies, nearest first.
    pub others: Vec<Parsed<'a>>,
}

/// One parsed crate.
pub struct Parsed<'a> {
    pub package: &'a Package,
    pub sources: Sources,
}

impl<'a> Crates<'a> {
    /// Reads the package `id` and its path dependencies.
    pub fn load(graph: &'a Metadata, id: &str) -> Result<Self> {
        let mut parsed = graph
            .closure(id)
            .into_iter()
            .filter(|package| package.source.is_none())
            .filter_map(|package| Parsed::load(graph, package).transpose());
        let own = parsed.next().unwrap_or_else(|| {
            Err(Failure::new(format!("`{id}` has no library"))
                .help("move the code into src/lib.rs"))
        })?;
        Ok(Self {
            own,
            others: parsed.collect::<Result<_>>()?,
        })
    }

    /// Returns every file that was read.
    pub fn files(&self) -> BTreeSet<PathBuf> {
        let all = self.others.iter().chain([&self.own]);
        all.flat_map(|parsed| {
            parsed
                .sources
                .files
                .iter()
                .chain([&parsed.package.manifest_path])
        })
        .cloned()
        .collect()
    }

    /// Returns the `file:line` of the item `name`; methods are named `Type::method`.
    pub fn place_of(&self, name: &str) -> String {
        let last = name.rsplit("::").next().unwrap_or(name);
        for parsed in [&self.own].into_iter().chain(&self.others) {
            for source in &parsed.sources.items {
                let mut idents: Vec<&syn::Ident> = item_ident(&source.item).into_iter().collect();
                if let Item::Impl(block) = &source.item {
                    idents.extend(block.items.iter().filter_map(|item| match item {
                        syn::ImplItem::Fn(item) => Some(&item.sig.ident),
                        syn::ImplItem::Const(item) => Some(&item.ident),
                        _ => None,
                    }));
                }
                if let Some(ident) = idents.into_iter().find(|ident| ident.unraw() == last) {
                    return format!("`{}`", parsed.place(source, ident.span().start().line));
                }
            }
        }
        format!("crate `{}`", self.own.package.name)
    }

    /// Returns whether the type `name` has a `#[repr]`.
    pub fn has_repr(&self, name: &str) -> bool {
        let all = [&self.own].into_iter().chain(&self.others);
        let mut items = all.flat_map(|parsed| &parsed.sources.items);
        items.any(|source| {
            type_ident(&source.item).is_some_and(|ident| ident.unraw() == name)
                && attributes(&source.item)
                    .iter()
                    .any(|attribute| attribute.path().is_ident("repr"))
        })
    }

    /// Lists the items of the crate whose declaration names `name`, for a message.
    pub fn users_of(&self, name: &str) -> String {
        let users = self.own.sources.items.iter().filter_map(|source| {
            let ident = item_ident(&source.item).filter(|ident| *ident != name)?;
            let mut item = source.item.clone();
            if let Item::Fn(function) = &mut item {
                function.block.stmts.clear();
            }
            mentions(item.to_token_stream(), name).then(|| {
                let place = self.own.place(source, ident.span().start().line);
                format!("`{}` (`{place}`)", ident.unraw())
            })
        });
        let users: Vec<String> = users.take(3).collect();
        if users.is_empty() {
            "an export".to_owned()
        } else {
            users.join(", ")
        }
    }
}

impl<'a> Parsed<'a> {
    /// Parses a package. Returns `None` if it has no library, or is a procedural macro.
    fn load(graph: &Metadata, package: &'a Package) -> Result<Option<Self>> {
        let Some(library) = package.library() else {
            return Ok(None);
        };
        if library.kind.iter().any(|kind| kind == "proc-macro") {
            return Ok(None);
        }
        let cfg = Cfg {
            features: graph.node(&package.id).map(|node| node.features.clone()),
        };
        let sources = Sources::load(&library.src_path, &cfg).map_err(|error| {
            Failure::new(format!(
                "`{}:{}` does not parse: {}",
                error.file.display(),
                error.line,
                error.message
            ))
            .help(format!(
                "cargo check --manifest-path {}",
                package.manifest_path.display()
            ))
        })?;
        Ok(Some(Self { package, sources }))
    }

    /// Returns the `file:line` of an item.
    pub fn place(&self, source: &SourceItem, line: usize) -> String {
        format!("{}:{line}", self.sources.path(source).display())
    }
}

/// Returns whether the identifier `name` is among the tokens.
fn mentions(tokens: proc_macro2::TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == name,
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// Returns the name of an item that has one.
pub fn item_ident(item: &Item) -> Option<&syn::Ident> {
    Some(match item {
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Const(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    })
}

/// Returns the name of the type that `item` defines.
pub fn type_ident(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Struct(_) | Item::Enum(_) | Item::Union(_) | Item::Type(_) => item_ident(item),
        _ => None,
    }
}
