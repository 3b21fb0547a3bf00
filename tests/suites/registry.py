# SPDX-License-Identifier: BSD-2-Clause
"""Builds the own tests of crates from the registry, each test program as one object for a root server.

Their packages carry the tests. As for Rust's own, `gather` stands in the place of the linker.
"""

import json
import shutil
from pathlib import Path

from suites.programs import HERE, TARGETS
from support import Failure, run, write

# Widely used crates whose packages carry tests, and whose tests need no other program and write no files.
CRATES = {
    "bytes": "1.10.1",
    "crossbeam-deque": "0.8.6",
    "either": "1.15.0",
    "semver": "1.0.27",
    "smallvec": "1.15.1",
}


def fetch(folder: Path, name: str) -> Path:
    """Returns a copy of the crate's package, with its tests."""
    package = folder / name
    if not package.is_dir():
        version = CRATES[name]
        asking = folder / f"fetch-{name}"
        write(
            asking / "Cargo.toml",
            f'[package]\nname = "fetch"\nedition = "2024"\n[dependencies]\n{name} = "={version}"\n[workspace]\n',
        )
        write(asking / "src/lib.rs", "")
        packages = json.loads(run("cargo", "metadata", "--quiet", "--format-version=1", cwd=asking))["packages"]
        manifest = next(each["manifest_path"] for each in packages if each["name"] == name)
        shutil.copytree(Path(manifest).parent, package)
        # Its lock, if it has one, is older than its manifest.
        (package / "Cargo.lock").unlink(missing_ok=True)
    return package


def build(folder: Path, architecture: str, name: str) -> dict[str, Path]:
    """Builds the test programs of a crate in `folder`; returns {crate/program: object}."""
    target, prefix = TARGETS[architecture]
    output = run(
        "cargo",
        "test",
        "--no-run",
        "--lib",
        "--tests",
        "--quiet",
        "--message-format=json",
        "--target",
        target,
        cwd=fetch(folder, name),
        env={
            "CARGO_PROFILE_TEST_DEBUG": "0",
            "CARGO_PROFILE_TEST_OPT_LEVEL": "1",
            "RUSTFLAGS": "-Crelocation-model=static --cfg=rustix_use_libc",
            f"CARGO_TARGET_{target.upper().replace('-', '_')}_LINKER": str(HERE / "gather.py"),
            "SUITE_LD": f"{prefix}ld",
        },
    )
    objects = {}
    for line in output.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("executable"):
            unit = "lib" in message["target"]["kind"]
            objects[f"{name}/{'lib' if unit else message['target']['name']}"] = Path(message["executable"])
    if not objects:
        raise Failure(f"cargo built no test program of `{name}`")
    for program in objects.values():
        run(f"{prefix}objcopy", "--redefine-sym", "main=suite_main", program)
    return objects
