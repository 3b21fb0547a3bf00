// SPDX-License-Identifier: BSD-2-Clause

//! A folder with small crates, and a registry of crates that exist only there.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use toml::{Table, Value};

/// A folder that goes away with the test.
pub struct Fixture {
    folder: tempfile::TempDir,
    /// Home of cargo, so that the user's configuration and cache do not count.
    home: tempfile::TempDir,
}

/// Result of a run of the tool.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Asserts success without an error message.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert!(!self.stderr.contains("error"), "{}", self.stderr);
        self
    }

    /// Asserts failure with this message and this next step.
    #[track_caller]
    pub fn fails(self, message: &str, help: &str) -> Self {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        let (error, next) = self
            .stderr
            .split_once("\nhelp: ")
            .unwrap_or((&self.stderr, ""));
        assert!(error.contains("error: "), "{}", self.stderr);
        assert!(
            error.contains(message),
            "no `{message}` in:\n{}",
            self.stderr
        );
        assert!(next.contains(help), "no `{help}` in:\n{}", self.stderr);
        self
    }

    /// Returns the values of `KEY=value` lines.
    pub fn values(&self, key: &str) -> Vec<&str> {
        let lines = self.stdout.lines().filter_map(|line| line.split_once('='));
        lines
            .filter(|(known, _)| *known == key)
            .map(|(_, value)| value)
            .collect()
    }
}

