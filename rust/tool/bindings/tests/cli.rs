// SPDX-License-Identifier: BSD-2-Clause

//! `bindings`: headers go in, Rust and C come out.

#[path = "../../tests/cli/fixture.rs"]
#[expect(dead_code, reason = "the tests of the host tool use all of it")]
mod fixture;

use std::process::Command;

use fixture::{Fixture, Outcome};

/// The program under test.
const TOOL: &str = env!("CARGO_BIN_EXE_sel4-rust-bindings");

const HEADER: &str = r#"
#pragma once
#include <number.h>
#define LIB_ANSWER 42
#define LIB_WIDE (sizeof(number_t) * 8)
#define LIB_NEGATIVE (-3)
#define CONFIG_HIDDEN 1
enum { LibFirst = 1, LibSecond };
typedef enum { LibFine, LibBad } lib_error_t;
enum lib_unused { LibAlone = 5 };
typedef enum { LibLong, lib_pad = ((1ULL << ((sizeof(long) * 8) - 1)) - 1) } lib_long_t;
typedef unsigned long lib_u64;
typedef lib_u64 seL4_Word;
typedef struct lib_pair_ { char small; seL4_Word type; } lib_pair;
typedef union { seL4_Word word; char bytes[4]; } lib_either;
extern __thread lib_pair *lib_current;
/**
 * @brief Adds <texttt text="n"/> &amp; more.
 * @param[in] n What to add.
 * @retval LibBad Never.
 */
static inline lib_error_t lib_add(number_t n) { (void)n; return LibFine; }
LIB_WORD lib_plain(lib_pair pair, lib_long_t kind);
"#;

fn library() -> Fixture {
    let fixture = Fixture::new();
    fixture.write("include/lib/lib.h", HEADER);
    fixture.write("system/number.h", "typedef int number_t;\n");
    fixture.write(
        "gen_config.json",
        r#"{"DEBUG_BUILD": true, "KERNEL_MCS": false, "ARCH": "arm", "WORD_SIZE": "64", "TOP": "0x100000000"}"#,
    );
    fixture
}

fn bind(fixture: &Fixture, target: &str, more: &[&str]) -> Outcome {
    let mut arguments = vec!["bindings", "--target", target];
    arguments.extend([
        "--out",
        "out",
        "--depfile",
        "out/d",
        "--headers",
        "lib/lib.h",
    ]);
    arguments.extend([
        "--include-dirs",
        "include",
        "--system-include-dirs",
        "system",
    ]);
    arguments.extend([
        "--configs",
        "gen_config.json",
        "--flags",
        "-DLIB_WORD=seL4_Word",
    ]);
    arguments.extend(more);
    fixture.step(&arguments)
}

fn check_has(text: &str, fragments: &[&str]) {
    for fragment in fragments {
        assert!(text.contains(fragment), "no `{fragment}` in:\n{text}");
    }
}

#[test]
fn what_the_headers_declare_is_bound() {
    let fixture = library();
    bind(&fixture, "aarch64-unknown-none", &[]).succeeds();
    let rust = fixture.read("out/bindings.rs");
    check_has(
        &rust,
        &[
            "pub const LIB_ANSWER: usize = 42;",
            "pub const LIB_WIDE: usize = 32;",
            "pub const LIB_NEGATIVE: i32 = -3;",
            "pub const LibSecond: usize = 2;",
            "pub const LibBad: lib_error_t = 1;",
            "pub const LibAlone: usize = 5;",
            "pub type lib_long_t = usize;",
            "pub type seL4_Word = usize;",
            "/// Adds `n` & more.\n",
            "/// * `n`: What to add.\n",
            "/// * [`LibBad`]: Never.\n",
            "#[link_name = \"lib_add__extern\"]",
            "pub fn lib_plain(pair: lib_pair, kind: lib_long_t) -> seL4_Word;",
        ],
    );
    for absent in ["CONFIG_HIDDEN", "lib_current", "texttt", "_bindgen_ty_1"] {
        assert!(!rust.contains(absent), "`{absent}` in:\n{rust}");
    }
    check_has(
        &fixture.read("out/wrappers.c"),
        &[
            "#include <lib/lib.h>\n",
            "lib_error_t lib_add__extern(number_t n)",
        ],
    );
    check_has(
        &fixture.read("out/layout.c"),
        &[
            "SAME(sizeof(seL4_Word), 8,",
            "SAME(sizeof(lib_either), 8,",
            "SAME(__builtin_offsetof(struct lib_pair_, type), 8,",
            "SAME(sizeof(lib_error_t), 4,",
        ],
    );
    check_has(
        &fixture.read("out/d"),
        &["include/lib/lib.h", "system/number.h", "gen_config.json"],
    );
    assert!(!fixture.read("out/d").contains("headers.h"));
}

