// SPDX-License-Identifier: BSD-2-Clause

//! The run of bindgen. libclang is loaded at run time, so that building this program does not need it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bindgen::callbacks::{
    DiscoveredItem, DiscoveredItemId, EnumVariantCustomBehavior, EnumVariantValue, IntKind,
    ParseCallbacks, SourceLocation,
};
use bindgen::{BindgenError, EnumVariation, RustEdition, RustTarget};
use tempfile::TempDir;

use super::Request;
use super::unit::Unit;
use crate::failure::{Failure, Result};
use crate::output;

/// Results of bindgen, before they are tidied.
pub struct Raw {
    /// Rust text of the bindings.
    pub rust: String,
    /// C text of wrappers for inline functions.
    pub wrappers: String,
    /// C spellings of enumerations and typedefs, by their names in Rust.
    pub spellings: BTreeMap<String, String>,
    /// Files that declare items, by the items' names in Rust.
    pub places: BTreeMap<String, PathBuf>,
    /// Headers that were read.
    pub inputs: BTreeSet<PathBuf>,
    /// File that includes the headers.
    pub header: PathBuf,
    /// Flags with which clang reads it.
    pub flags: Vec<String>,
    /// Folder of that file, which is removed with this.
    _folder: TempDir,
}

/// Runs bindgen.
pub fn run(request: &Request) -> Result<Raw> {
    load_libclang()?;
    let folder = temporary()?;
    let header = folder.path().join("headers.h");
    output::write_if_changed(&header, request.includes().as_bytes())?;
    let wrappers = folder.path().join("wrappers");
    let seen = Rc::new(RefCell::new(Seen::default()));
    let listener = Listener {
        seen: Rc::clone(&seen),
        word_bytes: request.word_bytes(),
    };
    let flags = flags(request)?;
    let builder = builder(request)?
        .clang_args(&flags)
        .header(header.display().to_string())
        .wrap_static_fns_path(&wrappers)
        // Needed for the values of macros with `sizeof` or a cast in them.
        .clang_macro_fallback()
        .clang_macro_fallback_build_dir(folder.path())
        .parse_callbacks(Box::new(listener));
    // bindgen panics on input that it does not foresee; the panic's message has the place.
    let generated = catch_unwind(AssertUnwindSafe(|| builder.generate())).map_err(|_| {
        Failure::new(format!(
            "bindgen panicked on `{}`",
            request.headers().join("`, `")
        ))
        .help("see its message above, and report the headers to the project")
    })?;
    let bindings = generated.map_err(|error| refused(request, &error))?;
    let wrappers = wrappers.with_extension("c");
    let mut text = request.includes();
    // Without inline functions in the headers there is no file.
    if wrappers.exists() {
        let own = format!("#include \"{}\"\n", header.display());
        text += &output::read(&wrappers)?.replacen(&own, "", 1);
    }
    let mut seen = seen.take();
    seen.inputs.remove(&header);
    Ok(Raw {
        rust: bindings.to_string(),
        wrappers: text,
        spellings: seen.spellings,
        places: seen.places,
        inputs: seen.inputs,
        header,
        flags,
        _folder: folder,
    })
}

fn temporary() -> Result<TempDir> {
    tempfile::tempdir().map_err(|error| {
        Failure::new(format!("cannot make a temporary folder: {error}"))
            .help("free some space in it, or name another folder in TMPDIR")
    })
}

