// SPDX-License-Identifier: BSD-2-Clause

//! Questions to cargo. None of them writes into a user's folder.

mod cache;
pub mod check;
pub mod lock;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::failure::{Failure, Result};

/// Output of `cargo metadata`.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// Every package of the graph, or of the workspace alone.
    pub packages: Vec<Package>,
    /// Ids of the members of the workspace.
    pub workspace_members: Vec<String>,
    /// Folder of the workspace's `Cargo.toml` and `Cargo.lock`.
    pub workspace_root: PathBuf,
    /// Dependency graph; `None` with `--no-deps`.
    pub resolve: Option<Resolve>,
}

/// A dependency graph.
#[derive(Debug, Deserialize)]
pub struct Resolve {
    /// One node per package.
    pub nodes: Vec<Node>,
}

/// One package in the graph.
#[derive(Debug, Deserialize)]
pub struct Node {
    /// Id of the package.
    pub id: String,
    /// Dependencies of the package.
    pub deps: Vec<NodeDependency>,
    /// Enabled features.
    pub features: BTreeSet<String>,
}

/// One edge of the graph.
#[derive(Debug, Deserialize)]
pub struct NodeDependency {
    /// Name of the dependency in the source of the package.
    #[serde(default)]
    pub name: String,
    /// Id of the package depended on.
    pub pkg: String,
    /// Roles of the dependency.
    pub dep_kinds: Vec<DependencyKind>,
}

/// The role of an edge.
#[derive(Debug, Deserialize)]
pub struct DependencyKind {
    /// `dev`, `build`, or `None` for an ordinary dependency.
    pub kind: Option<String>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Id of the package.
    pub id: String,
    /// Name of the package.
    pub name: String,
    /// Version of the package.
    pub version: String,
    /// Registry or repository; `None` for a path.
    pub source: Option<String>,
    /// `Cargo.toml` of the package.
    pub manifest_path: PathBuf,
    /// Native library that the package links, if any.
    pub links: Option<String>,
    /// Libraries, binaries and tests.
    pub targets: Vec<Target>,
    /// Features of the package.
    pub features: BTreeMap<String, Vec<String>>,
}

/// A library, binary or test of a package.
#[derive(Debug, Deserialize)]
pub struct Target {
    /// Name of the target.
    pub name: String,
    /// Kinds, such as `lib`, `bin` or `proc-macro`.
    pub kind: Vec<String>,
    /// Crate types, such as `rlib` or `staticlib`.
    pub crate_types: Vec<String>,
    /// Root file.
    pub src_path: PathBuf,
    /// Edition of the language.
    #[serde(default)]
    pub edition: String,
}

impl Package {
    /// Returns the library target, of any crate type.
    pub fn library(&self) -> Option<&Target> {
        const OTHERS: [&str; 5] = ["bin", "example", "test", "bench", "custom-build"];
        self.targets
            .iter()
            .find(|target| !target.kind.iter().any(|kind| OTHERS.contains(&&**kind)))
    }

    /// Returns the folder of the manifest.
    pub fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("/"))
    }
}

impl Metadata {
    /// The workspace's own packages.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        let members = &self.workspace_members;
        self.packages
            .iter()
            .filter(|package| members.contains(&package.id))
    }

    /// Returns whether the package `id` or a dependency of it is the `log` crate, as the bundle takes it.
    pub fn logs(&self, id: &str) -> bool {
        let mut closure = self.closure(id).into_iter();
        closure.any(|package| package.name == "log" && package.version.starts_with("0.4."))
    }

    /// The package with this id.
    pub fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }

    /// Returns the package's node in the graph.
    pub fn node(&self, id: &str) -> Option<&Node> {
        let resolve = self.resolve.as_ref()?;
        resolve.nodes.iter().find(|node| node.id == id)
    }

    /// Returns `root` and all packages that are built into an image with it, `root` first.
    pub fn closure(&self, root: &str) -> Vec<&Package> {
        let mut seen = BTreeSet::from([root]);
        let mut found = vec![root];
        let mut next = 0;
        while let Some(id) = found.get(next) {
            next += 1;
            for edge in self.node(id).map_or(&[][..], |node| &node.deps) {
                let counts = edge.dep_kinds.iter().any(|role| role.kind.is_none());
                if counts && seen.insert(&edge.pkg) {
                    found.push(&edge.pkg);
                }
            }
        }
        found.iter().filter_map(|id| self.package(id)).collect()
    }
}

