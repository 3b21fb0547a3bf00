// SPDX-License-Identifier: BSD-2-Clause

//! The tool as CMake sees it: small crates go in, files and messages come out.

mod bundle;
mod crates;
mod fixture;
mod header;
mod header_forms;
mod link;
mod seal;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use fixture::Fixture;

/// The program under test.
const TOOL: &str = env!("CARGO_BIN_EXE_sel4-rust");

#[test]
fn misuse_is_told_from_failure() {
    let fixture = Fixture::new();
    for (arguments, request, message) in [
        (&["frob"][..], "", "there is no step `frob`"),
        (&[], "", "a step is missing"),
        (&["crate"], "", "a step takes one argument"),
        (
            &["crate", "request", "more"],
            "",
            "a step takes one argument",
        ),
        (&["crate", "request"], "", "missing field `manifest`"),
        (&["crate", "request"], "frob = 1", "unknown field `frob`"),
        (&["seal", "request"], "archive", "request:1: "),
        (
            &["seal", "request"],
            "\narchive = 'a'\narchive = 'b'",
            "request:3: duplicate key",
        ),
        (
            &["bundle", "request"],
            "out = 'y'\npackage = 'z'",
            "unknown field `package`",
        ),
    ] {
        fixture.write("request", request);
        let outcome = fixture.run(arguments);
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(message),
            "{arguments:?}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("usage: "),
            "{arguments:?}: {}",
            outcome.stderr
        );
    }
    assert_eq!(fixture.run(&["--help"]).code, Some(0));
}

#[test]
fn a_cargo_that_is_not_there_is_named() {
    let fixture = Fixture::new();
    fixture.library("greeter", "");
    fixture
        .step(&[
            "crate",
            "--manifest",
            "greeter/Cargo.toml",
            "--cargo.program",
            "no-such-cargo",
        ])
        .fails("cannot run `no-such-cargo`", "rustup");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let fixture = Fixture::new();
    fixture.library("greeter", "");
    fixture.write("full", "");
    let arguments = [
        "header",
        "--manifest",
        "greeter/Cargo.toml",
        "--package",
        "greeter",
        "--out",
        "full/greeter.h",
        "--depfile",
        "greeter.d",
    ];
    fixture.step(&arguments).fails("cannot create `full`", "");
    assert!(!fixture.path("greeter.d").exists());
}

#[test]
fn bindings_are_the_work_of_the_program_beside_the_tool() {
    let fixture = Fixture::new();
    std::fs::copy(Path::new(TOOL), fixture.path("sel4-rust")).expect("a copy");
    let run = || {
        let mut command = Command::new(fixture.path("sel4-rust"));
        command
            .args(["bindings", "a b"])
            .output()
            .expect("the tool")
    };
    let output = run();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let missing = format!("error: cannot run `{}`", fixture.text("sel4-rust-bindings"));
    assert!(stderr.contains(&missing), "{stderr}");
    assert!(stderr.contains("\nhelp: "), "{stderr}");

    let script = "#!/bin/sh\nprintf '%s,' \"$@\"\nexit 3\n";
    fixture.write("sel4-rust-bindings", script);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(fixture.path("sel4-rust-bindings"), executable).expect("executable");
    let output = run();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, b"bindings,a b,");
}
