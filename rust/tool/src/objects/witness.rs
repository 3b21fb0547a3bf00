// SPDX-License-Identifier: BSD-2-Clause

//! Exports without a prototype: symbols of the user's crates in the archive that no header accounts for.
//!
//! The header step reads source text, and a macro can export what it does not see. The archive holds every export, in
//! whatever form it was written. C calls a function without a prototype as if it took and returned numbers of type `int`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSymbol, SymbolKind};
use serde::{Deserialize, Serialize};

use super::archive::{Archive, read};
use crate::failure::{Failure, Result};
use crate::output;

/// Reaction to an export without a prototype.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// A warning.
    #[default]
    Warn,
    /// The end of the build.
    Error,
    /// Nothing.
    Off,
}

/// Headers to compare an archive with.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// Generated headers of the libraries in the archive.
    #[serde(default)]
    pub headers: Vec<PathBuf>,
    /// Folder of cargo's in the build, in which the crates were compiled.
    pub target_folder: Option<PathBuf>,
    /// Reaction to an export that none of them has.
    #[serde(default)]
    pub check: Check,
}

/// Record of a header beside it, for sealing: the crates that were read, and the exports that the header accounts for.
#[derive(Debug, Default)]
pub struct Record {
    /// Names of the crates, as rustc has them.
    pub crates: BTreeSet<String>,
    /// Symbols with a prototype, and those that are kept from C on purpose.
    pub symbols: BTreeSet<String>,
}

impl Record {
    /// Path of the record of a header.
    #[must_use]
    pub fn path(header: &Path) -> PathBuf {
        let mut name = header.as_os_str().to_owned();
        name.push(".exports");
        name.into()
    }

    /// Writes the record of `header`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, header: &Path) -> Result<()> {
        let join = |names: &BTreeSet<String>| {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            names.join(" ")
        };
        let text = format!("{}\n{}\n", join(&self.crates), join(&self.symbols));
        output::write_if_changed(&Self::path(header), text.as_bytes())?;
        Ok(())
    }

    /// Adds the record of `header` to this one.
    fn read(&mut self, header: &Path) -> Result<()> {
        let text = output::read(&Self::path(header))?;
        let mut lines = text.lines().map(|line| line.split_whitespace());
        for names in [&mut self.crates, &mut self.symbols] {
            names.extend(lines.next().into_iter().flatten().map(str::to_owned));
        }
        Ok(())
    }
}

/// Reports the exports of the user's crates in `archive` that the records beside the headers do not have.
///
/// Names that begin with an underscore are not for C programs to declare; crates link each other by such names. Names
/// that `provided` has are declared by C's own headers, C calls `main` without a prototype, and std exports a function for
/// unwinding, which link-time optimisation may put beside the crates.
pub(super) fn check(
    (path, archive): (&Path, &Archive<'_>),
    request: &Request,
    provided: &HashSet<Vec<u8>>,
) -> Result<()> {
    if request.check == Check::Off || request.headers.is_empty() {
        return Ok(());
    }
    let mut known = Record::default();
    for header in &request.headers {
        known.read(header)?;
    }
    // With link-time optimisation, all code is in members of the crate that brings the others together.
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let whole = stem.strip_prefix("lib").unwrap_or(&stem);
    let mut rlibs = BTreeMap::new();
    let mut found = BTreeSet::new();
    for member in &archive.members {
        let Some(krate) = member.crate_name() else {
            continue;
        };
        if krate != whole && !known.crates.contains(&krate) {
            continue;
        }
        let Ok(object) = object::File::parse(&*member.data) else {
            continue;
        };
        for symbol in object.symbols() {
            let defined = symbol.is_definition() && symbol.is_global() && !symbol.is_weak();
            let kind = symbol.kind();
            if !defined || !matches!(kind, SymbolKind::Text | SymbolKind::Data | SymbolKind::Tls) {
                continue;
            }
            let Ok(name) = symbol.name() else {
                continue;
            };
            let is_c = !name.starts_with('_')
                && !["main", "rust_eh_personality"].contains(&name)
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_c || known.symbols.contains(name) || provided.contains(name.as_bytes()) {
                continue;
            }
            let krate = match krate == whole {
                false => Some(krate.clone()),
                true => origin(name, &known.crates, request, &mut rlibs),
            };
            found.extend(krate.map(|krate| (krate, name.to_owned())));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let lines = found
        .iter()
        .map(|(krate, name)| format!("\n  `{name}` of the crate `{krate}`"));
    let message = format!(
        "the generated headers have no prototype of these exports, which C would call with wrong types:{}",
        lines.collect::<String>()
    );
    let help = "write `#[unsafe(no_mangle)] extern \"C\" fn` without a macro around it; re-export the crate if it is a \
         dependency; or keep the name from C by `exclude = [\"…\"]` under `[export]` in cbindgen.toml";
    if request.check == Check::Error {
        return Err(Failure::new(message).help(format!(
            "{help}; to build anyway, configure with -DRUST_EXPORT_CHECK=warn"
        )));
    }
    eprintln!("warning: {message}\nhelp: {help}");
    Ok(())
}

/// Returns the first of `crates` whose compiled form has `name` in it.
///
/// The library of the crate that defines a symbol holds its name among the strings of its code.
fn origin(
    name: &str,
    crates: &BTreeSet<String>,
    request: &Request,
    rlibs: &mut BTreeMap<String, Vec<Vec<u8>>>,
) -> Option<String> {
    let has = |krate: &&String| {
        let files = rlibs.entry((*krate).clone()).or_insert_with(|| {
            let files = request
                .target_folder
                .as_deref()
                .map(|folder| rlibs_of(folder, krate));
            files
                .into_iter()
                .flatten()
                .filter_map(|path| read(&path).ok())
                .collect()
        });
        files.iter().any(|bytes| {
            bytes
                .windows(name.len())
                .any(|window| window == name.as_bytes())
        })
    };
    crates.iter().find(has).cloned()
}

/// Returns the libraries of `krate` below a folder of cargo's, which has one folder for each workspace, target and profile.
fn rlibs_of(folder: &Path, krate: &str) -> Vec<PathBuf> {
    let prefix = format!("lib{krate}-");
    let files = output::profiles(folder).into_iter().flat_map(|profile| {
        fs::read_dir(profile.join("deps"))
            .into_iter()
            .flatten()
            .flatten()
    });
    files
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&prefix) && name.ends_with(".rlib")
        })
        .collect()
}
