// SPDX-License-Identifier: BSD-2-Clause

//! Messages that cbindgen logs, and the errors that they amount to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use super::flat::Flat;
use super::settings::KnownToC;
use crate::failure::{Failure, Result};

/// Meaning of a message of cbindgen for the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// An exported item has a type without a definition.
    UndefinedType,
    /// An exported item is left out. The last two placeholders are its path and the reason.
    Unsupported,
    /// An item depends on a `#[cfg]` that C has no macro for.
    UnknownCondition,
    /// The header lacks something else.
    Incomplete,
    /// An item is left out that is not exported to C, or that a check of the kit's own judges.
    NotExported,
    /// An annotation does not count.
    Note,
}

/// Every warning and error of the pinned cbindgen, as its source spells the format string; the first that fits counts.
const MESSAGES: [(Meaning, &[&str]); 6] = [
    (
        Meaning::NotExported,
        &[
            "Passing zero-sized struct {} across the FFI boundary is undefined behavior",
            "Skip {}::{} - (not `pub`).",
            "Skip {}::{} - (not `no_mangle`).",
            "Skipping {} - (not `no_mangle`, and has no `export_name` attribute)",
            "Skipping {} - (not `extern \"C\"`)",
            "Skipping associated constants for {impl_ty:?}: {e:?}",
            "Couldn't find path for {ty:?}, skipping associated constants",
        ],
    ),
    (
        Meaning::Unsupported,
        &[
            "Cannot use fn {}::{} ({}).",
            "Cannot use fn {} ({}).",
            "Skip {}::{} - ({})",
        ],
    ),
    (
        Meaning::UndefinedType,
        &["Can't find {path}. This usually means that this type was incompatible or not found."],
    ),
    (
        Meaning::UnknownCondition,
        &["Missing `[defines]` entry for `{self}` in cbindgen config."],
    ),
    (
        Meaning::Note,
        &[
            "Multiple typedef's with annotations for {}. Ignoring annotations from {}.",
            "{parts:?} does not follow the correct syntax, so the annotation is being ignored",
        ],
    ),
    (
        Meaning::Incomplete,
        &[
            "Cannot find a mangling for generic path {generic_path:?}. This usually means that a type referenced by this generic was incompatible or not found.",
            "Conflicting name for constant {}::{}::{}.",
            "Conflicting name for constant {full_name}",
            "Failed to parse bitflags invocation: {e:?}",
            "Can't transfer annotations from typedef to alias ({alias_path}) that already has annotations.",
            "couldn't parse unsafe() attribute",
            "couldn't parse deprecated attribute",
            "deprecated attribute must be a string",
            "Parsing crate `{}`: can't find mod {}`.",
            "Parsing expanded crate `{}`: can't find mod {}`.",
            "Parsing crate `{}`: can't find lib.rs with `cargo metadata`. The crate may be available only on a particular platform, so consider setting `fetch_all_dependencies` in your cbindgen configuration.",
            "Couldn't load lock file {lock_path:?}: {x:?}",
            "when looking for a version for package {dep_name}, multiple versions where found",
            "Failed to discover host platform for cargo metadata; will fetch dependencies for all platforms.",
        ],
    ),
];

/// The information that cbindgen logs of a type whose layout stays out of the header.
const OPAQUE: &str = "Take {}::{} - opaque ({}).";

/// Returns the values of the placeholders of `format` in `message`, if `message` is of that form.
fn values<'m>(format: &str, message: &'m str) -> Option<Vec<&'m str>> {
    let (head, mut format) = format.split_once('{').unwrap_or((format, ""));
    let mut rest = message.strip_prefix(head)?;
    let mut values = Vec::new();
    while let Some((_, after)) = format.split_once('}') {
        let (literal, next) = after.split_once('{').unwrap_or((after, ""));
        let at = match next {
            "" => rest.len() - rest.strip_suffix(literal).map(|_| literal.len())?,
            _ => rest.find(literal)?,
        };
        values.push(&rest[..at]);
        rest = &rest[at + literal.len()..];
        format = next;
    }
    rest.is_empty().then_some(values)
}

/// Returns the meaning of a message, and the values of its placeholders.
fn understand(message: &str) -> Option<(Meaning, Vec<&str>)> {
    MESSAGES.iter().find_map(|(meaning, formats)| {
        let values = formats.iter().find_map(|format| values(format, message))?;
        Some((*meaning, values))
    })
}

