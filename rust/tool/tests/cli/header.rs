// SPDX-License-Identifier: BSD-2-Clause

//! `header`: what C gets to see, and that nothing is left out in silence.

use std::process::Command;

use crate::fixture::{Fixture, Outcome};

/// A crate `greeter` with this source; its header goes to `include/greeter.h`.
fn header(source: &str) -> (Fixture, Outcome) {
    let fixture = Fixture::new();
    fixture.library("greeter", "[features]\nextra = []\n");
    fixture.append("greeter/src/lib.rs", source);
    let outcome = again(&fixture, &[]);
    (fixture, outcome)
}

pub fn again(fixture: &Fixture, more: &[&str]) -> Outcome {
    let arguments = [
        "header",
        "--manifest",
        "greeter/Cargo.toml",
        "--package",
        "greeter",
        "--out",
        "include/greeter.h",
        "--depfile",
        "greeter.d",
    ];
    fixture.step(&[&arguments[..], more].concat())
}

/// Compiles the header as C with `asserts`, and as C++; the error is the compiler's.
pub fn compiles(fixture: &Fixture, asserts: &str) -> Result<(), String> {
    let include = "#include \"greeter.h\"\n#include \"greeter.h\"\n";
    fixture.write("user.c", format!("{include}int user;\n{asserts}"));
    fixture.write("user.cpp", format!("{include}int user;\n"));
    for (compiler, file, standard) in [
        ("gcc", "user.c", "-std=gnu11"),
        ("g++", "user.cpp", "-std=c++17"),
    ] {
        let output = Command::new(compiler)
            .args([
                standard,
                "-Wall",
                "-Wextra",
                "-Werror",
                "-fsyntax-only",
                "-Iinclude",
                file,
            ])
            .current_dir(fixture.path(""))
            .output()
            .expect(compiler);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    Ok(())
}

/// Compiles the header as C and as C++, strictly.
#[track_caller]
fn compiles_strictly(fixture: &Fixture) {
    fixture.write(
        "user.c",
        "#include \"greeter.h\"\n#include \"greeter.h\"\nint user;\n",
    );
    for (compiler, language, standard) in [("gcc", "c", "-std=c11"), ("g++", "c++", "-std=c++17")] {
        let output = Command::new(compiler)
            .args([
                standard,
                "-Wall",
                "-Wextra",
                "-Werror",
                "-pedantic",
                "-fsyntax-only",
                "-Iinclude",
            ])
            .args(["-x", language, "user.c"])
            .current_dir(fixture.path(""))
            .output()
            .expect(compiler);
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stderr),
            fixture.read("include/greeter.h")
        );
    }
}

const EXPORTS: &str = r#"
use core::ffi::{c_char, c_int};
mod inner;
unsafe extern "C" { fn puts(text: *const c_char) -> c_int; }
/// The answer.
pub const ANSWER: u32 = 42;
pub const NAME: &str = "greeter";
/// Known by name only.
pub struct State { count: u32 }
#[repr(C)]
pub enum Kind { Small, Large }
#[repr(C)]
pub struct Pair { pub first: u8, pub second: f64 }
#[repr(C)]
pub union Either { pub number: u64, pub pair: Pair }
/// Adds two numbers.
///
/// Returns the sum.
#[unsafe(no_mangle)]
pub extern "C" fn add(a: c_int, b: c_int) -> c_int { a + b }
#[unsafe(no_mangle)]
pub extern "C" fn visit(state: *mut State, pair: Pair, kind: Kind, length: usize, yes: bool,
    each: Option<extern "C" fn(u8) -> u64>) -> *const Either { core::ptr::null() }
#[unsafe(no_mangle)]
pub extern "C" fn stop() -> ! { loop {} }
#[cfg(feature = "extra")]
#[unsafe(no_mangle)]
pub extern "C" fn extra() {}
#[unsafe(no_mangle)]
pub static COUNTER: u32 = 3;
pub extern "C" fn callback(byte: u8) {}
"#;