/// Types that C and the macros of a header spell in other ways than a plain tag or typedef.
const SPELLINGS: &str = r#"
#pragma once
#define MADE(name, type) typedef struct { type x; type y; } name##_t;
#define TAGGED(name) struct name { short s; }; union name##_both { short s; int i; };
MADE(made_place, long)
TAGGED(made_tagged)
typedef struct /* no tag */ __attribute__((packed)) { char c; int i; } packed_t;
typedef struct packed_tag { char c; int i; } __attribute__((packed)) packed_too_t;
struct outer { struct inner { int i; } inner; struct { char c; } unnamed; };
"#;

#[test]
fn c_checks_types_by_the_names_that_it_has_for_them() {
    let fixture = library();
    fixture.write("include/lib/lib.h", SPELLINGS);
    bind(&fixture, "aarch64-unknown-none", &[]).succeeds();
    check_has(
        &fixture.read("out/layout.c"),
        &[
            "SAME(sizeof(made_place_t), 16,",
            "SAME(__builtin_offsetof(made_place_t, y), 8,",
            "SAME(sizeof(struct made_tagged), 2,",
            "SAME(sizeof(union made_tagged_both), 4,",
            "SAME(sizeof(packed_t), 5,",
            "SAME(sizeof(struct packed_tag), 5,",
            "SAME(__builtin_offsetof(struct outer, unnamed), 4,",
        ],
    );
    // The host lays all of them out as the target does.
    let compiler = Command::new("cc")
        .args([
            "-fsyntax-only",
            "-Iinclude",
            "-isystemsystem",
            "out/layout.c",
        ])
        .current_dir(fixture.path(""))
        .output()
        .expect("there is a C compiler, which cargo links with");
    let errors = String::from_utf8_lossy(&compiler.stderr);
    assert!(compiler.status.success(), "{errors}");
}

#[test]
fn the_words_of_a_32_bit_target_are_usize_too() {
    let fixture = library();
    bind(&fixture, "riscv32imac-unknown-none-elf", &[]).succeeds();
    check_has(
        &fixture.read("out/bindings.rs"),
        &[
            "pub type seL4_Word = usize;",
            "pub type lib_long_t = usize;",
            "pub type lib_error_t = ::core::ffi::c_uint;",
        ],
    );
    check_has(
        &fixture.read("out/layout.c"),
        &["SAME(sizeof(seL4_Word), 4,"],
    );
    check_has(
        &fixture.read("out/config.rs"),
        &["pub const CONFIG_TOP: u64 = 4294967296;"],
    );
}

#[test]
fn the_configuration_is_typed_and_every_name_is_known() {
    let fixture = library();
    bind(&fixture, "aarch64-unknown-none", &[]).succeeds();
    check_has(
        &fixture.read("out/config.rs"),
        &[
            "pub const CONFIG_DEBUG_BUILD: bool = true;",
            "pub const CONFIG_KERNEL_MCS: bool = false;",
            "pub const CONFIG_ARCH: &str = \"arm\";",
            "pub const CONFIG_WORD_SIZE: usize = 64;",
            "pub const CONFIG_TOP: usize = 4294967296;",
        ],
    );
    assert_eq!(
        fixture.read("out/cfg"),
        "cargo::rustc-check-cfg=cfg(CONFIG_ARCH, values(any()))\n\
         cargo::rustc-cfg=CONFIG_ARCH=\"arm\"\n\
         cargo::rustc-check-cfg=cfg(CONFIG_DEBUG_BUILD)\n\
         cargo::rustc-cfg=CONFIG_DEBUG_BUILD\n\
         cargo::rustc-check-cfg=cfg(CONFIG_KERNEL_MCS)\n\
         cargo::rustc-check-cfg=cfg(CONFIG_TOP, values(any()))\n\
         cargo::rustc-cfg=CONFIG_TOP=\"0x100000000\"\n\
         cargo::rustc-check-cfg=cfg(CONFIG_WORD_SIZE, values(any()))\n\
         cargo::rustc-cfg=CONFIG_WORD_SIZE=\"64\"\n"
    );
}