/// Which cargo to ask, and for which platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cargo {
    /// Path or name of the program.
    pub program: PathBuf,
    /// Target triple; without one, dependencies of every platform count.
    pub target: Option<String>,
    /// Folder that keeps cargo's answers for later steps of the same build.
    pub cache: Option<PathBuf>,
}

impl Default for Cargo {
    fn default() -> Self {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self {
            program: program.into(),
            target: None,
            cache: None,
        }
    }
}

/// Error output of cargo.
#[derive(Debug)]
pub struct Refusal(pub String);

impl Cargo {
    /// Runs `cargo metadata` in the manifest's folder, so that the user's `.cargo/config.toml` counts.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run at all. Its own refusal is the inner result.
    pub fn metadata(
        &self,
        manifest: &Path,
        arguments: &[&str],
    ) -> Result<std::result::Result<Metadata, Refusal>> {
        match self.ask(manifest, arguments)? {
            Ok(answer) => self.parse(&answer).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn ask(
        &self,
        manifest: &Path,
        arguments: &[&str],
    ) -> Result<std::result::Result<Vec<u8>, Refusal>> {
        let mut command = Command::new(&self.program);
        command
            .args(["metadata", "--format-version=1", "--color=never"])
            .args(arguments)
            .arg("--manifest-path")
            .arg(manifest)
            .current_dir(manifest.parent().unwrap_or(Path::new("/")));
        if let Some(target) = &self.target
            && !arguments.contains(&"--no-deps")
        {
            command.args(["--filter-platform", target]);
        }
        let output = command.output().map_err(|error| {
            Failure::new(format!("cannot run `{}`: {error}", self.program.display()))
                .help("install Rust from https://rustup.rs, or name the program in `cargo.program`")
        })?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            return Ok(Err(Refusal(stderr)));
        }
        Ok(Ok(output.stdout))
    }

    fn parse(&self, answer: &[u8]) -> Result<Metadata> {
        serde_json::from_slice(answer).map_err(|error| {
            Failure::new(format!(
                "the output of `{} metadata` does not parse: {error}",
                self.program.display()
            ))
            .help("is it cargo 1.95 or newer?")
        })
    }

    /// The dependency graph as the committed `Cargo.lock` has it, without the network: from the cache if what the
    /// graph was made of is unchanged.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run at all. Its own refusal is the inner result.
    pub fn offline(
        &self,
        manifest: &Path,
        arguments: &[&str],
    ) -> Result<std::result::Result<Metadata, Refusal>> {
        let cache = cache::Entry::of(self, manifest, arguments);
        if let Some(metadata) = cache.as_ref().and_then(cache::Entry::load) {
            return Ok(Ok(metadata));
        }
        let flags = [arguments, &["--locked", "--offline"]].concat();
        let answer = match self.ask(manifest, &flags)? {
            Ok(answer) => answer,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let metadata = self.parse(&answer)?;
        if let Some(cache) = cache {
            cache.store(&answer, &metadata)?;
        }
        Ok(Ok(metadata))
    }

    /// The dependency graph exactly as the committed `Cargo.lock` has it.
    /// The network is used only for sources that were never fetched.
    ///
    /// # Errors
    ///
    /// When the lock does not match the manifest, or sources cannot be fetched.
    pub fn locked(&self, manifest: &Path, arguments: &[&str]) -> Result<Metadata> {
        let refusal = match self.offline(manifest, arguments)? {
            Ok(metadata) => return Ok(metadata),
            Err(refusal) if refusal.is_stale_lock() => refusal,
            Err(_) => {
                eprintln!(
                    "Fetching the crates that `{}` depends on ...",
                    manifest.display()
                );
                match self.metadata(manifest, &[arguments, &["--locked"]].concat())? {
                    Ok(metadata) => return Ok(metadata),
                    Err(refusal) => refusal,
                }
            }
        };
        Err(refusal.into_failure(manifest))
    }
}

impl Refusal {
    /// Returns whether `--locked` kept cargo from changing `Cargo.lock`.
    pub fn is_stale_lock(&self) -> bool {
        self.0.contains("--locked was passed") || self.0.contains("lock file needs to be updated")
    }

    /// Returns whether cargo could not reach a registry or repository.
    pub fn is_network(&self) -> bool {
        const SIGNS: [&str; 7] = [
            "spurious network error",
            "failed to download",
            "download of",
            "network failure",
            "failed to fetch",
            "attempting to make an HTTP request",
            "can't checkout from",
        ];
        SIGNS.iter().any(|sign| self.0.contains(sign))
    }

    /// Returns cargo's own words without reports of progress, in at most twelve lines.
    pub fn shortened(&self) -> String {
        let told = |line: &&str| {
            let line = line.trim_start();
            !line.is_empty()
                && !line.starts_with("Updating ")
                && !line.starts_with("Downloading ")
                && !line.starts_with("Locking ")
                && !line.starts_with("warning: spurious")
                && !line.starts_with("help: to generate the lock file")
                && !line.starts_with("... which satisfies path dependency")
                && !line.starts_with("As a reminder, you're using offline mode")
        };
        let lines: Vec<&str> = self.0.lines().filter(told).take(12).collect();
        let text = lines.join("\n");
        text.strip_prefix("error: ").unwrap_or(&text).to_owned()
    }

    /// Returns the failure to report for a crate of the user's.
    pub fn into_failure(self, manifest: &Path) -> Failure {
        let manifest = manifest.display();
        if self.is_stale_lock() {
            Failure::new(format!(
                "the Cargo.lock of `{manifest}` does not match the manifest"
            ))
            .help(format!(
                "cargo update --workspace --manifest-path {manifest}"
            ))
        } else if self.is_network() {
            Failure::new(format!(
                "cannot fetch the crates that `{manifest}` depends on: {}",
                self.shortened()
            ))
            .help(format!(
                "with a network, once: cargo fetch --locked --manifest-path {manifest}"
            ))
        } else {
            Failure::new(format!(
                "cargo does not accept `{manifest}`: {}",
                self.shortened()
            ))
            .help(format!(
                "cargo metadata --locked --manifest-path {manifest}"
            ))
        }
    }
}

/// Returns cargo's own folder.
fn home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
}

/// Returns the `.cargo/config.toml` files that cargo reads for `folder`, nearest first, without that of the home folder.
pub fn configs(folder: &Path) -> Vec<PathBuf> {
    config_places(folder)
        .filter(|file| file.is_file())
        .collect()
}

/// Returns every path where cargo would read such a file, present or not.
pub fn config_places(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let home = home().and_then(|home| home.canonicalize().ok());
    folder
        .ancestors()
        .map(|folder| folder.join(".cargo"))
        .filter(move |folder| home.is_none() || folder.canonicalize().ok() != home)
        .map(|folder| {
            // If both exist, cargo reads the old name.
            let old = folder.join("config");
            if old.is_file() {
                old
            } else {
                folder.join("config.toml")
            }
        })
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let stale = Refusal("error: cannot update the lock file /x/Cargo.lock because --locked was passed to prevent this".into());
        assert!(stale.is_stale_lock());
        let network = Refusal("error: failed to download `hex v0.4.3`\n\nCaused by:\n  attempting to make an HTTP request, but --offline was specified".into());
        assert!(network.is_network() && !network.is_stale_lock());
        assert!(network.shortened().starts_with("failed to download `hex"));
    }
}
