// SPDX-License-Identifier: BSD-2-Clause

//! `bundle`: the umbrella crate of one executable.
//!
//! All Rust libraries of an executable are built as one static library, so that they share one
//! panic handler, one heap and the statics of the crates they have in common. The bundle is the
//! crate that depends on all of them, and on libsel4-rt.

mod part;
mod request;
mod stamp;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use self::part::{Part, add_patches, folder, part, runtime};
pub use self::request::{BundleProfile, Library, LogLevel, Request, Runtime};
use self::stamp::Stamp;
use crate::cargo::check::{no_runtime_of_their_own, no_std};
use crate::cargo::lock::{self, Keep, Lock};
use crate::cargo::{self, Cargo, Metadata, Package, Refusal};
use crate::compiler::Compiler;
use crate::compiler::inline::{self, Inliner};
use crate::failure::{Failure, Result};
use crate::objects::{seal, witness};
use crate::{output, profile};

/// Writes the bundle that is asked for.
/// When nothing it depends on has changed it writes nothing, and takes no time.
/// Says which native libraries the packages of the bundle stand for (`links` in their manifests), and which packages that
/// compile or read C build scripts use.
///
/// # Errors
///
/// When a package or feature does not exist, or the libraries cannot be built together from the
/// versions that their locks name. The folder is then as it was.
pub fn write(request: &Request) -> Result<Facts> {
    headers_differ(request)?;
    let mut cargo = request.cargo.clone();
    if let Some(compiler) = &request.compiler {
        let (_, triple) = compiler.triples()?;
        compiler.installed(&triple)?;
        cargo.target = Some(triple);
    }
    let cargo = &cargo;
    let out = output::absolute(&request.out)?;
    let stamp = Stamp::new(&out, request, cargo);
    let links = match stamp.holds() {
        Some(links) => links,
        None => {
            let bundle = Bundle::new(request, &out, cargo)?;
            let (links, inputs) = bundle.write()?;
            stamp.set(&links, inputs)?;
            links
        }
    };
    let facts = Facts::new(request, cargo.target.clone(), links)?;
    if let Some(path) = &request.seal {
        let text = toml::to_string(&facts.sealing(request, &out)).map_err(|error| {
            Failure::new(format!("cannot write `{}`: {error}", path.display()))
                .help("name files and folders in UTF-8")
        })?;
        output::write_if_changed(path, text.as_bytes())?;
    }
    Ok(facts)
}

/// Refuses two headers of one name: the first on the include path would hide the other, and C accepts calls without a
/// prototype.
fn headers_differ(request: &Request) -> Result<()> {
    let mut seen: BTreeMap<Cow<'_, str>, &str> = BTreeMap::new();
    for library in &request.libraries {
        let header = library.header.as_ref().and_then(|path| path.file_name());
        let Some(header) = header.map(OsStr::to_string_lossy) else {
            continue;
        };
        if let Some(other) = seen.insert(header.clone(), &library.target) {
            return Err(Failure::new(format!(
                "`{}` links `{other}` and `{}`, whose headers are both called `{header}`.",
                request.executable, library.target
            ))
            .help(format!(
                "give one of them another name: add_rust_library({0} HEADER {0}.h)",
                library.target
            )));
        }
    }
    Ok(())
}

/// Facts for CMake about a bundle. Their text form is one `KEY=value` per line.
#[derive(Debug)]
pub struct Facts {
    triple: Option<String>,
    std: bool,
    links: BTreeSet<String>,
    configs: Vec<PathBuf>,
    inliner: Option<std::result::Result<Inliner, String>>,
    reads_tpidruro: bool,
    libgcc: Option<PathBuf>,
    unwinder: Option<PathBuf>,
}

impl Facts {
    fn new(request: &Request, triple: Option<String>, links: BTreeSet<String>) -> Result<Self> {
        let compiler = request.compiler.as_ref();
        let inliner = match (compiler, &triple, request.inline) {
            (Some(compiler), Some(triple), Some(mode)) if links.contains("sel4") => {
                let debug = request.profile == BundleProfile::Dev;
                let objcopy = request.objcopy.as_deref();
                Some(inline::find(mode, compiler, triple, debug, objcopy)?)
            }
            _ => None,
        };
        Ok(Self {
            reads_tpidruro: matches!(inliner, Some(Ok(_)))
                && compiler.is_some_and(Compiler::reads_tpidruro),
            libgcc: compiler.and_then(|compiler| compiler.file("-print-libgcc-file-name")),
            unwinder: compiler
                .filter(|_| request.std())
                .and_then(|compiler| compiler.file("-print-file-name=libgcc_eh.a")),
            configs: configs(request),
            std: request.std(),
            triple,
            links,
            inliner,
        })
    }

