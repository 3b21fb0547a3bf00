# SPDX-License-Identifier: BSD-2-Clause
"""`./quickstart add DIR` shows the lines of docs/adopting.md for an existing project, and writes them when told to."""

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from projects.workspace import HERE, Workspace, default_layout
from support import KIT, check, check_says, folder, foreign, must_fail, run, write

pytestmark = [pytest.mark.needs("rust")]

ADDRESS = "https://git.invalid/people/sel4-rust-kit"
SUBFOLDER = {
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.16.0)
include(settings.cmake)
project(greetings C CXX ASM)
find_package(seL4 REQUIRED)
sel4_import_kernel()
add_subdirectory(apps/server)
""",
    "apps/server/CMakeLists.txt": """cmake_minimum_required(VERSION 3.16.0)
project(server C)
find_package(musllibc REQUIRED)
find_package(seL4_libs REQUIRED)

# Not yet: sel4_import_libsel4( find_package(other
musllibc_setup_build_environment_with_sel4runtime()
sel4_import_libsel4()

add_executable(server src/main.c)
target_link_libraries(
    server
    PUBLIC
        sel4muslcsys
        muslc
)
include(rootserver)
DeclareRootserver(server)
""",
}
DEFAULT = {
    "../../CMakeLists.txt": "include(tools/seL4/cmake-tool/all.cmake OPTIONAL RESULT_VARIABLE found_all_cmake)\n",
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.16.0)
project(greetings C)
add_executable(server EXCLUDE_FROM_ALL src/main.c)
target_link_libraries(server sel4muslcsys muslc)
include(rootserver)
DeclareRootserver(server)
""",
}
MAIN = """#include <stdio.h>
#include <sel4/sel4.h>

int main(void)
{
    printf("Hello from C\\n");
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    return 0;
}
"""


def project(shape: str, name: str) -> Path:
    """Makes a project of this shape, anew."""
    root = folder() / name
    shutil.rmtree(root, ignore_errors=True)
    if shape == "classic":
        return Path(shutil.copytree(HERE / "project", root))
    root = root / "projects" / "greetings"
    for file, text in (SUBFOLDER if shape == "subfolder" else DEFAULT).items():
        write(root / file, text)
    write((root / "apps" / "server" if shape == "subfolder" else root) / "src" / "main.c", MAIN)
    return root


def add(root: Path, *options: object) -> str:
    return run(KIT / "quickstart", "add", root, "--name", "greeter", "--kit", ADDRESS, "--yes", *options)


def changed(text: str) -> list[str]:
    """Returns the lines of a diff that it adds or removes."""
    return [line for line in text.splitlines() if re.match(r"[+-](?![+-])", line)]


def of_cmake(output: str) -> list[str]:
    """Returns the lines of CMake that a diff of files adds or removes."""
    parts = re.split(r"^--- ", output, flags=re.MULTILINE)[1:]
    return [line for part in parts if "CMakeLists.txt" in part.split("\n")[1] for line in changed(part)]


# Shape, number of new lines of CMake, and of lines that are changed by a word.
SHAPES = {"classic": (2, 1), "subfolder": (3, 0), "default": (3, 1)}


@pytest.mark.quick
@pytest.mark.parametrize("shape", SHAPES)
def test_add_writes_the_lines_that_the_documentation_shows_for(shape: str) -> None:
    root = project(shape, shape)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    shown = of_cmake(add(root))
    pages = re.findall(r"```diff\n(.*?)```", (KIT / "docs" / "adopting.md").read_text(), re.DOTALL)
    # The classic layout has two blocks, one for each file.
    documented = {"classic": pages[0] + pages[1], "subfolder": pages[2], "default": pages[3]}[shape]
    assert sorted(shown) == sorted(changed(documented)), shown
    new, words = SHAPES[shape]
    assert (sum(line[0] == "+" for line in shown), sum(line[0] == "-" for line in shown)) == (new + words, words)
    # Written as shown, and nothing else of the project is touched.
    files = {path for path in root.rglob("*") if path.is_file()}
    crates = {path.name for path in files - set(before)}
    assert crates == {"Cargo.toml", "Cargo.lock", "lib.rs"}, crates
    for path in before:
        check(path.name == "CMakeLists.txt" or path.read_bytes() == before[path], f"`{path}` is changed")
    crate = next(path.parent for path in files if path.name == "Cargo.toml")
    check_says(run("cargo", "test", "--locked", "--target-dir", folder() / "target", cwd=crate), "1 passed")
    must_fail(KIT / "quickstart", "add", root, "--yes", says=("calls add_rust_library() already", "docs/adopting.md"))


