// Copyright 2026, sel4-rust-kit contributors
// SPDX-License-Identifier: BSD-2-Clause

//! `header`: the C header of a crate, by cbindgen, strictly.
//!
//! cbindgen leaves out what it cannot express and carries on. Here that is an error. To know what
//! it should have seen, and where, the crate is read by [`crate::source`] first and handed to
//! cbindgen as one flat file: the crate's own exports, and the types of its path dependencies,
//! without what is not built and without declarations of C functions, which have their own headers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Once;

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Item, Meta};
use toml::{Table, Value};

use crate::cargo::{Cargo, Metadata, Package};
use crate::check::choose;
use crate::failure::{Failure, Result};
use crate::output;
use crate::source::{Cfg, SourceItem, Sources, attributes};

/// Which header to write, and of what.
#[derive(Debug)]
pub struct Request {
    /// The `Cargo.toml` of the crate, or of its workspace.
    pub manifest: PathBuf,
    /// The package.
    pub package: String,
    /// The header.
    pub out: PathBuf,
    /// What the header was made of, in the syntax of make.
    pub depfile: PathBuf,
    /// The user's cbindgen.toml, which has the last word on style.
    pub config: Option<PathBuf>,
    /// Further `#include <...>` lines.
    pub sys_includes: Vec<String>,
    /// The features to take as on.
    pub features: Vec<String>,
    /// Whether the default features are on.
    pub default_features: bool,
}

/// Writes the header and its depfile.
///
/// # Errors
///
/// When an export of the crate cannot be expressed in C. Both files are then as they were.
pub fn write(request: &Request, cargo: &Cargo) -> Result<()> {
    let manifest = output::absolute(&request.manifest)?;
    let features = request.features.join(",");
    let mut arguments = vec!["--features", &features];
    if !request.default_features {
        arguments.push("--no-default-features");
    }
    let workspace = cargo
        .metadata(&manifest, &["--no-deps"])?
        .map_err(|refusal| refusal.into_failure(&manifest))?;
    let chosen = choose(&workspace, &manifest, Some(&request.package))?;
    let graph = cargo.locked(&chosen.manifest_path, &arguments)?;
    let crates = Crates::load(&graph, &chosen.id)?;
    let settings = Settings::new(request)?;
    let text = generate(request, &crates, &settings)?;

    output::write_if_changed(&request.out, text.as_bytes())?;
    let mut inputs = crates.files();
    inputs.extend(request.config.clone());
    output::write_if_changed(&request.depfile, depfile(&request.out, &inputs).as_bytes())?;
    Ok(())
}

/// The crate and the path dependencies whose types it may use.
struct Crates<'a> {
    own: Parsed<'a>,
    others: Vec<Parsed<'a>>,
}

struct Parsed<'a> {
    package: &'a Package,
    sources: Sources,
}

impl<'a> Crates<'a> {
    fn load(graph: &'a Metadata, id: &str) -> Result<Self> {
        let mut parsed = graph
            .closure(id)
            .into_iter()
            .filter(|package| package.source.is_none())
            .filter_map(|package| Parsed::load(graph, package).transpose());
        let own = parsed.next().unwrap_or_else(|| {
            Err(Failure::new(format!("`{id}` has no library"))
                .help("move the code into src/lib.rs"))
        })?;
        Ok(Self {
            own,
            others: parsed.collect::<Result<_>>()?,
        })
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        let all = self.others.iter().chain([&self.own]);
        all.flat_map(|parsed| {
            parsed
                .sources
                .files
                .iter()
                .chain([&parsed.package.manifest_path])
        })
        .cloned()
        .collect()
    }
}

impl<'a> Parsed<'a> {
    /// Nothing for a package without a library, and for a procedural macro.
    fn load(graph: &Metadata, package: &'a Package) -> Result<Option<Self>> {
        let Some(library) = package.library() else {
            return Ok(None);
        };
        if library.kind.iter().any(|kind| kind == "proc-macro") {
            return Ok(None);
        }
        let cfg = Cfg {
            features: graph.node(&package.id).map(|node| node.features.clone()),
        };
        let sources = Sources::load(&library.src_path, &cfg).map_err(|error| {
            Failure::new(format!(
                "`{}:{}` does not parse: {}",
                error.file.display(),
                error.line,
                error.message
            ))
            .help(format!(
                "cargo check --manifest-path {}",
                package.manifest_path.display()
            ))
        })?;
        Ok(Some(Self { package, sources }))
    }

