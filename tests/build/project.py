# SPDX-License-Identifier: BSD-2-Clause
"""Small C projects with the kit in them that build for, and run on, the machine of the tests.

There is no kernel in them: `KernelSel4Arch` stands in for its configuration, and C's library is the machine's own. Their
heap is the one that compiles fastest: the dependencies of the default one take more time than all the rest of a project.
"""

import functools
import hashlib
import re
import shutil
import subprocess

from support import KIT, Failure, folder, must_fail, run, skip, workspace, write

HEAD = """cmake_minimum_required(VERSION 3.22)
project(p C)
set(KernelSel4Arch x86_64)
set(RUST_HEAP linked-list CACHE STRING "")
list(APPEND CMAKE_MODULE_PATH "${KIT}")
find_package(sel4_rust REQUIRED)
sel4_rust_import_project()
# Rust's part is not position independent, as in an image.
add_link_options(-no-pie)
"""

GREETER = """#![no_std]
//! A crate that C calls.

/// The answer.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> i32 {
    42
}
"""

ADD = "add_rust_library(greeter)\n"
LINK = "add_executable(main main.c)\ntarget_link_libraries(main PRIVATE greeter)\n"


def program(body, *headers):
    """A C program of one function."""
    includes = "".join(f"#include <{header}>\n" for header in ("stdio.h", *headers))
    return f"{includes}\nint main(void)\n{{\n    {body}\n    return 0;\n}}\n"


MAIN = program('printf("%d\\n", answer());', "greeter.h")


@functools.cache
def corrosion():
    """The CMake argument that names Corrosion: the manifest's checkout where it is at hand, else a package."""
    try:
        return f"-DKERNEL_PATH={workspace()}/kernel"
    except Failure:
        pass
    try:
        return f"-DCorrosion_DIR={run(KIT / 'tools' / 'provision' / 'corrosion').splitlines()[-1]}"
    except Failure as failure:
        if "apt could not download" in str(failure):
            skip("Corrosion is not at hand, and apt cannot download it")
        raise


def crate(name, source=GREETER, manifest="", folder=""):
    """The files of a crate without dependencies, with its lock, in `folder` of the project."""
    folder = f"{folder}/" if folder else ""
    return {
        f"{folder}Cargo.toml": f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n{manifest}',
        f"{folder}Cargo.lock": f'version = 4\n\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n',
        f"{folder}src/lib.rs": source,
    }


def one_library(name, source=GREETER, manifest="", main=MAIN, files=None):
    """A project of one Rust library, `greeter`, and one executable, `main`, that links it."""
    return Project(name, ADD + LINK, {**crate("greeter", source, manifest), "main.c": main, **(files or {})})


class Project:
    """A source folder and a build folder below folder()/name."""

    def __init__(self, name, cmake, files=None, head=HEAD):
        self.folder = folder() / re.sub(r"\W+", "-", name)
        self.source = self.folder / "source"
        self.build = self.folder / "build"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.write({"CMakeLists.txt": head + cmake, **(files or {})})

    @staticmethod
    def text_of(cmake):
        return HEAD + cmake

    def write(self, files):
        """Write files of the source folder; None removes one."""
        for path, text in files.items():
            if text is None:
                (self.source / path).unlink(missing_ok=True)
            else:
                write(self.source / path, text)

    def edit(self, path, old, new):
        text = (self.source / path).read_text()
        assert old in text, f"`{path}` does not contain `{old}`"
        self.write({path: text.replace(old, new)})

    def lock(self, folder="."):
        """Make the Cargo.lock of the crate or workspace in `folder`, without the network."""
        run("cargo", "generate-lockfile", "--quiet", "--offline", cwd=self.source / folder)

    def cmake(self, *arguments):
        return ["cmake", "-G", "Ninja", "-S", self.source, "-B", self.build, f"-DKIT={KIT}", corrosion(), *arguments]

    def configure(self, *arguments, **options):
        return run(*self.cmake(*arguments), **options)

    def configure_fails(self, *arguments, says, **options):
        """A failed configuration: one error, nothing that ninja would take for whole, no source touched."""
        before = self.tree()
        output = must_fail(*self.cmake(*arguments), says=says, **options)
        assert output.count("CMake Error") == 1 and output.count("\n    Help: ") == 1, (
            f"there is not one error with one next step:\n{output}"
        )
        assert not (self.build / "build.ninja").exists(), "there is a build.ninja after the failure"
        assert self.tree() == before, "the source folder has changed"
        self.check_nothing_half_written()
        return output

    def ninja(self, *arguments, **options):
        return run("ninja", "-C", self.build, *arguments, **options)

    def ninja_fails(self, *arguments, says, **options):
        output = must_fail("ninja", "-C", self.build, *arguments, says=says, **options)
        self.check_nothing_half_written()
        return output

    def prints(self, expected, executable="main"):
        """Run an executable of the project natively and compare its output."""
        output = run(self.build / executable)
        assert output.strip() == expected.strip(), f"`{executable}` prints:\n{output}instead of:\n{expected}"

    def works(self, expected="42", executable="main", arguments=(), **options):
        """Configure, build and run."""
        self.configure(*arguments, **options)
        self.ninja(**options)
        self.prints(expected, executable)

    def tree(self):
        """What is in the source folder: a hash for each file."""
        return {
            str(path.relative_to(self.source)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.source.rglob("*"))
            if path.is_file()
        }

    def check_nothing_half_written(self):
        """The kit writes beside and renames: such a file must not stay behind."""
        left = [path for path in self.build.rglob(".*") if re.search(r"\.\d+$|\.part$", path.name)]
        assert not left, f"half-written files stay behind: {left}"

    def header(self, library="greeter", name=None):
        return (self.build / f"{library}-include" / (name or f"{library}.h")).read_text()


def steps(output):
    """What `ninja -j1` did: the lines after [n/m], without those that only look whether there is work.

    With more than one job ninja keeps only the last such line while a step like cargo's has the console.
    """
    found = re.findall(r"^\[\d+/\d+\] (.*)$", output, re.MULTILINE)
    return [
        step
        for step in found
        if not step.startswith("Rust: building the libraries of ")
        and not step.startswith("Rust: copying the archive of ")
    ]


def symbols(path):
    """The symbols that an executable defines."""
    listing = run("nm", "--defined-only", path)
    return {line.split()[-1] for line in listing.splitlines() if len(line.split()) == 3}


def exports(archive):
    """The symbols that an archive offers, by its index: GNU nm misreads objects in which rustc kept bitcode."""
    listing = subprocess.run(
        ["nm", "--print-armap", archive], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout
    return set(re.findall(r"^(\S+) in \S+$", listing, re.MULTILINE))