@pytest.mark.quick
def test_add_writes_nothing_unless_it_is_told_to() -> None:
    root = project("classic", "asked")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    command = [str(KIT / "quickstart"), "add", str(root), "--kit", ADDRESS]
    must_fail(*command, says=("+add_rust_library(server_rust)", "error: nothing is written", "help: ", "--yes"))
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    for answer, status in ((b"\n", 1), (b"n\n", 1), (b"y\n", 0)):
        master, slave = pty.openpty()
        os.write(master, answer)
        ended = subprocess.run(command, stdin=slave, capture_output=True, text=True)
        os.close(slave)
        os.close(master)
        assert ended.returncode == status and "Write this? [y/N]" in ended.stdout, ended
        assert ((root / "apps" / "server" / "Cargo.toml").exists()) == (status == 0), ended


@pytest.mark.quick
def test_add_writes_into_the_manifest_of_a_project() -> None:
    root = project("classic", "with-manifest")
    write(root / "default.xml", '<manifest>\n  <remote name="seL4" fetch="https://git.invalid/seL4"/>\n</manifest>\n')
    add(root)
    text = (root / "default.xml").read_text()
    check_says(text, 'fetch="https://git.invalid/people"', 'path="projects/sel4-rust-kit"', 'path="tools/corrosion"')
    # Else it shows the lines.
    check_says(
        add(project("classic", "without")), "For the manifest of its workspace:", 'path="projects/sel4-rust-kit"'
    )


EXECUTABLE = "add_executable(server src/main.c)\n"
LINKS = "target_link_libraries(server muslc)\n"
REFUSED = {
    "no-cmake": ({}, "has no CMakeLists.txt"),
    "no-root-server": ({"CMakeLists.txt": "project(p)\n"}, "calls DeclareRootserver()"),
    "computed": ({"CMakeLists.txt": "DeclareRootserver(${name})\n"}, "computes the name of its root server: `${name}`"),
    "two": (
        {"a/CMakeLists.txt": "DeclareRootserver(a)", "CMakeLists.txt": "DeclareRootserver(b)"},
        "several root servers",
    ),
    "no-link": (
        {"CMakeLists.txt": f"DeclareRootserver(server)\n{EXECUTABLE}sel4_import_libsel4()\n"},
        "0 times, not once",
    ),
    "linked-twice": (
        {"CMakeLists.txt": f"DeclareRootserver(server)\n{EXECUTABLE}{LINKS}{LINKS}sel4_import_libsel4()\n"},
        "target_link_libraries(server …) 2 times, not once",
    ),
    "comment": (
        {
            "CMakeLists.txt": f"DeclareRootserver(server)\n{EXECUTABLE}sel4_import_libsel4()\n"
            "target_link_libraries(server muslc # the last\n)\n"
        },
        "a comment ends the arguments",
    ),
    "no-set-up": ({"CMakeLists.txt": f"DeclareRootserver(server)\n{EXECUTABLE}{LINKS}"}, "it is not clear where"),
    "line-ends": (
        {"CMakeLists.txt": f"DeclareRootserver(server)\r\n{EXECUTABLE}{LINKS}sel4_import_libsel4()\n"},
        "a file with the line ends of Windows",
    ),
    "crate": (
        {"CMakeLists.txt": f"DeclareRootserver(server)\n{EXECUTABLE}{LINKS}sel4_import_libsel4()\n", "Cargo.toml": ""},
        "Cargo.toml` already",
    ),
}