    fn place(&self, source: &SourceItem, line: usize) -> String {
        format!("{}:{line}", self.sources.path(source).display())
    }
}

/// cbindgen's configuration: the kit's, overlaid with the user's.
struct Settings {
    config: cbindgen::Config,
    /// Types that exist on the C side.
    known_to_c: BTreeSet<String>,
}

/// Types with this prefix are libsel4's.
const SEL4: &str = "seL4_";

impl Settings {
    fn new(request: &Request) -> Result<Self> {
        let mut table = defaults(request);
        if let Some(path) = &request.config {
            let wrong = |message: &str| {
                Failure::new(format!(
                    "`{}` is not a cbindgen configuration: {message}",
                    path.display()
                ))
                .help("its keys are described in cbindgen's docs.md")
            };
            let user: Table = output::read(path)?
                .parse()
                .map_err(|error: toml::de::Error| wrong(&error.to_string()))?;
            if let Some(language) = user.get("language").and_then(Value::as_str)
                && !language.eq_ignore_ascii_case("c")
            {
                return Err(Failure::new(format!(
                    "`{}` asks for the language `{language}`",
                    path.display()
                ))
                .help("remove the line: the header is C, and C++ can read it too"));
            }
            if user
                .get("parse")
                .and_then(|parse| parse.get("expand"))
                .is_some()
            {
                return Err(Failure::new(format!(
                    "`{}` asks for [parse.expand], which needs a nightly compiler",
                    path.display()
                ))
                .help("remove it, and write the functions that C calls without a macro"));
            }
            // Their own first, for an error that says where.
            toml::from_str::<cbindgen::Config>(&output::read(path)?)
                .map_err(|error| wrong(&error.to_string()))?;
            overlay(&mut table, user);
        }
        let config: cbindgen::Config = table.try_into().map_err(|error: toml::de::Error| {
            Failure::new(format!(
                "the cbindgen configuration is contradictory: {error}"
            ))
        })?;
        let known_to_c = config.export.exclude.iter().cloned().collect();
        Ok(Self { config, known_to_c })
    }

    fn is_known_to_c(&self, name: &str) -> bool {
        name.starts_with(SEL4) || self.known_to_c.contains(name)
    }
}

fn defaults(request: &Request) -> Table {
    let name = request
        .out
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let mut guard: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    if guard.starts_with(|first: char| first.is_ascii_digit()) {
        guard.insert(0, 'H');
    }
    let text = format!(
        "language = \"C\"\ncpp_compat = true\ninclude_guard = \"{guard}\"\nno_includes = true\n\
         usize_is_size_t = true\nstyle = \"both\"\ndocumentation = true\n\
         [fn]\nno_return = \"__attribute__((noreturn))\"\n\
         [defines]\n{DEFINES}"
    );
    // The text is ours, and a test reads it.
    text.parse().unwrap_or_default()
}

/// What C compilers say about the targets of the kit.
const DEFINES: &str = r#"
"target_arch = aarch64" = "__aarch64__"
"target_arch = arm" = "__arm__"
"target_arch = riscv64" = "__riscv"
"target_arch = x86_64" = "__x86_64__"
"target_arch = x86" = "__i386__"
"target_pointer_width = 64" = "__LP64__"
"#;

/// Puts the entries of `upper` over those of `lower`, table by table.
fn overlay(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(lower)), Value::Table(upper)) => overlay(lower, upper),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

fn generate(request: &Request, crates: &Crates<'_>, settings: &Settings) -> Result<String> {
    let exports = exports(&crates.own);
    check_names(&crates.own, &exports)?;
    warn_of_macros(request, &crates.own);

    let folder = tempfile::tempdir()
        .map_err(|error| Failure::new(format!("cannot make a temporary folder: {error}")))?;
    let flat = folder.path().join("flat.rs");
    output::write_if_changed(&flat, flat_text(crates, settings).as_bytes())?;
    let config = settings.config.clone();
    let (bindings, complaints) = listen(|| {
        cbindgen::Builder::new()
            .with_config(config)
            .with_src(&flat)
            .generate()
    });
    let mut bindings = bindings.map_err(|error| {
        Failure::new(format!(
            "cbindgen cannot read the crate `{}`: {error}",
            request.package
        ))
    })?;
    judge(crates, settings, &complaints)?;

    let user_header = bindings.config.header.take();
    let mut text = body(&bindings);
    let includes = includes(&text, &request.sys_includes);
    bindings.config.sys_includes.splice(0..0, includes);
    text = body(&bindings);
    by_value(crates, &text)?;
    namesakes(crates, &text)?;
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
    Ok(header + &text)
}

