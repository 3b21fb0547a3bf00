// SPDX-License-Identifier: BSD-2-Clause

//! `crate`: checks that a crate is fit for a C image, and lists the files that the answer depends on.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use syn::Item;

use crate::cargo::{self, Cargo, Metadata, Package};
use crate::compiler::Compiler;
use crate::failure::{Failure, Result};
use crate::headers::source::{Cfg, Presence, Sources, attributes};
use crate::std_needs::Variables;
use crate::{output, std_needs};

/// Properties of a crate for CMake. The text form is one `KEY=value` per line.
#[derive(Debug)]
pub struct Facts {
    /// Rust target that fits the C build without std, if a compiler was named.
    pub triple: Option<String>,
    /// The package's name.
    pub package: String,
    /// The package's own `Cargo.toml`.
    pub manifest: PathBuf,
    /// The workspace's `Cargo.lock`.
    pub lock: PathBuf,
    /// Native libraries that the package and its dependencies stand for (`links` in their manifests).
    pub links: BTreeSet<String>,
    /// `cbindgen.toml` beside the manifest, if there.
    pub cbindgen: Option<PathBuf>,
    /// Every file whose change can change these facts.
    pub inputs: BTreeSet<PathBuf>,
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(triple) = &self.triple {
            writeln!(f, "PLAIN={triple}")?;
        }
        writeln!(f, "PACKAGE={}", self.package)?;
        writeln!(f, "MANIFEST={}", self.manifest.display())?;
        writeln!(f, "LOCK={}", self.lock.display())?;
        for links in &self.links {
            writeln!(f, "LINKS={links}")?;
        }
        if let Some(cbindgen) = &self.cbindgen {
            writeln!(f, "CBINDGEN={}", cbindgen.display())?;
        }
        for input in &self.inputs {
            writeln!(f, "INPUT={}", input.display())?;
        }
        Ok(())
    }
}

/// A crate to check, for one `add_rust_library()`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// Which cargo to ask. Its target is ignored if `compiler` is there.
    #[serde(default)]
    pub cargo: Cargo,
    /// `Cargo.toml` of the crate, or of its workspace.
    pub manifest: PathBuf,
    /// Name of the package, in a workspace.
    pub package: Option<String>,
    /// Cargo features to turn on.
    #[serde(default)]
    pub features: Vec<String>,
    /// Keeps the default features off.
    #[serde(default)]
    pub no_default_features: bool,
    /// C compiler and flags of the calling folder.
    pub compiler: Option<Compiler>,
    /// The CMake target.
    #[serde(default)]
    pub target: String,
    /// File name of the C header.
    pub header: Option<String>,
    /// Top folder of the project, whose toolchain compiles all crates.
    pub project: Option<PathBuf>,
    /// Variables of CMake that std depends on, if the library asks for it in a root server.
    pub std: Option<Variables>,
}

/// Warns if a file of rustup's beside or above the crate names a toolchain, and another one, or none, counts for the project.
fn warn_of_toolchain(krate: &Path, project: &Path) {
    let nearest = |folder: &Path| {
        let folder = folder.canonicalize().ok()?;
        let mut files = folder.ancestors().flat_map(|folder| {
            ["rust-toolchain.toml", "rust-toolchain"].map(|name| folder.join(name))
        });
        files.find(|file| file.is_file())
    };
    let of_crate = nearest(krate);
    if let Some(file) = &of_crate
        && of_crate != nearest(project)
    {
        eprintln!(
            "warning: `{}` does not count: all crates of a build are compiled by the toolchain of `{}`\nhelp: move the file there, or remove it",
            file.display(),
            project.display()
        );
    }
}