@pytest.mark.quick
def test_add_writes_the_word_below_a_comment() -> None:
    root = project("subfolder", "commented")
    cmake = root / "apps" / "server" / "CMakeLists.txt"
    cmake.write_text(cmake.read_text().replace("        muslc\n", "        muslc\n        # Ours:\n"))
    add(root)
    check_says(cmake.read_text(), "        # Ours:\n        greeter\n)")


NAMES = {
    "two words": "is not a C identifier",
    "std": "is a crate of Rust's own",
    "if": "cargo cannot make the crate: invalid package name `if`: it is a Rust keyword",
    "server": "the project has a target `server` already",
    "muslc": "the project has a target `muslc` already",
}


@pytest.mark.quick
def test_add_refuses_names_that_no_library_can_have() -> None:
    root = project("classic", "names")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    for name, says in NAMES.items():
        must_fail(
            KIT / "quickstart",
            "add",
            root,
            "--name",
            name,
            "--yes",
            says=("error: ", says, "help: give another --name"),
        )
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


@pytest.mark.quick
@pytest.mark.parametrize("case", REFUSED)
def test_add_refuses(case: str) -> None:
    files, says = REFUSED[case]
    root = folder() / "refused" / case
    root.mkdir(parents=True)
    for name, text in files.items():
        write(root / name, "").write_bytes(text.encode())
    must_fail(KIT / "quickstart", "add", root, "--yes", says=("error: ", says, "help: "))
    assert {
        str(path.relative_to(root)): path.read_bytes().decode() for path in root.rglob("*") if path.is_file()
    } == files


@pytest.mark.needs("sources", "aarch64")
@pytest.mark.long
@pytest.mark.parametrize("name", ["sel4test", "sel4bench"])
def test_add_finds_its_way_in(name: str) -> None:
    foreign.fetch(KIT / "tests" / "projects" / name / "manifest.xml", folder() / name)
    shown = [re.sub(r"^\+ +", "+", line) for line in of_cmake(add(folder() / name / "projects" / name))]
    assert shown == ["+find_package(sel4_rust REQUIRED)", "+add_rust_library(greeter)", "+greeter"], shown


@pytest.mark.needs("sources", "aarch64")
@pytest.mark.long
def test_a_project_boots_with_what_add_wrote() -> None:
    added = Workspace("added")
    added.add_kit()
    add(added.project)
    main = added.project / "apps" / "server" / "src" / "main.c"
    text = main.read_text().replace("#include <stdio.h>", "#include <stdio.h>\n#include <greeter.h>")
    main.write_text(text.replace("times++", "times = greeter_next(times)"))
    build = added.build()
    build.configure("-DPLATFORM=qemu-arm-virt")
    build.ninja()
    build.boot(["Hello from C, 1", "Hello from C, 2", "Hello from C, 3", "Hello from C, 4", "Signed in C++"])


@pytest.mark.needs("sources", "aarch64")
@pytest.mark.long
def test_a_project_in_the_default_layout_boots_with_what_add_wrote() -> None:
    build, root = default_layout("default-layout", project("default", "default"))
    add(root)
    main = root / "src" / "main.c"
    text = main.read_text().replace("#include <stdio.h>", "#include <stdio.h>\n#include <greeter.h>")
    main.write_text(text.replace('C\\n"', 'C, %d\\n", greeter_next(1)'))
    # seL4_tools' CMakeLists.txt writes no script that starts QEMU.
    with (root / "CMakeLists.txt").open("a") as cmake:
        cmake.write("include(simulation)\nGenerateSimulateScript()\n")
    build.configure("-DPLATFORM=qemu-arm-virt")
    build.ninja()
    run("ninja", "server", "rootserver_image", cwd=build.path)
    build.boot(["Hello from C, 2"])
