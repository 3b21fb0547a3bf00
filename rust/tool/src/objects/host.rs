// SPDX-License-Identifier: BSD-2-Clause

//! C in a Rust archive that was compiled for the machine of the build: a build script did not use the compiler that it was
//! given, or found the headers of glibc in place of muslc's.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use object::{Architecture, Object, ObjectSymbol};

use super::archive::{Archive, Member, read};
use crate::output;

/// Warns of C in `archive` that cannot work in the image, with the crates whose build scripts compiled it in cargo's folder
/// `target`. `provided` has the symbols of the image's C libraries.
pub(super) fn check(archive: &Archive<'_>, target: Option<&Path>, provided: &HashSet<Vec<u8>>) {
    for (object, reason) in foreign(archive, provided) {
        let by = target.and_then(|target| builder(target, &object));
        let by = by.map_or_else(
            || "a build script".to_owned(),
            |krate| format!("the build script of the crate `{krate}`"),
        );
        eprintln!(
            "warning: {by} has compiled `{object}` for another system: {reason}\n\
             help: let it use the compiler and the flags of the environment, as the crate `cc` does with \
             `Build::new().file(…).compile(…)`"
        );
    }
}

/// Returns the objects of C in `archive` that are not for the image, each with the reason.
fn foreign(archive: &Archive<'_>, provided: &HashSet<Vec<u8>>) -> BTreeMap<String, String> {
    // Programs for the machine of the build have its C library.
    let has_libc = provided.contains(&b"memcpy"[..]);
    let mut found = BTreeMap::new();
    let image = archive
        .members
        .iter()
        .filter(|member| member.crate_name().is_some())
        .find_map(architecture);
    for member in &archive.members {
        if member.crate_name().is_some() {
            continue;
        }
        let Ok(object) = object::File::parse(&*member.data) else {
            continue;
        };
        let name = String::from_utf8_lossy(&member.name).into_owned();
        if let Some(image) = image
            && object.architecture() != image
        {
            let other = object.architecture();
            found.insert(
                name,
                format!("its code is for {other:?}, the image's for {image:?}"),
            );
            continue;
        }
        let symbols: BTreeSet<&str> = object
            .symbols()
            .filter(|symbol| symbol.is_undefined())
            .filter_map(|symbol| symbol.name().ok())
            .filter(|name| has_libc && is_glibc(name) && !provided.contains(name.as_bytes()))
            .collect();
        if !symbols.is_empty() {
            let symbols: Vec<&str> = symbols.into_iter().collect();
            let symbols = symbols.join("`, `");
            found.insert(
                name,
                format!("it calls `{symbols}` of glibc, which the image does not have"),
            );
        }
    }
    found
}

fn architecture(member: &Member<'_>) -> Option<Architecture> {
    let object = object::File::parse(&*member.data).ok()?;
    Some(object.architecture())
}

/// Returns whether glibc's headers alone make C call `name`.
fn is_glibc(name: &str) -> bool {
    let fortified = name.starts_with("__") && name.ends_with("_chk");
    fortified
        || name.starts_with("__isoc23_")
        || matches!(name, "__xstat" | "__fxstat" | "__lxstat")
}

/// Returns the crate below cargo's folder whose build script has the object `name` in its output folder.
fn builder(target: &Path, name: &str) -> Option<String> {
    let scripts = output::profiles(target)
        .into_iter()
        .flat_map(|profile| fs::read_dir(profile.join("build")).into_iter().flatten())
        .flatten();
    for script in scripts {
        let folder = script.path();
        if holds(&folder.join("out"), name) {
            let folder = folder.file_name()?.to_string_lossy().into_owned();
            return Some(folder.rsplit_once('-')?.0.to_owned());
        }
    }
    None
}

/// Returns whether `folder`, or one in it, has the object `name` in a file of that name or in an archive.
fn holds(folder: &Path, name: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.iter().any(|path| {
        if path.is_dir() {
            return holds(path, name);
        }
        if path.file_name().is_some_and(|file| file == name) {
            return true;
        }
        if path.extension().is_none_or(|extension| extension != "a") {
            return false;
        }
        read(path).is_ok_and(|bytes| {
            Archive::parse(path, &bytes).is_ok_and(|archive| {
                archive
                    .members
                    .iter()
                    .any(|member| &*member.name == name.as_bytes())
            })
        })
    })
}
