// SPDX-License-Identifier: BSD-2-Clause

//! Settings of a user's `[profile]` tables for a crate.
//!
//! Cargo reads profiles from the root of a build only, which is the bundle. So the settings of a
//! library's own workspace are carried over as overrides for its packages.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::cargo::check::nearest;
use crate::failure::{Failure, Result};

/// The keys that cargo takes for single packages; `panic`, `lto` and `rpath` are the bundle's.
const PER_PACKAGE: [&str; 6] = [
    "codegen-units",
    "debug",
    "debug-assertions",
    "opt-level",
    "overflow-checks",
    "split-debuginfo",
];

/// Profiles that cargo knows by itself, and what they build on.
const BUILT_IN: [(&str, Option<&str>); 4] = [
    ("dev", None),
    ("release", None),
    ("test", Some("dev")),
    ("bench", Some("release")),
];

/// The settings that one profile of a user makes.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Settings {
    /// For the user's own packages.
    pub own: Table,
    /// `[profile.X.package."*"]`: for all that comes from elsewhere.
    pub others: Table,
    /// `[profile.X.package.NAME]`.
    pub named: BTreeMap<String, Table>,
}

/// Resolves the profile `name` of a workspace's root manifest, with all it inherits.
/// `base` is `dev` or `release`, what the bundle itself builds on.
///
/// # Errors
///
/// When there is no profile of that name, or its `inherits` goes nowhere.
pub fn resolve(manifest: &Table, name: &str, base: &str, whose: &str) -> Result<Settings> {
    let empty = Table::new();
    let profiles = manifest
        .get("profile")
        .and_then(Value::as_table)
        .unwrap_or(&empty);
    let mut chain = Vec::new();
    let mut at = name.to_owned();
    loop {
        let table = profiles.get(&at).and_then(Value::as_table);
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == at);
        if chain.contains(&at) || (table.is_none() && built_in.is_none()) {
            return Err(unknown(&at, name, profiles, whose));
        }
        let parent = match built_in {
            Some((_, parent)) => parent.map(str::to_owned),
            None => match table
                .and_then(|table| table.get("inherits"))
                .and_then(Value::as_str)
            {
                Some(parent) => Some(parent.to_owned()),
                None => {
                    return Err(Failure::new(format!(
                        "the profile `{at}` in `{whose}` does not say what it inherits"
                    ))
                    .help(format!("add to [profile.{at}]: inherits = \"release\"")));
                }
            },
        };
        chain.push(at);
        match parent {
            Some(parent) => at = parent,
            None => break,
        }
    }

    let mut settings = Settings::default();
    let root = chain.last().map_or("dev", |root| &**root);
    // A profile that builds on the same ground as the bundle leaves the bundle's choices alone.
    if root != base {
        settings.own = defaults(root);
    }
    for name in chain.iter().rev() {
        let Some(table) = profiles.get(name).and_then(Value::as_table) else {
            continue;
        };
        settings.own.extend(per_package(table));
        let packages = table.get("package").and_then(Value::as_table);
        for (package, table) in packages.into_iter().flatten() {
            let Some(table) = table.as_table().map(per_package) else {
                continue;
            };
            match &**package {
                "*" => settings.others.extend(table),
                name => settings
                    .named
                    .entry(name.to_owned())
                    .or_default()
                    .extend(table),
            }
        }
    }
    Ok(settings)
}

fn per_package(table: &Table) -> Table {
    let kept = table
        .iter()
        .filter(|(key, _)| PER_PACKAGE.contains(&&***key));
    kept.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Cargo's own values, <https://doc.rust-lang.org/cargo/reference/profiles.html>.
fn defaults(root: &str) -> Table {
    let dev = root == "dev";
    let mut table = Table::new();
    table.insert("opt-level".into(), Value::from(if dev { 0 } else { 3 }));
    for key in ["debug", "debug-assertions", "overflow-checks"] {
        table.insert(key.into(), Value::from(dev));
    }
    table
}

fn unknown(at: &str, asked: &str, profiles: &Table, whose: &str) -> Failure {
    let mut known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    known.extend(
        profiles
            .keys()
            .map(|name| &**name)
            .filter(|name| !BUILT_IN.iter().any(|(known, _)| known == name)),
    );
    let via = if at == asked {
        String::new()
    } else {
        format!(", which `{asked}` inherits")
    };
    let meant = match nearest(at, &known) {
        Some(near) if near != at => format!("did you mean `{near}`? "),
        _ => String::new(),
    };
    Failure::new(format!("`{whose}` has no profile `{at}`{via}")).help(format!(
        "{meant}The known profiles are: `{}`",
        known.join("`, `")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().expect("TOML")
    }

    #[test]
    fn a_custom_profile_is_resolved_through_what_it_inherits() {
        let manifest = table(
            "[profile.release]\nopt-level = 2\nlto = true\n[profile.fast]\ninherits = \"release\"\noverflow-checks = true\n[profile.fast.package.\"*\"]\nopt-level = 1\n[profile.fast.package.maths]\nopt-level = 3\n",
        );
        let fast = resolve(&manifest, "fast", "release", "Cargo.toml").expect("fast");
        assert_eq!(fast.own, table("opt-level = 2\noverflow-checks = true"));
        assert_eq!(fast.others, table("opt-level = 1"));
        assert_eq!(fast.named["maths"], table("opt-level = 3"));
        let in_dev = resolve(&manifest, "fast", "dev", "Cargo.toml").expect("fast");
        assert_eq!(in_dev.own["debug-assertions"], Value::from(false));
    }

    #[test]
    fn an_unknown_profile_names_the_known_ones() {
        let manifest = table(
            "[profile.fast]\ninherits = \"release\"\n[profile.odd]\ninherits = \"nothing\"\n",
        );
        let error = resolve(&manifest, "fsat", "dev", "Cargo.toml")
            .expect_err("none")
            .to_string();
        assert!(
            error.contains("no profile `fsat`")
                && error.contains("`fast`")
                && error.contains("`dev`"),
            "{error}"
        );
        let error = resolve(&manifest, "odd", "dev", "Cargo.toml")
            .expect_err("none")
            .to_string();
        assert!(error.contains("`nothing`, which `odd` inherits"), "{error}");
        let nothing = resolve(&Table::new(), "release", "release", "Cargo.toml").expect("built in");
        assert_eq!(nothing, Settings::default());
    }
}
