# SPDX-License-Identifier: BSD-2-Clause
"""Projects of sel4test's shape: C's flags are those of a subfolder, or of a single target, and not of the top folder.

All that the kit compiles for an executable must have them. On aarch64 an image links without; on ia32 it does not.
"""

import functools
import json
import re
import shlex
from dataclasses import dataclass

import pytest
from configurations import ARCHITECTURES
from projects.workspace import Workspace
from support import KIT, check, folder, run

HERE = KIT / "tests" / "projects" / "subfolder"


@dataclass(frozen=True)
class Shape:
    """Configuration of the project."""

    architecture: str
    options: tuple[str, ...]
    # Flags that the top folder does not have, a few of many.
    flags: tuple[str, ...]
    # Flags of the executable alone.
    own: str = ""
    std: bool = False
    triple: str = ""


# Flags that seL4's libraries set for every architecture.
COMMON = ("-nostdinc", "-fno-pic", "-ftls-model=local-exec")
SHAPES = {
    "ia32": Shape("ia32", ("-DPLATFORM=ia32",), ("-m32", "-march=nehalem", "-mtls-direct-seg-refs", *COMMON)),
    "riscv64": Shape(
        "riscv64",
        ("-DPLATFORM=qemu-riscv-virt", "-DRISCV64=TRUE"),
        ("-march=rv64imafdc_zicsr_zifencei", "-mabi=lp64d", *COMMON),
    ),
    "x86_64 with std": Shape(
        "x86_64",
        ("-DPLATFORM=x86_64",),
        ("-m64", "-march=nehalem", "-mtls-direct-seg-refs", *COMMON),
        std=True,
    ),
    "aarch64 without floats": Shape(
        "aarch64",
        ("-DPLATFORM=qemu-arm-virt",),
        ("-mgeneral-regs-only", "-mstrict-align", *COMMON),
        own="-mgeneral-regs-only",
        triple="aarch64-unknown-none-softfloat",
    ),
}
ROWS = pytest.mark.parametrize(
    "shape",
    [
        pytest.param(
            name,
            marks=[
                pytest.mark.needs("sources", "rust", shape.architecture),
                pytest.mark.group(name),
                pytest.mark.weight(100),
                *([] if name == "ia32" else [pytest.mark.long]),
            ],
        )
        for name, shape in SHAPES.items()
    ],
)


class Built:
    """The project, built in one of the shapes."""

    def __init__(self, name):
        self.shape = SHAPES[name]
        self.tools, triple = ARCHITECTURES[self.shape.architecture]
        self.triple = self.shape.triple or triple
        workspace = Workspace("workspace", HERE)
        workspace.add_kit()
        run("cargo", "generate-lockfile", "--offline", cwd=workspace.project / "apps" / "server" / "rust")
        self.build = workspace.build()
        self.build.configure(
            *self.shape.options,
            "-DRELEASE=ON",
            # With this one, the wrappers are compiled by clang, too; without, a missing clang is not noticed.
            "-DRUST_INLINE=ON",
            "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
            f"-DCROSS_COMPILER_PREFIX={self.tools}",
            f"-DSERVER_FLAGS={self.shape.own}",
            *(("-DGREETER_OPTIONS=STD;FEATURES;std",) if self.shape.std else ()),
            *(("-DKernelArmExportVCNTUser=ON",) if self.shape.architecture == "aarch64" else ()),
        )
        self.build.ninja()

    def commands(self):
        """Returns the words of the command line that compiles each file."""
        entries = json.loads((self.build.path / "compile_commands.json").read_text())
        return {entry["file"]: shlex.split(entry["command"]) for entry in entries}

    def ninja_commands(self, target):
        """Returns the command lines for a file of the build folder."""
        return run("ninja", "-t", "commands", "-s", target, cwd=self.build.path)


@functools.cache
def built(name, _folder):
    return Built(name)


@pytest.fixture
def project(shape):
    return built(shape, folder())


def code_flags(words):
    """Returns the flags of a compiler's command line that count for its code."""
    return {word for word in words if re.match(r"-[mfO]|-nostdinc|-std=", word) and not word.startswith("-fmacro")}


@ROWS
def test_what_the_kit_compiles_has_the_flags_of_the_executable(project):
    commands = project.commands()
    of_c = code_flags(next(words for file, words in commands.items() if file.endswith("driver/main.c")))
    check(of_c >= set(project.shape.flags), f"main.c itself lacks {set(project.shape.flags) - of_c}")
    ours = {file: words for file, words in commands.items() if re.search(r"/rust/libsel4-sys/|/libsel4std/", file)}
    expected = {"wrappers.c", "layout.c", *(("clone.c", "memory.c") if project.shape.std else ())}
    check(expected <= {file.rsplit("/", 1)[1] for file in ours}, f"the kit compiles only {sorted(ours)}")
    lacking = {file: of_c - code_flags(words) for file, words in ours.items() if of_c - code_flags(words)}
    check(not lacking, f"flags of main.c are missing: {lacking}")
    # A definition for C alone: the headers are read, and the wrappers compiled, with it.
    request = (project.build.path / "rust" / "requests" / "sel4_rust_sys.bindings.toml").read_text()
    check("GREETINGS_IN_C=1" in request and "NOT_IN_C" not in request, f"the headers are read otherwise: {request}")
    wrappers = next(words for file, words in ours.items() if file.endswith("/wrappers.c"))
    check("-DGREETINGS_IN_C=1" in wrappers, f"the wrappers are compiled otherwise: {wrappers}")


@ROWS
def test_clang_and_rustc_compile_for_the_flags_of_the_executable(project):
    clang = project.ninja_commands("rust/libsel4-sys/wrappers.bc")
    # Clang before 17 knows these extensions as a part of the base.
    flags = {re.sub(r"_zicsr|_zifencei", "", flag) for flag in project.shape.flags}
    words = {re.sub(r"_zicsr|_zifencei", "", word) for word in shlex.split(clang)}
    check(flags <= words, f"clang lacks {flags - words}: {clang}")
    cargo = run("ninja", "-t", "commands", "cargo-build_sel4_rust_server", cwd=project.build.path)
    std = {"aarch64": "aarch64-unknown-linux-musl"}.get(project.shape.architecture, project.triple)
    check(f"--target={std if project.shape.std else project.triple}" in cargo, f"cargo builds otherwise: {cargo}")


@ROWS
def test_the_compilers_libraries_are_those_of_the_flags(project):
    commands = project.commands()
    words = next(words for file, words in commands.items() if file.endswith("driver/main.c"))
    compiler = (f"{project.tools}gcc", *sorted(code_flags(words)))
    libgcc = run(*compiler, "-print-libgcc-file-name").strip()
    sealing = (project.build.path / "rust" / "requests" / "sel4_rust_server.seal.toml").read_text()
    check(libgcc in sealing, f"`{libgcc}` is not left out of the archive: {sealing}")
    if project.shape.std:
        unwinder = run(*compiler, "-print-file-name=libgcc_eh.a").strip()
        link = project.ninja_commands("apps/server/driver/server")
        check(f" {unwinder} " in link, f"`{unwinder}` is not linked: {link}")


@ROWS
def test_the_image_boots(project):
    std = ["Hello from std"] if project.shape.std else []
    project.build.boot([*std, "Hello from Rust", "Hello from C, error 0"])