#[test]
fn only_what_changes_is_written_again() {
    let fixture = library();
    bind(&fixture, "aarch64-unknown-none", &[]).succeeds();
    let files = [
        "bindings.rs",
        "wrappers.c",
        "layout.c",
        "config.rs",
        "cfg",
        "d",
    ];
    let times = || files.map(|file| fixture.modified(&format!("out/{file}")));
    let before = times();
    bind(&fixture, "aarch64-unknown-none", &[]).succeeds();
    assert_eq!(times(), before);
    fixture.write("gen_config.json", "{\"DEBUG_BUILD\": false}");
    bind(&fixture, "aarch64-unknown-none", &[]).succeeds();
    assert_eq!(times()[..3], before[..3]);
    assert_ne!(times()[3..5], before[3..5]);
}

#[test]
fn what_cannot_be_read_is_named_and_leaves_nothing_behind() {
    let fixture = library();
    let none = "aarch64-unknown-none";
    bind(&fixture, none, &["--headers", "lib/gone.h"]).fails(
        "`lib/lib.h`, `lib/gone.h` does not compile for `aarch64-unknown-none`",
        "`include-dirs`",
    );
    bind(&fixture, none, &["--configs", "gone.json"]).fails("cannot read `gone.json`", "");
    for (text, message) in [
        (
            "{\"ARCH\": \"x86\"}",
            "`ARCH` has one value in `gen_config.json` and another in `other.json`",
        ),
        (
            "{\"ARCH\": ",
            "`other.json` is not a table of configuration values",
        ),
        ("[1]", "`other.json` is not a table of configuration values"),
        ("{\"A\": null}", "`other.json` gives `A` the value `null`"),
        (
            "{\"A B\": true}",
            "`other.json` gives `A B` the value `true`",
        ),
        ("{\"A\": \"x\\ny\"}", "which no C macro could have"),
    ] {
        fixture.write("other.json", text);
        bind(&fixture, none, &["--configs", "other.json"]).fails(message, "");
    }
    assert!(!fixture.path("out").exists());
}

#[test]
fn a_missing_libclang_is_said_with_its_package() {
    let fixture = library();
    fixture.write(
        "request.toml",
        "target = 'aarch64-unknown-none'\nout = 'out'\ninclude-dirs = ['include']\nheaders = ['lib/lib.h']\n",
    );
    let output = Command::new(TOOL)
        .args(["bindings", "request.toml"])
        .env("LIBCLANG_PATH", fixture.path("nowhere"))
        .current_dir(fixture.path(""))
        .output()
        .expect("the tool");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    check_has(
        &stderr,
        &[
            "error: libclang, which reads C headers, cannot be loaded",
            "help: apt-get install clang",
        ],
    );
    assert!(!fixture.path("out").exists());
}

#[test]
fn a_request_that_is_not_understood_is_shown_with_its_line() {
    let fixture = library();
    for (request, message) in [
        (
            "target = 'a'\nout = 'out'\n",
            "missing field `include-dirs`",
        ),
        (
            "target = 'a'\nout = 'out'\ninclude-dirs = []\nincludes = []\n",
            "request.toml:4: unknown field `includes`",
        ),
    ] {
        fixture.write("request.toml", request);
        let outcome = fixture.run(&["bindings", "request.toml"]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        check_has(
            &outcome.stderr,
            &[message, "usage: sel4-rust bindings REQUEST"],
        );
    }
    let outcome = fixture.run(&["bindings", "--out", "out"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    check_has(&outcome.stderr, &["a step takes one argument"]);
}
