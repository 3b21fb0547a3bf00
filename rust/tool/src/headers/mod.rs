// SPDX-License-Identifier: BSD-2-Clause

//! `header`: the C header of a crate, by cbindgen, strictly.
//!
//! cbindgen leaves out items that it cannot express and carries on. Here that is an error. To know the items and their
//! places, [`source`] parses the crate and its path dependencies first, and `names` resolves their paths. cbindgen gets
//! one file, which `flat` makes: the exports, the constants that C sees, and the types that these reach.

mod camkes;
mod compiled;
mod complaints;
mod crates;
mod exports;
mod flat;
mod judge;
mod layout;
mod macros;
mod names;
mod settings;
pub mod source;
mod text;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::cargo::check::{choose, features};
use crate::cargo::{Cargo, Metadata, Package};
use crate::failure::{Failure, Result};
use crate::objects::types::Number;
use crate::objects::witness::Record;
use crate::output;

use compiled::Compiled;
use crates::Crates;
use flat::{Flat, Flattener};
use names::{Id, Names, Public};
use settings::Settings;

/// Which header to write, and of what.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// Which cargo to ask.
    #[serde(default)]
    pub cargo: Cargo,
    /// The `Cargo.toml` of the crate, or of its workspace.
    pub manifest: PathBuf,
    /// The package.
    pub package: String,
    /// The header.
    pub out: PathBuf,
    /// File to list the inputs in, in the syntax of make.
    pub depfile: PathBuf,
    /// The user's cbindgen.toml, which has the last word on style.
    pub config: Option<PathBuf>,
    /// Folder of cargo's in the build, in which build scripts have run.
    pub target_folder: Option<PathBuf>,
    /// Manifests of the bundles that the crate is in, which decide on features. The first is that of the judge's archive.
    #[serde(default)]
    pub bundles: Vec<PathBuf>,
    /// Configurations of cargo for the bundles.
    #[serde(default)]
    pub configs: Vec<String>,
    /// Set if the cfgs are all known: rustc's own, those of the flags, and those of build scripts that have run.
    #[serde(default)]
    pub exact: bool,
    /// Further cfgs, such as `board="zynqmp"`.
    #[serde(default)]
    pub cfgs: Vec<String>,
    /// Environment variables of the build that the project sets, as `NAME=value`.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Flags of rustc, of which `--cfg` counts.
    #[serde(default)]
    pub rustflags: Vec<String>,
    /// Set if the build has debug assertions.
    #[serde(default)]
    pub debug_assertions: bool,
    /// Compilers that judge the header.
    pub judge: Option<judge::Judge>,
    /// Further `#include <...>` lines.
    #[serde(default)]
    pub sys_includes: Vec<String>,
    /// The features to take as on.
    #[serde(default)]
    pub features: Vec<String>,
    /// Keeps the default features off.
    #[serde(default)]
    pub no_default_features: bool,
}

/// Writes the header and its depfile.
///
/// # Errors
///
/// When an export of the crate cannot be expressed in C. Both files are then as they were.
pub fn write(request: &Request) -> Result<()> {
    let manifest = output::absolute(&request.manifest)?;
    let arguments = features(&request.features, request.no_default_features);
    let arguments: Vec<&str> = arguments.iter().map(|argument| &**argument).collect();
    let mut graphs = Vec::new();
    let configs: Vec<String> = request
        .configs
        .iter()
        .map(|config| format!("--config={config}"))
        .collect();
    let configs: Vec<&str> = configs.iter().map(|argument| &**argument).collect();
    for bundle in &request.bundles {
        graphs.push(request.cargo.locked(bundle, &configs)?);
    }
    if graphs.is_empty() {
        graphs.push(request.cargo.locked(&manifest, &arguments)?);
    }
    let graph = &graphs[0];
    let chosen = match request.bundles.first() {
        Some(_) => member(graph, &manifest, &request.package)?,
        None => choose(graph, &manifest, Some(&request.package))?,
    };
    let crates = Crates::load(graph, &chosen.id, request)?;
    for (other, bundle) in graphs.iter().zip(&request.bundles).skip(1) {
        same_features(&crates, graph, other, [&request.bundles[0], bundle])?;
    }
    let mut settings = Settings::new(request)?;
    settings.exclude(camkes::types(&crates));
    let (text, record) = generate(request, &crates, settings)?;

    output::write_if_changed(&request.out, text.as_bytes())?;
    record.write(&request.out)?;
    let mut inputs = crates.files();
    inputs.extend(request.config.clone());
    // These decide on features.
    for graph in graphs.iter().filter(|_| !request.bundles.is_empty()) {
        let packages = graph
            .packages
            .iter()
            .filter(|package| package.source.is_none());
        inputs.extend(packages.map(|package| package.manifest_path.clone()));
    }
    output::write_if_changed(
        &request.depfile,
        output::depfile(&request.out, &inputs).as_bytes(),
    )?;
    Ok(())
}

