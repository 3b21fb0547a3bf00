// SPDX-License-Identifier: BSD-2-Clause

//! The tool as CMake sees it: small crates go in, files and messages come out.

mod bindings;
mod bundle;
mod crates;
mod fixture;
mod header;
mod link;
mod seal;

use fixture::Fixture;

#[test]
fn misuse_is_told_from_failure() {
    let fixture = Fixture::new();
    for (arguments, message) in [
        (&["frob"][..], "there is no subcommand `frob`"),
        (&[], "a subcommand is missing"),
        (&["crate"], "--manifest-path is missing"),
        (&["crate", "--frob"], "--frob"),
        (&["seal", "--archive"], "--archive"),
        (
            &["seal", "--archive", "a", "--archive", "b"],
            "--archive is given twice",
        ),
        (&["bundle", "--out", "y", "--package", "z"], "--package"),
    ] {
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
        .run(&[
            "crate",
            "--manifest-path",
            "greeter/Cargo.toml",
            "--cargo",
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
        "--manifest-path",
        "greeter/Cargo.toml",
        "--package",
        "greeter",
        "--out",
        "full/greeter.h",
        "--depfile",
        "greeter.d",
    ];
    fixture.run(&arguments).fails("cannot create `full`", "");
    assert!(!fixture.path("greeter.d").exists());
}