    /// Returns the request to seal the archive of the bundle in `out`.
    fn sealing(&self, request: &Request, out: &Path) -> seal::Request {
        // Debuggers follow Rust's frames by the unwind tables; C's Release build has none.
        let small = request.profile.is_small();
        let std = self.std;
        let provided_by = request.libc.iter().chain(&self.libgcc);
        let inlined = matches!(self.inliner, Some(Ok(_)));
        let headers = request.libraries.iter();
        let headers = headers.filter_map(|library| library.header.clone());
        // CAmkES declares the methods that an instance exports by a macro of libsel4-camkes.
        let camkes = request.environment.get("SEL4_CAMKES_DIR");
        let camkes = camkes.filter(|_| self.links.contains("camkes"));
        seal::Request {
            archive: out.join(format!("archive/lib{}.a", request.name)),
            out: out.join(format!("lib{}.a", request.name)),
            provided_by: provided_by.cloned().collect(),
            inlined: inlined.then(|| out.join("inlined.o")),
            // They are for panics that unwind, and for backtraces.
            no_unwind_tables: small && (!std || (request.panic_abort && !request.backtrace)),
            no_symbolizer: small && std,
            no_read_tp: self.reads_tpidruro,
            callbacks: request.callbacks.clone(),
            exports: witness::Request {
                headers: headers
                    .chain(camkes.map(|dir| Path::new(dir).join("camkes.h")))
                    .collect(),
                target_folder: request.target_folder.clone(),
                check: request.export_check,
            },
            trap_crates: request.trap_crates.clone(),
        }
    }
}

/// Returns the cargo configurations that count for the libraries, without repetition. Of those for one library the nearest
/// comes last, since the last one wins.
fn configs(request: &Request) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for library in &request.libraries {
        for config in cargo::configs(folder(&library.manifest)).into_iter().rev() {
            if !found.contains(&config) {
                found.push(config);
            }
        }
    }
    found
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for link in &self.links {
            writeln!(f, "LINKS={link}")?;
        }
        if let Some(triple) = &self.triple {
            writeln!(f, "TRIPLE={triple}")?;
        }
        if self.std {
            writeln!(f, "STD=ON")?;
        }
        for config in &self.configs {
            writeln!(f, "CONFIG={}", config.display())?;
        }
        for (key, path) in [("LIBGCC", &self.libgcc), ("UNWINDER", &self.unwinder)] {
            if let Some(path) = path {
                writeln!(f, "{key}={}", path.display())?;
            }
        }
        match &self.inliner {
            Some(Ok(inliner)) => {
                writeln!(f, "CLANG={}", inliner.clang.display())?;
                writeln!(f, "LLD={}", inliner.lld.display())?;
                for flag in &inliner.flags {
                    writeln!(f, "CLANGFLAGS={flag}")?;
                }
            }
            Some(Err(why)) => writeln!(f, "CALLS={why}")?,
            None => {}
        }
        Ok(())
    }
}

/// The files a bundle consists of.
const MANIFEST: &str = "Cargo.toml";
const ROOT: &str = "src/lib.rs";
const LOCK: &str = "Cargo.lock";
const CONFIG: &str = ".cargo/config.toml";
const WRAPPER: &str = "rustc.sh";

struct Bundle<'a> {
    request: &'a Request,
    out: &'a Path,
    cargo: &'a Cargo,
    runtime: Part,
    libraries: Vec<Part>,
    patches: Table,
}

impl<'a> Bundle<'a> {
    fn new(request: &'a Request, out: &'a Path, cargo: &'a Cargo) -> Result<Self> {
        let runtime = runtime(&request.runtime, request.std())?;
        let mut libraries: Vec<Part> = Vec::new();
        for library in &request.libraries {
            let mut new = part(library, cargo)?;
            if let Some(known) = libraries
                .iter_mut()
                .find(|known| known.manifest == new.manifest)
            {
                known.join(new)?;
                continue;
            }
            let namesake = libraries
                .iter()
                .chain([&runtime])
                .find(|known| known.package == new.package && known.version == new.version);
            if let Some(other) = namesake {
                return Err(Failure::new(format!(
                    "two packages are called `{}` {}: `{}` and `{}`",
                    new.package,
                    new.version,
                    other.manifest.display(),
                    new.manifest.display()
                ))
                .help(
                    "one executable cannot hold both: give one of them another name or version",
                ));
            }
            new.targets.sort();
            libraries.push(new);
        }
        let mut patches = Table::new();
        for part in &libraries {
            add_patches(&mut patches, part)?;
        }
        Ok(Self {
            request,
            out,
            cargo,
            runtime,
            libraries,
            patches,
        })
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.libraries.iter().chain([&self.runtime])
    }