/// Headers of the C library, of sel4runtime and of libcpio, without `.h`. A header of the same name would hide the one of C
/// from all that link the Rust library.
const HEADERS_OF_C: &str = "aio alloca ar assert byteswap complex cpio crypt ctype dirent dlfcn elf endian err errno fcntl \
    features fenv float fmtmsg fnmatch ftw getopt glob grp iconv ifaddrs inttypes iso646 langinfo lastlog libgen libintl \
    limits link locale malloc math memory mntent monetary mqueue netdb nl_types paths poll pthread pty pwd regex resolv \
    sched search semaphore setjmp shadow signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdio_ext \
    stdlib stdnoreturn string strings stropts syscall sysexits syslog tar termios tgmath threads time uchar ucontext ulimit \
    unistd utime utmp utmpx values wait wchar wctype wordexp";

/// Refuses the name of a header that is not a plain file name, or that C has.
fn header_is_free(target: &str, header: &str) -> Result<()> {
    let call = format!("add_rust_library({target})");
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let inside = |letter: char| plain(letter) || ".-".contains(letter);
    if !header.starts_with(plain) || !header.chars().all(inside) {
        return Err(Failure::new(format!(
            "{call}: HEADER is `{header}`, which is not a file name."
        ))
        .help(format!("give a plain one, such as {target}.h")));
    }
    let stem = header.strip_suffix(".h").unwrap_or_default();
    if HEADERS_OF_C.split_whitespace().any(|known| known == stem) {
        return Err(Failure::new(format!(
            "{call}: the C library has a header `{header}` of its own."
        ))
        .help(format!(
            "give this one another name, such as HEADER rust_{header}"
        )));
    }
    Ok(())
}

/// Arguments of `cargo metadata` that choose features.
#[must_use]
pub fn features(names: &[String], no_default: bool) -> Vec<String> {
    let mut arguments = Vec::new();
    if !names.is_empty() {
        arguments.extend(["--features".to_owned(), names.join(",")]);
    }
    if no_default {
        arguments.push("--no-default-features".to_owned());
    }
    arguments
}

/// Checks the crate that `manifest` (and `package`, in a workspace) names.
///
/// # Errors
///
/// When there is no such crate, when it is not a plain library, when its `Cargo.lock` is missing
/// or stale, or when it brings, or makes rustc ask for, its own panic handler or allocator.
pub fn check(request: &Request) -> Result<Facts> {
    if let Some(header) = &request.header {
        header_is_free(&request.target, header)?;
    }
    let mut cargo = request.cargo.clone();
    let mut plain_triple = None;
    if let Some(compiler) = &request.compiler {
        let (plain, triple) = compiler.triples()?;
        plain_triple = Some(plain);
        cargo.target = Some(triple);
    }
    let manifest = find_manifest(&request.manifest)?;
    let package = request.package.as_deref();
    let arguments = features(&request.features, request.no_default_features);
    let arguments: Vec<&str> = arguments.iter().map(|argument| &**argument).collect();
    // In the usual case one answer has all. If cargo refuses, a question without dependencies tells why.
    let of_the_root = if package.is_none() {
        &arguments[..]
    } else {
        &[]
    };
    let workspace = match cargo.offline(&manifest, of_the_root)? {
        Ok(metadata) => Ok(metadata),
        Err(_) => cargo.metadata(&manifest, &["--no-deps"])?,
    };
    let workspace = match workspace {
        Ok(metadata) => metadata,
        Err(refusal) if refusal.0.contains("no targets specified in the manifest") => {
            return Err(Failure::new(format!(
                "the package of `{}` has no source file",
                manifest.display()
            ))
            .help(format!(
                "write its library into {}",
                manifest.with_file_name("src").join("lib.rs").display()
            )));
        }
        Err(refusal) => {
            return Err(Failure::new(format!(
                "cargo cannot read `{}`: {}",
                manifest.display(),
                refusal.shortened()
            ))
            .help(format!(
                "correct the manifest, then try: cargo metadata --no-deps --manifest-path {}",
                manifest.display()
            )));
        }
    };
    let chosen = choose(&workspace, &manifest, package)?;
    plain_library(chosen)?;
    let lock = find_lock(&workspace, chosen)?;
    has_features(chosen, &request.features)?;
    let graph = cargo.locked(&chosen.manifest_path, &arguments)?;
    no_runtime_of_their_own(&graph, chosen, cargo.target.as_deref())?;
    if let Some(variables) = &request.std {
        std_needs::check(
            variables,
            &format!("add_rust_library({} STD)", request.target),
        )?;
    }

    if let Some(project) = &request.project {
        warn_of_toolchain(chosen.folder(), project);
    }
    let folder = chosen.folder();
    let mut inputs: BTreeSet<PathBuf> = cargo::configs(folder).into_iter().collect();
    inputs.insert(lock.clone());
    inputs.insert(manifest.clone());
    // Every member of the workspace counts: the lock is checked against all of them.
    for package in graph
        .packages
        .iter()
        .filter(|package| package.source.is_none())
    {
        inputs.extend(manifests_of(&package.manifest_path));
    }
    Ok(Facts {
        triple: plain_triple,
        package: chosen.name.clone(),
        manifest: chosen.manifest_path.clone(),
        lock,
        links: (graph.closure(&chosen.id).into_iter())
            .filter_map(|package| package.links.clone())
            .collect(),
        cbindgen: Some(folder.join("cbindgen.toml")).filter(|file| file.is_file()),
        inputs,
    })
}