thread_local! {
    static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// Messages that cbindgen logged.
#[derive(Debug, Default)]
pub struct Log {
    complaints: Vec<String>,
    /// Types that C knows by name only, and why.
    opaque: BTreeMap<String, String>,
}

impl Log {
    /// Returns why the layout of the type `name` is not in the header, in plain words.
    pub fn reason_for_opaque(&self, name: &str) -> Option<String> {
        self.opaque.get(name).map(|reason| plainly(reason))
    }
}

/// Collects into [`LOG`]: cbindgen tells the `log` crate what it leaves out, and nobody else.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOG.with_borrow_mut(|log| {
            let (Some(log), message) = (log, record.args().to_string()) else {
                return;
            };
            if record.level() <= log::Level::Warn {
                log.complaints.push(message);
            } else if let Some(values) = values(OPAQUE, &message) {
                log.opaque
                    .insert(values[1].to_owned(), values[2].to_owned());
            }
        });
    }

    fn flush(&self) {}
}

/// Runs `work`, and returns the messages logged meanwhile with its result, or with the message of its panic.
pub fn listen<T>(work: impl FnOnce() -> T) -> (std::result::Result<T, String>, Log) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Nothing else in this program sets a logger.
        if log::set_logger(&Logger).is_ok() {
            log::set_max_level(log::LevelFilter::Info);
        }
    });
    LOG.set(Some(Log::default()));
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    let result = result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let fixed = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned());
        text.or(fixed)
            .unwrap_or_else(|| "an assertion of cbindgen fails".to_owned())
    });
    (result, LOG.take().unwrap_or_default())
}

/// Turns omissions of cbindgen into errors.
pub fn judge(flat: &Flat, package: &str, known: &KnownToC, log: &Log) -> Result<()> {
    for complaint in &log.complaints {
        if let Some(failure) = failure(flat, package, known, complaint) {
            return Err(failure);
        }
    }
    Ok(())
}

/// Returns the failure that a complaint amounts to, if it does. A message that is not known counts as one.
fn failure(flat: &Flat, package: &str, known: &KnownToC, complaint: &str) -> Option<Failure> {
    let (meaning, values) = understand(complaint).unwrap_or((Meaning::Incomplete, Vec::new()));
    match (meaning, &*values) {
        (Meaning::NotExported, _) => None,
        (Meaning::Note, _) => {
            eprintln!("warning: the header of `{package}`: {complaint}");
            None
        }
        (Meaning::UndefinedType, [name]) => {
            (!known.has(name)).then(|| undefined_type("an export", name))
        }
        (Meaning::Unsupported, [.., path, reason]) => {
            let name = path.strip_prefix("flat::").unwrap_or(path);
            let what = if complaint.starts_with("Cannot use fn") {
                "the exported function "
            } else {
                ""
            };
            let place = flat.place_of(name);
            let place = place
                .map(|place| format!(" (`{place}`)"))
                .unwrap_or_default();
            let failure = Failure::new(format!(
                "{what}`{name}`{place} cannot be expressed in C: {}",
                plainly(reason)
            ));
            Some(failure.help(format!("give it types that C has: {TYPES}")))
        }
        (Meaning::UnknownCondition, [condition]) => {
            let failure = Failure::new(format!(
                "exports of the crate `{package}` depend on `{condition}`, for which C has no macro"
            ));
            // cbindgen wants no quotes around the value of a condition.
            let key = condition.replace('"', "");
            Some(failure.help(format!(
                "add to cbindgen.toml under [defines]: \"{key}\" = \"A_MACRO_OF_YOURS\""
            )))
        }
        _ => {
            let failure = Failure::new(format!(
                "the header of `{package}` would be incomplete: {complaint}"
            ));
            Some(failure.help(
                "change the item, or keep it out of the header with the comment `/// cbindgen:ignore`",
            ))
        }
    }
}

/// Types that C and Rust share.
pub const TYPES: &str = "numbers, raw pointers, `#[repr(C)]` structs";

