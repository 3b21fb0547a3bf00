# SPDX-License-Identifier: BSD-2-Clause
"""An existing project in C takes the kit in, with two lines of CMake."""

import difflib
import re
import shutil

import pytest
from projects.workspace import HERE, Workspace
from support import KIT, check_says, run, write

pytestmark = [pytest.mark.needs("sources", "rust", "aarch64"), pytest.mark.weight(80)]

IN_C = [
    "Booting all finished, dropped to user space",
    "Hello from C, 1",
    "Hello from C, 2",
    "Hello from C, 3",
    "Hello from C, 4",
    "Signed in C++",
]
WITH_RUST = [
    "Booting all finished, dropped to user space",
    "Hello from C and Rust, 1",
    "Hello from C and Rust, 2",
    "Hello from C and Rust, 4",
    "Signed in C++, signature 1 of Rust",
]


def difference(name):
    """What `name` loses and gains on the way from project/ to with-rust/."""
    before, after = ((HERE / folder / name).read_text().splitlines() for folder in ("project", "with-rust"))
    lines = [line for line in difflib.ndiff(before, after) if line[0] in "-+"]
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


def test_the_difference_is_two_lines_of_CMake_and_one_word():
    cmake = [
        path for path in (HERE / "with-rust").rglob("*") if path.name == "CMakeLists.txt" or path.suffix == ".cmake"
    ]
    lost, gained = [], []
    for path in cmake:
        less, more = difference(path.relative_to(HERE / "with-rust"))
        lost, gained = lost + less, gained + more
    word = [line.replace(")", " greeter)") for line in lost]
    assert len(lost) == 1 and lost[0].startswith("target_link_libraries("), f"lines of CMake changed: {lost}"
    new = sorted(line for line in gained if line not in word)
    assert new == ["add_rust_library(greeter)", "find_package(sel4_rust REQUIRED)"], f"lines of CMake added: {new}"


def test_the_documentation_tells_the_same_difference():
    text = (KIT / "docs" / "adopting.md").read_text()
    for name in ("CMakeLists.txt", "apps/server/CMakeLists.txt"):
        lost, gained = difference(name)
        check_says(text, *(f"-{line}" for line in lost), *(f"+{line}" for line in gained))


# The project that has the lines of a section of docs/adopting.md: tests of these build and boot them.
SECTIONS = {
    "3. Two lines of CMake, and one word": (
        "tests/projects/adopt/with-rust/CMakeLists.txt",
        "tests/projects/adopt/with-rust/apps/server/CMakeLists.txt",
    ),
    # What `./quickstart add` writes: test_add.py compares them.
    "Where the C library is set up in a subfolder": (),
    "The default layout of seL4_tools": (),
    "Several programs without sel4muslcsys": ("tests/projects/aos/CMakeLists.txt",),
    "CAmkES": ("CMakeLists.txt", "apps/camkes-adder/CMakeLists.txt"),
    "A root server in Rust alone": ("CMakeLists.txt", "apps/root-server/CMakeLists.txt"),
}


@pytest.mark.quick
def test_the_documentation_counts_the_lines_of_each_shape():
    page = (KIT / "docs" / "adopting.md").read_text()
    rows = re.findall(r"^\| \[[^]]+\]\(#([^)]+)\)[^|]*\| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-"): heading for heading in SECTIONS}
    assert [anchor for anchor, _, _ in rows] == list(headings), "the table has a row for each shape"
    for anchor, new, changed in rows:
        section = re.split(r"^#", page.split(f"# {headings[anchor]}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
        lines = [line for block in re.findall(r"```diff\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]
        gained = [line[1:].strip() for line in lines if line.startswith("+")]
        lost = [line for line in lines if line.startswith("-")]
        assert (len(gained) - len(lost), len(lost)) == (int(new), int(changed)), f"`{headings[anchor]}`"
        sources = "\n".join((KIT / path).read_text() for path in SECTIONS[headings[anchor]])
        if sources:
            check_says(sources, *gained)


# The start of test_a_configured_folder_takes_Rust_in_without_starting_afresh, in Debug.
@pytest.mark.long
def test_in_C_it_builds_and_boots_without_the_kit():
    build = Workspace("in-c").build()
    build.configure("-DPLATFORM=qemu-arm-virt")
    build.ninja()
    build.boot(IN_C)


def test_with_Rust_it_builds_and_boots():
    workspace = Workspace("with-rust")
    workspace.add_kit()
    workspace.add_rust()
    files = sorted(workspace.project.rglob("*"))
    build = workspace.build()
    build.configure("-DPLATFORM=qemu-arm-virt")
    build.ninja()
    build.boot(WITH_RUST)
    assert sorted(workspace.project.rglob("*")) == files, "the build wrote into the project's sources"


def test_a_configured_folder_takes_Rust_in_without_starting_afresh():
    workspace = Workspace("in-place")
    build = workspace.build()
    build.configure("-DPLATFORM=qemu-arm-virt", "-DRELEASE=ON")
    build.ninja()
    build.boot(IN_C)
    workspace.add_kit()
    workspace.add_rust()
    build.ninja()
    build.boot(WITH_RUST)


def test_S1_the_crate_passes_its_own_tests_without_CMake():
    crate = HERE / "with-rust" / "apps" / "server"
    output = run("cargo", "test", "--locked", "--target-dir", "target", "--manifest-path", crate / "Cargo.toml")
    check_says(output, "1 passed")


def test_S2_the_tests_that_the_documentation_shows_run_in_such_a_project():
    workspace = Workspace("tested")
    workspace.add_kit()
    workspace.add_rust()
    server = workspace.project / "apps" / "server"
    page = (KIT / "docs" / "testing.md").read_text()
    toml, tests, calls, main_c = (
        block
        for language, block in re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
        if language in ("toml", "rust", "c")
    )
    write(
        server / "Cargo.toml",
        '[package]\nname = "kernel_tests"\nedition = "2024"\n[workspace]\n'
        + toml.replace("../sel4-rust-kit", str(KIT)),
    )
    write(server / "src" / "lib.rs", f"#![no_std]\n{tests}{calls}")
    write(server / "src" / "main.c", main_c)
    cmake = (server / "CMakeLists.txt").read_text()
    write(server / "CMakeLists.txt", cmake.replace("greeter", "kernel_tests").replace(" src/sign.cpp", ""))
    shutil.copy(KIT / "Cargo.lock", server)
    run("cargo", "--offline", "update", "--workspace", cwd=server)
    build = workspace.build()
    build.configure("-DPLATFORM=qemu-arm-virt")
    build.ninja()
    check_says(run("./run-tests", cwd=build.path), "tests::a_call_is_answered ... ok", "1 passed, 0 failed, 0 skipped")