#[test]
fn exports_reach_c_and_cpp() {
    let fixture = Fixture::new();
    fixture.library("greeter", "[features]\nextra = []\n");
    fixture.append("greeter/src/lib.rs", EXPORTS);
    fixture.write(
        "greeter/src/inner.rs",
        "#[unsafe(export_name = \"inner_renamed\")]\npub extern \"C\" fn inner() {}\n",
    );
    let outcome = again(&fixture, &["--sys-includes", "limits.h"]).succeeds();
    assert_eq!(outcome.stdout + &outcome.stderr, "");
    compiles_strictly(&fixture);
    let text = fixture.read("include/greeter.h");
    assert!(text.starts_with(
        "/* Generated from the Rust crate `greeter` by sel4-rust-kit. Do not edit. */\n"
    ));
    for line in [
        "#ifndef GREETER_H",
        "#include <limits.h>",
        "#include <stdbool.h>",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "#define ANSWER 42",
        " * Returns the sum.",
        "int add(int a, int b);",
        "void stop(void) __attribute__((noreturn));",
        "void inner_renamed(void);",
        "extern const uint32_t COUNTER;",
        "extern \"C\" {",
        "size_t length",
    ] {
        assert!(text.contains(line), "no `{line}` in:\n{text}");
    }
    for absent in ["extra", "puts", "callback", "sel4"] {
        assert!(
            !text.contains(absent) || absent == "sel4" && !text.contains("sel4/"),
            "`{absent}` in:\n{text}"
        );
    }
    let depfile = fixture.read("greeter.d");
    assert!(depfile.starts_with("include/greeter.h: "), "{depfile}");
    for input in [
        "greeter/Cargo.toml",
        "greeter/src/lib.rs",
        "greeter/src/inner.rs",
    ] {
        assert!(depfile.contains(&fixture.text(input)), "{depfile}");
    }

    let time = fixture.modified("include/greeter.h");
    fixture.append("greeter/src/lib.rs", "fn private() {}\n");
    again(&fixture, &["--sys-includes", "limits.h"]).succeeds();
    assert_eq!(
        fixture.modified("include/greeter.h"),
        time,
        "nothing that C sees has changed"
    );
    again(&fixture, &["--features", "extra"]).succeeds();
    assert!(
        fixture
            .read("include/greeter.h")
            .contains("void extra(void);")
    );
}

#[test]
fn a_crate_without_exports_has_a_header() {
    let (fixture, outcome) = header("pub fn add(a: u32) -> u32 { a }\n");
    outcome.succeeds();
    compiles_strictly(&fixture);
    assert!(
        fixture
            .read("include/greeter.h")
            .contains("exports nothing to C")
    );
}

#[test]
fn types_of_sel4_stay_sel4s() {
    let (fixture, outcome) = header(
        "pub type seL4_CPtr = usize;\n#[unsafe(no_mangle)]\npub extern \"C\" fn boot(info: *const seL4_BootInfo, cap: seL4_CPtr) {}\n",
    );
    outcome.succeeds();
    let text = fixture.read("include/greeter.h");
    assert!(text.contains("#include <sel4/sel4.h>"), "{text}");
    assert!(
        text.contains("void boot(const seL4_BootInfo *info, seL4_CPtr cap);"),
        "{text}"
    );
    assert!(!text.contains("typedef"), "{text}");
    fixture.write(
        "include/sel4/sel4.h",
        "typedef unsigned long seL4_CPtr;\ntypedef struct info seL4_BootInfo;\n",
    );
    compiles_strictly(&fixture);
}

#[test]
fn types_of_path_dependencies_are_found_and_their_functions_are_not() {
    let fixture = Fixture::new();
    fixture.unlocked("shapes", "");
    fixture.append(
        "shapes/src/lib.rs",
        "#[repr(C)]\npub struct Point { pub x: i32 }\npub const SIDES: u32 = 3;\n#[unsafe(no_mangle)]\npub extern \"C\" fn area() {}\n",
    );
    fixture.library(
        "greeter",
        "[dependencies]\nshapes = { path = \"../shapes\" }\n",
    );
    fixture.append(
        "greeter/src/lib.rs",
        "use shapes::Point;\n#[unsafe(no_mangle)]\npub extern \"C\" fn draw(point: Point) {}\n",
    );
    again(&fixture, &[]).succeeds();
    compiles_strictly(&fixture);
    let text = fixture.read("include/greeter.h");
    assert!(
        text.contains("int32_t x;") && !text.contains("area") && !text.contains("SIDES"),
        "{text}"
    );
    assert!(fixture.read("greeter.d").contains("shapes/src/lib.rs"));
}