/// Returns cbindgen's reason without the parser's innards.
fn plainly(reason: &str) -> String {
    let reason = reason.trim_matches(['(', ')', '.']);
    for (kind, name) in [
        ("Type::Slice", "C has no slices"),
        ("Type::TraitObject", "C has no trait objects"),
        ("Type::ImplTrait", "C has no `impl Trait`"),
        ("Type::Tuple", "C has no tuples"),
        ("Tuples are not supported", "C has no tuples"),
    ] {
        if reason.contains(kind) {
            return name.to_owned();
        }
    }
    reason.split(" {").next().unwrap_or(reason).to_owned()
}

/// Returns the failure for a type `name` that nothing defines, and that `users` uses.
pub fn undefined_type(users: &str, name: &str) -> Failure {
    match name {
        "str" => Failure::new(format!("{users} has a `str`, which C does not have"))
            .help("pass a pointer to the characters, and their number or a 0 at the end"),
        "u128" | "i128" | "f16" | "f128" => {
            Failure::new(format!("{users} has a `{name}`, which C does not have"))
                .help("pass it in numbers of at most 64 bits")
        }
        _ => Failure::new(format!(
            "the type `{name}`, used by {users}, has no definition that C could be given"
        ))
        .help(format!(
            "define `{name}` in the crate or a path dependency; if it is a C type, name its header and the type in \
             cbindgen.toml: sys_includes = [\"HEADER.h\"] and, under [export], exclude = [\"{name}\"]"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use proc_macro2::{TokenStream, TokenTree};

    use super::*;
    use crate::cargo::Metadata;

    /// Adds the format strings of the log macros `levels` among `tokens`.
    fn find_formats(tokens: TokenStream, levels: &[&str], found: &mut BTreeSet<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            let TokenTree::Group(group) = token else {
                continue;
            };
            find_formats(group.stream(), levels, found);
            let Some([TokenTree::Ident(name), TokenTree::Punct(mark)]) =
                tokens.get(index.wrapping_sub(2)..index)
            else {
                continue;
            };
            if mark.as_char() == '!' && levels.contains(&&*name.to_string()) {
                let first = group.stream().into_iter().next().expect("a format string");
                let text: syn::LitStr = syn::parse2(first.into()).expect("a format string");
                found.insert(text.value());
            }
        }
    }

    /// The format strings in the Rust files below `folder`.
    fn formats(folder: &Path, levels: &[&str], found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("cbindgen's sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                formats(&path, levels, found);
            } else {
                let text = fs::read_to_string(&path).expect("a source file");
                find_formats(text.parse().expect("Rust"), levels, found);
            }
        }
    }

    #[test]
    fn every_message_of_the_pinned_cbindgen_is_known() {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version=1", "--locked"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo");
        let graph: Metadata = serde_json::from_slice(&output.stdout).expect("metadata");
        let mut packages = graph.packages.iter();
        let cbindgen = packages.find(|package| package.name == "cbindgen");
        // The rest of its sources is the command line.
        let sources = cbindgen.expect("cbindgen").folder().join("src/bindgen");
        let mut logged = BTreeSet::new();
        formats(&sources, &["warn", "error"], &mut logged);
        let known = MESSAGES.iter().flat_map(|(_, formats)| *formats);
        let known: BTreeSet<String> = known.map(|format| (*format).to_owned()).collect();
        assert_eq!(logged, known);
        let mut logged = BTreeSet::new();
        formats(&sources, &["info"], &mut logged);
        assert!(logged.contains(OPAQUE), "{logged:?}");
    }

    #[test]
    fn placeholders_have_values() {
        let skipped = "Skip flat::S - (Unhandled expression. Str(\"(\"))";
        let reason = "Unhandled expression. Str(\"(\")";
        for (message, meaning, expected) in [
            (
                "Cannot use fn flat::T::f (no (such) type).",
                Meaning::Unsupported,
                &["flat", "T::f", "no (such) type"][..],
            ),
            (
                "Cannot use fn f (why).",
                Meaning::Unsupported,
                &["f", "why"],
            ),
            (
                "Skip flat::S - (not `pub`).",
                Meaning::NotExported,
                &["flat", "S"],
            ),
            (skipped, Meaning::Unsupported, &["flat", "S", reason]),
            (
                "couldn't parse unsafe() attribute",
                Meaning::Incomplete,
                &[],
            ),
        ] {
            assert_eq!(
                understand(message),
                Some((meaning, expected.to_vec())),
                "{message}"
            );
        }
        assert_eq!(understand("couldn't parse unsafe() attribute, or so"), None);
        assert_eq!(understand("Something new"), None);
    }
}