/// Returns the request with headers that compile one after another, and those that it leaves out for their errors.
///
/// # Errors
///
/// When clang cannot be run.
pub fn compiling(request: &Request) -> Result<(Request, Vec<(String, String)>)> {
    let mut chosen = request.clone();
    if !request.leave_out_headers {
        return Ok((chosen, Vec::new()));
    }
    let mut flags = flags(request)?;
    flags.push("-ferror-limit=0".to_owned());
    let folder = temporary()?;
    let file = folder.path().join("headers.h");
    // A header may need what another includes, whatever their order by name: it comes behind all others, some times.
    const TRIES: usize = 3;
    let mut failures: BTreeMap<String, usize> = BTreeMap::new();
    let mut left_out = Vec::new();
    loop {
        output::write_if_changed(&file, chosen.includes().as_bytes())?;
        let errors = Unit::read(&file, &flags, &[])?.errors;
        if errors.is_empty() {
            return Ok((chosen, left_out));
        }
        let mut later = Vec::new();
        for (line, error) in errors.into_iter().rev() {
            let index = (line as usize).wrapping_sub(1);
            if index >= chosen.headers.len() {
                // It belongs to none of them, so bindgen reports it.
                return Ok((chosen, left_out));
            }
            let header = chosen.headers.remove(index);
            let times = failures.entry(header.clone()).or_default();
            *times += 1;
            match *times {
                TRIES => left_out.push((header, error)),
                _ => later.push(header),
            }
        }
        later.reverse();
        chosen.headers.extend(later);
        if let ([], Some((header, error))) = (&chosen.headers[..], left_out.first()) {
            return Err(Failure::new(format!(
                "no header of the library compiles, among them `{header}`:\n{error}"
            ))
            .help("link the libraries whose headers it includes, as C that includes it must"));
        }
    }
}

/// Loads libclang.
///
/// # Errors
///
/// When libclang is not installed, or the one that `LIBCLANG_PATH` names cannot be loaded.
pub fn load_libclang() -> Result<()> {
    if clang_sys::is_loaded() {
        return Ok(());
    }
    clang_sys::load().map_err(|error| {
        Failure::new(format!(
            "libclang, which reads C headers, cannot be loaded: {error}"
        ))
        .help("apt-get install clang, or name the folder of libclang.so in LIBCLANG_PATH")
    })
}

fn builder(request: &Request) -> Result<bindgen::Builder> {
    let mut builder = bindgen::builder()
        .rust_target(rust_target())
        .rust_edition(RustEdition::Edition2024)
        .use_core()
        .ctypes_prefix("::core::ffi")
        .formatter(bindgen::Formatter::None)
        .disable_header_comment()
        .default_enum_style(EnumVariation::Consts)
        .prepend_enum_name(false)
        .derive_default(true)
        .derive_eq(true)
        .derive_partialeq(true)
        .generate_comments(true)
        .layout_tests(true)
        .wrap_static_fns(true)
        // The configuration is in config.rs.
        .blocklist_var("CONFIG_.*");
    for dir in &request.include_dirs {
        let dir = output::absolute(dir)?;
        builder = builder.allowlist_file(format!("{}/.*", literally(&dir.display().to_string())));
    }
    Ok(builder)
}

/// Returns the flags of clang.
fn flags(request: &Request) -> Result<Vec<String>> {
    let mut flags = vec![
        format!("--target={}", clang_target(&request.target)),
        "-std=gnu11".into(),
        "-ffreestanding".into(),
    ];
    // A C library of the build takes the place of the host's.
    let has_libc = |dir: &PathBuf| dir.join("stdint.h").exists();
    if request.system_include_dirs.iter().any(has_libc) {
        flags.push("-nostdinc".into());
    }
    for dir in &request.include_dirs {
        flags.push(format!("-I{}", output::absolute(dir)?.display()));
    }
    // clang ignores comments in a folder that is also given as a system folder.
    for dir in &request.system_include_dirs {
        if !request.include_dirs.contains(dir) {
            flags.push(format!("-isystem{}", output::absolute(dir)?.display()));
        }
    }
    let given = request.flags.iter();
    let given = given.filter(|flag| flag.len() > 2 && flag.starts_with("-D"));
    let defines = request.defines.iter().map(|define| format!("-D{define}"));
    flags.extend(given.cloned().chain(defines));
    Ok(flags)
}

/// Returns the release of Rust to write for: the oldest that the kit supports.
fn rust_target() -> RustTarget {
    let version = env!("CARGO_PKG_RUST_VERSION");
    version.parse().unwrap_or_default()
}

