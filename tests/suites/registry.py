# SPDX-License-Identifier: BSD-2-Clause
"""Builds the own tests of crates from the registry, each test program as one object for a root server.

Their packages carry the tests. All packages are members of one workspace with one lock, registry.lock. As for Rust's own
tests, `gather` stands in the place of the linker.
"""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from suites import programs
from support import Failure, run, write

HERE = Path(__file__).resolve().parent
LOCK = HERE / "registry.lock"


@dataclass(frozen=True)
class Crate:
    """A crate whose tests run. `why` it was chosen, beside that many use it."""

    version: str
    why: str
    features: tuple[str, ...] = ()
    # The only test programs to build, where there are many that ask for what is not there.
    only: tuple[str, ...] = ()
    # Test programs that are not built, each with the reason.
    without: dict[str, str] = field(default_factory=dict)
    # What the tests that run do not use of the crates for tests.
    unused: tuple[str, ...] = ()


COMPILER = "starts the compiler"
ALLOCATOR = "has an allocator of its own, but std allocates as the image does"
OWN_MAIN = "has a main() of its own, without libtest"
# Tokio has 187 programs. Most are the same in kind as these, or about files, the network, processes and signals.
TOKIO = (
    *("rt_basic", "rt_common", "rt_threaded", "rt_time_start_paused", "sync_broadcast", "sync_mpsc", "sync_mutex"),
    *("sync_notify", "sync_oneshot", "sync_rwlock", "sync_semaphore", "sync_watch", "task_abort", "task_blocking"),
    *("task_join_set", "task_local_set", "time_interval", "time_pause", "time_sleep", "time_timeout"),
    *("io_copy_bidirectional", "io_mem_stream", "macros_select"),
)
CRATES = {
    "anyhow": Crate(
        "1.0.105", "errors, downcasts, backtraces", without={"compiletest": COMPILER}, unused=("trybuild",)
    ),
    "arrayvec": Crate("0.7.8", "unsafe code over arrays", unused=("bencher",)),
    "base64": Crate("0.22.1", "tables and slices", unused=("clap", "criterion")),
    "bytes": Crate(
        "1.12.2",
        "reference counts by atomics",
        without={"test_bytes_odd_alloc": ALLOCATOR, "test_bytes_vec_alloc": ALLOCATOR},
    ),
    "crossbeam-channel": Crate("0.5.17", "threads that block, timeouts, `select!`", unused=("signal-hook",)),
    "crossbeam-deque": Crate("0.8.8", "lock-free queues"),
    "crossbeam-epoch": Crate("0.9.21", "memory that is freed late"),
    "crossbeam-queue": Crate("0.3.14", "lock-free queues"),
    "crossbeam-utils": Crate("0.8.23", "scoped threads, parking"),
    "dashmap": Crate("6.2.1", "a map with a lock for each part"),
    "either": Crate("1.19.0", "iterators, `io::Read`"),
    "fixedbitset": Crate("0.5.9", "SIMD in blocks"),
    "flate2": Crate("1.1.11", "compression; `io::Read` and `io::Write`"),
    "hashbrown": Crate("0.16.1", "SIMD on both architectures, allocation"),
    "heck": Crate("0.5.0", "Unicode"),
    "hex": Crate(
        "0.4.3",
        "text",
        without={"version-number": "reads the crate's own files"},
        unused=("criterion", "faster-hex", "rustc-hex", "version-sync"),
    ),
    "indexmap": Crate("2.14.2", "random operations against a model"),
    "itertools": Crate("0.14.0", "random operations against a model", unused=("criterion",)),
    "memchr": Crate("2.8.3", "SIMD on both architectures"),
    "num-traits": Crate("0.2.19", "arithmetic of all types"),
    "once_cell": Crate("1.21.4", "threads that wait for the first one", unused=("critical-section",)),
    "parking_lot": Crate("0.12.5", "locks over the futex, without std's"),
    "percent-encoding": Crate("2.3.2", "text"),
    "rand": Crate("0.9.5", "generators, floating point"),
    "rayon": Crate("1.12.0", "pools of threads; panics that cross them"),
    "regex": Crate("1.13.2", "deep recursion, caches for each thread"),
    "semver": Crate("1.0.28", "pointers with tags", unused=("criterion",)),
    "serde_json": Crate(
        "1.0.154", "numbers as text, recursion", without={"compiletest": COMPILER}, unused=("trybuild",)
    ),
    "slab": Crate("0.4.12", "an arena"),
    "smallvec": Crate("1.16.6", "unsafe code over allocations"),
    "tokio": Crate("1.54.1", "both runtimes, timers, channels, the event loop", features=("full",), only=TOKIO),
    "url": Crate("2.5.8", "text", without={"url_wpt": OWN_MAIN}, unused=("bencher", "wasm-bindgen-test")),
    "uuid": Crate(
        "1.29.3",
        "randomness, time",
        features=("v1", "v3", "v4", "v5", "v6", "v7", "v8", "serde"),
        unused=("trybuild", "wasm-bindgen", "wasm-bindgen-test", "gungraun"),
    ),
}
# What `./test` builds into one image: quick to build, and each different from the others.
FEW = ("crossbeam-deque", "either", "heck", "percent-encoding", "semver")
# What passed on both architectures; the others are in suites.py alone until they have.
PASSED = (*FEW, "arrayvec", "bytes", "hex", "num-traits", "slab", "smallvec")