/// Returns the package of a bundle with this manifest.
fn member<'g>(graph: &'g Metadata, manifest: &Path, package: &str) -> Result<&'g Package> {
    let mut all = graph.packages.iter();
    let found = all.find(|known| known.name == package && known.manifest_path == manifest);
    found.ok_or_else(|| {
        Failure::new(format!(
            "`{}` is not in the bundle of its executable",
            manifest.display()
        ))
        .help("configure the build again")
    })
}

/// Refuses features that differ between the bundles of two executables, which share the header.
fn same_features(
    crates: &Crates<'_>,
    one: &Metadata,
    two: &Metadata,
    bundles: [&Path; 2],
) -> Result<()> {
    for parsed in &crates.all {
        let id = &parsed.package.id;
        let features = |graph: &Metadata| graph.node(id).map(|node| node.features.clone());
        let (in_one, in_two) = (features(one), features(two));
        if in_two.is_none() || in_one == in_two {
            continue;
        }
        let differ: Vec<String> = in_one
            .unwrap_or_default()
            .symmetric_difference(&in_two.unwrap_or_default())
            .map(|feature| format!("`{feature}`"))
            .collect();
        let [one, two] = bundles.map(|bundle| {
            let folder = bundle.parent().and_then(Path::file_name);
            folder.unwrap_or_default().to_string_lossy().into_owned()
        });
        return Err(Failure::new(format!(
            "`{one}` and `{two}` share a header, and `{}` is built for one of them with the feature {}",
            parsed.package.name,
            differ.join(", ")
        ))
        .help("link the same Rust libraries into both, give both the feature, or call add_rust_library() twice, for one each"));
    }
    Ok(())
}

