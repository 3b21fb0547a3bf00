// SPDX-License-Identifier: BSD-2-Clause

//! Merging of `Cargo.lock` files.
//!
//! A bundle may only use versions that a committed lock names. Its lock begins as the union of the locks of its parts,
//! cut down to the packages that each part needs; cargo then chooses from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use semver::Version;
use serde::Deserialize;

use crate::failure::{Failure, Result};
use crate::output;

/// A `Cargo.lock`.
#[derive(Debug, Deserialize)]
pub struct Lock {
    /// Version of the format.
    #[serde(default = "first_format")]
    pub version: u32,
    /// Locked packages.
    #[serde(default, rename = "package")]
    pub packages: Vec<Locked>,
    /// Path of the file, for messages.
    #[serde(skip)]
    pub path: PathBuf,
}

fn first_format() -> u32 {
    1
}

/// One `[[package]]` of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Locked {
    /// Name of the package.
    pub name: String,
    /// Version of the package.
    pub version: String,
    /// Registry or repository; `None` for a path.
    pub source: Option<String>,
    /// Checksum of the registry.
    pub checksum: Option<String>,
    /// Dependencies: `name`, `name version` or `name version (source)`.
    #[serde(default)]
    pub dependencies: Vec<String>,
}

impl Lock {
    /// Reads a lock.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not a lock.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&output::read(path)?, path)
    }

    /// Parses the text of the lock `path`.
    ///
    /// # Errors
    ///
    /// When the text is not a lock.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut lock: Self = toml::from_str(text).map_err(|error| {
            Failure::new(format!(
                "`{}` is not a lock file: {}",
                path.display(),
                error.message()
            ))
            .help(format!(
                "restore it, or delete it and run: cargo generate-lockfile --manifest-path {}",
                path.with_file_name("Cargo.toml").display()
            ))
        })?;
        lock.path = path.to_owned();
        Ok(lock)
    }

    /// Resolves a line of `dependencies` to its package.
    fn find(&self, line: &str) -> Option<&Locked> {
        let mut words = line.splitn(3, ' ');
        let name = words.next()?;
        let version = words.next();
        let source = words.next().map(|source| source.trim_matches(['(', ')']));
        self.packages.iter().find(|package| {
            package.name == name
                && version.is_none_or(|version| version == package.version)
                && source.is_none_or(|source| Some(source) == package.source.as_deref())
        })
    }

    /// Returns the path package `root` and all its dependencies, with those of its tests: a lock does not tell them apart.
    fn closure(&self, root: &str) -> Vec<&Locked> {
        let is_root = |package: &&Locked| package.name == root && package.source.is_none();
        let mut found: Vec<&Locked> = self.packages.iter().filter(is_root).collect();
        let mut next = 0;
        while let Some(package) = found.get(next) {
            next += 1;
            for line in &package.dependencies {
                if let Some(dependency) = self.find(line)
                    && !found.contains(&dependency)
                {
                    found.push(dependency);
                }
            }
        }
        found
    }

    /// Returns whether the lock names the version, source and checksum of `other`.
    pub fn holds(&self, other: &Locked) -> bool {
        self.packages.iter().any(|package| {
            // The first format of locks has its checksums elsewhere.
            let same_sum = match (&package.checksum, &other.checksum) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            };
            package.name == other.name
                && package.version == other.version
                && revision(package) == revision(other)
                && same_sum
        })
    }
}

/// Returns a source without the address of a repository, which the formats of locks spell differently.
fn revision(package: &Locked) -> Option<&str> {
    let source = package.source.as_deref()?;
    match source
        .strip_prefix("git+")
        .and_then(|address| address.rsplit_once('#'))
    {
        Some((_, revision)) => Some(revision),
        None => Some(source),
    }
}

/// Refuses locks that give one package different checksums: one of them was not made from the registry's files.
///
/// # Errors
///
/// When two locks disagree.
pub fn agree<'a>(locks: impl IntoIterator<Item = &'a Lock>) -> Result<()> {
    let mut known: BTreeMap<_, (&str, &Lock)> = BTreeMap::new();
    for lock in locks {
        for package in &lock.packages {
            // The first format of locks has its checksums elsewhere.
            let Some(checksum) = &package.checksum else {
                continue;
            };
            let id = (&package.name, &package.version, &package.source);
            let (other, first) = known.entry(id).or_insert((checksum, lock));
            if other != checksum {
                return Err(Failure::new(format!(
                    "the locks `{}` and `{}` give different checksums for `{} {}`",
                    first.path.display(),
                    lock.path.display(),
                    package.name,
                    package.version
                ))
                .help(
                    "find out which one names the registry's file, and restore the other: cargo fetch --locked refuses it",
                ));
            }
        }
    }
    Ok(())
}

/// Choice among packages of one name in a merged lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Keep the highest of those that cargo holds compatible.
    Highest,
    /// Keep all, for cargo to choose from, since one part may require an older one.
    All,
}

