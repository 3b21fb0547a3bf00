// SPDX-License-Identifier: BSD-2-Clause

//! Answers of `cargo metadata`, kept in the build folder for the steps that ask the same later.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::check::manifests_of;
use super::{Cargo, Metadata, config_places, home};
use crate::failure::Result;
use crate::output;

/// One question, and the file that keeps its answer.
///
/// The file has the fingerprint of what the answer was made of, those files one a line, an empty line, and the answer.
pub(super) struct Entry {
    file: PathBuf,
    manifest: PathBuf,
}

impl Entry {
    /// The entry for `arguments` of `cargo metadata`, where `cargo` has a cache.
    pub fn of(cargo: &Cargo, manifest: &Path, arguments: &[&str]) -> Option<Self> {
        let folder = cargo.cache.as_ref()?;
        let mut question = DefaultHasher::new();
        (&cargo.program, &cargo.target, manifest, arguments).hash(&mut question);
        (env!("CARGO_PKG_VERSION"), std::env::var_os("CARGO_HOME")).hash(&mut question);
        Some(Self {
            file: folder.join(format!("{:016x}.json", question.finish())),
            manifest: manifest.to_owned(),
        })
    }

    /// The answer, if it was kept and what it was made of is unchanged.
    pub fn load(&self) -> Option<Metadata> {
        let text = fs::read_to_string(&self.file).ok()?;
        let (head, answer) = text.split_once("\n\n")?;
        let mut lines = head.lines();
        let fingerprint = lines.next()?;
        let same = output::fingerprint(lines.map(Path::new)) == fingerprint;
        same.then(|| serde_json::from_str(answer).ok())?
    }

    /// Keeps `answer`, which was read as `metadata`.
    pub fn store(&self, answer: &[u8], metadata: &Metadata) -> Result<()> {
        let mut inputs: BTreeSet<PathBuf> =
            config_places(self.manifest.parent().unwrap_or(Path::new("/"))).collect();
        inputs.extend(home().map(|home| home.join("config.toml")));
        inputs.insert(metadata.workspace_root.join("Cargo.lock"));
        inputs.insert(metadata.workspace_root.join("Cargo.toml"));
        let own = metadata.packages.iter();
        for package in own.filter(|package| package.source.is_none()) {
            inputs.extend(manifests_of(&package.manifest_path));
            // Folders: cargo finds targets by what lies there.
            inputs.insert(package.folder().join("src"));
        }
        let mut text = output::fingerprint(inputs.iter().map(|input| &**input));
        for input in inputs {
            text += &format!("\n{}", input.display());
        }
        text += &format!("\n\n{}", String::from_utf8_lossy(answer));
        output::write_if_changed(&self.file, text.as_bytes())?;
        Ok(())
    }
}
