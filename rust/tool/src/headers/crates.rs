// SPDX-License-Identifier: BSD-2-Clause

//! The crate and its path dependencies, parsed, with the places of their items.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use syn::Item;

use crate::cargo::{Metadata, Package};
use crate::failure::{Failure, Result};
use crate::headers::Request;
use crate::headers::source::{Cfg, SourceItem, Sources};
use crate::output;

/// A crate and the path dependencies whose items it may use, the crate itself first, then nearest first.
pub struct Crates<'a>(pub Vec<Parsed<'a>>);

/// One parsed crate.
pub struct Parsed<'a> {
    pub package: &'a Package,
    pub sources: Sources,
    /// Crates that this one may name: index into [`Crates`], or `None` for one that is not parsed.
    pub dependencies: BTreeMap<String, Option<usize>>,
}

impl<'a> Crates<'a> {
    /// Reads the package `id` and its path dependencies.
    pub fn load(graph: &'a Metadata, id: &str, request: &Request) -> Result<Self> {
        let mut all = Vec::new();
        for package in graph.closure(id) {
            if (package.source.is_none() || package.id == id)
                && let Some(parsed) = Parsed::load(graph, package, request)?
            {
                all.push(parsed);
            } else if package.id == id {
                return Err(Failure::new(format!("`{id}` has no library"))
                    .help("move the code into src/lib.rs"));
            }
        }
        let indices: BTreeMap<&str, usize> = all
            .iter()
            .enumerate()
            .map(|(index, parsed)| (&*parsed.package.id, index))
            .collect();
        for parsed in &mut all {
            let edges = graph
                .node(&parsed.package.id)
                .map_or(&[][..], |node| &node.deps);
            let names = edges.iter().map(|edge| {
                let index = indices.get(&*edge.pkg).copied();
                (edge.name.clone(), index)
            });
            parsed.dependencies = names.collect();
        }
        Ok(Self(all))
    }

    /// Returns the crate itself.
    pub fn own(&self) -> &Parsed<'a> {
        &self.0[0]
    }

    /// Returns every file that was read.
    pub fn files(&self) -> BTreeSet<PathBuf> {
        let all = self.0.iter().flat_map(|parsed| {
            let manifest = [&parsed.package.manifest_path];
            parsed.sources.files.iter().chain(manifest)
        });
        all.cloned().collect()
    }
}

impl<'a> Parsed<'a> {
    /// Parses a package. Returns `None` if it has no library, or is a procedural macro.
    fn load(graph: &Metadata, package: &'a Package, request: &Request) -> Result<Option<Self>> {
        let Some(library) = package.library() else {
            return Ok(None);
        };
        if library.kind.iter().any(|kind| kind == "proc-macro") {
            return Ok(None);
        }
        let cfg = Cfg {
            features: graph.node(&package.id).map(|node| node.features.clone()),
            target: request.cargo.target.clone(),
            out_dirs: out_dirs(request.target_folder.as_deref(), &package.name),
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
        Ok(Some(Self {
            package,
            sources,
            dependencies: BTreeMap::new(),
        }))
    }

    /// Returns the `file:line` of an item.
    pub fn place(&self, source: &SourceItem, line: usize) -> String {
        format!("{}:{line}", self.sources.path(source).display())
    }
}

/// Returns the folders below cargo's that build scripts of the package wrote to, the newest first.
fn out_dirs(folder: Option<&Path>, package: &str) -> Vec<PathBuf> {
    let profiles = folder.map(output::profiles).unwrap_or_default();
    let runs = profiles
        .iter()
        .filter_map(|folder| fs::read_dir(folder.join("build")).ok());
    let runs = runs.flatten().flatten().map(|entry| entry.path());
    let prefix = format!("{package}-");
    let mut found: Vec<(SystemTime, PathBuf)> = runs
        .filter(|run| {
            let name = run.file_name().unwrap_or_default().to_string_lossy();
            name.strip_prefix(&prefix)
                .is_some_and(|hash| !hash.contains('-'))
        })
        .filter_map(|run| {
            let out = run.join("out");
            Some((out.metadata().ok()?.modified().ok()?, out))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, out)| out).collect()
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