    /// Writes all files; says which native libraries they want, and what they were made of.
    fn write(&self) -> Result<(BTreeSet<String>, BTreeSet<PathBuf>)> {
        let mut locks = Vec::new();
        for part in self.parts() {
            locks.push(Lock::read(&part.lock)?);
        }
        lock::agree(&locks)?;
        let named: Vec<(&Lock, &str)> = locks
            .iter()
            .zip(self.parts())
            .map(|(lock, part)| (lock, &*part.package))
            .collect();
        // cargo reads it for the folder below, too, and would not get past a damaged one.
        let config = self.out.join(CONFIG);
        if fs::read_to_string(&config).is_ok_and(|text| text.parse::<Table>().is_err()) {
            fs::remove_file(&config).map_err(|error| Failure::io("remove", &config, &error))?;
        }
        fs::create_dir_all(self.out).map_err(|error| Failure::io("create", self.out, &error))?;
        let scratch = tempfile::Builder::new()
            .prefix(".next-")
            .tempdir_in(self.out)
            .map_err(|error| Failure::io("write into", self.out, &error))?;
        let place = scratch.path();
        let highest = lock::merge(&named, Keep::Highest);
        let all = lock::merge(&named, Keep::All);
        let graph = self.build(place, &highest, &locks).or_else(|failure| {
            if highest == all {
                return Err(failure);
            }
            self.build(place, &all, &locks).map_err(|_| failure)
        })?;
        // The libraries of one executable turn on each other's features.
        let target = self.cargo.target.as_deref();
        let package = |part: &Part| {
            let mut packages = graph.packages.iter();
            packages.find(|package| package.manifest_path == part.manifest)
        };
        // The hosted platform's runtime is a program of Linux.
        let has_std = |part: &Part| {
            package(part).is_some_and(|runtime| no_std(&graph, runtime, target).is_err())
        };
        let plain = !self.request.std() && !has_std(&self.runtime);
        for own in self.libraries.iter().filter_map(package) {
            no_runtime_of_their_own(&graph, own, target)?;
            if plain {
                no_std(&graph, own, target)?;
            }
        }
        for file in [ROOT, LOCK, MANIFEST] {
            output::write_if_changed(
                &self.out.join(file),
                output::read(&place.join(file))?.as_bytes(),
            )?;
        }

        let mut inputs = BTreeSet::new();
        for part in self.parts() {
            inputs.extend([part.lock.clone(), part.root.clone()]);
            inputs.extend(cargo::config_places(folder(&part.manifest)));
        }
        for package in graph
            .packages
            .iter()
            .filter(|package| package.source.is_none())
        {
            if !package.manifest_path.starts_with(place) {
                inputs.insert(package.manifest_path.clone());
            }
        }
        let links = graph
            .packages
            .iter()
            .filter_map(|package| package.links.clone());
        let builders = graph.packages.iter().map(|package| package.name.clone());
        let builders = builders.filter(|name| ["bindgen", "cc", "cmake"].contains(&&**name));
        let links = links.chain(builders).collect();
        let for_c = |package: &Package| {
            let kinds = package
                .library()
                .map_or(&[][..], |library| &library.crate_types);
            let mut kinds = kinds.iter();
            let own = package.manifest_path.starts_with(place);
            !own && kinds.any(|kind| ["cdylib", "dylib", "staticlib"].contains(&&**kind))
        };
        let wrapper = self.out.join(WRAPPER);
        let wrapper = graph.packages.iter().any(for_c).then_some(wrapper);
        if let Some(wrapper) = &wrapper {
            output::write_if_changed(wrapper, include_bytes!("bundle/rustc.sh"))?;
            fs::set_permissions(wrapper, fs::Permissions::from_mode(0o755))
                .map_err(|error| Failure::io("make executable", wrapper, &error))?;
        }
        let text = self.config_text(&links, wrapper.as_deref());
        output::write_if_changed(&self.out.join(CONFIG), text.as_bytes())?;
        Ok((links, inputs))
    }