impl Fixture {
    pub fn new() -> Self {
        let new = || tempfile::tempdir().expect("a temporary folder");
        Self {
            folder: new(),
            home: new(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        // Cargo follows links in paths, and a temporary folder may lie behind one.
        self.folder
            .path()
            .canonicalize()
            .expect("the folder")
            .join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub fn append(&self, name: &str, text: &str) {
        self.write(name, self.read(name) + text);
    }

    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn modified(&self, name: &str) -> SystemTime {
        fs::metadata(self.path(name))
            .and_then(|data| data.modified())
            .expect("a time")
    }

    /// Lists every file below the folder, to see that nothing was added.
    pub fn listing(&self, name: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(name)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }

    /// Writes a library crate, with `more` at the end of its manifest, and without a lock.
    pub fn unlocked(&self, name: &str, more: &str) {
        self.package(name, name.rsplit('/').next().unwrap_or(name), "0.1.0", more);
    }

    /// Writes a library crate with the given package name and version.
    pub fn package(&self, folder: &str, name: &str, version: &str, more: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n{more}"
        );
        self.write(&format!("{folder}/Cargo.toml"), manifest);
        self.write(&format!("{folder}/src/lib.rs"), "#![no_std]\n");
    }

    /// Writes a library crate with a lock.
    pub fn library(&self, name: &str, more: &str) {
        self.unlocked(name, more);
        self.lock(name);
    }

    pub fn lock(&self, name: &str) {
        self.cargo(name, &["generate-lockfile", "--offline"]);
    }

    /// Locks a direct dependency at this version. (`cargo update --precise` does not, for such a registry.)
    pub fn pin(&self, name: &str, package: &str, version: &str) {
        let file = format!("{name}/Cargo.toml");
        let manifest = self.read(&file);
        let pinned = manifest.lines().map(|line| {
            if line.starts_with(&format!("{package} = ")) {
                format!("{package} = \"={version}\"\n")
            } else {
                format!("{line}\n")
            }
        });
        self.write(&file, pinned.collect::<String>());
        self.lock(name);
        self.write(&file, manifest);
    }

    #[track_caller]
    pub fn cargo(&self, folder: &str, arguments: &[&str]) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(arguments)
            .arg("--quiet")
            .current_dir(self.path(folder))
            .env("CARGO_HOME", self.home.path())
            .env_remove("CARGO_TARGET_DIR");
        let output = command.output().expect("cargo");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Replaces crates.io by the folder `vendor`, for all crates of this fixture.
    pub fn registry(&self) {
        self.write(
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n",
        );
        self.write("vendor/README", "");
    }

    /// Writes a crate into that registry.
    pub fn published(&self, name: &str, version: &str, more: &str, source: &str) {
        let folder = format!("vendor/{name}-{version}");
        self.package(&folder, name, version, more);
        self.write(
            &format!("{folder}/src/lib.rs"),
            format!("#![no_std]\n{source}"),
        );
        // Cargo compares this with the lock, and does not compute it.
        let seed = version.bytes().fold(7_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        let sum = format!("{seed:064x}");
        self.write(
            &format!("{folder}/.cargo-checksum.json"),
            format!("{{\"files\":{{}},\"package\":\"{sum}\"}}"),
        );
    }

    /// Cuts this fixture's cargo off from the network.
    pub fn unplug(&self) {
        let config = "[net]\nretry = 0\n[http]\nproxy = \"127.0.0.1:9\"\n";
        fs::write(self.home.path().join("config.toml"), config).expect("a file");
    }

    /// Runs a step of the tool. Its request is given as words: `--key value`, or `--key` for what is true. A key with a
    /// dot belongs to a table; a library's keys follow `--library TARGET`.
    pub fn step(&self, words: &[&str]) -> Outcome {
        let (step, mut words) = words.split_first().expect("a step");
        let file = self.home.path().join("request.toml");
        let path = file.display().to_string();
        let mut command = vec![*step, &path];
        if let Some(end) = words.iter().position(|word| *word == "--") {
            command.extend(&words[end..]);
            words = &words[..end];
        }
        fs::write(&file, request(words).to_string()).expect("a file");
        self.run(&command)
    }

    /// Compiles the crate in a folder as cargo does it for an executable, and with what `folders` hold. Writes cargo's
    /// records of it. Returns the archive of the executable, or the errors.
    pub fn rustc(
        &self,
        folder: &str,
        folders: &[&str],
        debug_info: bool,
    ) -> Result<String, String> {
        let profile = "cargo/all/x86_64-unknown-linux-gnu/dev";
        let deps = format!("{profile}/deps");
        let krate = |folder: &str| {
            let name = folder.rsplit('/').next().unwrap_or(folder);
            name.trim_end_matches(|letter: char| letter == '.' || letter.is_ascii_digit())
                .trim_end_matches('-')
                .replace('-', "_")
        };
        let library = |folder: &str| format!("{deps}/lib{}-0123.rlib", krate(folder));
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command
            .args([
                "--edition=2024",
                "-Cpanic=abort",
                if debug_info { "-g" } else { "-Cdebuginfo=0" },
                "--crate-type=lib",
                "--cap-lints=allow",
            ])
            .args([
                "-Cextra-filename=-0123",
                "--out-dir",
                &deps,
                &format!("--crate-name={}", krate(folder)),
            ])
            .args(["-L", &format!("dependency={deps}")]);
        for folder in folders {
            command
                .arg("--extern")
                .arg(format!("{}={}", krate(folder), library(folder)));
        }
        command
            .arg(format!("{folder}/src/lib.rs"))
            .current_dir(self.path(""));
        fs::create_dir_all(self.path(&deps)).expect("a folder");
        let output = command.output().expect("rustc");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        // cargo tells crates apart by numbers, which it writes as their bytes.
        let key = |krate: &str| {
            krate
                .bytes()
                .fold(1_u64, |sum, byte| sum * 31 % 65_521 + u64::from(byte))
        };
        let record = |krate: &str, dependencies: &[String]| {
            let file = format!("{profile}/.fingerprint/{krate}-0123/lib-{krate}");
            let dependencies = dependencies
                .iter()
                .map(|name| format!("[0,\"{name}\",false,{}]", key(name)));
            let dependencies: Vec<String> = dependencies.collect();
            let json = format!(
                "{{\"features\":\"[]\",\"deps\":[{}],\"rustflags\":[]}}",
                dependencies.join(",")
            );
            self.write(&file, format!("{:016x}", key(krate).swap_bytes()));
            self.write(&format!("{file}.json"), json);
        };
        let dependencies: Vec<String> = folders.iter().map(|folder| krate(folder)).collect();
        record(&krate(folder), &dependencies);
        record("bundle", &[krate(folder)]);
        let (archive, copy) = (
            format!("{profile}/libbundle.a"),
            format!("{deps}/libbundle-0123.a"),
        );
        for path in [&archive, &copy] {
            let _ = fs::remove_file(self.path(path));
        }
        fs::copy(self.path(&library(folder)), self.path(&copy)).expect("a copy");
        fs::hard_link(self.path(&copy), self.path(&archive)).expect("a link");
        Ok(archive)
    }

    /// Runs the tool in the fixture's folder.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let output = Command::new(crate::TOOL)
            .args(arguments)
            .current_dir(self.path(""))
            .env("CARGO_HOME", self.home.path())
            .output()
            .expect("the tool");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs another program in the fixture's folder, which must work; gives its output.
    #[track_caller]
    pub fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.path(""))
            .output()
            .expect(program);
        assert!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Keys of requests that hold lists.
const LISTS: [&str; 21] = [
    "bundles",
    "callbacks",
    "cfgs",
    "configs",
    "defines",
    "exports.headers",
    "features",
    "flags",
    "headers",
    "include-dirs",
    "judge.cxx-flags",
    "judge.flags",
    "judge.include-dirs",
    "provided-by",
    "runtime.features",
    "runtime.std-features",
    "rustflags",
    "slots",
    "sys-includes",
    "system-include-dirs",
    "trap-crates",
];

fn request(words: &[&str]) -> Table {
    let mut whole = Table::new();
    let mut libraries: Vec<Value> = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let key = word.strip_prefix("--").expect("a key");
        let value = words.next_if(|word| !word.starts_with("--") || word.contains('='));
        let value = value.map_or(Value::from(true), |text| Value::from(*text));
        if key == "library" {
            let library = Table::from_iter([("target".to_owned(), value)]);
            libraries.push(Value::Table(library));
            continue;
        }
        let mut table = match libraries.last_mut() {
            Some(Value::Table(library)) => library,
            _ => &mut whole,
        };
        let (outer, inner) = key.split_once('.').unwrap_or(("", key));
        if !outer.is_empty() {
            let inner = table
                .entry(outer)
                .or_insert_with(|| Value::Table(Table::new()));
            table = inner.as_table_mut().expect("a table");
        }
        if LISTS.contains(&key) {
            // Numbers are only in lists.
            let text = value.as_str().expect("a value");
            let value = text.parse::<i64>().map_or(value.clone(), Value::from);
            let list = table
                .entry(inner)
                .or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().expect("a list").push(value);
        } else {
            table.insert(inner.to_owned(), value);
        }
    }
    if !libraries.is_empty() {
        whole.insert("library".to_owned(), Value::Array(libraries));
    }
    whole
}