#[test]
fn what_cannot_be_expressed_is_refused() {
    let export = "#[unsafe(no_mangle)]\npub extern \"C\" ";
    for (source, message, help) in [
        (
            format!("{export}fn f(text: &str) {{}}\n"),
            "`f` (`",
            "pass a pointer to the characters",
        ),
        (
            format!("{export}fn f(pair: (u8, u8)) {{}}\n"),
            "cannot be expressed in C",
            "#[repr(C)]",
        ),
        (
            format!("{export}fn f(items: &[u8]) {{}}\n"),
            "lib.rs:3`",
            "",
        ),
        (
            format!("{export}fn f(x: Missing) {{}}\n"),
            "the type `Missing`, used by `f` (",
            "exclude = [\"Missing\"]",
        ),
        (
            format!(
                "#[repr(C)]\npub struct S {{ pub o: O }}\npub struct O {{ a: u8 }}\n{export}fn f(x: *const S) {{}}\n"
            ),
            "`S` (`",
            "pointer",
        ),
        (
            format!(
                "#[repr(C)]\npub enum E {{ A(u8), B }}\n#[repr(transparent)]\npub struct W(E);\n{export}fn f(x: W, y: &dyn Send) {{}}\n"
            ),
            "C has no trait objects",
            "#[repr(C)]",
        ),
        (
            "#[unsafe(no_mangle)]\npub fn f() {}\n".to_owned(),
            "is not `extern \"C\"`",
            "extern \"Rust\"",
        ),
        (
            "#[unsafe(export_name = \"a-b\")]\npub extern \"C\" fn f() {}\n".to_owned(),
            "`a-b` (`",
            "letters",
        ),
        (
            format!("{export}fn größe() {{}}\n"),
            "`größe` (`",
            "export_name",
        ),
        (
            format!("{export}fn register() {{}}\n"),
            "keyword of C or C++",
            "export_name",
        ),
        (
            format!("{export}fn r#new() {{}}\n"),
            "`new` (`",
            "export_name",
        ),
        (
            "#[unsafe(no_mangle)]\npub static S: &str = \"\";\n".to_owned(),
            "",
            "",
        ),
        (
            format!("#[cfg(odd)]\n{export}fn f() {{}}\n"),
            "depend on `odd`",
            "[defines]: \"odd\"",
        ),
        (
            format!("#[cfg(target_os = \"none\")]\n{export}fn f() {{}}\n"),
            "depend on `target_os = \"none\"`",
            "[defines]: \"target_os = none\" = \"A_MACRO_OF_YOURS\"",
        ),
        (
            "pub fn broken( {}\n".to_owned(),
            "does not parse",
            "cargo check",
        ),
        (
            format!(
                "mod a {{ #[repr(C)] pub struct T {{ pub x: u8 }} }}\nmod b {{ #[repr(C)] pub struct T {{ pub x: u16 }} }}\n{export}fn f(x: a::T, y: b::T) {{}}\n"
            ),
            "two types are called `T`",
            "rename",
        ),
    ] {
        let (fixture, outcome) = header(&source);
        assert_eq!(outcome.code, Some(1), "{source}\n{}", outcome.stderr);
        outcome.fails(message, help);
        assert!(
            !fixture.path("include").exists() && !fixture.path("greeter.d").exists(),
            "nothing stays behind"
        );
    }
}

#[test]
fn what_c_sees_and_cannot_call_is_warned_of() {
    let export = "#[unsafe(no_mangle)]\npub extern \"C\" ";
    for (source, message, help) in [
        (
            format!("pub struct Opaque {{ a: u8 }}\n{export}fn f(x: Opaque) {{}}\n"),
            "the type `Opaque` (`",
            "#[repr(C)]",
        ),
        (
            format!(
                "pub struct Opaque {{ a: u8 }}\n{export}fn f() -> Opaque {{ Opaque {{ a: 1 }} }}\n"
            ),
            "by value",
            "#[repr(C)]",
        ),
        (
            format!("#[repr(C)]\npub struct S {{ pub pair: (u8, u8) }}\n{export}fn f(x: S) {{}}\n"),
            "C has no tuples",
            "give `S` fields that C has",
        ),
    ] {
        let (fixture, outcome) = header(&source);
        let outcome = outcome.succeeds();
        for words in ["C cannot call `f` (`", "lib.rs:", message, help] {
            assert!(
                outcome.stderr.contains(words),
                "no `{words}` in:\n{}",
                outcome.stderr
            );
        }
        compiles_strictly(&fixture);
        // A call ends C's build.
        let call = "void call(void);\nvoid call(void) { f(); }\n";
        assert!(compiles(&fixture, call).is_err());
    }
}