    /// Returns the cargo configuration for building the bundle. `wrapper` runs rustc.
    fn config_text(&self, links: &BTreeSet<String>, wrapper: Option<&Path>) -> String {
        let mut environment = Table::new();
        let bindings = self.request.bindings_dir.as_ref();
        let bindings = bindings.filter(|_| links.contains("sel4"));
        let bindings = bindings.map(|folder| ("SEL4_SYS_DIR", &**folder));
        let given = self.request.environment.iter();
        let given = given.map(|(name, value)| (&**name, &**value));
        for (name, value) in given.chain(bindings) {
            // Forced: what the user's shell exports is not what this build was configured with.
            let forced = [
                ("value".to_owned(), Value::from(value)),
                ("force".to_owned(), Value::from(true)),
            ];
            environment.insert(name.to_owned(), Value::Table(Table::from_iter(forced)));
        }
        let mut flags = self.request.rustflags.clone();
        if self.request.std() && self.request.backtrace && self.request.profile.is_small() {
            // For ./backtrace. The line tables stay in the file; nothing of them is loaded.
            flags.push("-Cdebuginfo=line-tables-only".to_owned());
        }
        let target = self.cargo.target.as_deref().unwrap_or_default();
        if self.request.compiler.is_some() && target.ends_with("-linux-musl") {
            // Images are linked at a fixed address.
            flags.push("-Crelocation-model=static".to_owned());
        }
        if self.request.std() {
            // rustix has instructions of its own for Linux' system calls, unless it is told to use libc.
            flags.push("--cfg=rustix_use_libc".to_owned());
        }
        let flags = Value::from(flags);
        let flags = Value::Table(Table::from_iter([("rustflags".to_owned(), flags)]));
        let mut config = Table::from_iter([("env".to_owned(), Value::Table(environment))]);
        match &self.cargo.target {
            Some(triple) => config.insert(
                "target".to_owned(),
                Value::Table(Table::from_iter([(triple.clone(), flags)])),
            ),
            None => config.insert("build".to_owned(), flags),
        };
        if let Some(wrapper) = wrapper {
            let build = config
                .entry("build")
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(build) = build {
                let wrapper = Value::from(wrapper.display().to_string());
                build.insert("rustc-wrapper".to_owned(), wrapper);
            }
        }
        format!(
            "# Generated by sel4-rust of sel4-rust-kit. Do not edit: CMake writes it again.\n\n{config}"
        )
    }

    /// Makes the bundle in `place`, beginning with the lock `seed`; the network is used only if need be.
    fn build(&self, place: &Path, seed: &str, locks: &[Lock]) -> Result<Metadata> {
        self.resolve(place, seed, locks, &["--offline"])
            .or_else(|_| {
                eprintln!("Fetching the crates of `{}` ...", self.request.name);
                self.resolve(place, seed, locks, &[])
            })
    }

    fn resolve(
        &self,
        place: &Path,
        seed: &str,
        locks: &[Lock],
        flags: &[&str],
    ) -> Result<Metadata> {
        let put =
            |file: &str, text: &str| output::write_if_changed(&place.join(file), text.as_bytes());
        put(LOCK, seed)?;
        put(ROOT, &self.root_text())?;
        // The libraries' own graphs tell whether one uses `log`. Features that they turn on together could bring it, too.
        let mut log = self.libraries.iter().any(|part| part.logs);
        put(MANIFEST, &self.manifest_text(log, &BTreeMap::new()))?;
        let mut graph = self.ask(place, flags)?;
        if self.logs(&graph) != log {
            log = !log;
            put(MANIFEST, &self.manifest_text(log, &BTreeMap::new()))?;
            graph = self.ask(place, flags)?;
        }
        self.verify(&graph, &Lock::read(&place.join(LOCK))?, locks)?;
        put(MANIFEST, &self.manifest_text(log, &self.overrides(&graph)?))?;
        Ok(graph)
    }

