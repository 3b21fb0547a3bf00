// SPDX-License-Identifier: BSD-2-Clause

//! Files that are written whole, or not at all.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// Reads a file as text.
///
/// # Errors
///
/// When it cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))
}

/// Gives `path` the content `bytes`: written beside it, then renamed.
/// A file that has this content already keeps its time stamp. Says whether it was written.
///
/// # Errors
///
/// When the folder cannot be made or the file cannot be written. `path` is then as it was.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
    }
    let beside = beside(path);
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // The write has failed already; a file that also cannot be removed changes nothing.
        let _ = fs::remove_file(&beside);
        Failure::io("write", path, &error)
    })?;
    Ok(true)
}

/// Returns a hash over files' paths and contents, or over the names in a folder. A file that is absent counts as well.
#[must_use]
pub fn fingerprint<'p>(files: impl Iterator<Item = &'p Path>) -> String {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let names = fs::read_dir(file).ok().map(|entries| {
            let names = entries.flatten().map(|entry| entry.file_name());
            names.collect::<BTreeSet<OsString>>()
        });
        (file, fs::read(file).ok(), names).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// Returns the folders of cargo's profiles below its folder in a build: it has one for each workspace, target and profile.
#[must_use]
pub fn profiles(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    for _ in ["workspace", "target", "profile"] {
        let entries = folders
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok());
        folders = entries
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
    }
    folders
}

/// `out: inputs` as make and ninja read it.
#[must_use]
pub fn depfile(out: &Path, inputs: &BTreeSet<PathBuf>) -> String {
    let escaped = |path: &Path| {
        path.display()
            .to_string()
            .replace('$', "$$")
            .replace('#', "\\#")
            .replace(' ', "\\ ")
    };
    let inputs: Vec<String> = inputs.iter().map(|input| escaped(input)).collect();
    format!("{}: {}\n", escaped(out), inputs.join(" \\\n  "))
}

/// A name next to `path` that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}

/// `path` made absolute, with `.` and `..` taken out by name, as cargo does it.
///
/// # Errors
///
/// When the current folder is gone, or `path` is empty.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(|error| Failure::io("find", path, &error))?;
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    Ok(plain)
}
