// SPDX-License-Identifier: BSD-2-Clause

//! What cbindgen complains of, and what it means.

use std::cell::RefCell;
use std::sync::Once;

use super::crates::Crates;
use super::settings::KnownToC;
use crate::failure::{Failure, Result};

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
pub fn listen<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
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
pub fn judge(crates: &Crates<'_>, known: &KnownToC, complaints: &[String]) -> Result<()> {
    for complaint in complaints {
        if let Some(failure) = serious(crates, known, complaint) {
            return Err(failure);
        }
    }
    Ok(())
}

/// The failure that a complaint amounts to, if it does.
fn serious(crates: &Crates<'_>, known: &KnownToC, complaint: &str) -> Option<Failure> {
    if let Some(rest) = complaint.strip_prefix("Can't find ") {
        let name = rest.split('.').next().unwrap_or(rest);
        return (!known.has(name)).then(|| missing_type(crates, name));
    }
    if let Some(rest) = complaint.strip_prefix("Cannot use fn flat::") {
        let (name, reason) = rest.split_once(" (").unwrap_or((rest, ""));
        let failure = Failure::new(format!(
            "the exported function `{name}` ({}) cannot be expressed in C: {}",
            crates.place_of(name),
            plainly(reason)
        ));
        return Some(failure.help(TYPES));
    }
    if let Some(rest) = complaint.strip_prefix("Skip flat::") {
        let (name, reason) = rest.split_once(" - ").unwrap_or((rest, ""));
        if reason.contains("not `pub`") || reason.contains("not `no_mangle`") {
            return None;
        }
        let failure = Failure::new(format!(
            "`{name}` ({}) cannot be expressed in C: {}",
            crates.place_of(name),
            plainly(reason)
        ));
        return Some(failure.help(TYPES));
    }
    if let Some(rest) = complaint.strip_prefix("Missing `[defines]` entry for `") {
        let condition = rest.split('`').next().unwrap_or(rest);
        let failure = Failure::new(format!(
            "what the crate `{}` exports depends on `{condition}`, which C knows nothing about",
            crates.own.package.name
        ));
        return Some(failure.help(format!(
            "add to cbindgen.toml under [defines]: \"{condition}\" = \"A_MACRO_OF_YOURS\""
        )));
    }
    // Not exported; what is exported without being C's has been refused before.
    const HARMLESS: [&str; 3] = ["Skipping ", "Couldn't find path for", "Skipping associated"];
    if HARMLESS.iter().any(|start| complaint.starts_with(start)) {
        return None;
    }
    let failure = Failure::new(format!(
        "the header of `{}` would be incomplete: {complaint}",
        crates.own.package.name
    ));
    Some(failure.help(
        "change the item, or keep it out of the header with the comment `/// cbindgen:ignore`",
    ))
}

const TYPES: &str = "give it types that C has: numbers, raw pointers, `#[repr(C)]` structs";

/// cbindgen's reason without the parser's innards.
fn plainly(reason: &str) -> String {
    let reason = reason.trim_matches(['(', ')', '.']);
    for (kind, name) in [
        ("Type::Slice", "C has no slices"),
        ("Type::TraitObject", "C has no trait objects"),
        ("Type::ImplTrait", "C has no `impl Trait`"),
        ("Type::Tuple", "C has no tuples"),
    ] {
        if reason.contains(kind) {
            return name.to_owned();
        }
    }
    reason.split(" {").next().unwrap_or(reason).to_owned()
}

fn missing_type(crates: &Crates<'_>, name: &str) -> Failure {
    let users = crates.users_of(name);
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
            "define it under this name in the crate or a path dependency; if it is a C type, \
             name its header with SYS_INCLUDES, and the type in cbindgen.toml: [export] exclude = [\"{name}\"]"
        )),
    }
}
