// SPDX-License-Identifier: BSD-2-Clause

//! Verdict of the compilers on a header.
//!
//! The project's C compiler compiles the header, and its C++ compiler reads it. What the C compiler made of each export,
//! rustc's code of the same export must agree with: both wrote it down as debug information. The constants' values in C
//! are put to rustc. The header step, which reads source text, is thus never believed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quote::ToTokens;
use serde::Deserialize;
use syn::Item;

use super::crates::item_ident;
use super::flat::Flat;
use super::text;
use super::values::NUMBERS;
use crate::failure::{Failure, Result};
use crate::objects::archive::{Archive, read};
use crate::objects::types::{self, PROBE, Sections};
use crate::output;

/// The compilers, and rustc's work.
#[derive(Debug, Deserialize, Hash)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Judge {
    /// C compiler of the project.
    pub cc: PathBuf,
    /// Flags of C.
    #[serde(default)]
    pub flags: Vec<String>,
    /// C++ compiler, if the project has one.
    pub cxx: Option<PathBuf>,
    /// Flags of C++.
    #[serde(default)]
    pub cxx_flags: Vec<String>,
    /// Folders of included headers.
    #[serde(default)]
    pub include_dirs: Vec<String>,
    /// Archive that rustc made of the crate and others.
    pub archive: Option<PathBuf>,
}

/// A header to judge.
pub struct Case<'a> {
    /// Path of the header that will be written.
    pub path: &'a Path,
    /// Text of the header.
    pub header: &'a str,
    /// Content of the header, for the places of its items.
    pub flat: &'a Flat,
    /// Exports, each with its `file:line`.
    pub exports: BTreeMap<String, String>,
    /// Paths of constants from the root of their crate, by name.
    pub constants: BTreeMap<String, String>,
    /// Names of the crates that the header is made of, its own first.
    pub crates: Vec<String>,
    /// Whether the user's own text may make the header depend on what is included before it.
    pub lenient: bool,
}

impl Case<'_> {
    /// Returns the name of the header's file, for messages and `#include`.
    fn file_name(&self) -> std::borrow::Cow<'_, str> {
        self.path.file_name().unwrap_or_default().to_string_lossy()
    }
}

impl Judge {
    /// Judges a header, unless it was found right before.
    ///
    /// # Errors
    ///
    /// When a compiler refuses the header, or when C and Rust differ in an export.
    pub fn check(&self, case: &Case<'_>, target_folder: Option<&Path>) -> Result<()> {
        let mut hasher = DefaultHasher::new();
        (self, case.header, case.flat.text(&[])).hash(&mut hasher);
        let verdict = format!("{:016x}\n", hasher.finish());
        let mut stamp = case.path.as_os_str().to_owned();
        stamp.push(".judged");
        let stamp = PathBuf::from(stamp);
        if fs::read_to_string(&stamp).is_ok_and(|known| known == verdict) {
            return Ok(());
        }
        let folder = tempfile::tempdir().map_err(|error| {
            Failure::new(format!("cannot make a temporary folder: {error}"))
                .help("free some space in it, or name another folder in TMPDIR")
        })?;
        let header = folder
            .path()
            .join(case.path.file_name().unwrap_or_default());
        output::write_if_changed(&header, case.header.as_bytes())?;
        let court = Court {
            judge: self,
            case,
            folder: folder.path(),
        };
        if court.compile()? {
            if let Some(archive) = self.archive.as_deref().filter(|archive| archive.exists()) {
                court.compare(archive, target_folder)?;
            }
            // Without it, the next run judges again.
            let _ = output::write_if_changed(&stamp, verdict.as_bytes());
        }
        Ok(())
    }
}

/// A running judgement.
struct Court<'a> {
    judge: &'a Judge,
    case: &'a Case<'a>,
    /// Folder of the files.
    folder: &'a Path,
}