    /// Asks cargo about the bundle in `place`, with the configuration that its parts are built with.
    fn ask(&self, place: &Path, flags: &[&str]) -> Result<Metadata> {
        let mut arguments: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut seen: BTreeSet<PathBuf> = cargo::configs(place).into_iter().collect();
        for config in self
            .parts()
            .flat_map(|part| cargo::configs(folder(&part.manifest)))
        {
            if seen.insert(config.clone()) {
                arguments.extend(["--config".to_owned(), config.display().to_string()]);
            }
        }
        let arguments: Vec<&str> = arguments.iter().map(|argument| &**argument).collect();
        self.cargo
            .metadata(&place.join(MANIFEST), &arguments)?
            .map_err(|refusal| self.refused(&refusal))
    }

    fn refused(&self, refusal: &Refusal) -> Failure {
        let targets: Vec<&str> = self
            .libraries
            .iter()
            .flat_map(|part| &part.targets)
            .map(|target| &**target)
            .collect();
        let failure = Failure::new(format!(
            "the Rust libraries `{}` cannot be built together: {}",
            targets.join("`, `"),
            refusal.shortened()
        ));
        if refusal.0.contains("directory source") {
            // The user's crates are vendored, and the kit's own were not vendored with them.
            let vendored = self
                .libraries
                .iter()
                .find(|part| !cargo::configs(folder(&part.manifest)).is_empty());
            let manifest = &vendored.unwrap_or(&self.runtime).manifest;
            failure.help(format!(
                "vendor what the runtime needs as well: cargo vendor --sync {} --manifest-path {}",
                self.runtime.manifest.display(),
                manifest.display()
            ))
        } else if refusal.is_network() {
            failure.help("configure once with a network, so that cargo can fetch these crates")
        } else {
            failure.help("make the requirements of the libraries' manifests agree, then update their locks with: cargo update --workspace")
        }
    }

    /// Returns whether any library uses the `log` crate.
    fn logs(&self, graph: &Metadata) -> bool {
        self.libraries.iter().any(|part| {
            let id = graph
                .packages
                .iter()
                .find(|package| package.manifest_path == part.manifest);
            id.is_some_and(|package| graph.logs(&package.id))
        })
    }

    /// Checks that the lock names nothing that no part's lock names.
    fn verify(&self, graph: &Metadata, merged: &Lock, locks: &[Lock]) -> Result<()> {
        let fetched = merged
            .packages
            .iter()
            .filter(|package| package.source.is_some());
        for package in fetched {
            if locks.iter().any(|lock| lock.holds(package)) {
                continue;
            }
            let user = self.parts().find(|part| {
                let own = graph
                    .packages
                    .iter()
                    .find(|known| known.manifest_path == part.manifest);
                own.is_some_and(|own| {
                    let mut closure = graph.closure(&own.id).into_iter();
                    closure
                        .any(|known| known.name == package.name && known.version == package.version)
                })
            });
            let user = user.unwrap_or(&self.runtime);
            return Err(Failure::new(format!(
                "together the Rust libraries need `{}` {}, which the Cargo.lock of none of them names",
                package.name, package.version
            ))
            .help(format!(
                "cargo update -p {} --precise {} --manifest-path {}",
                package.name,
                package.version,
                user.manifest.display()
            )));
        }
        Ok(())
    }

    /// Returns the settings of the users' profiles for single packages of the graph.
    fn overrides(&self, graph: &Metadata) -> Result<BTreeMap<String, Table>> {
        let mut tables: BTreeMap<&str, Table> = BTreeMap::new();
        let base = self.request.profile.base();
        for part in &self.libraries {
            let whose = part.root.display().to_string();
            let asked = part.profile.as_deref().unwrap_or(base);
            let settings = profile::resolve(&part.root_table, asked, base, &whose)?;
            let own = graph
                .packages
                .iter()
                .find(|package| package.manifest_path == part.manifest);
            for package in own.map_or(Vec::new(), |own| graph.closure(&own.id)) {
                let is_part = |part: &Part| part.manifest == package.manifest_path;
                let member = part.members.contains(&package.manifest_path);
                // What two libraries share follows the first; a library follows itself.
                if is_part(&self.runtime)
                    || (!is_part(part) && self.libraries.iter().any(is_part))
                    || tables.contains_key(&*package.id)
                {
                    continue;
                }
                let mut table = if member {
                    let mut own = self.own_defaults();
                    own.extend(settings.own.clone());
                    own
                } else {
                    settings.others.clone()
                };
                let named = settings
                    .named
                    .iter()
                    .filter(|(spec, _)| spec.split(['@', ':']).next() == Some(&package.name));
                for (_, named) in named {
                    table.extend(named.clone());
                }
                tables.insert(&package.id, table);
            }
        }
        let spelt = |id: &str| {
            let Some(package) = graph.package(id) else {
                return id.to_owned();
            };
            let mut others = graph
                .packages
                .iter()
                .filter(|other| other.id != id && other.name == package.name);
            match others.next() {
                None => package.name.clone(),
                Some(other) if other.version != package.version && others.next().is_none() => {
                    format!("{}@{}", package.name, package.version)
                }
                Some(_) => id.to_owned(),
            }
        };
        let kept = tables.into_iter().filter(|(_, table)| !table.is_empty());
        Ok(kept.map(|(id, table)| (spelt(id), table)).collect())
    }