fn find_manifest(manifest: &Path) -> Result<PathBuf> {
    let absolute = output::absolute(manifest)?;
    if absolute.is_dir() {
        return Err(Failure::new(format!(
            "`{}` is a folder, not a manifest",
            manifest.display()
        ))
        .help(format!(
            "did you mean {}?",
            manifest.join("Cargo.toml").display()
        )));
    }
    if !absolute.is_file() {
        return Err(
            Failure::new(format!("there is no manifest `{}`", absolute.display())).help(
                "name the Cargo.toml of the crate with MANIFEST_PATH, or make one: cargo init --lib",
            ),
        );
    }
    if absolute.file_name() != Some("Cargo.toml".as_ref()) {
        return Err(Failure::new(format!(
            "`{}` is not a manifest: a manifest is called Cargo.toml",
            manifest.display()
        ))
        .help(format!(
            "did you mean {}?",
            manifest.with_file_name("Cargo.toml").display()
        )));
    }
    Ok(absolute)
}

/// The package meant by `manifest` and `name`.
pub fn choose<'a>(
    workspace: &'a Metadata,
    manifest: &Path,
    name: Option<&str>,
) -> Result<&'a Package> {
    let members: Vec<&str> = workspace.members().map(|package| &*package.name).collect();
    let listed = members.join("`, `");
    let Some(name) = name else {
        let same = |package: &&Package| {
            package.manifest_path == manifest
                || package.manifest_path.canonicalize().ok() == manifest.canonicalize().ok()
        };
        return workspace.members().find(same).ok_or_else(|| {
            Failure::new(format!(
                "`{}` is a workspace without a package of its own",
                manifest.display()
            ))
            .help(format!("choose a member with PACKAGE: `{listed}`"))
        });
    };
    workspace
        .members()
        .find(|package| package.name == name)
        .ok_or_else(|| {
            let meant = match nearest(name, &members) {
                Some(near) => format!("did you mean `{near}`? "),
                None => String::new(),
            };
            Failure::new(format!(
                "the workspace of `{}` has no package `{name}`",
                manifest.display()
            ))
            .help(format!("{meant}It has: `{listed}`"))
        })
}

/// Refuses features that `package` does not have.
pub fn has_features(package: &Package, features: &[String]) -> Result<()> {
    for feature in features {
        if package.features.contains_key(feature) || feature.contains('/') {
            continue;
        }
        let known: Vec<&str> = package.features.keys().map(|name| &**name).collect();
        let meant = match nearest(feature, &known) {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        let has = if known.is_empty() {
            "leave it out: the package has none".to_owned()
        } else {
            format!("It has: `{}`", known.join("`, `"))
        };
        return Err(Failure::new(format!(
            "the package `{}` (`{}`) has no feature `{feature}`",
            package.name,
            package.manifest_path.display()
        ))
        .help(format!("{meant}{has}")));
    }
    Ok(())
}

/// Returns the candidate whose spelling is nearest to `name`, if any is near.
pub fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let near = candidates
        .iter()
        .map(|candidate| (strsim::levenshtein(name, candidate), *candidate));
    let (distance, candidate) = near.min()?;
    (distance <= name.len() / 3 + 1).then_some(candidate)
}