/// Returns the text of the header, and the record of the exports that it accounts for.
fn generate(
    request: &Request,
    crates: &Crates<'_>,
    settings: Settings,
) -> Result<(String, Record)> {
    let names = Names::new(crates);
    let public = names.public();
    let all = umbrella(&names, &public, &settings).chain(public.items.iter().copied());
    let all: BTreeSet<Id> = names.of_crate(0).chain(all).collect();
    let exports = exports::find(&names, all)?;
    exports::check(&names, &exports)?;
    exports::warn_of_macros(crates.own(), &request.out);

    let mut flattener = Flattener::new(&names, &settings, request.cargo.target.as_deref());
    let unknown = flattener.add_constants(&public.items);
    flattener.add_values(ask(&names, &public, request, &unknown));
    let mut roots: BTreeSet<Id> = exports.iter().map(|export| export.id).collect();
    roots.extend(flattener.constants().keys());
    roots.extend(included(&names, &settings));
    let roots: Vec<Id> = roots.into_iter().collect();
    let flat = flattener.flatten(&roots)?;
    flat.check_names()?;

    let mut first = Vec::new();
    let (made, log) = loop {
        let (made, log) = run_cbindgen(&flat, &settings, &first)?;
        let early = match &made {
            Ok(Ok((_, text))) => text::early(text).map(|name| flat.owner_of_body(&name)),
            _ => None,
        };
        match early {
            // Types behind pointers to each other come in the order in which they are found.
            Some(name) if !first.contains(&name) && flat.type_named(&name).is_some() => {
                first.push(name);
            }
            Some(name) => {
                return Err(Failure::new(format!(
                    "`{name}` would stand before the definition of a type that it holds by value"
                ))
                .help(format!(
                    "let one of the types hold a `*mut c_void`, or export a function with a pointer to `{name}` before others"
                )));
            }
            None => break (made, log),
        }
    };
    let (mut bindings, text) = match made {
        Ok(made) => made?,
        Err(panic) => return Err(explain(&flattener, &roots, &names, &settings, &panic)),
    };
    let known = &settings.known_to_c;
    complaints::judge(&flat, &request.package, known, &log)?;
    for warning in layout::check(&flat, known, &log, request.judge.is_some())? {
        eprintln!("warning: {warning}");
    }
    let config = &settings.config;
    let own = [&config.header, &config.after_includes, &config.trailer]
        .map(|text| text.as_deref().unwrap_or_default());
    let closed = text::is_closed(config.header.as_deref().unwrap_or_default());
    if closed {
        text::clashes(&flat, &text, &own.concat())?;
    }

    let user_header = bindings.config.header.take();
    let lines = user_header.as_deref().unwrap_or_default();
    let in_comment = lines.matches("/*").count() > lines.matches("*/").count();
    let mut wanted = request.sys_includes.clone();
    let camkes_types = camkes::types(crates);
    let needs_camkes = camkes_types.iter().any(|name| text::mentions(&text, name));
    if needs_camkes {
        wanted.push(camkes::HEADER.to_owned());
    }
    let includes = text::includes(&text, &wanted);
    bindings.config.sys_includes.splice(0..0, includes);
    if text::mentions(&text, settings::ALIGNED) {
        let given = bindings.config.after_includes.take().unwrap_or_default();
        let define = settings::ALIGNED_DEFINE;
        bindings.config.after_includes = Some(format!("{define}{given}"));
    }
    let mut header = format!(
        "/* Generated from the Rust crate `{}` by sel4-rust-kit. Do not edit. */\n",
        request.package
    );
    if let Some(user) = user_header {
        header += &format!("{user}\n");
    }
    if exports.is_empty() {
        header += "/* The crate exports nothing to C: no function is `extern \"C\"` and `#[unsafe(no_mangle)]`. */\n";
    }
    let around = |name: &str| around(crates, &flat, config, name);
    header += &text::declared(&text::surrounded(&body(&bindings), around));
    if flattener.is_wide() {
        header = text::long_numbers(&header);
    }
    let target = request.cargo.target.as_deref().unwrap_or_default();
    if ["arm", "thumb"].iter().any(|arch| target.starts_with(arch)) && target.contains("-none-") {
        header = text::least_enums(&header);
    }
    if in_comment && let Some(guard) = &bindings.config.include_guard {
        // The user's own lines enclose all in a comment, which this one would end.
        header = header.replace(&format!("#endif  /* {guard} */"), "#endif");
    }
    let crates = crates
        .all
        .iter()
        .filter_map(|parsed| parsed.package.library());
    let crates: Vec<String> = crates
        .map(|library| library.name.replace('-', "_"))
        .collect();
    // Only the sources of an instance can include camkes.h. One of them includes this header, too.
    let judge = request.judge.as_ref().filter(|_| closed && !needs_camkes);
    if let Some(judge) = judge {
        let places = exports.iter().filter(|export| !export.is_kept_from_c());
        let places = places.map(|export| {
            let place = names.place(export.id, export.ident.span());
            (export.symbol.clone(), place)
        });
        let constants = flattener.constants();
        let mut exporters: Vec<usize> = exports
            .iter()
            .map(|export| names.krate(export.id))
            .collect();
        exporters.dedup();
        let own_text = [&config.header, &config.after_includes, &config.trailer];
        let case = judge::Case {
            path: &request.out,
            header: &header,
            flat: &flat,
            exports: places.collect(),
            constants: asked(
                &names,
                &public,
                constants.iter().map(|(id, kind)| (*id, *kind)),
            ),
            crates: crates.clone(),
            exporters: exporters
                .into_iter()
                .map(|krate| &names.crates.all[krate])
                .collect(),
            debug_assertions: request.debug_assertions,
            target_folder: request.target_folder.as_deref(),
            lenient: !config.export.exclude.is_empty()
                || own_text.iter().any(|text| text.is_some()),
        };
        judge.check(&case)?;
    }
    let mut record = Record {
        crates: crates.into_iter().collect(),
        symbols: settings.config.export.exclude.iter().cloned().collect(),
    };
    let words: BTreeSet<&str> = text::tokens(&header).into_iter().collect();
    let accounted = exports
        .iter()
        .filter(|export| export.is_kept_from_c() || words.contains(&*export.symbol));
    record
        .symbols
        .extend(accounted.map(|export| export.symbol.clone()));
    Ok((header, record))
}