fn body(bindings: &cbindgen::Bindings) -> String {
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if text.starts_with('\n') {
        text
    } else {
        format!("\n{text}")
    }
}

/// A symbol that the crate gives to the linker.
struct Export<'a> {
    symbol: String,
    ident: &'a syn::Ident,
    source: &'a SourceItem,
    /// Whether C can call it.
    abi: Abi,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Abi {
    C,
    /// Said so: meant for other Rust code.
    Rust,
    /// Nothing said.
    None,
    Static,
}

/// The name under which an item is exported, if it is.
fn symbol(attributes: &[Attribute], ident: &syn::Ident) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let inner = match &attribute.meta {
            Meta::List(list) if list.path.is_ident("unsafe") => list.parse_args::<Meta>().ok()?,
            meta => meta.clone(),
        };
        match inner {
            Meta::Path(path) if path.is_ident("no_mangle") => Some(ident.unraw().to_string()),
            Meta::NameValue(pair) if pair.path.is_ident("export_name") => match pair.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(name),
                    ..
                }) => Some(name.value()),
                _ => None,
            },
            _ => None,
        }
    })
}

fn exports<'a>(own: &'a Parsed<'_>) -> Vec<Export<'a>> {
    let mut found = Vec::new();
    for source in &own.sources.items {
        let mut add = |attributes: &[Attribute], ident: &'a syn::Ident, abi: Abi| {
            if let Some(symbol) = symbol(attributes, ident) {
                found.push(Export {
                    symbol,
                    ident,
                    source,
                    abi,
                });
            }
        };
        match &source.item {
            Item::Fn(item) => add(&item.attrs, &item.sig.ident, abi(&item.sig)),
            Item::Static(item) => add(&item.attrs, &item.ident, Abi::Static),
            Item::Impl(block) => {
                for item in &block.items {
                    if let syn::ImplItem::Fn(item) = item {
                        add(&item.attrs, &item.sig.ident, abi(&item.sig));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn abi(signature: &syn::Signature) -> Abi {
    match &signature.abi {
        None => Abi::None,
        Some(abi) => match abi.name.as_ref().map(syn::LitStr::value).as_deref() {
            None | Some("C" | "C-unwind") => Abi::C,
            Some(_) => Abi::Rust,
        },
    }
}

/// Refuses exports that C cannot name or call.
fn check_names(own: &Parsed<'_>, exports: &[Export<'_>]) -> Result<()> {
    for export in exports {
        let symbol = &export.symbol;
        let place = own.place(export.source, export.ident.span().start().line);
        let mut letters = symbol.chars();
        let first = letters
            .next()
            .is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_');
        if !first || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err(Failure::new(format!("the exported name `{symbol}` (`{place}`) is not a C identifier"))
                .help("use letters, digits and underscores, for example with #[unsafe(export_name = \"...\")]"));
        }
        if KEYWORDS.contains(&&**symbol) {
            return Err(Failure::new(format!(
                "the exported name `{symbol}` (`{place}`) is a keyword of C or C++"
            ))
            .help("export it under another name with #[unsafe(export_name = \"...\")]"));
        }
        if export.abi == Abi::None {
            return Err(Failure::new(format!("the function `{symbol}` (`{place}`) is exported but is not `extern \"C\"`: C cannot call it"))
                .help("write `extern \"C\" fn`, or `extern \"Rust\" fn` if it is not meant for C"));
        }
    }
    Ok(())
}

/// Keywords of C11 and C++20.
const KEYWORDS: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
    "_Alignas",
    "_Alignof",
    "_Atomic",
    "_Bool",
    "_Complex",
    "_Generic",
    "_Imaginary",
    "_Noreturn",
    "_Static_assert",
    "_Thread_local",
];

/// Says which macros make exports that only the compiler sees.
fn warn_of_macros(request: &Request, own: &Parsed<'_>) {
    for source in &own.sources.items {
        let Item::Macro(item) = &source.item else {
            continue;
        };
        if item.mac.path.is_ident("macro_rules") && names_export(item.mac.tokens.clone()) {
            let line = item.mac.path.segments[0].ident.span().start().line;
            let name = item
                .ident
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            eprintln!(
                "warning: {}: functions that the macro `{name}` exports are not in {}: write them without a macro",
                own.place(source, line),
                request
                    .out
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
            );
        }
    }
}

fn names_export(tokens: proc_macro2::TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == "no_mangle" || ident == "export_name",
        proc_macro2::TokenTree::Group(group) => names_export(group.stream()),
        _ => false,
    })
}

