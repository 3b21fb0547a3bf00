# SPDX-License-Identifier: BSD-2-Clause
"""The workspace is formatted, free of warnings, documented, and passes its own tests."""

import json
import re
import subprocess

import pytest
from support import KIT, folder, run, skip, write
from support.rust import cargo

pytestmark = [pytest.mark.needs("rust"), pytest.mark.quick, pytest.mark.weight(250)]
# What code that is taken in may be licensed under, and who is by another licence: none of these is in an image but that of
# a test.
LICENCES = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause"}
OTHERWISE = {
    "cbindgen": "MPL-2.0",
    "libloading": "ISC",
    "unicode-ident": "Unicode-3.0",
    "libfuzzer-sys": "NCSA",
    "foldhash": "Zlib",
}
# What Miri runs: crate, and which of its tests.
PURE = {
    "rust/libsel4": ("--lib",),
    "tests/kernel/properties": ("--lib", "--", "boot_info"),
    "rust/libsel4-rt": ("--lib", "--", "--skip", "console", "--skip", "log"),
    # Of the tests that boot the model, which takes Miri some seconds each, those that go through most of it.
    "hosted/kernel": ("--lib", "--test", "messages", "--test", "objects", "--", "tests::", "call", "revoke", "collect"),
    "rust/tool": ("--lib", "--", "lock::", "profile::", "source::"),
    "rust/tool/bindings": ("--lib",),
}


def test_cargo_fmt_has_nothing_to_change():
    cargo("fmt", "--all", "--check")


def test_clippy_has_no_warning():
    cargo("clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings")


def test_the_crates_of_the_apps_are_formatted_and_have_no_warning_either():
    for manifest in sorted((KIT / "apps").glob("*/Cargo.toml")):
        cargo("fmt", "--all", "--check", "--manifest-path", manifest)
        # Only a build knows the interfaces of CAmkES components; tests/camkes looks for warnings in them. Wasmtime takes
        # minutes.
        if not list(manifest.parent.glob("*.camkes")) and manifest.parent.name != "wasm":
            has_no_warning(manifest)


def has_no_warning(manifest):
    cargo("clippy", "--locked", "--workspace", "--manifest-path", manifest, "--", "--deny", "warnings")


@pytest.mark.long
def test_the_app_wasm_has_no_warning():
    has_no_warning(KIT / "apps" / "wasm" / "Cargo.toml")


def test_the_crates_of_new_projects_are_formatted():
    """tests/commands looks for warnings in them, in a project."""
    sources = sorted((KIT / "template").rglob("lib.rs"))
    assert sources, "there are none"
    run("rustfmt", "--check", "--edition", "2024", *sources, cwd=KIT)


def test_cargo_test_passes():
    cargo("test", "--locked", "--workspace")
    # For libraries without std.
    cargo("test", "--locked", "--package", "libsel4-guard", "--no-default-features")


def test_documentation_builds_without_warnings():
    cargo("doc", "--locked", "--workspace", "--no-deps", env={"RUSTDOCFLAGS": "--deny warnings"})


@pytest.mark.parametrize("crate", PURE)
def test_Miri_finds_nothing_wrong_with_the_pure_parts_of(crate):
    """Miri comes with nightly compilers only, so this is no condition for anything."""
    known = subprocess.run(
        ["cargo", "+nightly", "miri", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if known.returncode != 0:
        skip("no nightly toolchain with Miri is installed")
    output = run(
        "cargo",
        "+nightly",
        "miri",
        "test",
        "--locked",
        *PURE[crate],
        cwd=KIT / crate,
        env={"CARGO_TARGET_DIR": str(folder() / "miri"), "MIRIFLAGS": "-Zmiri-disable-isolation"},
    )
    assert re.search(r"test result: ok\. [1-9]\d* passed", output), output


def test_unsafe_blocks_are_listed_each_with_its_reason():
    listed = run(KIT / "docs" / "unsafe-blocks.py").splitlines()
    assert len(listed) > 100, f"only {len(listed)} unsafe blocks were found"
    bare = write(
        folder() / "bare" / "bare.rs",
        "fn f() {\n    // SAFETY: of the one above.\n    unsafe { g() };\n    unsafe { g() }\n}\n",
    )
    output = run(KIT / "docs" / "unsafe-blocks.py", bare.parent, status=1)
    assert "bare.rs:3: of the one above." in output and "bare.rs:4: no reason is given" in output, output


def allowed(name, licence):
    """Whether one of the licences on offer will do, all parts of it."""
    known = LICENCES | {OTHERWISE.get(name)}
    offers = re.split(r" OR |/", licence.replace("(", "").replace(")", "")) if " AND " not in licence else [licence]
    parts = ([re.split(r" OR ", part.strip("() ")) for part in offer.split(" AND ")] for offer in offers)
    return any(all(known & set(choices) for choices in offer) for offer in parts)


def test_dependencies_are_locked_and_under_licences_that_fit():
    locks = run("git", "ls-files", "*Cargo.lock", cwd=KIT).split()
    found = {}
    for lock in locks:
        output = run(
            "cargo",
            "metadata",
            "--format-version=1",
            "--locked",
            "--quiet",
            "--manifest-path",
            (KIT / lock).with_name("Cargo.toml"),
            cwd=KIT,
        )
        packages = json.loads(output[output.index("{") :])["packages"]
        found.update({package["name"]: package["license"] for package in packages if package["source"]})
    assert len(locks) > 10 and len(found) > 40, f"{len(locks)} locks name {len(found)} crates"
    wrong = {name: licence for name, licence in found.items() if not licence or not allowed(name, licence)}
    assert not wrong, f"licences that do not fit: {wrong}"
    assert not allowed("other", "MPL-2.0") and not allowed("other", "MIT AND GPL-3.0-only"), "anything is allowed"
    page = (KIT / "docs" / "dependencies.md").read_text()
    unnamed = [name for name, licence in OTHERWISE.items() if f"{name} ({licence})" not in page]
    assert not unnamed, f"docs/dependencies.md does not name the licences of {unnamed}"


def test_each_direct_dependency_is_named_in_the_docs():
    page = (KIT / "docs" / "dependencies.md").read_text()
    named = set(re.findall(r"[\w-]+", "\n".join(re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE))))
    manifests = [
        path
        for path in run("git", "ls-files", "*Cargo.toml", cwd=KIT).split()
        if path.startswith(("Cargo.toml", "rust/", "hosted/"))
    ]
    used = set()
    for manifest in manifests:
        text = (KIT / manifest).read_text()
        for table in re.findall(
            r"^\[(?:.*\.)?(?:dev-|build-)?dependencies\]\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL
        ):
            used |= {
                name
                for name, rest in re.findall(r"^([\w-]+)(.*)", table, re.MULTILINE)
                if "path = " not in rest and "workspace" not in rest
            }
    assert len(used) > 10, f"only {used} were found"
    assert used <= named, f"docs/dependencies.md does not say why there is {sorted(used - named)}"
