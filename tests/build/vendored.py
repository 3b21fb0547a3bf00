# SPDX-License-Identifier: BSD-2-Clause
"""Crates as `cargo vendor` puts them beside a project, so that a test chooses their versions and needs no registry."""

import functools
import json
import re
from pathlib import Path

from support import KIT, run

CONFIG = """[source.crates-io]
replace-with = "vendored-sources"
[source.vendored-sources]
directory = "vendor"
"""


def checksum(version):
    """The made-up checksum of a made-up crate: the last digit of its version, over and over."""
    return version[-1] * 64


def vendored(crates):
    """The files for `crates`, {name: {version: source}}, and for what libsel4-rt depends on."""
    files = {".cargo/config.toml": CONFIG, **of_the_runtime()}
    for name, versions in crates.items():
        for version, source in versions.items():
            folder = f"vendor/{name}-{version}"
            files[f"{folder}/Cargo.toml"] = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2024"\n'
            files[f"{folder}/src/lib.rs"] = source
            files[f"{folder}/.cargo-checksum.json"] = json.dumps({"files": {}, "package": checksum(version)})
    return files


def locked(name, version):
    """The entry of a Cargo.lock, as far as versions differ."""
    source = "registry+https://github.com/rust-lang/crates.io-index"
    return f'name = "{name}"\nversion = "{version}"\nsource = "{source}"\nchecksum = "{checksum(version)}"'


@functools.cache
def of_the_runtime():
    """From where cargo keeps them, with the checksums of the kit's lock."""
    lock = (KIT / "Cargo.lock").read_text()
    asked = run("cargo", "metadata", "--format-version=1", "--locked", "--quiet", cwd=KIT / "rust" / "libsel4-rt")
    files = {}
    for package in json.loads(asked)["packages"]:
        name, version, folder = package["name"], package["version"], Path(package["manifest_path"]).parent
        # With the heap of project.py.
        if name not in ("linked_list_allocator", "log"):
            continue
        for path in folder.rglob("*"):
            if path.suffix in (".rs", ".toml"):
                files[f"vendor/{name}/{path.relative_to(folder)}"] = path.read_text()
        found = re.search(rf'name = "{name}"\nversion = "{re.escape(version)}"\nsource = .*\nchecksum = "(.*)"', lock)
        files[f"vendor/{name}/.cargo-checksum.json"] = json.dumps({"files": {}, "package": found[1]})
    return files