/// Refuses a package that cannot be part of a bundle.
fn plain_library(package: &Package) -> Result<()> {
    let manifest = package.manifest_path.display();
    let Some(library) = package.library() else {
        let what = if package
            .targets
            .iter()
            .any(|target| target.kind.contains(&"bin".to_owned()))
        {
            "only a binary"
        } else {
            "no library"
        };
        return Err(Failure::new(format!(
            "the package `{}` (`{manifest}`) has {what}: C links libraries",
            package.name
        ))
        .help("move the code into src/lib.rs"));
    };
    if library.kind.iter().any(|kind| kind == "proc-macro") {
        return Err(Failure::new(format!(
            "the package `{}` (`{manifest}`) is a procedural macro, which runs in the compiler",
            package.name
        ))
        .help("add the library that uses the macro instead"));
    }
    if !library
        .crate_types
        .iter()
        .any(|kind| kind == "lib" || kind == "rlib")
    {
        return Err(Failure::new(format!(
            "the library of `{}` (`{manifest}`) is built as `{}` only, which Rust cannot depend on",
            package.name,
            library.crate_types.join("`, `")
        ))
        .help("remove the `crate-type` line from [lib]: the kit makes the archive for C"));
    }
    Ok(())
}

fn find_lock(workspace: &Metadata, package: &Package) -> Result<PathBuf> {
    let lock = workspace.workspace_root.join("Cargo.lock");
    if lock.is_file() {
        return Ok(lock);
    }
    Err(Failure::new(format!(
        "there is no `{}`: the versions of what `{}` depends on are not fixed",
        lock.display(),
        package.name
    ))
    .help(format!(
        "cargo generate-lockfile --manifest-path {}, then commit the file",
        package.manifest_path.display()
    )))
}

/// `manifest` and, when it is a member of a workspace, the workspace's.
pub(super) fn manifests_of(manifest: &Path) -> Vec<PathBuf> {
    let mut found = vec![manifest.to_owned()];
    let outer = manifest
        .ancestors()
        .skip(2)
        .map(|folder| folder.join("Cargo.toml"));
    let root = outer
        .into_iter()
        .find(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains("[workspace")));
    found.extend(root);
    found
}

/// Refuses the package `asked` if it, or one that it depends on, brings its own panic handler or allocator with the features
/// of `graph`.
///
/// # Errors
///
/// The first such attribute.
pub fn no_runtime_of_their_own(
    graph: &Metadata,
    asked: &Package,
    target: Option<&str>,
) -> Result<()> {
    for package in graph.closure(&asked.id) {
        let cfg = Cfg {
            features: graph.node(&package.id).map(|node| node.features.clone()),
            target: target.map(str::to_owned),
            ..Cfg::default()
        };
        no_runtime_of_its_own(package, asked, &cfg)?;
    }
    Ok(())
}

