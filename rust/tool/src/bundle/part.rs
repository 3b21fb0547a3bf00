// SPDX-License-Identifier: BSD-2-Clause

//! The packages that a bundle depends on, as their workspaces have them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Library, MANIFEST, Runtime};
use crate::cargo::Cargo;
use crate::cargo::check::{choose, features, has_features};
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
    /// True if the package uses the `log` crate.
    pub logs: bool,
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
                "the package `{}` is requested with the profiles `{one}` (`{}`) and `{two}` (`{}`)",
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

/// Returns the package of `library` as its workspace has it.
pub fn part(library: &Library, cargo: &Cargo) -> Result<Part> {
    let manifest = output::absolute(&library.manifest)?;
    let arguments = features(&library.features, library.no_default_features);
    let arguments: Vec<&str> = arguments.iter().map(|argument| &**argument).collect();
    // The crate's check has asked the same. If cargo refuses, a question without dependencies tells why.
    let workspace = match cargo.offline(&manifest, &arguments)? {
        Ok(metadata) => metadata,
        Err(_) => cargo
            .metadata(&manifest, &["--no-deps"])?
            .map_err(|refusal| refusal.into_failure(&manifest))?,
    };
    let package = choose(&workspace, &manifest, Some(&library.package))?;
    has_features(package, &library.features)?;
    let root = workspace.workspace_root.join(MANIFEST);
    Ok(Part {
        targets: vec![library.target.clone()],
        package: package.name.clone(),
        version: package.version.clone(),
        manifest: package.manifest_path.clone(),
        lock: output::absolute(&library.lock)?,
        features: library.features.iter().cloned().collect(),
        default_features: !library.no_default_features,
        profile: library.profile.clone().filter(|name| !name.is_empty()),
        logs: workspace.logs(&package.id),
        members: workspace
            .members()
            .map(|package| package.manifest_path.clone())
            .collect(),
        root_table: table(&root)?,
        root,
    })
}

/// Returns the runtime crate. It is the kit's own, so its manifest says all, and cargo need not be asked.
pub fn runtime(runtime: &Runtime, std: bool) -> Result<Part> {
    let features = if std {
        &runtime.std_features
    } else {
        &runtime.features
    };
    let manifest = output::absolute(&runtime.manifest)?;
    let lock = output::absolute(&runtime.lock)?;
    let table = table(&manifest)?;
    let text = |key| Some(table.get("package")?.get(key)?.as_str()?.to_owned());
    Ok(Part {
        targets: Vec::new(),
        package: text("name").unwrap_or_default(),
        // Its workspace is the host tool's, and they share the version.
        version: text("version").unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
        manifest,
        features: features.iter().cloned().collect(),
        // Its heaps exclude each other, and one of them is the default.
        default_features: features.is_empty(),
        profile: None,
        logs: false,
        members: BTreeSet::new(),
        root: folder(&lock).join(MANIFEST),
        root_table: Table::new(),
        lock,
    })
}

fn table(manifest: &Path) -> Result<Table> {
    output::read(manifest)?.parse::<Table>().map_err(|error| {
        Failure::new(format!(
            "`{}` does not parse: {}",
            manifest.display(),
            error.message()
        ))
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