/// What cbindgen is to read: no nested modules, no foreign functions, of other crates only types.
fn flat_text(crates: &Crates<'_>, settings: &Settings) -> String {
    let mut text = String::new();
    let wanted = |ident: &syn::Ident| !settings.is_known_to_c(&ident.unraw().to_string());
    for source in &crates.own.sources.items {
        match &source.item {
            Item::Use(_) | Item::ExternCrate(_) | Item::ForeignMod(_) | Item::Trait(_) => {}
            item if type_ident(item).is_some_and(|ident| !wanted(ident)) => {}
            item => text += &format!("{}\n", item.to_token_stream()),
        }
    }
    for source in crates
        .others
        .iter()
        .flat_map(|parsed| &parsed.sources.items)
    {
        if type_ident(&source.item).is_some_and(wanted) {
            text += &format!("{}\n", source.item.to_token_stream());
        }
    }
    text
}

thread_local! {
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// cbindgen tells the `log` crate what it leaves out, and nobody else.
struct Ear;

impl log::Log for Ear {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        HEARD.with_borrow_mut(|heard| {
            if let Some(heard) = heard {
                heard.push(record.args().to_string());
            }
        });
    }

    fn flush(&self) {}
}

/// Runs `work`, and returns with its result the warnings and errors logged meanwhile.
fn listen<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Nothing else in this program sets a logger.
        if log::set_logger(&Ear).is_ok() {
            log::set_max_level(log::LevelFilter::Warn);
        }
    });
    HEARD.set(Some(Vec::new()));
    let result = work();
    (result, HEARD.take().unwrap_or_default())
}

/// Turns what cbindgen left out into errors.
fn judge(crates: &Crates<'_>, settings: &Settings, complaints: &[String]) -> Result<()> {
    let mut told = BTreeSet::new();
    for complaint in complaints {
        if !told.insert(complaint) {
            continue;
        }
        if let Some(rest) = complaint.strip_prefix("Can't find ") {
            let name = rest.split('.').next().unwrap_or(rest);
            if settings.is_known_to_c(name) {
                continue;
            }
            return Err(missing_type(crates, name));
        }
        if let Some(rest) = complaint.strip_prefix("Cannot use fn flat::") {
            let (name, reason) = rest.split_once(" (").unwrap_or((rest, ""));
            let reason = reason.trim_end_matches([')', '.']);
            return Err(Failure::new(format!(
                "the exported function `{name}` ({}) cannot be expressed in C: {reason}",
                place_of(crates, name)
            ))
            .help("give it types that C has: numbers, raw pointers, `#[repr(C)]` structs"));
        }
        if complaint.starts_with("Skipping ") {
            // Not exported; what is exported and not C's has been refused before.
            continue;
        }
        if let Some(rest) = complaint.strip_prefix("Skip flat::") {
            let (name, reason) = rest.split_once(" - ").unwrap_or((rest, ""));
            if reason.contains("not `pub`") || reason.contains("not `no_mangle`") {
                continue;
            }
            let place = place_of(crates, name);
            let reason = reason.trim_matches(['(', ')', '.']);
            if is_exported_static(crates, name) {
                return Err(Failure::new(format!(
                    "the exported static `{name}` ({place}) cannot be expressed in C: {reason}"
                ))
                .help("give it a type that C has"));
            }
            if is_number(crates, name) {
                eprintln!(
                    "warning: {place}: the constant `{name}` is not in the header: its value is not plain enough for C"
                );
            }
            continue;
        }
        if let Some(rest) = complaint.strip_prefix("Missing `[defines]` entry for `") {
            let condition = rest.split('`').next().unwrap_or(rest);
            return Err(Failure::new(format!(
                "what the crate `{}` exports depends on `{condition}`, of which C knows nothing",
                crates.own.package.name
            ))
            .help(format!(
                "add to cbindgen.toml: [defines] \"{condition}\" = \"A_MACRO_OF_YOURS\""
            )));
        }
        if complaint.starts_with("Couldn't find path for")
            || complaint.starts_with("Skipping associated")
        {
            continue;
        }
        return Err(Failure::new(format!(
            "the header of `{}` would be incomplete: {complaint}",
            crates.own.package.name
        ))
        .help(
            "change the item, or keep it out of the header with the comment `/// cbindgen:ignore`",
        ));
    }
    Ok(())
}

