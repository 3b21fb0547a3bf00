# SPDX-License-Identifier: BSD-2-Clause
"""Builds Rust's own test programs from the component rust-src, each as one object for a root server.

cargo builds them for the musl target with the prebuilt std; in the place of the linker stands `gather`. They use what is
unstable in std, so for them alone the compiler is told to allow that (RUSTC_BOOTSTRAP).
"""

import json
import platform
import shutil
from pathlib import Path

from support import KIT, Failure, run, write

HERE = Path(__file__).resolve().parent
# The Rust target and the prefix of the tools: by architecture, and for the hosted platform.
TARGETS = {"aarch64": ("aarch64-unknown-linux-musl", "aarch64-linux-gnu-"), "x86_64": ("x86_64-unknown-linux-musl", "")}
TARGETS["hosted"] = (f"{platform.machine()}-unknown-linux-gnu", "")
# Not programs of libtest.
OTHERS = {"pipe_subprocess": "has a main() of its own, which starts itself as a second process"}

WORKSPACE = """\
[workspace]
members = ["alloc", "std", "integration"]
resolver = "2"

# Unoptimised, the tests of sorting take a quarter of an hour.
[profile.test]
opt-level = 1
debug = 0
incremental = false
"""
PACKAGE = """\
[package]
name = "{name}"
version = "0.0.0"
edition = "2024"
autotests = false
{more}
[dev-dependencies]
rand = {{ version = "0.9.0", default-features = false, features = ["alloc"] }}
rand_xorshift = "0.4.0"
"""
# The unit tests of alloc and std: those are compiled as a test program that stands beside the real ones.
ALLOC = """
[lib]
name = "alloctests"
path = "../library/alloctests/lib.rs"
"""
STD = """build = "../library/std/build.rs"

[lib]
path = "../library/std/src/lib.rs"

[features]
default = ["backtrace", "compiler-builtins-c", "panic-unwind"]
backtrace = []
compiler-builtins-c = []
panic-unwind = []
"""
STD_CRATES = (
    "addr2line",
    "alloc",
    "cfg_if",
    "hashbrown",
    "libc",
    "miniz_oxide",
    "object",
    "panic_unwind",
    "rustc_demangle",
    "std_detect",
    "unwind",
)
NO_LIBRARY = """
[lib]
path = "empty.rs"
test = false
"""


def library():
    """The folder of the library's sources."""
    folder = Path(run("rustc", "--print", "sysroot", cwd=KIT).strip()) / "lib/rustlib/src/rust/library"
    if not folder.is_dir():
        raise Failure(f"`{folder}` is not there\nhelp: rustup component add rust-src")
    return folder


def integration():
    """{name: source} of the programs that use the library from outside."""
    tests = {
        "alloctests": "alloctests/tests/lib.rs",
        "vec_deque_alloc_error": "alloctests/tests/vec_deque_alloc_error.rs",
        "coretests": "coretests/tests/lib.rs",
    }
    sources = library()
    for path in sorted((sources / "std/tests").iterdir()):
        if path.is_dir():
            path = path / "lib.rs"
        name = path.parent.name if path.name == "lib.rs" else path.stem
        if path.exists() and name not in OTHERS:
            tests[name] = str(path.relative_to(sources))
    return tests


def names():
    return ["alloc", *integration(), "std"]


def write_workspace(folder):
    shutil.rmtree(folder / "library", ignore_errors=True)
    shutil.copytree(library(), folder / "library")
    # The versions that Rust's own tests are built with.
    shutil.copy(folder / "library/Cargo.lock", folder)
    write(folder / "Cargo.toml", WORKSPACE)
    write(folder / "alloc/Cargo.toml", PACKAGE.format(name="alloc-unit", more=ALLOC))
    write(folder / "std/Cargo.toml", PACKAGE.format(name="std", more=STD))
    tests = "".join(
        f'\n[[test]]\nname = "{name}"\npath = "../library/{path}"\n' for name, path in integration().items()
    )
    write(folder / "integration/Cargo.toml", PACKAGE.format(name="integration", more=NO_LIBRARY + tests))
    write(folder / "integration/empty.rs", "")


def compile_tests(folder, architecture, *command, flags="", behind=(), **environment):
    """Runs cargo with `command` for a target of `TARGETS`; yields (name, whether it is a library's unit tests, object)."""
    target, prefix = TARGETS[architecture]
    output = run(
        "cargo",
        *command,
        "--quiet",
        "--message-format=json",
        "--target",
        target,
        *behind,
        cwd=folder,
        env={
            "RUSTFLAGS": f"-Crelocation-model={'pic' if architecture == 'hosted' else 'static'} {flags}",
            f"CARGO_TARGET_{target.upper().replace('-', '_')}_LINKER": str(HERE / "gather.py"),
            "SUITE_LD": f"{prefix}ld",
            **environment,
        },
    )
    for line in output.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("executable"):
            yield message["target"]["name"], "test" not in message["target"]["kind"], Path(message["executable"])


def join(objects, architecture, result):
    """Makes one object of several programs: their functions main() are suite_main_0 and so on, and nothing else is seen."""
    prefix = TARGETS[architecture][1]
    parts = []
    for number, program in enumerate(objects):
        part = result.with_name(f"{result.stem}-{number}.o")
        name = f"suite_main_{number}"
        run(f"{prefix}objcopy", f"--redefine-sym=main={name}", f"--keep-global-symbol={name}", program, part)
        parts.append(part)
    run(f"{prefix}ld", "-r", "-o", result, *parts)
    for part in parts:
        part.unlink()


def build(folder, architecture, wanted):
    """Build the programs `wanted` in `folder`; returns {name: object}."""
    if not (folder / "library").is_dir():
        write_workspace(folder)
    tests = [name for name in wanted if name not in ("alloc", "std")]
    commands = (
        [["test", "--no-run", "-p", "integration", *(word for name in tests for word in ("--test", name))]]
        if tests
        else []
    )
    commands += [["test", "--no-run", "-p", "alloc-unit", "--lib"]] if "alloc" in wanted else []
    commands += [["rustc", "--profile", "test", "-p", "std", "--lib"]] if "std" in wanted else []
    # What std is made of comes from the toolchain, as it does for the real one.
    behind = ["--", *(word for crate in STD_CRATES for word in ("--extern", crate))]
    objects = {}
    for command in commands:
        for name, unit, program in compile_tests(
            folder,
            architecture,
            *command,
            # As Rust's own build has it: what is marked unstable may be used, and what is not marked counts as unstable.
            flags="-Zforce-unstable-if-unmarked",
            behind=behind if "std" in command else (),
            RUSTC_BOOTSTRAP="1",
        ):
            objects["alloc" if unit and name == "alloctests" else name] = program
    missing = [name for name in wanted if name not in objects]
    if missing:
        raise Failure(f"cargo built no program `{missing[0]}`")
    return objects
