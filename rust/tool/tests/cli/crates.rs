// SPDX-License-Identifier: BSD-2-Clause

//! `crate`: what is taken, and what is refused with which next step.

use crate::fixture::{Fixture, Outcome};

fn check(fixture: &Fixture, manifest: &str) -> Outcome {
    fixture.step(&["crate", "--manifest", manifest])
}

#[test]
fn the_facts_of_a_crate() {
    let fixture = Fixture::new();
    fixture.write(
        "space/Cargo.toml",
        "[workspace]\nmembers = [\"my-greeter\"]\nresolver = \"3\"\n",
    );
    fixture.unlocked(
        "space/my-greeter",
        "[dependencies]\nshared = { path = \"../../shared\" }\n",
    );
    fixture.unlocked("shared", "");
    fixture.lock("space");
    fixture.write("space/my-greeter/cbindgen.toml", "");
    fixture.write("space/.cargo/config.toml", "[term]\nverbose = false\n");
    fixture.write(
        "space/my-greeter/.cargo/config.toml",
        "[term]\nverbose = false\n",
    );
    let before = fixture.listing("");

    let outcome = check(&fixture, "space/my-greeter/Cargo.toml").succeeds();
    assert_eq!(outcome.values("PACKAGE"), ["my-greeter"]);
    assert_eq!(
        outcome.values("MANIFEST"),
        [fixture.text("space/my-greeter/Cargo.toml")]
    );
    assert_eq!(outcome.values("LOCK"), [fixture.text("space/Cargo.lock")]);
    assert_eq!(
        outcome.values("CBINDGEN"),
        [fixture.text("space/my-greeter/cbindgen.toml")]
    );
    let mut inputs = [
        "space/.cargo/config.toml",
        "space/Cargo.lock",
        "space/Cargo.toml",
        "space/my-greeter/.cargo/config.toml",
        "space/my-greeter/Cargo.toml",
        "shared/Cargo.toml",
    ]
    .map(|file| fixture.text(file));
    inputs.sort();
    assert_eq!(outcome.values("INPUT"), inputs);
    assert_eq!(
        fixture.listing(""),
        before,
        "the source tree is not written to"
    );

    let member = [
        "crate",
        "--manifest",
        "space/Cargo.toml",
        "--package",
        "my-greeter",
    ];
    let same = fixture.step(&member).succeeds();
    assert_eq!(same.values("MANIFEST"), outcome.values("MANIFEST"));
}

#[test]
fn a_manifest_that_is_none() {
    let fixture = Fixture::new();
    fixture.unlocked("greeter", "");
    check(&fixture, "gretter/Cargo.toml").fails("there is no manifest `", "MANIFEST_PATH");
    check(&fixture, "greeter").fails("`greeter` is a folder", "did you mean greeter/Cargo.toml?");
    check(&fixture, "greeter/src/lib.rs").fails("is not a manifest", "Cargo.toml");
    fixture.append("greeter/Cargo.toml", "x = [\n");
    check(&fixture, "greeter/Cargo.toml").fails("unclosed array", "cargo metadata --no-deps");
}

#[test]
fn a_package_that_is_not_there() {
    let fixture = Fixture::new();
    fixture.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"greeter\", \"farewell\"]\nresolver = \"3\"\n",
    );
    fixture.unlocked("greeter", "");
    fixture.unlocked("farewell", "");
    fixture.lock("");
    check(&fixture, "Cargo.toml").fails(
        "a workspace without a package of its own",
        "choose a member with PACKAGE: `",
    );
    fixture
        .step(&["crate", "--manifest", "Cargo.toml", "--package", "greter"])
        .fails(
            "has no package `greter`",
            "did you mean `greeter`? It has: `",
        );
}

#[test]
fn a_crate_that_c_cannot_link() {
    let fixture = Fixture::new();
    fixture.library("program", "");
    std::fs::rename(
        fixture.path("program/src/lib.rs"),
        fixture.path("program/src/main.rs"),
    )
    .expect("renamed");
    check(&fixture, "program/Cargo.toml").fails("only a binary", "src/lib.rs");
    std::fs::remove_file(fixture.path("program/src/main.rs")).expect("removed");
    check(&fixture, "program/Cargo.toml").fails("has no source file", "/program/src/lib.rs");
    fixture.library("macros", "[lib]\nproc-macro = true\n");
    check(&fixture, "macros/Cargo.toml").fails("procedural macro", "the library that uses");
    fixture.library(
        "shared",
        "[lib]\ncrate-type = [\"cdylib\", \"staticlib\"]\n",
    );
    check(&fixture, "shared/Cargo.toml")
        .fails("`cdylib`, `staticlib` only", "remove the `crate-type` line");
}

#[test]
fn crate_types_for_c_beside_the_library_stay() {
    let fixture = Fixture::new();
    fixture.library(
        "both",
        "[lib]\ncrate-type = [\"lib\", \"staticlib\", \"cdylib\"]\n",
    );
    for attribute in ["", "#![no_std]\n"] {
        fixture.write("both/src/lib.rs", attribute);
        check(&fixture, "both/Cargo.toml").succeeds();
    }
    fixture.library("user", "[dependencies]\nboth = { path = \"../both\" }\n");
    check(&fixture, "user/Cargo.toml").succeeds();
}

