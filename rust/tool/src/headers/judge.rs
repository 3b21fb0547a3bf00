// SPDX-License-Identifier: BSD-2-Clause

//! Verdict of the compilers on a header.
//!
//! The project's C compiler compiles the header, and its C++ compiler reads it. Both the C compiler and rustc describe each
//! export in their debug information, and the descriptions must agree. Where the build has none, rustc compiles the crate
//! once more for it. The constants' values in C must be those that rustc has. Correctness thus does not rest on the header
//! step, which reads source text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;

use super::compiled::Compiled;
use super::crates::Parsed;
use super::flat::Flat;
use super::text;
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
    /// Constants by name: path from the root of the crate, and type.
    pub constants: BTreeMap<String, (String, &'static str)>,
    /// Names of the crates that the header is made of, its own first.
    pub crates: Vec<String>,
    /// Crates with exports.
    pub exporters: Vec<&'a Parsed<'a>>,
    /// Whether the build has debug assertions.
    pub debug_assertions: bool,
    /// Folder of cargo's in the build.
    pub target_folder: Option<&'a Path>,
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
    pub fn check(&self, case: &Case<'_>) -> Result<()> {
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
        court.macros()?;
        if court.compile()? {
            if let Some(archive) = self.archive.as_deref().filter(|archive| archive.exists()) {
                court.compare(archive)?;
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

    /// Refuses names that C's compiler or the headers of every program replace.
    fn macros(&self) -> Result<()> {
        let includes = HEADERS
            .split_whitespace()
            .map(|name| format!("#if __has_include(<{name}>)\n#include <{name}>\n#endif\n"));
        let file = self.folder.join("macros.c");
        output::write_if_changed(&file, includes.collect::<String>().as_bytes())?;
        let judge = self.judge;
        let output = self.run(&judge.cc, &judge.flags, &["-E", "-dM", "macros.c"])?;
        let text = String::from_utf8_lossy(&output.stdout);
        text::macros_of_c(self.case.flat, self.case.header, &self.case.exports, &text)
    }

    /// Compares the exports and the constants with those that rustc compiled.
    fn compare(&self, path: &Path) -> Result<()> {
        let object = read(&self.folder.join("probe.o"))?;
        let Some(sections) = Sections::read(&object) else {
            return Ok(());
        };
        let Some(c) = sections.load() else {
            return Ok(());
        };
        let bytes = read(path)?;
        let archive = Archive::parse(path, &bytes)?;
        let mut alignments = types::Alignments::new();
        let mut seen = BTreeSet::new();
        for member in &archive.members {
            let krate = member
                .crate_name()
                .filter(|krate| self.case.crates.contains(krate));
            if let Some(krate) = krate
                && self.same_types(&member.data, &c, &mut alignments)?
            {
                seen.insert(krate);
            }
        }
        let folder = self.case.target_folder;
        let Some(compiled) = folder.and_then(|folder| Compiled::of(path, folder)) else {
            return self.align(&alignments);
        };
        for parsed in &self.case.exporters {
            let library = parsed.package.library();
            let krate = library.map_or_else(String::new, |library| library.name.replace('-', "_"));
            if seen.contains(&krate) {
                continue;
            }
            match compiled.with_debug_info(parsed, self.case.debug_assertions) {
                Ok(object) => {
                    self.same_types(&object, &c, &mut alignments)?;
                }
                Err(reason) => eprintln!(
                    "note: the types in {} are not compared with those of the crate `{krate}`: {reason}",
                    self.case.file_name()
                ),
            }
        }
        self.align(&alignments)?;
        self.constants(&compiled, &types::variables(&c, &object))
    }

    /// Compares the exports in an object of rustc's with those in C. Returns whether the object has types.
    fn same_types(
        &self,
        object: &[u8],
        c: &types::Side<'_>,
        alignments: &mut types::Alignments,
    ) -> Result<bool> {
        let sections = Sections::read(object);
        let Some(rust) = sections.as_ref().and_then(Sections::load) else {
            return Ok(false);
        };
        let symbols = self.case.exports.keys().cloned().collect();
        let found = types::compare(&rust, c, &symbols).map_err(|(symbol, difference)| {
            let place = &self.case.exports[&symbol];
            self.differs(&format!("`{symbol}` (`{place}`)"), &difference)
        })?;
        alignments.extend(found);
        Ok(rust.has_types())
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

    /// Compares the values of constants with those in C.
    fn constants(&self, compiled: &Compiled, in_c: &BTreeMap<String, types::Number>) -> Result<()> {
        let mut constants = self.case.constants.clone();
        constants.retain(|name, _| in_c.contains_key(name));
        if constants.is_empty() {
            return Ok(());
        }
        let values = compiled.values(&self.case.crates[0], &constants);
        let values = values.unwrap_or_else(|reason| {
            let header = self.case.file_name();
            eprintln!("note: the constants of {header} are not compared with Rust's: {reason}");
            BTreeMap::new()
        });
        for (name, rust) in values {
            let c = in_c[&name];
            if !rust.is_same(c) {
                let place = self.case.flat.place_of(&name).unwrap_or_default();
                return Err(self.differs(
                    &format!("the constant `{name}` (`{place}`)"),
                    &format!("it is {rust} in Rust and {c} in C"),
                ));
            }
        }
        Ok(())
    }
}

/// Headers that most programs include.
const HEADERS: &str = "assert.h errno.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h sys/sysmacros.h sys/types.h";
