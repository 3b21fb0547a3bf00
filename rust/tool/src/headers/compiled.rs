// SPDX-License-Identifier: BSD-2-Clause

//! Crates of a bundle as rustc has compiled them, and questions to rustc about them.
//!
//! cargo's records name the libraries that an archive was made of, with their features and flags. The records are cargo's
//! own: where they have another form, nothing is asked.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol};
use serde::Deserialize;

use super::crates::Parsed;
use crate::objects::types::Number;
use crate::output;

/// Number that cargo gives to a compiled crate.
type Key = u64;

/// A compiled crate.
#[derive(Clone)]
struct Unit {
    /// Name of the crate.
    name: String,
    /// Folder of cargo's with the record.
    record: PathBuf,
    /// Folder of the profile.
    profile: PathBuf,
}

/// Part of a record of cargo's that counts here.
#[derive(Deserialize)]
struct Record {
    /// List of features, as text.
    features: String,
    /// Dependencies: number of the package, name in the crate, whether it is public, and key.
    deps: Vec<(u64, String, bool, Key)>,
    rustflags: Vec<String>,
}

/// The crates of a bundle.
pub struct Compiled {
    units: HashMap<Key, Unit>,
    /// Crates that are in the archive, by name.
    linked: BTreeMap<String, Unit>,
    /// Folders of the profile: for the target, and for the machine of the build.
    profiles: [PathBuf; 2],
    target: OsString,
}

impl Compiled {
    /// Reads which crates are in a bundle's `archive`, below the folder of cargo's in the build.
    pub fn of(archive: &Path, target_folder: &Path) -> Option<Self> {
        let file = archive.file_name()?;
        let size = archive.metadata().ok()?.len();
        let profiles = output::profiles(&output::absolute(target_folder).ok()?);
        let copies = profiles.into_iter().filter_map(|profile| {
            let data = profile.join(file).metadata().ok()?;
            (data.len() == size).then_some((data.modified().ok()?, profile, data.ino()))
        });
        let (_, profile, inode) = copies.max()?;
        let target = profile.parent()?;
        let host = target.parent()?.join(profile.file_name()?);
        let mut all = Self {
            units: HashMap::new(),
            linked: BTreeMap::new(),
            target: target.file_name()?.to_owned(),
            profiles: [profile, host],
        };
        for profile in &all.profiles {
            let folders = fs::read_dir(profile.join(".fingerprint"));
            let files = folders.into_iter().flatten().flatten();
            let files = files.filter_map(|folder| fs::read_dir(folder.path()).ok());
            for file in files.flatten().flatten().map(|entry| entry.path()) {
                if let Some((key, unit)) = Unit::read(&file, profile) {
                    all.units.insert(key, unit);
                }
            }
        }
        // cargo links the newest archive to the place of its result.
        let is_root = |unit: &&Unit| {
            let data = unit.file("a").and_then(|file| file.metadata().ok());
            data.is_some_and(|data| data.ino() == inode)
        };
        let mut open = vec![all.units.values().find(is_root)?.clone()];
        while let Some(unit) = open.pop() {
            let dependencies = all.dependencies(&unit.record()?).into_iter();
            let dependencies: Vec<Unit> = dependencies.map(|(_, unit)| unit.clone()).collect();
            for dependency in dependencies {
                let name = dependency.name.clone();
                if all.linked.insert(name, dependency.clone()).is_none() {
                    open.push(dependency);
                }
            }
        }
        Some(all)
    }

    /// Returns the libraries that a crate names, by the names that it has for them.
    fn dependencies(&self, record: &Record) -> Vec<(String, &Unit)> {
        let all = record.deps.iter();
        all.filter_map(|(_, name, _, key)| Some((name.clone(), self.units.get(key)?)))
            .collect()
    }

    fn rustc(&self, folder: &Path) -> Command {
        let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        command
            .arg("--target")
            .arg(&self.target)
            .current_dir(folder);
        for profile in &self.profiles {
            let mut search = OsString::from("dependency=");
            search.push(profile.join("deps"));
            command.arg("-L").arg(search);
        }
        command
    }

    /// Returns the values of constants of the crate `krate`, by name. `constants` has for each its path from the root of
    /// the crate and its type.
    ///
    /// # Errors
    ///
    /// rustc's first words where it does not know them.
    pub fn values(
        &self,
        krate: &str,
        constants: &BTreeMap<String, (String, &'static str)>,
    ) -> Result<BTreeMap<String, Number>, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let unit = self.linked.get(krate).ok_or("cargo has no record of it")?;
        let mut lines = "#![no_std]\n#![allow(warnings)]\n".to_owned();
        for (index, (path, kind)) in constants.values().enumerate() {
            let value = match kind.starts_with('f') {
                true => format!("({krate}::{path} as f64).to_bits() as i128"),
                false => format!("{krate}::{path} as i128"),
            };
            lines += &format!("#[unsafe(no_mangle)] pub static VALUE_{index}: i128 = {value};\n");
        }
        let file = folder.path().join("values.rs");
        fs::write(&file, lines).map_err(|error| error.to_string())?;
        let mut command = self.rustc(folder.path());
        command.args([
            "--edition=2024",
            "--crate-type=lib",
            "-Copt-level=0",
            "--emit=obj=values.o",
        ]);
        command.arg("--extern").arg(unit.named(krate)).arg(&file);
        run(&mut command)?;
        let bytes = fs::read(folder.path().join("values.o")).map_err(|error| error.to_string())?;
        let object = object::File::parse(&*bytes).map_err(|error| error.to_string())?;
        let found = object.symbols().filter_map(|symbol| {
            let index: usize = symbol.name().ok()?.strip_prefix("VALUE_")?.parse().ok()?;
            let section = object.section_by_index(symbol.section_index()?).ok()?;
            // Zeroes have no bytes in the file.
            let data = section
                .data_range(symbol.address(), 16)
                .ok()?
                .unwrap_or(&[0; 16]);
            let number = i128::from_le_bytes(data.try_into().ok()?);
            let (name, (_, kind)) = constants.iter().nth(index)?;
            let value = match kind.starts_with('f') {
                true => Number::Float(number as u64),
                false => Number::Integer(number),
            };
            Some((name.clone(), value))
        });
        Ok(found.collect())
    }