#[test]
fn a_lock_that_is_missing_or_stale() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published("x", "1.0.0", "", "");
    fixture.unlocked("greeter", "");
    let before = fixture.listing("");
    check(&fixture, "greeter/Cargo.toml")
        .fails("Cargo.lock`", "cargo generate-lockfile --manifest-path /");
    assert_eq!(fixture.listing(""), before);
    fixture.lock("greeter");
    fixture.append("greeter/Cargo.toml", "[dependencies]\nx = \"1\"\n");
    check(&fixture, "greeter/Cargo.toml").fails(
        "does not match the manifest",
        "cargo update --workspace --manifest-path /",
    );
    fixture.lock("greeter");
    check(&fixture, "greeter/Cargo.toml").succeeds();
}

#[test]
fn no_network_is_told_from_a_stale_lock() {
    let fixture = Fixture::new();
    fixture.unlocked(
        "greeter",
        "[dependencies]\nno-such-crate-anywhere = \"1\"\n",
    );
    fixture.write(
        "greeter/Cargo.lock",
        "version = 4\n[[package]]\nname = \"greeter\"\nversion = \"0.1.0\"\ndependencies = [\"no-such-crate-anywhere\"]\n\
         [[package]]\nname = \"no-such-crate-anywhere\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"00\"\n",
    );
    fixture.unplug();
    check(&fixture, "greeter/Cargo.toml").fails("cannot fetch the crates", "cargo fetch --locked");
}

#[test]
fn a_runtime_of_its_own() {
    let fixture = Fixture::new();
    let handler = "#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n";
    for (name, source, found) in [
        ("plain", handler.to_owned(), Some("lib.rs:4`")),
        (
            "untested",
            format!("#[cfg(not(test))]\n{handler}"),
            Some("lib.rs:5`"),
        ),
        (
            "optional",
            format!("#[cfg(feature = \"standalone\")]\n{handler}"),
            None,
        ),
        (
            "tested",
            format!("#[cfg(test)]\nmod tests {{\n{handler}}}\n"),
            None,
        ),
        (
            "mentioned",
            "//! Has no `#[panic_handler]`.\n".to_owned(),
            None,
        ),
    ] {
        fixture.library(name, "");
        fixture.append(&format!("{name}/src/lib.rs"), &format!("\n{source}"));
        let outcome = check(&fixture, &format!("{name}/Cargo.toml"));
        match found {
            Some(place) => {
                outcome.fails(place, "remove it");
            }
            None => {
                outcome.succeeds();
            }
        }
    }
}

#[test]
fn a_runtime_behind_a_feature() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.published(
        "panic-halt",
        "1.0.0",
        "",
        "#[panic_handler]\nfn panic() {}\n",
    );
    let more = "[features]\ndefault = [\"panic-halt\"]\nstandalone = []\n\
        [dependencies]\npanic-halt = { version = \"1\", optional = true }\n";
    fixture.library("greeter", more);
    fixture.append(
        "greeter/src/lib.rs",
        "#[cfg(feature = \"standalone\")]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n",
    );
    let check = |more: &[&str]| {
        fixture.step(&[&["crate", "--manifest", "greeter/Cargo.toml"], more].concat())
    };
    let none = "--no-default-features";
    check(&[none]).succeeds();
    check(&[]).fails(
        "the crate `panic-halt`, which `greeter` depends on,",
        "turn off the feature",
    );
    check(&[none, "--features", "panic-halt"])
        .fails("the crate `panic-halt`", "turn off the feature");
    check(&[none, "--features", "standalone"]).fails(
        "the crate `greeter` has its own `#[panic_handler]` (`",
        "off in the image",
    );
}

#[test]
fn a_runtime_in_a_dependency() {
    let fixture = Fixture::new();
    fixture.registry();
    fixture.unlocked("helper", "");
    fixture.append("helper/src/lib.rs", "mod memory;\n");
    fixture.write(
        "helper/src/memory.rs",
        "#[global_allocator]\nstatic HEAP: Heap = Heap;\n",
    );
    fixture.library(
        "user",
        "[dependencies]\nhelper = { path = \"../helper\" }\n",
    );
    check(&fixture, "user/Cargo.toml").fails(
        "the crate `helper`, which `user` depends on, has its own `#[global_allocator]` (`",
        "remove it",
    );
    fixture.published("panics", "1.0.0", "", "#[panic_handler]\nfn panic() {}\n");
    fixture.library("other", "[dependencies]\npanics = \"1\"\n");
    check(&fixture, "other/Cargo.toml").fails("the crate `panics`", "drop the dependency");
    fixture.library("tester", "[dev-dependencies]\npanics = \"1\"\n");
    check(&fixture, "tester/Cargo.toml").succeeds();
}

#[test]
fn a_header_has_a_plain_name_that_c_does_not_have() {
    let fixture = Fixture::new();
    fixture.library("greeter", "");
    let named = |header: &str| {
        let manifest = fixture.text("greeter/Cargo.toml");
        fixture.step(&[
            "crate",
            "--manifest",
            &manifest,
            "--target",
            "greeter",
            "--header",
            header,
        ])
    };
    for header in ["../greeter.h", ".h", "a b.h", "-a.h"] {
        let message =
            format!("add_rust_library(greeter): HEADER is `{header}`, which is not a file name");
        named(header).fails(&message, "such as greeter.h");
    }
    for header in ["limits.h", "cpio.h", "wordexp.h"] {
        let message = format!("the C library has a header `{header}` of its own");
        named(header).fails(&message, &format!("such as HEADER rust_{header}"));
    }
    for header in ["greeter.h", "limits", "greeter-1.0.h", "_a.hpp"] {
        named(header).succeeds();
    }
}
