# SPDX-License-Identifier: BSD-2-Clause
"""D4: what changes is built again, and nothing else."""

import re

import pytest
from build.project import MAIN, Project, crate, steps
from build.vendored import locked, vendored
from support import check_says, run

pytestmark = [pytest.mark.needs("kernel", "rust", "aarch64", "x86_64"), pytest.mark.quick]

SOURCE = """#![no_std]
const TENS: i32 = match i32::from_str_radix(env!("TENS"), 10) { Ok(tens) => tens, Err(_) => panic!() };
/// The answer.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> i32 {
    1 + TENS + helper::HUNDREDS + little::THOUSANDS + if cfg!(feature = "loud") { 50000 } else { 0 }
        + if option_env!("TENS_MORE").is_some() { 100000 } else { 0 }
}
"""
MANIFEST = """build = "build.rs"
[features]
default = []
loud = []
[dependencies]
helper = { path = "helper" }
little = "1"
"""
LINK = "Linking C executable main"
COMPILE = "Building C object CMakeFiles/main.dir/main.c.o"
SEAL = "Rust: sealing libsel4_rust_main.a"
HEADER = "Rust: writing the header greeter.h"


@pytest.fixture(scope="module")
def built():
    """Two executables, each with a Rust library of its own."""
    project = Project(
        "D4",
        """
add_rust_library(greeter)
add_executable(main main.c elsewhere.c)
target_link_libraries(main PRIVATE greeter)
add_rust_library(bystander MANIFEST_PATH bystander/Cargo.toml)
add_executable(second second.c)
target_link_libraries(second PRIVATE bystander)
""",
        {
            **crate("greeter", SOURCE, MANIFEST),
            "build.rs": 'fn main() { println!("cargo::rustc-env=TENS=20"); }\n',
            **crate("helper", "#![no_std]\npub const HUNDREDS: i32 = 300;\n", "", "helper"),
            **crate("bystander", folder="bystander"),
            "cbindgen.toml": "# Style.\n",
            "elsewhere.c": "int elsewhere;\n",
            **vendored(
                {
                    "little": {
                        "1.0.1": "#![no_std]\npub const THOUSANDS: i32 = 1000;\n",
                        "1.0.2": "#![no_std]\npub const THOUSANDS: i32 = 2000;\n",
                    }
                }
            ),
            "main.c": MAIN,
            "second.c": MAIN.replace("greeter", "bystander"),
        },
    )
    project.lock()
    project.edit("Cargo.lock", locked("little", "1.0.2"), locked("little", "1.0.1"))
    project.works("1321")
    return project


def test_D4_no_change_builds_nothing_and_says_little(built):
    output = built.ninja("-j1")
    assert not steps(output), f"it does {steps(output)}"
    longest = max(map(len, output.splitlines()))
    assert longest < 160 and len(output.splitlines()) < 12, f"that is much to say for nothing:\n{output}"


def test_the_console_shows_a_short_line_for_each_step(built):
    built.ninja("-t", "clean")
    output = built.ninja("-j1")
    long = [line for line in output.splitlines() if len(line) > 160]
    assert not long, f"long lines: {long}"
    check_says(output, "Rust: building the libraries of main", "Rust: writing the header greeter.h")
    assert "Rust: building the libraries of second" in output, "the other executable's step is not shown"


def row(about, path, old, new, adds, does=(SEAL, LINK), leaves=(COMPILE,)):
    """An edit, what it adds to the answer, and what ninja does and leaves."""
    return pytest.param(path, old, new, adds, does, leaves, id=about)


EDITS = (
    row("a body links, and recompiles no C", "src/lib.rs", "    1 + TENS", "    2 + TENS", 1),
    row("a comment does nothing to C", "src/lib.rs", "const TENS", "// A comment.\nconst TENS", 0, does=(HEADER,)),
    row(
        "a signature recompiles C",
        "src/lib.rs",
        "fn answer() -> i32 {",
        "fn answer() -> core::ffi::c_int {",
        0,
        does=(HEADER, COMPILE),
        leaves=(),
    ),
    row(
        "documentation in the header recompiles C",
        "src/lib.rs",
        "/// The answer.",
        "/// An answer.",
        0,
        does=(HEADER, COMPILE),
        leaves=(),
    ),
    row("Cargo.toml", "Cargo.toml", "default = []", 'default = ["loud"]', 50000),
    row("Cargo.lock", "Cargo.lock", locked("little", "1.0.1"), locked("little", "1.0.2"), 1000),
    row("a path dependency", "helper/src/lib.rs", "300", "400", 100),
    row(
        "a path dependency's Cargo.toml",
        "helper/Cargo.toml",
        "[package]",
        '[lints.rust]\nunsafe_code = "deny"\n[package]',
        0,
        does=(),
    ),
    row("build.rs", "build.rs", "TENS=20", "TENS=30", 10),
    row(
        "cbindgen.toml",
        "cbindgen.toml",
        "# Style.",
        'after_includes = "#define STYLE 1"',
        0,
        does=(HEADER, COMPILE),
        leaves=(),
    ),
    row(
        "cargo's configuration",
        ".cargo/config.toml",
        "[source.crates-io]",
        '[env]\nTENS_MORE = "5"\n[source.crates-io]',
        100000,
    ),
)


@pytest.mark.parametrize(("path", "old", "new", "adds", "does", "leaves"), EDITS)
def test_D4_an_edit_rebuilds(built, path, old, new, adds, does, leaves):
    before = int(run(built.build / "main"))
    built.edit(path, old, new)
    done = steps(built.ninja("-j1"))
    wrong = [step for step in done if step in leaves or re.search("second|bystander|elsewhere", step)]
    assert not wrong, f"needlessly done: {wrong}"
    assert set(does) <= set(done), f"{sorted(set(does) - set(done))} is missing from {done}"
    built.prints(str(before + adds))
    again = steps(built.ninja("-j1"))
    assert not again, f"a second build does {again}"