WORKSPACE = """\
[workspace]
members = [{members}]
resolver = "2"

[profile.test]
opt-level = 1
debug = 0
incremental = false
"""
FETCH = """\
[package]
name = "fetch"
version = "0.0.0"
edition = "2024"
[lib]
path = "lib.rs"
[dependencies]
{dependencies}
[workspace]
"""


def without_table(text: str, header: str) -> str:
    """Returns a manifest without the tables of that header, a pattern."""
    return re.sub(rf"^\[+{header}\]+\n(?:(?!\[).*\n)*", "", text, flags=re.M)


def write_package(package: Path, crate: Crate) -> None:
    """Takes out of the manifest what the tests that run do not use: benchmarks, and the crates for them."""
    manifest = package / "Cargo.toml"
    text = without_table(manifest.read_text(), "bench")
    for name in crate.unused:
        text = without_table(text, rf"(?:target\.[^\n]*\.)?dev-dependencies\.{name}")
    manifest.write_text(without_table(text, r"profile[^\n\]]*"))


def write_workspace(folder: Path) -> None:
    """Writes the workspace, with a copy of each package."""
    dependencies = "\n".join(f'{name} = "={crate.version}"' for name, crate in CRATES.items())
    write(folder / "fetch/Cargo.toml", FETCH.format(dependencies=dependencies))
    write(folder / "fetch/lib.rs", "")
    output = run("cargo", "metadata", "--quiet", "--format-version=1", cwd=folder / "fetch")
    for package in json.loads(output)["packages"]:
        crate = CRATES.get(package["name"])
        if crate and crate.version == package["version"]:
            copy = folder / package["name"]
            shutil.copytree(Path(package["manifest_path"]).parent, copy, dirs_exist_ok=True)
            write_package(copy, crate)
    write(folder / "Cargo.toml", WORKSPACE.format(members=", ".join(f'"{name}"' for name in CRATES)))
    shutil.copy(LOCK, folder / "Cargo.lock")


def tests(folder: Path, name: str) -> list[str]:
    """Returns the test programs of a crate that are built."""
    crate = CRATES[name]
    output = run("cargo", "metadata", "--quiet", "--no-deps", "--format-version=1", cwd=folder)
    targets = next(each["targets"] for each in json.loads(output)["packages"] if each["name"] == name)
    found = [target["name"] for target in targets if target["kind"] == ["test"]]
    missing = (set(crate.only) | set(crate.without)) - set(found)
    if missing:
        raise Failure(f"`{name}` has no test program `{min(missing)}`")
    return [test for test in crate.only or found if test not in crate.without]


def build(folder: Path, architecture: str, wanted: list[str]) -> dict[str, Path]:
    """Builds the test programs of the crates `wanted` in `folder`; returns {crate/program: object}."""
    if not (folder / "Cargo.toml").exists():
        write_workspace(folder)
    objects = {}
    for name in wanted:
        features = CRATES[name].features
        # From the workspace's folder: a package's own choice of a toolchain does not count.
        for program, unit, path in programs.compile_tests(
            folder,
            architecture,
            "test",
            f"--manifest-path={folder / name / 'Cargo.toml'}",
            "--no-run",
            "--locked",
            "--lib",
            *(word for test in tests(folder, name) for word in ("--test", test)),
            *(("--features", ",".join(features)) if features else ()),
            flags="--cfg=rustix_use_libc",
        ):
            objects[f"{name}/{'lib' if unit else program}"] = path
    return objects