/// Returns the text of a lock with all packages that the path packages named in `locks` need.
pub fn merge(locks: &[(&Lock, &str)], keep: Keep) -> String {
    type Id = (String, String, String);
    let id = |package: &Locked| -> Id {
        let source = package.source.clone().unwrap_or_default();
        (package.name.clone(), package.version.clone(), source)
    };
    let mut merged: BTreeMap<Id, (Option<String>, BTreeSet<Id>)> = BTreeMap::new();
    for (lock, root) in locks {
        for package in lock.closure(root) {
            if package.source.is_none() {
                continue;
            }
            let entry = merged.entry(id(package)).or_default();
            entry.0 = entry.0.take().or_else(|| package.checksum.clone());
            let dependencies = package
                .dependencies
                .iter()
                .filter_map(|line| lock.find(line));
            entry.1.extend(dependencies.map(id));
        }
    }
    let mut best: BTreeMap<(String, String, String), Id> = BTreeMap::new();
    for (name, version, source) in merged.keys() {
        let class = match keep {
            Keep::Highest => compatible(version),
            Keep::All => version.clone(),
        };
        let this = (name.clone(), version.clone(), source.clone());
        best.entry((name.clone(), class, source.clone()))
            .and_modify(|known| {
                if Version::parse(&known.1).ok() < Version::parse(version).ok() {
                    *known = this.clone();
                }
            })
            .or_insert(this);
    }
    let chosen = |id: &Id| {
        let class = match keep {
            Keep::Highest => compatible(&id.1),
            Keep::All => id.1.clone(),
        };
        best.get(&(id.0.clone(), class, id.2.clone())).cloned()
    };

    let quoted = |text: &str| toml::Value::from(text).to_string();
    let format = locks
        .iter()
        .map(|(lock, _)| lock.version)
        .max()
        .unwrap_or(4)
        .max(3);
    let mut text = format!("version = {format}\n");
    for id in best.values() {
        let (checksum, dependencies) = &merged[id];
        text += &format!(
            "\n[[package]]\nname = {}\nversion = {}\nsource = {}\n",
            quoted(&id.0),
            quoted(&id.1),
            quoted(&id.2)
        );
        if let Some(checksum) = checksum {
            text += &format!("checksum = {}\n", quoted(checksum));
        }
        let lines: BTreeSet<String> = dependencies
            .iter()
            .filter_map(chosen)
            .map(|(name, version, source)| quoted(&format!("{name} {version} ({source})")))
            .collect();
        if !lines.is_empty() {
            let lines: Vec<String> = lines.into_iter().collect();
            text += &format!("dependencies = [\n {},\n]\n", lines.join(",\n "));
        }
    }
    text
}

/// Returns a text that two versions share if cargo holds them compatible: the numbers up to the first that is not 0.
fn compatible(version: &str) -> String {
    match Version::parse(version) {
        Ok(version) if version.pre.is_empty() => match (version.major, version.minor) {
            (0, 0) => format!("0.0.{}", version.patch),
            (0, minor) => format!("0.{minor}"),
            (major, _) => major.to_string(),
        },
        _ => version.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(text: &str) -> Lock {
        Lock::parse(text, Path::new("Cargo.lock")).expect("a lock")
    }

    const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn registry(name: &str, version: &str, dependencies: &str) -> String {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{SOURCE}\"\nchecksum = \"{version}\"\ndependencies = [{dependencies}]\n"
        )
    }

    #[test]
    fn compatibility_is_cargos() {
        assert_eq!(compatible("1.2.3"), compatible("1.0.0"));
        assert_ne!(compatible("1.2.3"), compatible("2.0.0"));
        assert_eq!(compatible("0.4.20"), compatible("0.4.1"));
        assert_ne!(compatible("0.4.0"), compatible("0.5.0"));
        assert_ne!(compatible("0.0.1"), compatible("0.0.2"));
        assert_ne!(compatible("1.0.0-rc.1"), compatible("1.0.0"));
    }

    #[test]
    fn locks_that_disagree_on_a_checksum_are_refused() {
        let text =
            |checksum: &str| registry("x", "1.0.0", "").replace("checksum = \"1.0.0\"", checksum);
        let one = lock(&text("checksum = \"1111\""));
        let same = lock(&text("checksum = \"1111\""));
        let old = lock(&text(""));
        let mut other = lock(&text("checksum = \"2222\""));
        other.path = PathBuf::from("other/Cargo.lock");
        assert!(agree([&one, &same, &old]).is_ok());
        let refused = agree([&one, &old, &other]).expect_err("they disagree");
        let text = refused.to_string();
        assert!(
            text.contains("the locks `Cargo.lock` and `other/Cargo.lock` give different checksums for `x 1.0.0`"),
            "{text}"
        );
    }

    #[test]
    fn the_highest_compatible_version_wins_and_edges_follow() {
        let one = lock(&format!(
            "version = 4\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\ndependencies = [\"x\", \"y\"]\n{}{}",
            registry("x", "1.0.9", ""),
            registry("y", "2.0.0", "\"x\""),
        ));
        let other = lock(&format!(
            "version = 3\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\ndependencies = [\"x 1.0.10\", \"x 0.9.0\"]\n{}{}{}",
            registry("x", "1.0.10", ""),
            registry("x", "0.9.0", ""),
            registry("unused", "1.0.0", ""),
        ));
        let merged = lock(&merge(&[(&one, "a"), (&other, "b")], Keep::Highest));
        assert_eq!(merged.version, 4);
        let names: Vec<String> = merged
            .packages
            .iter()
            .map(|p| format!("{} {}", p.name, p.version))
            .collect();
        assert_eq!(names, ["x 0.9.0", "x 1.0.10", "y 2.0.0"]);
        assert_eq!(
            merged.packages[2].dependencies,
            [format!("x 1.0.10 ({SOURCE})")]
        );
        let all = lock(&merge(&[(&one, "a"), (&other, "b")], Keep::All));
        assert_eq!(all.packages.len(), 4);
    }
}