/// Refuses std among the crates of the package `asked`, with the features of `graph`. Where the target has a std, rustc would
/// link it beside the image's own panic handler.
///
/// # Errors
///
/// The first crate that has std in it.
pub fn no_std(graph: &Metadata, asked: &Package, target: Option<&str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut open = vec![&*asked.id];
    while let Some(id) = open.pop() {
        let (Some(package), Some(node)) = (graph.package(id), graph.node(id)) else {
            continue;
        };
        let is_macro = |kind: &String| kind == "proc-macro";
        let library = package.library();
        // What a procedural macro needs runs in the compiler.
        let library = library.filter(|library| !library.kind.iter().any(is_macro));
        let Some(library) = library.filter(|_| seen.insert(id)) else {
            continue;
        };
        let built = node.deps.iter();
        let built = built.filter(|edge| edge.dep_kinds.iter().any(|role| role.kind.is_none()));
        open.extend(built.map(|edge| &*edge.pkg));
        let features = graph.node(&package.id).map(|node| node.features.clone());
        let by_feature = features
            .as_ref()
            .is_some_and(|features| features.contains("std"));
        let cfg = Cfg {
            features,
            target: target.map(str::to_owned),
            ..Cfg::default()
        };
        // rustc reports errors of syntax.
        let root = std::fs::read_to_string(&library.src_path).unwrap_or_default();
        if !syn::parse_file(&root).is_ok_and(|root| cfg.has_std(&root) == Presence::Yes) {
            continue;
        }
        let (what, help) = if package.id == asked.id {
            (
                format!("the crate `{}`", package.name),
                "write `#![no_std]` at its top",
            )
        } else if by_feature {
            (
                format!(
                    "the crate `{}`, which `{}` depends on, has its feature `std` on and",
                    package.name, asked.name
                ),
                "turn the feature off, usually by `default-features = false`",
            )
        } else {
            (
                format!(
                    "the crate `{}`, which `{}` depends on,",
                    package.name, asked.name
                ),
                "drop the dependency, or turn off the feature that brings it",
            )
        };
        return Err(Failure::new(format!(
            "{what} needs std (`{}`), and no library of the executable is built with it",
            library.src_path.display()
        ))
        .help(format!(
            "{help}; or add STD to add_rust_library(), on aarch64 and x86_64"
        )));
    }
    Ok(())
}

/// Refuses a package that has a panic handler or an allocator, since the bundle has them already.
fn no_runtime_of_its_own(package: &Package, asked: &Package, cfg: &Cfg) -> Result<()> {
    let Some(library) = package.library() else {
        return Ok(());
    };
    // Few crates of a registry name these attributes, and only those are parsed.
    if package.source.is_some() && !mentions(library.src_path.parent(), 0) {
        return Ok(());
    }
    // rustc reports errors of syntax.
    let Ok(sources) = Sources::load(&library.src_path, cfg) else {
        return Ok(());
    };
    let whose = if package.id == asked.id {
        format!("the crate `{}`", package.name)
    } else {
        format!(
            "the crate `{}`, which `{}` depends on,",
            package.name, asked.name
        )
    };
    for source in &sources.items {
        let attributes = attributes(&source.item);
        let has = |name: &str| {
            attributes
                .iter()
                .any(|attribute| attribute.path().is_ident(name))
        };
        let (attribute, ident) = match &source.item {
            Item::Fn(item) if has("panic_handler") => ("panic_handler", &item.sig.ident),
            Item::Static(item) if has("global_allocator") => ("global_allocator", &item.ident),
            _ => continue,
        };
        if cfg.presence(attributes) != Presence::Yes {
            continue;
        }
        let help = if package.source.is_none() {
            "remove it, or put it behind a feature that is off in the image"
        } else {
            "drop the dependency, or turn off the feature that brings it"
        };
        return Err(Failure::new(format!(
            "{whose} has its own `#[{attribute}]` (`{}:{}`), and libsel4-rt supplies the one of the image",
            sources.path(source).display(),
            ident.span().start().line
        ))
        .help(help));
    }
    Ok(())
}

/// Returns whether any Rust file below `folder` names one of the two attributes.
fn mentions(folder: Option<&Path>, depth: usize) -> bool {
    let Some(entries) = folder.and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return depth < 8 && mentions(Some(&path), depth + 1);
        }
        path.extension().is_some_and(|extension| extension == "rs")
            && std::fs::read_to_string(&path).is_ok_and(|text| {
                text.contains("[panic_handler]") || text.contains("[global_allocator]")
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested() {
        assert_eq!(nearest("greter", &["greeter", "farewell"]), Some("greeter"));
        assert_eq!(nearest("x", &["greeter", "farewell"]), None);
    }
}
