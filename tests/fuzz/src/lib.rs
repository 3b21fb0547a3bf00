// SPDX-License-Identifier: BSD-2-Clause

//! Fuzz targets: the kit's readers of foreign bytes. Each takes any bytes, and panics if the reader panics, or if the
//! result is neither valid nor an error that names the value at fault.

use std::cell::RefCell;
use std::fmt::Display;
use std::fs;
use std::path::Path;

use sel4_rust::cargo::lock::{self, Keep, Lock};
use sel4_rust::headers::source::{Cfg, Sources};
use sel4_rust::objects::seal;
use sel4_rust::profile;
use sel4_rust_bindings::config::Configuration;
use sel4_rust_bindings::{self as bindings, doc};

mod boot_info;
mod model;

/// A reader to fuzz.
pub struct Target {
    /// Name of the target, and of its file in `corpus/`.
    pub name: &'static str,
    /// Function that reads one input.
    pub read: fn(&[u8]),
    /// Number of inputs in a short run; slow readers get fewer.
    pub inputs: usize,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("config", config, 20_000),
    target("comment", comment, 20_000),
    target("lock", cargo_lock, 5_000),
    target("profile", profiles, 5_000),
    target("source", source, 2_000),
    target("archive", archive, 20_000),
    target("header", header, 40),
    target("boot_info", boot_info::read, 50_000),
    target("model", model::obey, 150),
];

const fn target(name: &'static str, read: fn(&[u8]), inputs: usize) -> Target {
    Target { name, read, inputs }
}

/// Returns the target `name`.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Panics unless the message of `failure` names the value at fault.
fn assert_names_a_value(failure: &dyn Display) {
    let text = failure.to_string();
    assert!(text.starts_with("error: ") && text.contains('`'), "{text}");
}

/// Reads a `gen_config.json`.
fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for word_bytes in [4, 8] {
        match Configuration::parse(&[("gen_config.json".into(), text.to_owned())], word_bytes) {
            Ok(configuration) => {
                let constants = configuration.constants();
                syn::parse_file(&constants).unwrap_or_else(|error| panic!("{error}: {constants}"));
                for line in configuration.cfgs().lines() {
                    assert!(line.starts_with("cargo::rustc-c"), "{line}");
                }
            }
            Err(failure) => assert_names_a_value(&failure),
        }
    }
}

/// Reads a comment of a C header.
fn comment(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for line in doc::lines(&text, &|name| name.len() % 2 == 0) {
        assert!(!line.contains(['\n', '\r']), "{line:?}");
    }
}

/// Reads a `Cargo.lock`, and merges its packages.
fn cargo_lock(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Lock::parse(text, Path::new("Cargo.lock")) {
        Ok(read) => {
            for package in &read.packages {
                for keep in [Keep::Highest, Keep::All] {
                    let merged = lock::merge(&[(&read, &*package.name)], keep);
                    let again = Lock::parse(&merged, Path::new("merged"));
                    let again = again.unwrap_or_else(|failure| panic!("{failure}: {merged}"));
                    assert!(again.packages.iter().all(|package| read.holds(package)));
                }
            }
        }
        Err(failure) => assert_names_a_value(&failure),
    }
}

/// Reads the `[profile]` tables of a user's `Cargo.toml`.
fn profiles(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(table) = text.parse::<toml::Table>() else {
        return;
    };
    let own = table.get("profile").and_then(toml::Value::as_table);
    let own = own
        .into_iter()
        .flat_map(|own| own.keys().map(|name| &**name));
    for name in own.chain(["dev", "release", "none"]) {
        for base in ["dev", "release"] {
            if let Err(failure) = profile::resolve(&table, name, base, "Cargo.toml") {
                assert_names_a_value(&failure);
            }
        }
    }
}

/// Reads the root file of a user's crate.
fn source(data: &[u8]) {
    in_temporary_folder(|folder| {
        let root = folder.join("lib.rs");
        fs::write(&root, data).expect("a file");
        if let Err(error) = Sources::load(&root, &Cfg::default()) {
            assert!(!error.message.is_empty());
        }
    });
}

/// Seals a Rust archive. The first byte of the input selects the options.
fn archive(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let file = (Path::new("in.a"), bytes);
    let itself = [file];
    let provided_by = if choice & 1 == 0 { &[][..] } else { &itself };
    let object = (Path::new("inlined.o"), &bytes[bytes.len() / 2..]);
    let inlined = (choice & 2 != 0).then_some(object);
    let options = seal::SealOptions {
        unwind_tables: choice & 4 == 0,
        symbolizer: choice & 8 == 0,
        read_tp: choice & 16 == 0,
        trap_crates: &[],
    };
    match seal::sealed(file, provided_by, inlined, options) {
        Ok(sealed) => {
            let again = seal::sealed((Path::new("sealed.a"), &sealed), &[], None, options);
            match again {
                Ok(again) => assert!(again == sealed, "sealing again changes the archive"),
                // Without any member of compiler_builtins, the archive is not recognised as Rust.
                Err(failure) => assert!(choice & 1 != 0, "{failure}"),
            }
        }
        Err(failure) => assert_names_a_value(&failure),
    }
}

/// Generates bindings of a C header, with clang and bindgen.
fn header(data: &[u8]) {
    in_temporary_folder(|folder| {
        fs::create_dir_all(folder.join("include")).expect("a folder");
        fs::write(folder.join("include/lib.h"), data).expect("a file");
        let out = folder.join("out");
        // A failed run leaves the folder unchanged.
        let _ = fs::remove_dir_all(&out);
        let request = bindings::Request {
            headers: vec!["lib.h".into()],
            leave_out_headers: false,
            sys_include_dirs: Vec::new(),
            include_dirs: vec![folder.join("include")],
            system_include_dirs: Vec::new(),
            flags: Vec::new(),
            defines: Vec::new(),
            configs: Vec::new(),
            camkes: data.len().is_multiple_of(2),
            target: "x86_64-unknown-linux-gnu".into(),
            out: out.clone(),
            depfile: None,
        };
        match bindings::write(&request) {
            Ok(()) => {
                let text = fs::read_to_string(out.join("bindings.rs")).expect("bindings");
                syn::parse_file(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            }
            Err(failure) => {
                assert_names_a_value(&failure);
                assert!(!out.exists(), "an incomplete folder is left behind");
            }
        }
    });
}

/// Calls `work` with a temporary folder that this thread keeps.
fn in_temporary_folder(work: impl FnOnce(&Path)) {
    thread_local! {
        static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
    }
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| tempfile::tempdir().expect("a temporary folder"));
        work(folder.path());
    });
}
