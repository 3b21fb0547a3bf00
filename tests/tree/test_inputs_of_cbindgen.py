# SPDX-License-Identifier: BSD-2-Clause
"""The header step on crates of the registry: the inputs of cbindgen's own tests, and a large crate for C."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import KIT, check, folder, run, skip, write
from support.rust import TARGET, cargo

pytestmark = [pytest.mark.needs("rust"), pytest.mark.quick]

MANIFEST = '[package]\nname = "input"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n'
# Inputs that have no header, each with words of the reason.
REFUSED = {
    "extern_2": '`third` ({place}:10`) is exported but is not `extern "C"`, so that C cannot call it',
    "function_args": "`array_print` ({place}:2`) cannot be expressed in C: C has no slices",
}
# The same for inputs without the cbindgen.toml that belongs to them. Of the last two, cbindgen makes headers that do not
# compile.
REFUSED_WITHOUT = {
    **REFUSED,
    "cfg": "depend on `unix`, for which C has no macro",
    "enum_self_flags": "`Start` is a value of the enum `PositionAreaTrack` ({place}:22`) and of the enum",
    "transform_op": "`Bar_i32` is a value of the enum `Foo_i32` and the name of",
}


def inputs() -> list[Path]:
    """Returns the inputs; skips the test where the package cannot be had."""
    asked = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--locked"], cwd=KIT, capture_output=True, text=True
    )
    if asked.returncode != 0:
        skip(f"cargo cannot fetch the package of cbindgen: {asked.stderr.strip()}")
    packages = json.loads(asked.stdout)["packages"]
    package = next(Path(found["manifest_path"]).parent for found in packages if found["name"] == "cbindgen")
    found = sorted((package / "tests" / "rust").glob("*.rs"))
    if not found:
        skip(f"`{package}` is without its tests")
    return found


def make(crate: Path, package: str, header: Path, config: Path | None) -> subprocess.CompletedProcess[str]:
    """Runs the header step on a crate."""
    (folder() / "cache").mkdir(exist_ok=True)
    request = {
        "manifest": crate / "Cargo.toml",
        "package": package,
        "out": header,
        "depfile": folder() / "depfile",
        **({"config": config} if config else {}),
    }
    lines = [f"{key} = {json.dumps(str(value))}" for key, value in request.items()]
    lines.append(f'[cargo]\nprogram = "cargo"\ncache = {json.dumps(str(folder() / "cache"))}')
    step: list[str | Path] = [
        TARGET / "debug" / "sel4-rust",
        "header",
        write(folder() / "request.toml", "\n".join(lines)),
    ]
    return subprocess.run(step, capture_output=True, text=True)


@pytest.mark.parametrize("with_config", [True, False], ids=["with their cbindgen.toml", "without"])
def test_headers_of_the_inputs_of_cbindgen_compile_or_are_refused_for_a_reason(with_config: bool) -> None:
    found = inputs()
    cargo("build", "--quiet", "--locked", "--package", "sel4-rust")
    crate = folder() / "input"
    source = write(crate / "src" / "lib.rs", "")
    write(crate / "Cargo.toml", MANIFEST)
    run("cargo", "generate-lockfile", "--offline", "--quiet", cwd=crate)
    expected = REFUSED if with_config else REFUSED_WITHOUT
    wrong, compiled = [], 0
    for path in found:
        name, header = path.stem, folder() / f"{path.stem}.h"
        header.unlink(missing_ok=True)
        source.write_text(path.read_text())
        config = path.with_suffix(".toml")
        made = make(crate, "input", header, config if with_config and config.is_file() else None)
        if name in expected:
            said = expected[name].format(place=f"`{source}")
            print(f"{name}: {made.stderr}")
            if made.returncode != 1 or said not in made.stderr:
                wrong.append(f"{name}: does not say `{said}`, status {made.returncode}: {made.stderr}")
        elif made.returncode != 0:
            wrong.append(f"{name}: is refused with status {made.returncode}: {made.stderr}")
        else:
            # Parts of the tests of cbindgen are in a header beside the folder.
            command: list[str | Path] = ["gcc", "-fsyntax-only", "-Wall", "-x", "c", "-include", header]
            command += ["-I", path.parents[1], "-"]
            c = subprocess.run(command, input="", capture_output=True, text=True)
            compiled += c.returncode == 0
            if c.returncode != 0:
                wrong.append(f"{name}: does not compile: {c.stderr}")
    check(not wrong, "\n".join(wrong))
    check(compiled >= 134, f"only {compiled} of {len(found)} headers compile")


@pytest.mark.quick(False)
@pytest.mark.long
def test_rustls_ffi_has_the_header_that_its_package_ships() -> None:
    user = folder() / "user"
    write(user / "src" / "lib.rs", "")
    manifest = MANIFEST.replace("input", "user") + '[dependencies]\nrustls-ffi = "=0.15.7"\n'
    write(user / "Cargo.toml", manifest)
    asked = subprocess.run(["cargo", "metadata", "--format-version=1"], cwd=user, capture_output=True, text=True)
    if asked.returncode != 0:
        skip(f"cargo cannot fetch rustls-ffi: {asked.stderr.strip()}")
    packages = json.loads(asked.stdout)["packages"]
    package = next(Path(found["manifest_path"]).parent for found in packages if found["name"] == "rustls-ffi")
    crate = folder() / "rustls-ffi"
    shutil.copytree(package, crate, dirs_exist_ok=True)
    run("cargo", "fetch", "--locked", "--quiet", cwd=crate)
    cargo("build", "--quiet", "--locked", "--package", "sel4-rust")
    header = folder() / "rustls.h"
    made = make(crate, "rustls-ffi", header, crate / "cbindgen.toml")
    assert made.returncode == 0, made.stderr

    def meaning(path: Path) -> list[str]:
        """The words of a header in this build, without the headers that it includes."""
        text = re.sub(r"^#include.*$", "", path.read_text(), flags=re.MULTILINE)
        # The package asks for this macro where the feature is on, as it is by default.
        command = ["gcc", "-E", "-P", "-DDEFINE_AWS_LC_RS", "-x", "c", "-"]
        c = subprocess.run(command, input=text, capture_output=True, text=True)
        assert c.returncode == 0, c.stderr
        return c.stdout.split()

    shipped = meaning(crate / "src" / "rustls.h")
    assert len(shipped) > 1000, "the package ships no header"
    assert meaning(header) == shipped