    /// Compiles a crate once more, to an object with debug information.
    ///
    /// # Errors
    ///
    /// rustc's first words.
    pub fn with_debug_info(
        &self,
        parsed: &Parsed<'_>,
        debug_assertions: bool,
    ) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let library = parsed.package.library().ok_or("it has no library")?;
        let krate = library.name.replace('-', "_");
        let unit = self.linked.get(&krate).ok_or("cargo has no record of it")?;
        let record = unit
            .record()
            .ok_or("cargo's record of it is of another form")?;
        let mut command = self.rustc(folder.path());
        command.args([
            "--crate-type=lib",
            "--emit=obj=crate.o",
            "--cap-lints=allow",
        ]);
        command.args(["-Cdebuginfo=2", "-Copt-level=0", "-Ccodegen-units=1"]);
        command.arg(format!("-Cdebug-assertions={debug_assertions}"));
        command
            .arg(format!("--crate-name={krate}"))
            .arg(format!("--edition={}", library.edition));
        command.args(&record.rustflags);
        let features: Vec<String> = serde_json::from_str(&record.features).unwrap_or_default();
        for cfg in features
            .iter()
            .map(|name| format!("feature={name:?}"))
            .chain(parsed.cfgs.clone())
        {
            command.arg("--cfg").arg(cfg);
        }
        for (name, dependency) in self.dependencies(&record) {
            command.arg("--extern").arg(dependency.named(&name));
        }
        // rustc lists the variables that the crate reads.
        let seen = fs::read_to_string(unit.dependencies_file()).unwrap_or_default();
        let variables = seen
            .lines()
            .filter_map(|line| line.strip_prefix("# env-dep:")?.split_once('='));
        command
            .env("CARGO_MANIFEST_DIR", parsed.package.folder())
            .envs(variables);
        run(command.arg(&library.src_path))?;
        fs::read(folder.path().join("crate.o")).map_err(|error| error.to_string())
    }
}

impl Unit {
    /// Reads the key of a library from a file of a record such as `greeter-0123456789abcdef/lib-greeter`.
    fn read(file: &Path, profile: &Path) -> Option<(Key, Self)> {
        let name = file.file_name()?.to_str()?.strip_prefix("lib-")?;
        let text = fs::read_to_string(file)
            .ok()
            .filter(|text| text.len() == 16)?;
        let key = u64::from_str_radix(&text, 16).ok()?.swap_bytes();
        let unit = Self {
            name: name.replace('-', "_"),
            record: file.to_owned(),
            profile: profile.to_owned(),
        };
        Some((key, unit))
    }

    fn record(&self) -> Option<Record> {
        let text = fs::read_to_string(self.record.with_extension("json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Part of cargo's names for the crate, such as `-0123456789abcdef`.
    fn hash(&self) -> &str {
        let folder = self.record.parent().and_then(Path::file_name);
        let folder = folder.and_then(|name| name.to_str()).unwrap_or_default();
        folder.rfind('-').map_or("", |at| &folder[at..])
    }

    /// Returns the library of the crate. A crate that is also a dynamic library has no hash in its name.
    fn file(&self, kind: &str) -> Option<PathBuf> {
        let deps = self.profile.join("deps");
        let mut files = [self.hash(), ""].into_iter();
        let file = |hash| deps.join(format!("lib{}{hash}.{kind}", self.name));
        files.find_map(|hash| Some(file(hash)).filter(|file| file.exists()))
    }

    fn dependencies_file(&self) -> PathBuf {
        let deps = self.profile.join("deps");
        let file = deps.join(format!("{}{}.d", self.name, self.hash()));
        if file.exists() {
            file
        } else {
            deps.join(format!("{}.d", self.name))
        }
    }

    /// Returns the value of `--extern` for the crate under a name.
    fn named(&self, name: &str) -> OsString {
        let mut value = OsString::from(format!("{name}="));
        value.push(
            self.file("rlib")
                .or_else(|| self.file("so"))
                .unwrap_or_default(),
        );
        value
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let mut lines = said.lines();
    let first = lines
        .find(|line| line.starts_with("error"))
        .unwrap_or("it fails");
    Err(first.to_owned())
}