    /// Returns the settings of the users' own packages where their profiles have none.
    fn own_defaults(&self) -> Table {
        match self.request.profile {
            BundleProfile::Release | BundleProfile::RelWithDebInfo => {
                Table::from_iter([("opt-level".to_owned(), Value::from(OWN_OPT_LEVEL))])
            }
            BundleProfile::Dev | BundleProfile::MinSizeRel => Table::new(),
        }
    }

    fn root_text(&self) -> String {
        let mut text = format!(
            "// Generated by sel4-rust of sel4-rust-kit for `{}`. Do not edit: CMake writes it again.\n\n\
             //! All Rust code of one executable.\n{}\n",
            self.request.name,
            if self.request.std() {
                ""
            } else {
                "#![no_std]\n"
            }
        );
        for (index, part) in self.libraries.iter().enumerate() {
            text += &format!(
                "extern crate library_{} as _; // {}\n",
                index + 1,
                part.targets.join(", ")
            );
        }
        text += "extern crate runtime as _;\n";
        text
    }

    fn manifest_text(&self, log: bool, overrides: &BTreeMap<String, Table>) -> String {
        let mut text = format!(
            "# Generated by sel4-rust of sel4-rust-kit. Do not edit: CMake writes it again.\n\n\
             [package]\nname = {}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [lib]\ncrate-type = [\"staticlib\"]\n\n\
             # A workspace of its own, wherever the build folder lies.\n[workspace]\n\n[dependencies]\n",
            quoted(&self.request.name)
        );
        for (index, part) in self.libraries.iter().enumerate() {
            text += &dependency(&format!("library_{}", index + 1), part, None);
        }
        // At level off the calls vanish, and the logger is not needed either.
        let logger = log && self.request.log_level != LogLevel::Off;
        text += &dependency("runtime", &self.runtime, logger.then_some("log"));
        if log {
            text += &format!(
                "log = {{ version = \"0.4\", default-features = false, features = [\"{}\"] }}\n",
                self.request.log_level.feature()
            );
        }
        let unwinds = self.request.std() && !self.request.panic_abort;
        text += &PROFILES.replace("PANIC", if unwinds { "unwind" } else { "abort" });
        for (package, table) in overrides {
            let profile = self.request.profile.name();
            text += &format!("\n[profile.{profile}.package.{}]\n{table}", quoted(package));
        }
        if !self.patches.is_empty() {
            let patches =
                Table::from_iter([("patch".to_owned(), Value::Table(self.patches.clone()))]);
            text += &format!("\n{patches}");
        }
        text
    }
}

/// Level of optimisation of the users' own packages in a release build.
///
/// At `"s"`, rustc unrolls no loop, and a message of four registers costs 12 % more than in C. The users' packages
/// contain libsel4's inlined functions; at 2 they cost what C costs, and images are as small as at `"s"`, for
/// what is large is in other packages.
const OWN_OPT_LEVEL: i64 = 2;

/// Release is made small: an image is loaded into memory whole.
const PROFILES: &str = r#"
[profile.dev]
panic = "PANIC"

[profile.release]
opt-level = "s"
lto = "fat"
codegen-units = 1
panic = "PANIC"
debug = false
strip = "none"

[profile.relwithdebinfo]
inherits = "release"
debug = true

[profile.minsizerel]
inherits = "release"
opt-level = "z"
"#;

fn dependency(key: &str, part: &Part, extra: Option<&str>) -> String {
    let features: Vec<String> = part
        .features
        .iter()
        .map(|feature| &**feature)
        .chain(extra)
        .map(quoted)
        .collect();
    format!(
        "{key} = {{ package = {}, path = {}, default-features = {}, features = [{}] }}\n",
        quoted(&part.package),
        quoted(&folder(&part.manifest).display().to_string()),
        part.default_features,
        features.join(", ")
    )
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
