// SPDX-License-Identifier: BSD-2-Clause

//! The packages that a bundle depends on, as their workspaces have them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Library, MANIFEST};
use crate::cargo::Cargo;
use crate::cargo::check::{choose, nearest};
use crate::failure::{Failure, Result};
use crate::output;

/// One package that the bundle depends on.
#[derive(Debug)]
pub struct Part {
    pub targets: Vec<String>,
    pub package: String,
    pub version: String,
    pub manifest: PathBuf,
    pub lock: PathBuf,
    pub features: BTreeSet<String>,
    pub default_features: bool,
    pub profile: Option<String>,
    /// Manifests of the workspace it is a member of.
    pub members: BTreeSet<PathBuf>,
    pub root: PathBuf,
    pub root_table: Table,
}

impl Part {
    /// Takes in a second mention of the same package.
    pub fn join(&mut self, other: Part) -> Result<()> {
        if let (Some(one), Some(two)) = (&self.profile, &other.profile)
            && one != two
        {
            return Err(Failure::new(format!(
                "the package `{}` is wanted with the profiles `{one}` (`{}`) and `{two}` (`{}`)",
                self.package,
                self.targets.join("`, `"),
                other.targets.join("`, `")
            ))
            .help("within one executable a crate is built once: give both the same PROFILE"));
        }
        self.profile = self.profile.take().or(other.profile);
        self.targets.extend(other.targets);
        self.features.extend(other.features);
        self.default_features |= other.default_features;
        Ok(())
    }
}

/// A package as its workspace has it, with what `library` wants of it.
pub fn part(
    manifest: &Path,
    library: Option<&Library>,
    lock: &Path,
    cargo: &Cargo,
) -> Result<Part> {
    let manifest = output::absolute(manifest)?;
    let name = library.map(|library| &*library.package);
    let workspace = match cargo.metadata(&manifest, &["--no-deps"])? {
        Ok(metadata) => metadata,
        Err(refusal) => return Err(refusal.into_failure(&manifest)),
    };
    let package = choose(&workspace, &manifest, name)?;
    for feature in library.map_or(&[][..], |library| &library.features) {
        if package.features.contains_key(feature) || feature.contains('/') {
            continue;
        }
        let known: Vec<&str> = package.features.keys().map(|name| &**name).collect();
        let meant = match nearest(feature, &known) {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        let has = if known.is_empty() {
            "leave it out: the package has none".to_owned()
        } else {
            format!("It has: `{}`", known.join("`, `"))
        };
        return Err(Failure::new(format!(
            "the package `{}` (`{}`) has no feature `{feature}`",
            package.name,
            package.manifest_path.display()
        ))
        .help(format!("{meant}{has}")));
    }
    let root = workspace.workspace_root.join(MANIFEST);
    let root_table = output::read(&root)?.parse::<Table>().map_err(|error| {
        Failure::new(format!(
            "`{}` does not parse: {}",
            root.display(),
            error.message()
        ))
    })?;
    Ok(Part {
        targets: library
            .map(|library| library.target.clone())
            .into_iter()
            .collect(),
        package: package.name.clone(),
        version: package.version.clone(),
        manifest: package.manifest_path.clone(),
        lock: output::absolute(lock)?,
        features: library.map_or(BTreeSet::new(), |library| {
            library.features.iter().cloned().collect()
        }),
        default_features: library.is_none_or(|library| library.default_features),
        profile: library
            .and_then(|library| library.profile.clone())
            .filter(|profile| !profile.is_empty()),
        members: workspace
            .packages
            .iter()
            .map(|package| package.manifest_path.clone())
            .collect(),
        root,
        root_table,
    })
}

/// Carries over `[patch]` of a library's workspace, which cargo reads from the root only.
pub fn add_patches(patches: &mut Table, part: &Part) -> Result<()> {
    let registries = part.root_table.get("patch").and_then(Value::as_table);
    for (registry, crates) in registries.into_iter().flatten() {
        let Value::Table(known) = patches
            .entry(registry.clone())
            .or_insert_with(|| Value::Table(Table::new()))
        else {
            continue;
        };
        for (name, patch) in crates.as_table().into_iter().flatten() {
            let mut patch = patch.clone();
            if let Some(path) = patch.get_mut("path")
                && let Some(text) = path.as_str()
            {
                let full = output::absolute(&folder(&part.root).join(text))?;
                *path = Value::from(full.display().to_string());
            }
            if known.get(name).is_some_and(|other| *other != patch) {
                return Err(Failure::new(format!(
                    "`{}` patches `{name}` to something other than another library's workspace does",
                    part.root.display()
                ))
                .help(format!(
                    "one executable holds one `{name}`: make the [patch.{registry}] tables agree"
                )));
            }
            known.insert(name.clone(), patch);
        }
    }
    Ok(())
}

/// The folder of a manifest.
pub fn folder(manifest: &Path) -> &Path {
    manifest.parent().unwrap_or(Path::new("/"))
}