fn missing_type(crates: &Crates<'_>, name: &str) -> Failure {
    let users = crates.own.sources.items.iter().filter_map(|source| {
        let ident = item_ident(&source.item)?;
        let mut item = source.item.clone();
        if let Item::Fn(function) = &mut item {
            function.block.stmts.clear();
        }
        mentions(item.to_token_stream(), name).then(|| {
            let place = crates.own.place(source, ident.span().start().line);
            format!("`{}` (`{place}`)", ident.unraw())
        })
    });
    let users: Vec<String> = users.take(3).collect();
    let users = if users.is_empty() {
        "an export".to_owned()
    } else {
        users.join(", ")
    };
    if name == "str" {
        return Failure::new(format!("{users} uses `str`, which C does not have"))
            .help("pass a pointer to the characters, and their number or a 0 at the end");
    }
    Failure::new(format!("the type `{name}`, used by {users}, has no definition that C could be given"))
        .help(format!("define it in this crate or a path dependency, under this name; if it is a C type, add its header with SYS_INCLUDES or cbindgen.toml and list it there: [export] exclude = [\"{name}\"]"))
}

fn mentions(tokens: proc_macro2::TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == name,
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

fn item_ident(item: &Item) -> Option<&syn::Ident> {
    Some(match item {
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Const(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    })
}

/// The name of a type that is defined here.
fn type_ident(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Struct(_) | Item::Enum(_) | Item::Union(_) | Item::Type(_) => item_ident(item),
        _ => None,
    }
}

/// `file:line` of an item by its name, methods as `Type::method`.
fn place_of(crates: &Crates<'_>, name: &str) -> String {
    let last = name.rsplit("::").next().unwrap_or(name);
    for parsed in [&crates.own].into_iter().chain(&crates.others) {
        for source in &parsed.sources.items {
            let mut idents: Vec<&syn::Ident> = item_ident(&source.item).into_iter().collect();
            if let Item::Impl(block) = &source.item {
                idents.extend(block.items.iter().filter_map(|item| match item {
                    syn::ImplItem::Fn(item) => Some(&item.sig.ident),
                    syn::ImplItem::Const(item) => Some(&item.ident),
                    _ => None,
                }));
            }
            if let Some(ident) = idents.into_iter().find(|ident| ident.unraw() == last) {
                return format!("`{}`", parsed.place(source, ident.span().start().line));
            }
        }
    }
    format!("crate `{}`", crates.own.package.name)
}

fn is_exported_static(crates: &Crates<'_>, name: &str) -> bool {
    crates
        .own
        .sources
        .items
        .iter()
        .any(|source| match &source.item {
            Item::Static(item) => {
                item.ident == name && symbol(attributes(&source.item), &item.ident).is_some()
            }
            _ => false,
        })
}

/// Whether the constant is of a type that C has: of any other its absence is no surprise.
fn is_number(crates: &Crates<'_>, name: &str) -> bool {
    crates
        .own
        .sources
        .items
        .iter()
        .any(|source| match &source.item {
            Item::Const(item) if item.ident == name => matches!(&*item.ty, syn::Type::Path(path)
            if path.path.get_ident().is_some_and(|ident| NUMBERS.contains(&&*ident.to_string()))),
            _ => false,
        })
}

const NUMBERS: [&str; 14] = [
    "bool", "char", "f32", "f64", "i16", "i32", "i64", "i8", "isize", "u16", "u32", "u64", "u8",
    "usize",
];

/// The identifiers of C code, each with what follows it; comments and strings are passed over.
fn identifiers(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skip = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        let length = if rest.starts_with("/*") {
            skip("*/")
        } else if rest.starts_with("//") || rest.starts_with('#') {
            skip("\n")
        } else if letter == '"' {
            1 + rest[1..].find('"').map_or(rest.len() - 1, |at| at + 1)
        } else if letter.is_ascii_alphanumeric() || letter == '_' {
            let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            let end = end.unwrap_or(rest.len());
            found.push((&rest[..end], rest[end..].trim_start()));
            end
        } else {
            letter.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// The system headers that the names in `text` come from.
fn includes(text: &str, wanted: &[String]) -> Vec<String> {
    let names: BTreeSet<&str> = identifiers(text)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let any = |test: &dyn Fn(&str) -> bool| names.iter().any(|name| test(name));
    let mut includes = Vec::new();
    let fixed = |name: &str| {
        let name = name.strip_prefix('u').unwrap_or(name);
        name.strip_prefix("int")
            .is_some_and(|rest| ["8_t", "16_t", "32_t", "64_t", "ptr_t", "max_t"].contains(&rest))
    };
    for (header, needed) in [
        ("stdarg.h", any(&|name| name == "va_list")),
        (
            "stdbool.h",
            any(&|name| ["bool", "true", "false"].contains(&name)),
        ),
        (
            "stddef.h",
            any(&|name| ["size_t", "ptrdiff_t", "NULL", "wchar_t"].contains(&name)),
        ),
        ("stdint.h", any(&fixed)),
        ("sys/types.h", any(&|name| name == "ssize_t")),
        ("sel4/sel4.h", any(&|name| name.starts_with(SEL4))),
    ] {
        if needed {
            includes.push(header.to_owned());
        }
    }
    includes.extend(
        wanted
            .iter()
            .filter(|header| !includes.contains(header))
            .cloned()
            .collect::<Vec<_>>(),
    );
    includes
}

/// Refuses types that C knows by name only and would have to copy.
fn by_value(crates: &Crates<'_>, text: &str) -> Result<()> {
    let names = identifiers(text);
    let mut opaque: BTreeMap<&str, bool> = BTreeMap::new();
    for pair in names.windows(3) {
        if let [("typedef", _), ("struct", named), (name, after)] = pair
            && !named.starts_with('{')
        {
            // `typedef struct X X;` without a body, as cbindgen writes it.
            opaque.insert(name, !after.starts_with('{'));
        }
    }
    for pair in names.windows(2) {
        if let [("struct", _), (name, after)] = pair
            && after.starts_with('{')
        {
            opaque.insert(name, false);
        }
    }
    for (name, after) in &names {
        let copied = after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        let declared = after
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(';'));
        if opaque.get(name) == Some(&true) && copied && !declared && !after.starts_with("const ") {
            let user = after
                .split(|next: char| !next.is_ascii_alphanumeric() && next != '_')
                .next();
            return Err(Failure::new(format!(
                "the type `{name}` ({}) is passed by value (at `{}`), but C does not know its layout",
                place_of(crates, name),
                user.unwrap_or_default()
            ))
            .help("add #[repr(C)] to it, or pass a pointer"));
        }
    }
    Ok(())
}

/// Refuses a type in the header whose name two different types have: C has no modules.
fn namesakes(crates: &Crates<'_>, text: &str) -> Result<()> {
    let used: BTreeSet<&str> = identifiers(text)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let mut known: BTreeMap<String, (&Parsed<'_>, &SourceItem)> = BTreeMap::new();
    for parsed in [&crates.own].into_iter().chain(&crates.others) {
        for source in &parsed.sources.items {
            let Some(ident) = type_ident(&source.item) else {
                continue;
            };
            let name = ident.unraw().to_string();
            // Those that are still behind a #[cfg] exclude each other.
            let conditional = attributes(&source.item)
                .iter()
                .any(|attribute| attribute.path().is_ident("cfg"));
            if conditional || !used.contains(&*name) {
                continue;
            }
            let (other, first) = *known.entry(name.clone()).or_insert((parsed, source));
            if first.item != source.item {
                let line =
                    |item: &Item| item_ident(item).map_or(1, |ident| ident.span().start().line);
                return Err(Failure::new(format!(
                    "two types are called `{name}`: `{}` and `{}`",
                    other.place(first, line(&first.item)),
                    parsed.place(source, line(&source.item))
                ))
                .help("rename one of them: C has no modules to tell them apart"));
            }
        }
    }
    Ok(())
}

/// `out: inputs` as make and ninja read it.
fn depfile(out: &Path, inputs: &BTreeSet<PathBuf>) -> String {
    let escaped = |path: &Path| {
        path.display()
            .to_string()
            .replace('$', "$$")
            .replace('#', "\\#")
            .replace(' ', "\\ ")
    };
    let inputs: Vec<String> = inputs.iter().map(|input| escaped(input)).collect();
    format!("{}: {}\n", escaped(out), inputs.join(" \\\n  "))
}