/// Returns clang's name of the Rust target `triple`.
fn clang_target(triple: &str) -> String {
    let (architecture, rest) = triple.split_once('-').unwrap_or((triple, "none"));
    let architecture = match architecture {
        riscv if riscv.starts_with("riscv32") => "riscv32",
        riscv if riscv.starts_with("riscv64") => "riscv64",
        other => other,
    };
    format!("{architecture}-{}", rest.trim_end_matches("-softfloat"))
}

/// Returns a regular expression that matches only `text`.
fn literally(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if !letter.is_alphanumeric() && !"/_-".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn refused(request: &Request, error: &BindgenError) -> Failure {
    let headers = request.headers().join("`, `");
    match error {
        BindgenError::ClangDiagnostic(text) => Failure::new(format!(
            "`{headers}` does not compile for `{}`:\n{}",
            request.target,
            text.trim_end()
        ))
        .help("give the include folders and macros that the C build uses (`include-dirs`, `system-include-dirs` and `defines` of the request)"),
        other => Failure::new(format!("bindgen cannot bind `{headers}`: {other}"))
            .help("report the headers to the project"),
    }
}

#[derive(Debug, Default)]
struct Seen {
    spellings: BTreeMap<String, String>,
    places: BTreeMap<String, PathBuf>,
    inputs: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct Listener {
    seen: Rc<RefCell<Seen>>,
    word_bytes: u32,
}

impl Listener {
    fn spelt(&self, rust: &str, c: String) {
        self.seen.borrow_mut().spellings.insert(rust.to_owned(), c);
    }

    fn read(&self, file: &str) {
        // Names without a file were made up for this run.
        if Path::new(file).is_file() {
            self.seen.borrow_mut().inputs.insert(file.into());
        }
    }
}

impl ParseCallbacks for Listener {
    fn int_macro(&self, _name: &str, value: i64) -> Option<IntKind> {
        // In C an integer constant takes the type of its context, which is mostly a word.
        let fits = value >= 0 && (self.word_bytes == 8 || u32::try_from(value).is_ok());
        fits.then_some(IntKind::Custom {
            name: "usize",
            is_signed: false,
        })
    }

    fn enum_variant_behavior(
        &self,
        enum_name: Option<&str>,
        _variant: &str,
        _value: EnumVariantValue,
    ) -> Option<EnumVariantCustomBehavior> {
        if let Some(name) = enum_name {
            self.spelt(name.trim_start_matches("enum "), name.to_owned());
        }
        None
    }

    fn header_file(&self, file: &str) {
        self.read(file);
    }

    fn include_file(&self, file: &str) {
        self.read(file);
    }

    fn new_item_found(
        &self,
        _id: DiscoveredItemId,
        item: DiscoveredItem,
        location: Option<&SourceLocation>,
    ) {
        let (DiscoveredItem::Struct { final_name, .. }
        | DiscoveredItem::Union { final_name, .. }
        | DiscoveredItem::Enum { final_name, .. }
        | DiscoveredItem::Alias {
            alias_name: final_name,
            ..
        }) = &item
        else {
            return;
        };
        if let Some(file) = location.and_then(|location| location.file_name.as_ref()) {
            let places = &mut self.seen.borrow_mut().places;
            places.insert(final_name.clone(), PathBuf::from(file));
        }
        if let DiscoveredItem::Alias { alias_name, .. } = item {
            self.spelt(&alias_name, alias_name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_spelt_for_clang() {
        for (rust, clang) in [
            ("riscv64gc-unknown-none-elf", "riscv64-unknown-none-elf"),
            ("riscv32imac-unknown-none-elf", "riscv32-unknown-none-elf"),
            ("aarch64-unknown-none-softfloat", "aarch64-unknown-none"),
            ("x86_64-unknown-linux-musl", "x86_64-unknown-linux-musl"),
        ] {
            assert_eq!(clang_target(rust), clang);
        }
    }
}