/// Returns the paths and types of constants, by name.
fn asked(
    names: &Names<'_>,
    public: &Public,
    constants: impl Iterator<Item = (Id, &'static str)>,
) -> BTreeMap<String, (String, &'static str)> {
    let constants = constants.filter_map(|(id, kind)| {
        let ident = crates::item_ident(names.get(id))?;
        let path = public.paths.get(&id)?.clone();
        Some((ident.unraw().to_string(), (path, kind)))
    });
    constants.collect()
}

/// Returns the values that rustc has for constants, and warns of those that it has no value for.
fn ask(
    names: &Names<'_>,
    public: &Public,
    request: &Request,
    constants: &[(Id, &'static str)],
) -> Vec<(Id, &'static str, Number)> {
    let asked = asked(names, public, constants.iter().copied());
    let krate = names.crates.own().package.library();
    let krate = krate.map_or_else(String::new, |library| library.name.replace('-', "_"));
    let archive = request
        .judge
        .as_ref()
        .and_then(|judge| judge.archive.as_deref());
    let archive = archive.filter(|_| !asked.is_empty());
    let compiled = archive
        .zip(request.target_folder.as_deref())
        .and_then(|(archive, folder)| Compiled::of(archive, folder));
    let values = compiled.map(|compiled| compiled.values(&krate, &asked).unwrap_or_default());
    let values = values.unwrap_or_default();
    let mut known = Vec::new();
    for (id, kind) in constants {
        let Some(ident) = crates::item_ident(names.get(*id)) else {
            continue;
        };
        match values.get(&ident.unraw().to_string()) {
            Some(value) => known.push((*id, *kind, *value)),
            None => eprintln!(
                "warning: {}: the constant `{ident}` is not in the header, since its value is not arithmetic on numbers",
                names.place(*id, ident.span()),
            ),
        }
    }
    known
}

type Made = std::result::Result<Result<(cbindgen::Bindings, String)>, String>;

/// Runs cbindgen, which complains both while parsing and while writing. The outer error is the message of a panic.
fn run_cbindgen(
    flat: &Flat,
    settings: &Settings,
    first: &[String],
) -> Result<(Made, complaints::Log)> {
    let folder = tempfile::tempdir().map_err(|error| {
        Failure::new(format!("cannot make a temporary folder: {error}"))
            .help("free some space in it, or name another folder in TMPDIR")
    })?;
    let file = folder.path().join(flat::FILE);
    output::write_if_changed(&file, flat.text(first).as_bytes())?;
    let mut config = settings.config.clone();
    for (ours, name) in flat::renames() {
        config.export.rename.entry(ours).or_insert(name);
    }
    let builder = cbindgen::Builder::new().with_config(config).with_src(&file);
    Ok(complaints::listen(|| {
        let bindings = builder.generate().map_err(|error| {
            Failure::new(format!("cbindgen cannot read the crate: {error}"))
                .help("if `cargo check` accepts the crate, report it to the project")
        })?;
        let text = body(&bindings);
        Ok((bindings, text))
    }))
}

/// Returns the failure for an assertion of cbindgen, with the first item for which it fails.
fn explain(
    flattener: &Flattener<'_>,
    roots: &[Id],
    names: &Names<'_>,
    settings: &Settings,
    panic: &str,
) -> Failure {
    let fails = |root: &Id| {
        let flat = flattener.flatten(&[*root]).ok()?;
        run_cbindgen(&flat, settings, &[]).ok()?.0.err()
    };
    let found = roots.iter().find_map(|root| Some((*root, fails(root)?)));
    let (item, panic) = match &found {
        Some((root, panic)) => {
            let item = names.get(*root);
            let ident = crates::item_ident(item);
            let place = names.place(*root, ident.map_or_else(|| item.span(), syn::Ident::span));
            let name = ident.map_or_else(
                || "an `impl` block".to_owned(),
                |ident| format!("`{ident}`"),
            );
            (format!("{name} (`{place}`)"), &**panic)
        }
        None => ("the crate".to_owned(), panic),
    };
    Failure::new(format!("cbindgen cannot write {item}, or a type that it uses, in C: {panic}")).help(
        "use other types, or keep the item out of the header with the comment `/// cbindgen:ignore`",
    )
}

/// Returns the items of other crates that are exported with this one: those of crates that it re-exports as a whole, and
/// those that `[parse]` names.
fn umbrella<'n>(
    names: &'n Names<'_>,
    public: &Public,
    settings: &Settings,
) -> impl Iterator<Item = Id> + use<'n> {
    let parse = &settings.config.parse;
    let mut crates = public.crates.clone();
    if parse.parse_deps {
        match &parse.include {
            Some(include) => {
                crates.extend(include.iter().filter_map(|name| names.dependency(name)))
            }
            None => crates.extend(0..names.crates.all.len()),
        }
    }
    let extra = parse.extra_bindings.iter();
    crates.extend(extra.filter_map(|name| names.dependency(name)));
    for name in &parse.exclude {
        crates.retain(|krate| names.dependency(name) != Some(*krate));
    }
    crates.into_iter().flat_map(|krate| names.of_crate(krate))
}

/// Returns the types that cbindgen.toml names under `export.include`.
fn included(names: &Names<'_>, settings: &Settings) -> Vec<Id> {
    let wanted = &settings.config.export.include;
    let all = (0..names.crates.all.len()).flat_map(|krate| names.of_crate(krate));
    let found = all.filter(|id| {
        let ident = crates::item_ident(names.get(*id));
        ident.is_some_and(|ident| wanted.contains(&ident.unraw().to_string()))
    });
    if wanted.is_empty() {
        Vec::new()
    } else {
        found.collect()
    }
}

/// Returns the lines before and behind the definition of the type `name` in C, if it needs some.
fn around(
    crates: &Crates<'_>,
    flat: &Flat,
    config: &cbindgen::Config,
    name: &str,
) -> Option<(String, String)> {
    let mut lines = (String::new(), String::new());
    if let Some(guard) = shared(crates, flat, name) {
        lines.0 = format!("#ifndef {guard}\n#define {guard}\n");
        lines.1 = "#endif".to_owned();
    }
    let export = &config.export;
    let prefix = export.prefix.as_deref().unwrap_or_default();
    let packed = flat.0.iter().find_map(|item| {
        let ident = crates::item_ident(&item.item).filter(|_| item.packed.is_some())?;
        let ident = ident.unraw().to_string();
        let known = export.rename.get(&ident).unwrap_or(&ident);
        (name == format!("{prefix}{known}")).then_some(item.packed.as_deref()?)
    });
    if let Some(most) = packed {
        lines.0 += &format!("#pragma pack(push, {most})\n");
        lines.1 = format!("#pragma pack(pop)\n{}", lines.1);
    }
    (!lines.0.is_empty()).then_some(lines)
}

/// Returns the macro that guards the definition of the type `name`, if other libraries of the bundle have the type as well.
///
/// A type with fields in its variants has several definitions.
fn shared(crates: &Crates<'_>, flat: &Flat, name: &str) -> Option<String> {
    let owner = flat.owner_of_body(name);
    let whole = [name, &owner, name.strip_suffix("_Tag").unwrap_or(name)]
        .into_iter()
        .find(|name| flat.type_named(name).is_some());
    let place = flat.place_of(whole?)?;
    let file = Path::new(place.rsplit_once(':')?.0);
    let mut parsed = crates.all.iter().enumerate();
    let (index, parsed) =
        parsed.find(|(_, parsed)| parsed.sources.files.iter().any(|known| known == file))?;
    let package = parsed.package.name.replace('-', "_");
    crates
        .shared
        .contains(&index)
        .then(|| format!("SEL4_RUST_TYPE_{package}_{name}"))
}

/// Returns the text that cbindgen writes.
fn body(bindings: &cbindgen::Bindings) -> String {
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if let Some(at) = text.find(flat::FIRST) {
        // The prototype with the lines around it.
        let start = text[..at].rfind("\n\n").map_or(0, |start| start + 1);
        let end = text[at..].find(';').map_or(text.len(), |end| at + end + 1);
        text.replace_range(start..end, "");
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if text.starts_with('\n') {
        text
    } else {
        format!("\n{text}")
    }
}
