// SPDX-License-Identifier: BSD-2-Clause

//! Record of a bundle's inputs, which tells whether the bundle is up to date.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::{CONFIG, LOCK, MANIFEST, ROOT, Request};
use crate::cargo::Cargo;
use crate::failure::Result;
use crate::output;

/// Remembers what a bundle was made of, by a hash over all of it and over the result.
pub struct Stamp {
    path: PathBuf,
    out: PathBuf,
    seed: DefaultHasher,
}

impl Stamp {
    pub fn new(out: &Path, request: &Request, cargo: &Cargo) -> Self {
        let mut seed = DefaultHasher::new();
        (
            format!("{request:?}"),
            &cargo.program,
            &cargo.target,
            env!("CARGO_PKG_VERSION"),
        )
            .hash(&mut seed);
        // Another build of this tool may write something else.
        if let Ok(own) = std::env::current_exe().and_then(fs::metadata) {
            (own.len(), own.modified().ok()).hash(&mut seed);
        }
        Self {
            path: out.join(".stamp"),
            out: out.to_owned(),
            seed,
        }
    }

    fn hash<'p>(&self, links: &str, inputs: impl Iterator<Item = &'p Path>) -> String {
        let mut hasher = self.seed.clone();
        links.hash(&mut hasher);
        // That a file is absent counts as well.
        let mut add = |file: &Path| (file, fs::read(file).ok()).hash(&mut hasher);
        inputs.for_each(&mut add);
        for file in [MANIFEST, ROOT, LOCK, CONFIG] {
            add(&self.out.join(file));
        }
        format!("{:016x}", hasher.finish())
    }

    /// The native libraries of the bundle, if it is as it was written.
    pub fn holds(&self) -> Option<BTreeSet<String>> {
        let text = fs::read_to_string(&self.path).ok()?;
        let mut lines = text.lines();
        let (hash, links) = (lines.next()?, lines.next()?);
        let same = self.hash(links, lines.map(Path::new)) == hash;
        same.then(|| links.split_whitespace().map(str::to_owned).collect())
    }

    pub fn set(&self, links: &BTreeSet<String>, inputs: BTreeSet<PathBuf>) -> Result<()> {
        let links: Vec<&str> = links.iter().map(|name| &**name).collect();
        let links = links.join(" ");
        let hash = self.hash(&links, inputs.iter().map(|input| &**input));
        let inputs: String = inputs
            .iter()
            .map(|input| format!("{}\n", input.display()))
            .collect();
        output::write_if_changed(&self.path, format!("{hash}\n{links}\n{inputs}").as_bytes())?;
        Ok(())
    }
}