#[test]
fn what_a_macro_exports_is_warned_of() {
    let (fixture, outcome) = header(
        "macro_rules! make { ($name:ident) => { #[unsafe(no_mangle)] pub extern \"C\" fn $name() {} } }\nmake!(made);\n",
    );
    assert_eq!(outcome.code, Some(0));
    assert!(
        outcome
            .stderr
            .contains("the macro `make` exports are not in greeter.h"),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    compiles_strictly(&fixture);
}

#[test]
fn the_users_configuration_has_the_last_word() {
    let (fixture, _) = header(
        "#[repr(C)]\npub struct Pair { pub a: u8 }\n#[unsafe(no_mangle)]\npub extern \"C\" fn f(p: Pair, q: *mut vka_t) {}\n",
    );
    let config = |text: &str| {
        fixture.write("cbindgen.toml", text);
        again(&fixture, &["--config", "cbindgen.toml"])
    };
    config("include_guard = \"MINE\"\nheader = \"/* Licence */\"\nstyle = \"type\"\nsys_includes = [\"vka/vka.h\"]\n[export]\nexclude = [\"vka_t\"]\nprefix = \"my_\"\n").succeeds();
    let text = fixture.read("include/greeter.h");
    for line in [
        "#ifndef MINE",
        "/* Licence */",
        "#include <vka/vka.h>",
        "my_Pair p",
    ] {
        assert!(text.contains(line), "no `{line}` in:\n{text}");
    }
    assert!(fixture.read("greeter.d").contains("cbindgen.toml"));
    fixture.append(
        "greeter/src/lib.rs",
        "#[cfg(target_os = \"none\")]\n#[unsafe(no_mangle)]\npub extern \"C\" fn g() {}\n",
    );
    let hint = config("[export]\nexclude = [\"vka_t\"]\n").stderr;
    let (_, line) = hint.split_once("[defines]: ").expect("a hint");
    config(&format!(
        "[export]\nexclude = [\"vka_t\"]\n[defines]\n{line}"
    ))
    .succeeds();
    assert!(
        fixture
            .read("include/greeter.h")
            .contains("defined(A_MACRO_OF_YOURS)")
    );
    config("langage = \"C\"\n").fails("unknown field `langage`", "docs.md");
    config("language = \"C++\"\n").fails("asks for the language `C++`", "remove the line");
    config("[parse]\nexpand = [\"greeter\"]\n").fails("nightly", "remove it");
    std::fs::remove_file(fixture.path("cbindgen.toml")).expect("removed");
    again(&fixture, &["--config", "cbindgen.toml"]).fails("cannot read `cbindgen.toml`", "");
}

#[test]
fn a_header_that_differs_from_what_rustc_made_ends_the_build() {
    let fixture = Fixture::new();
    fixture.library("greeter", "");
    let source = "#![no_std]\n#[repr(C)] pub struct Pair { pub a: u8, pub b: u64 }\npub mod limits { pub const MAX: u32 = 1 << 31; }\n\
        #[repr(C)] pub enum Kind { Small, Large }\n\
        #[unsafe(no_mangle)]\npub extern \"C\" fn area(pair: &Pair) -> u64 { pair.b }\n\
        #[unsafe(no_mangle)]\npub extern \"C\" fn kind(n: i32) -> Kind { if n > 0 { Kind::Large } else { Kind::Small } }\n";
    fixture.write("greeter/src/lib.rs", source);
    let library = fixture.rustc("greeter", &[], true).expect("a library");
    let judge = [
        "--judge.cc",
        "gcc",
        "--judge.cxx",
        "g++",
        "--judge.archive",
        &library,
        "--target-folder",
        "cargo",
    ];
    let config = ["--config", "cbindgen.toml"];
    let whole = [&judge[..], &config].concat();
    // Texts of a user's own change what C makes of the header; flags do, too.
    for (config, flags, said) in [
        (
            "after_includes = \"#pragma pack(1)\"",
            &[][..],
            &[
                "wrong about `area` (`",
                "lib.rs:6`)",
                "`b` of `Pair` is at byte 8 in Rust and at byte 1 in C",
            ][..],
        ),
        (
            "",
            &["--judge.flags", "-fshort-enums"],
            &[
                "wrong about `kind` (`",
                "lib.rs:8`)",
                "its result is `Kind` of 4 bytes in Rust and `Kind` of 1 bytes in C",
            ],
        ),
        (
            "trailer = \"#undef MAX\\n#define MAX 1\"",
            &[],
            &[
                "wrong about the constant `MAX` (`",
                "lib.rs:3`)",
                "it is 2147483648 in Rust and 1 in C",
            ],
        ),
    ] {
        fixture.write("cbindgen.toml", config);
        let _ = std::fs::remove_file(fixture.path("include/greeter.h"));
        let outcome = again(&fixture, &[&whole, flags].concat());
        let (first, rest) = said.split_first().expect("words");
        let stderr = outcome.fails(first, "RUST_HEADER_CHECK=OFF").stderr;
        for words in rest {
            assert!(stderr.contains(words), "no `{words}` in:\n{stderr}");
        }
        assert!(!fixture.path("include/greeter.h").exists());
    }
    // What a compiler refuses is named.
    fixture.write("cbindgen.toml", "[fn]\nprefix = \"no_such_word\"\n");
    again(&fixture, &whole).fails(
        "the C compiler `gcc` does not accept greeter.h",
        "RUST_HEADER_CHECK=OFF",
    );
    // Without its texts the header is right, and is judged once only.
    fixture.write("cbindgen.toml", "");
    assert_eq!(again(&fixture, &whole).succeeds().stderr, "");
    std::fs::remove_file(fixture.path(&library)).expect("the library");
    fixture.write(&library, "no archive");
    assert_eq!(again(&fixture, &whole).succeeds().stderr, "");
}

#[test]
fn types_of_camkes_h_are_left_to_it() {
    let fixture = Fixture::new();
    fixture.unlocked("camkes", "[lib]\nname = \"camkes\"\n");
    let manifest = fixture.read("camkes/Cargo.toml");
    fixture.write(
        "camkes/Cargo.toml",
        manifest.replace("\"camkes\"\nversion", "\"libsel4-camkes\"\nversion"),
    );
    fixture.append(
        "camkes/src/lib.rs",
        "pub mod sys { include!(concat!(env!(\"SEL4_CAMKES_DIR\"), \"/bindings.rs\")); }\n",
    );
    fixture.library(
        "greeter",
        "[dependencies]\nlibsel4-camkes = { path = \"../camkes\" }\n",
    );
    fixture.append(
        "greeter/src/lib.rs",
        "use camkes::{sys, sys::point_t};\n#[unsafe(no_mangle)]\npub extern \"C\" fn move_to(to: point_t, page: *mut sys::page_t, \
         mode: camkes::sys::mode_t) {}\n",
    );
    fixture.write(
        "include/camkes.h",
        "#pragma once\ntypedef struct { int x; } point_t;\ntypedef struct page { int n; } page_t;\ntypedef int mode_t;\n",
    );
    again(&fixture, &[]).succeeds();
    let text = fixture.read("include/greeter.h");
    for line in [
        "#include <camkes.h>",
        "void move_to(point_t to, page_t *page, mode_t mode);",
    ] {
        assert!(text.contains(line), "no `{line}` in:\n{text}");
    }
    compiles(&fixture, "").expect("C");
    // Without such a type, no camkes.h.
    fixture.write(
        "greeter/src/lib.rs",
        "#![no_std]\n#[unsafe(no_mangle)]\npub extern \"C\" fn stop() {}\n",
    );
    again(&fixture, &[]).succeeds();
    assert!(!fixture.read("include/greeter.h").contains("camkes.h"));
}
