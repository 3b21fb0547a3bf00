// SPDX-License-Identifier: BSD-2-Clause

//! The crate and its path dependencies, parsed, with the places of their items.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use syn::Item;

use crate::cargo::{Metadata, Package};
use crate::failure::{Failure, Result};
use crate::headers::Request;
use crate::headers::source::{Cfg, SourceItem, Sources};
use crate::output;

/// A crate and the path dependencies whose items it may use, the crate itself first, then nearest first.
pub struct Crates<'a> {
    pub all: Vec<Parsed<'a>>,
    /// Those that several libraries of a bundle have.
    pub shared: BTreeSet<usize>,
}

/// One parsed crate.
pub struct Parsed<'a> {
    pub package: &'a Package,
    pub sources: Sources,
    /// Crates that this one may name: index into [`Crates`], or `None` for one that is not parsed.
    pub dependencies: BTreeMap<String, Option<usize>>,
    /// Cfgs that the build script sets, if it has run.
    pub cfgs: Vec<String>,
}

impl<'a> Crates<'a> {
    /// Reads the package `id` and its path dependencies.
    pub fn load(graph: &'a Metadata, id: &str, request: &Request) -> Result<Self> {
        let mut all = Vec::new();
        let known = request.exact.then(|| cfgs(request)).transpose()?;
        for package in graph.closure(id) {
            if (package.source.is_none() || package.id == id)
                && let Some(parsed) = Parsed::load(graph, package, request, known.as_ref())?
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
        let shared = shared(graph, &all);
        Ok(Self { all, shared })
    }

    /// Returns the crate itself.
    pub fn own(&self) -> &Parsed<'a> {
        &self.all[0]
    }

    /// Returns every file that was read.
    pub fn files(&self) -> BTreeSet<PathBuf> {
        let all = self.all.iter().flat_map(|parsed| {
            let manifest = [&parsed.package.manifest_path];
            parsed.sources.files.iter().chain(manifest)
        });
        all.cloned().collect()
    }
}

impl<'a> Parsed<'a> {
    /// Parses a package. Returns `None` if it has no library, or is a procedural macro.
    fn load(
        graph: &Metadata,
        package: &'a Package,
        request: &Request,
        known: Option<&BTreeSet<String>>,
    ) -> Result<Option<Self>> {
        let Some(library) = package.library() else {
            return Ok(None);
        };
        if library.kind.iter().any(|kind| kind == "proc-macro") {
            return Ok(None);
        }
        let out_dirs = out_dirs(request.target_folder.as_deref(), &package.name);
        let output = out_dirs
            .first()
            .and_then(|out| fs::read_to_string(out.with_file_name("output")).ok());
        let output = output.unwrap_or_default();
        let lines = output
            .lines()
            .filter_map(|line| line.strip_prefix("cargo:"));
        // Newer scripts write two colons.
        let lines = lines.map(|line| line.trim_start_matches(':'));
        let cfgs: Vec<String> = lines
            .filter_map(|line| line.strip_prefix("rustc-cfg="))
            .map(plain)
            .collect();
        let known = known.map(|known| known.iter().chain(&cfgs).cloned().collect());
        let cfg = Cfg {
            features: graph.node(&package.id).map(|node| node.features.clone()),
            target: request.cargo.target.clone(),
            out_dirs,
            known,
            variables: request
                .variables
                .iter()
                .filter_map(|pair| {
                    let (name, value) = pair.split_once('=')?;
                    Some((name.to_owned(), value.to_owned()))
                })
                .collect(),
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
            cfgs,
        }))
    }

    /// Returns the `file:line` of an item.
    pub fn place(&self, source: &SourceItem, line: usize) -> String {
        format!("{}:{line}", self.sources.path(source).display())
    }
}

/// Returns the crates that several libraries of a bundle have among their dependencies, or are.
fn shared(graph: &Metadata, all: &[Parsed<'_>]) -> BTreeSet<usize> {
    let members: Vec<&Package> = graph.members().collect();
    let edges = members.iter().filter_map(|member| graph.node(&member.id));
    // As the bundle's manifest calls them.
    let edges = edges
        .flat_map(|node| &node.deps)
        .filter(|edge| edge.name.starts_with("library_"));
    let closures: Vec<_> = edges.map(|edge| graph.closure(&edge.pkg)).collect();
    let count = |id: &str| {
        let has = |closure: &&Vec<&Package>| closure.iter().any(|package| package.id == id);
        closures.iter().filter(has).count()
    };
    let indices = all.iter().enumerate();
    indices
        .filter(|(_, parsed)| count(&parsed.package.id) > 1)
        .map(|(index, _)| index)
        .collect()
}

/// Returns the cfgs that rustc sets for the target, and those that the request adds.
fn cfgs(request: &Request) -> Result<BTreeSet<String>> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(&rustc);
    command.args(["--print", "cfg"]);
    if let Some(target) = &request.cargo.target {
        command.args(["--target", target]);
    }
    let output = command
        .output()
        .map_err(|error| Failure::io("run", Path::new(&rustc), &error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // These follow from the profile.
    let own = text
        .lines()
        .filter(|cfg| !cfg.starts_with("panic") && *cfg != "debug_assertions");
    let assertions = request.debug_assertions.then_some("debug_assertions");
    let mut rustflags = request.rustflags.clone();
    for config in &request.configs {
        let table: toml::Table = output::read(Path::new(config))?.parse().unwrap_or_default();
        let targets = table.get("target").and_then(toml::Value::as_table);
        let target = request
            .cargo
            .target
            .as_ref()
            .and_then(|target| targets?.get(target));
        match target.and_then(|target| target.get("rustflags")) {
            Some(toml::Value::String(text)) => {
                rustflags.extend(text.split_whitespace().map(str::to_owned));
            }
            Some(toml::Value::Array(flags)) => {
                rustflags.extend(
                    flags
                        .iter()
                        .filter_map(|flag| flag.as_str().map(str::to_owned)),
                );
            }
            _ => {}
        }
    }
    let flags = rustflags.iter().enumerate();
    let flags = flags.filter_map(|(index, flag)| match &**flag {
        "--cfg" => rustflags.get(index + 1).map(|cfg| &**cfg),
        flag => flag.strip_prefix("--cfg="),
    });
    let further = request.cfgs.iter().map(|cfg| &**cfg).chain(flags);
    Ok(own.chain(assertions).chain(further).map(plain).collect())
}

/// Returns a cfg without spaces around its value.
fn plain(cfg: &str) -> String {
    match cfg.split_once('=') {
        Some((name, value)) => format!("{}={}", name.trim(), value.trim()),
        None => cfg.trim().to_owned(),
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