impl Court<'_> {
    fn run(&self, program: &Path, flags: &[String], arguments: &[&str]) -> Result<Output> {
        let kept = |flag: &&String| !flag.starts_with("-W") || flag.starts_with("-Wl,");
        let includes = self
            .judge
            .include_dirs
            .iter()
            .filter(|folder| !folder.is_empty())
            .flat_map(|folder| ["-isystem", folder]);
        let mut command = Command::new(program);
        command
            .args(flags.iter().filter(kept))
            .args(["-Wall", "-Wextra"]);
        command
            .args(includes)
            .args(arguments)
            .current_dir(self.folder);
        command
            .output()
            .map_err(|error| Failure::io("run", program, &error))
    }

    /// Writes a file that includes the header, and more.
    fn source(&self, name: &str, more: &str) -> Result<()> {
        let header = self.case.file_name();
        let text = format!("#include \"{header}\"\n#include \"{header}\"\n{more}");
        output::write_if_changed(&self.folder.join(name), text.as_bytes())?;
        Ok(())
    }

    /// Compiles the header as C and C++. Returns whether C's debug information is there.
    fn compile(&self) -> Result<bool> {
        // Parts under conditions may not be there.
        let unconditional = text::unconditional(self.case.header);
        let words: BTreeSet<&str> = text::tokens(&unconditional).into_iter().collect();
        let mut probes = String::new();
        for symbol in self
            .case
            .exports
            .keys()
            .filter(|symbol| words.contains(&***symbol))
        {
            probes += &format!("__typeof__({symbol}) *{PROBE}{symbol};\n");
        }
        for name in self.case.constants.keys() {
            probes +=
                &format!("#ifdef {name}\n__typeof__({name}) {PROBE}{name} = {name};\n#endif\n");
        }
        self.source("probe.c", &probes)?;
        let options = "-g -gz=none -O0 -fno-lto -fno-common -fno-eliminate-unused-debug-types -c probe.c -o probe.o";
        let options: Vec<&str> = options.split(' ').collect();
        let judge = self.judge;
        let mut good = self.accepts(
            "C",
            &judge.cc,
            &self.run(&judge.cc, &judge.flags, &options)?,
        )?;
        let cxx = judge
            .cxx
            .as_deref()
            .filter(|path| !path.as_os_str().is_empty());
        if let Some(cxx) = cxx.filter(|_| good) {
            self.source("probe.cpp", "")?;
            let output = self.run(cxx, &judge.cxx_flags, &["-fsyntax-only", "probe.cpp"])?;
            good = self.accepts("C++", cxx, &output)?;
        }
        Ok(good)
    }

    /// Passes a compiler's warnings on, and makes a failure of its error.
    fn accepts(&self, language: &str, compiler: &Path, output: &Output) -> Result<bool> {
        let folder = self.folder.display().to_string();
        let said = String::from_utf8_lossy(&output.stderr).replace(&format!("{folder}/"), "");
        let said = said.trim_end();
        if output.status.success() {
            if said.contains("warning:") {
                eprintln!("{said}");
            }
            return Ok(true);
        }
        let header = self.case.file_name();
        let missing = said.contains("fatal error:") && said.contains("No such file");
        if missing || self.case.lenient {
            eprintln!(
                "warning: the {language} compiler cannot read {header} alone, so that nothing is known of the types in it:\n{said}"
            );
            return Ok(false);
        }
        let words = said
            .lines()
            .find(|line| line.contains("error:"))
            .unwrap_or_default();
        let mut words =
            words.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        let item = words.find_map(|word| Some((word, self.case.flat.place_of(word)?)));
        let item = item.map_or_else(String::new, |(name, place)| {
            format!(", at `{name}` (`{place}`)")
        });
        Err(Failure::new(format!(
            "the {language} compiler `{}` does not accept {header}{item}:\n{said}",
            compiler.display()
        ))
        .help("change the item, or keep it from C with the comment `/// cbindgen:ignore`; -DRUST_HEADER_CHECK=OFF skips the check"))
    }

    /// Compares the exports and the constants with those in rustc's archive.
    fn compare(&self, path: &Path, target_folder: Option<&Path>) -> Result<()> {
        let object = read(&self.folder.join("probe.o"))?;
        let Some(sections) = Sections::read(&object) else {
            return Ok(());
        };
        let Some(c) = sections.load() else {
            return Ok(());
        };
        let bytes = read(path)?;
        let archive = Archive::parse(path, &bytes)?;
        let symbols: BTreeSet<String> = self.case.exports.keys().cloned().collect();
        let mut alignments = types::Alignments::new();
        let mut hash = None;
        for member in &archive.members {
            let Some(krate) = member.crate_name() else {
                continue;
            };
            if !self.case.crates.contains(&krate) {
                continue;
            }
            if krate == self.case.crates[0] {
                hash = hash.or_else(|| member.crate_hash());
            }
            let Some(sections) = Sections::read(&member.data) else {
                continue;
            };
            let Some(rust) = sections.load() else {
                continue;
            };
            let found = types::compare(&rust, &c, &symbols).map_err(|(symbol, difference)| {
                let place = &self.case.exports[&symbol];
                self.differs(&format!("`{symbol}` (`{place}`)"), &difference)
            })?;
            alignments.extend(found);
        }
        self.align(&alignments)?;
        let rlib = hash.and_then(|hash| self.rlib(&hash, target_folder?));
        match rlib {
            Some(rlib) => self.constants(&rlib, &types::variables(&c, &object)),
            None => Ok(()),
        }
    }

    fn differs(&self, item: &str, difference: &str) -> Failure {
        let header = self.case.file_name();
        Failure::new(format!(
            "{header} is wrong about {item}: {difference}"
        ))
        .help("remove what changes the type in C, such as text in cbindgen.toml or the flag -fshort-enums; if nothing does, report it, and configure with -DRUST_HEADER_CHECK=OFF")
    }

    /// Has the C compiler compare the alignments of types with Rust's.
    fn align(&self, alignments: &types::Alignments) -> Result<()> {
        let asserts = alignments.iter().map(|(name, bytes)| {
            format!("_Static_assert(__alignof__({name}) == {bytes}, \"alignment of {name}\");\n")
        });
        let asserts: String = asserts.collect();
        self.source("alignment.c", &asserts)?;
        let judge = self.judge;
        let output = self.run(&judge.cc, &judge.flags, &["-fsyntax-only", "alignment.c"])?;
        let said = String::from_utf8_lossy(&output.stderr);
        for (name, bytes) in alignments {
            if said.contains(&format!("\"alignment of {name}\"")) {
                let rust = name.split(' ').next_back().unwrap_or_default();
                let place = self.case.flat.place_of(rust).unwrap_or_default();
                let difference = format!("Rust aligns it to {bytes} bytes, and C does not");
                return Err(self.differs(&format!("`{name}` (`{place}`)"), &difference));
            }
        }
        Ok(())
    }

    /// Returns the library that rustc made of the crate.
    fn rlib(&self, hash: &str, target_folder: &Path) -> Option<PathBuf> {
        let name = format!("lib{}-{hash}.rlib", self.case.crates[0]);
        let profiles = output::profiles(&output::absolute(target_folder).ok()?).into_iter();
        let mut files = profiles.map(|profile| profile.join("deps").join(&name));
        files.find(|file| file.exists())
    }

    /// Has rustc compare the values of constants with those in C.
    fn constants(&self, rlib: &Path, values: &BTreeMap<String, types::Number>) -> Result<()> {
        let mut lines = "#![no_std]\n#![allow(warnings)]\n".to_owned();
        for flat in &self.case.flat.0 {
            let Item::Const(item) = &flat.item else {
                continue;
            };
            let Some(name) = item_ident(&flat.item).map(ToString::to_string) else {
                continue;
            };
            let ty = item.ty.to_token_stream().to_string();
            let (Some(path), Some(value)) = (self.case.constants.get(&name), values.get(&name))
            else {
                continue;
            };
            if !NUMBERS.contains(&&*ty) {
                continue;
            }
            let krate = &self.case.crates[0];
            let (rust, c) = match (&*ty, value) {
                ("f32" | "f64", types::Number::Float(bits)) => (
                    format!("{krate}::{path} as f64 as u64"),
                    format!("f64::from_bits({bits}) as u64"),
                ),
                ("f32" | "f64", _) | (_, types::Number::Float(_)) => continue,
                (_, types::Number::Integer(value)) => {
                    (format!("{krate}::{path} as i128"), format!("{value}"))
                }
            };
            lines += &format!("const _: () = assert!({rust} == {c}, \"{name}\");\n");
        }
        output::write_if_changed(&self.folder.join("constants.rs"), lines.as_bytes())?;
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let deps = rlib.parent().unwrap_or(Path::new(""));
        let mut dependency: OsString = format!("{}=", self.case.crates[0]).into();
        dependency.push(rlib);
        let mut search: OsString = "dependency=".into();
        search.push(deps);
        // The folder of a target is called by its name.
        let target = deps
            .parent()
            .and_then(Path::parent)
            .and_then(Path::file_name);
        let mut command = Command::new(&rustc);
        command.args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=metadata",
            "constants.rs",
        ]);
        command.args(
            target
                .map(|target| [OsString::from("--target"), target.to_owned()])
                .into_iter()
                .flatten(),
        );
        command
            .arg("--extern")
            .arg(dependency)
            .arg("-L")
            .arg(search)
            .current_dir(self.folder);
        let output = command
            .output()
            .map_err(|error| Failure::io("run", Path::new(&rustc), &error))?;
        let said = String::from_utf8_lossy(&output.stderr);
        for (name, value) in values {
            if said.contains(&format!("evaluation panicked: {name}\n")) {
                let place = self.case.flat.place_of(name).unwrap_or_default();
                return Err(self.differs(
                    &format!("the constant `{name}` (`{place}`)"),
                    &format!("it is {value} in C, and another number in Rust"),
                ));
            }
        }
        if !output.status.success() {
            let first = said.lines().next().unwrap_or_default();
            eprintln!(
                "note: the constants of {} are not compared with Rust's: {first}",
                self.case.path.display()
            );
        }
        Ok(())
    }
}
