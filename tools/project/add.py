#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Add the kit to an existing project: `./quickstart add DIR`.

Shows the lines that docs/adopting.md describes as a diff, and asks before it writes them: the lines of CMake, a crate beside
the root server's CMakeLists.txt, and the lines of the manifest if DIR has one.
"""

import argparse
import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import manifest
from project.common import KIT, Failed, address, git, revision

BY_HAND = "add the lines by hand, as docs/adopting.md describes"
# Calls after which there is muslc, and before which the kit must be found.
SET_UP = ("musllibc_setup_build_environment_with_sel4runtime", "sel4_import_libsel4")


@dataclass(frozen=True)
class Call:
    """A call in a file of CMake: its name, its arguments, and where it begins and ends."""

    name: str
    arguments: tuple[str, ...]
    start: int
    end: int


TOKEN = re.compile(
    r"(?P<skip>\#\[(?P<c>=*)\[.*?\](?P=c)\]|\#[^\n]*|\s+)"
    r"|(?P<word>\"(?:\\.|[^\"\\])*\"|\[(?P<b>=*)\[.*?\](?P=b)\]|(?:\\.|[^\s()\"\#\\])+)|(?P<paren>[()])",
    re.DOTALL,
)


def calls(text: str) -> list[Call]:
    """Returns the calls in a file of CMake."""
    found: list[Call] = []
    name, start, depth = "", 0, 0
    arguments: list[str] = []
    for token in TOKEN.finditer(text):
        if token["word"] and depth == 0:
            name, start, arguments = token["word"], token.start(), []
        elif token["word"]:
            arguments.append(token["word"])
        elif token["paren"]:
            depth += 1 if token["paren"] == "(" else -1
            if depth == 0:
                found.append(Call(name.lower(), tuple(arguments), start, token.end()))
    return found


class File:
    """A file of CMake with changes that are not written yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = path.read_text()
        self.calls = calls(self.before)
        self.insertions: list[tuple[int, str]] = []

    def named(self, *names: str) -> list[Call]:
        """Returns the calls of functions with these names."""
        return [call for call in self.calls if call.name in names]

    def of(self, name: str, target: str) -> Call:
        """Returns the one call of a function with this first argument."""
        found = [call for call in self.named(name) if call.arguments[:1] == (target,)]
        if len(found) != 1:
            raise Failed(f"`{self.path}` calls {name}({target} …) {len(found)} times, not once", BY_HAND)
        return found[0]

    def indent(self, call: Call) -> str:
        """Returns the white space in front of a call."""
        line = self.before.rfind("\n", 0, call.start) + 1
        return self.before[line : call.start] if not self.before[line : call.start].strip() else ""

    def line_before(self, call: Call, line: str) -> None:
        """Adds a line in front of a call."""
        at = self.before.rfind("\n", 0, call.start) + 1
        self.insertions.append((at, f"{self.indent(call)}{line}\n"))

    def line_after(self, call: Call, line: str) -> None:
        """Adds a line behind a call."""
        at = self.before.find("\n", call.end)
        if at < 0:
            self.insertions.append((len(self.before), f"\n{self.indent(call)}{line}\n"))
        else:
            self.insertions.append((at + 1, f"{self.indent(call)}{line}\n"))

    def argument(self, call: Call, word: str) -> None:
        """Adds a last argument to a call: on a line of its own if the others have that."""
        end = call.end - 1
        text = self.before[call.start : end].rstrip()
        last = text.rsplit("\n", 1)[-1]
        parenthesis_is_below = "\n" in self.before[call.start + len(text) : end]
        if "\n" in text and ("#" not in last or parenthesis_is_below):
            space = last[: len(last) - len(last.lstrip())]
            self.insertions.append((call.start + len(text), f"\n{space}{word}"))
        elif "#" not in text:
            self.insertions.append((call.start + len(text), f" {word}"))
        else:
            raise Failed(f"a comment ends the arguments of {call.name}() in `{self.path}`", BY_HAND)

    @property
    def after(self) -> str:
        text = self.before
        # From the end, so that places stay as they are; of several at one place, the last goes in first.
        for at, new in reversed(sorted(self.insertions, key=lambda one: one[0])):
            text = text[:at] + new + text[at:]
        return text


def cmake_files(root: Path) -> list[File]:
    """Returns the files of CMake in a project, without builds and what lies in hidden folders."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith((".", "build")) and name not in ("target", "sel4-rust-kit") and folder
        )
        found += [File(Path(folder) / name) for name in sorted(files) if name == "CMakeLists.txt"]
    return found


def root_server(files: list[File], app: str | None, root: Path) -> tuple[File, str]:
    """Returns the file that declares the root server, and its target."""
    declared = [(file, call) for file in files for call in file.named("declarerootserver")]
    if app:
        declared = [(file, call) for file, call in declared if file.path.parent == Path(os.path.abspath(app))]
        if not declared:
            raise Failed(f"`{app}/CMakeLists.txt` does not call DeclareRootserver()", f"name a folder below `{root}`")
    if not declared:
        raise Failed(
            f"no CMakeLists.txt below `{root}` calls DeclareRootserver()",
            f"for an executable that is declared in another way, {BY_HAND}",
        )
    if len(declared) > 1:
        folders = " ".join(sorted({str(file.path.parent) for file, _ in declared}))
        raise Failed(f"`{root}` has several root servers", f"choose one by its folder, --app with one of: {folders}")
    file, call = declared[0]
    if len(call.arguments) != 1 or not re.fullmatch(r"[\w.+-]+", call.arguments[0]):
        raise Failed(f"`{file.path}` computes the name of its root server: `{' '.join(call.arguments)}`", BY_HAND)
    return file, call.arguments[0]


def find_kit(files: list[File], server: File, root: Path) -> None:
    """Adds the line that finds the kit, unless it is there."""
    if any(call.arguments[:1] == ("sel4_rust",) for file in files for call in file.named("find_package")):
        return
    set_ups = [(file, file.named(*SET_UP)[0]) for file in files if file.named(*SET_UP)]
    if len(set_ups) > 1:
        # The C libraries of the root server are those of its folder, or of one above.
        set_ups = [(file, call) for file, call in set_ups if server.path.is_relative_to(file.path.parent)]
    if len(set_ups) == 1:
        file, set_up = set_ups[0]
        packages = [call for call in file.named("find_package") if call.end < set_up.start]
        if packages:
            file.line_after(packages[-1], "find_package(sel4_rust REQUIRED)")
        else:
            file.line_before(set_up, "find_package(sel4_rust REQUIRED)")
        return
    above = root.parent.parent / "CMakeLists.txt"
    if not set_ups and root.parent.name == "projects" and above.exists() and "all.cmake" in above.read_text():
        # The layout of seL4_tools' default-CMakeLists.txt: folders of projects/ in the order of their names.
        top = next(file for file in files if file.path.parent == root)
        projects = top.named("project")
        lines = (
            'list(APPEND CMAKE_MODULE_PATH "${CMAKE_SOURCE_DIR}/projects/sel4-rust-kit")',
            "find_package(sel4_rust REQUIRED)",
        )
        for line in lines:
            if projects:
                top.line_after(projects[0], line)
            else:
                top.line_before(top.calls[0], line)
        return
    raise Failed(
        f"it is not clear where `{root}` sets up the C library: {len(set_ups)} files call {SET_UP[0]}() or {SET_UP[1]}()",
        BY_HAND,
    )


def manifest_lines(text: str, base: str, kit: str, commit: str) -> str:
    """Returns the lines for a manifest: the kit, and Corrosion unless it is there."""
    lines = f'  <remote name="sel4-rust-kit" fetch="{base}"/>\n'
    lines += f'  <project name="{kit}" remote="sel4-rust-kit" revision="{commit}" path="projects/sel4-rust-kit"/>\n'
    corrosion = next(project for project in manifest.read() if project.name == "corrosion")
    if 'path="tools/corrosion"' not in text:
        lines += f'  <remote name="corrosion-rs" fetch="{corrosion.url.rpartition("/")[0]}"/>\n'
        lines += f'  <project name="corrosion" remote="corrosion-rs" revision="{corrosion.revision}" path="tools/corrosion"/>\n'
    return lines


CARGO_TOML = """[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
"""
LIB_RS = """//! Rust of {target}.
#![no_std]

/// Returns the number after `number`.
#[unsafe(no_mangle)]
pub extern "C" fn {name}_next(number: u32) -> u32 {{
    number + 1
}}

#[cfg(test)]
mod tests {{
    #[test]
    fn two_comes_after_one() {{
        assert_eq!(super::{name}_next(1), 2);
    }}
}}
"""


def run_cargo(crate: Path, *arguments: str) -> None:
    """Runs cargo in the folder of a crate."""
    made = subprocess.run(["cargo", *arguments], cwd=crate, capture_output=True, text=True)
    if made.returncode != 0:
        said = next((line for line in made.stderr.splitlines() if line.startswith("error: ")), made.stderr)
        raise Failed(f"cargo cannot make the crate: {said.removeprefix('error: ').strip()}", "give another --name")


def lock_of(name: str) -> str:
    """Returns the Cargo.lock of the crate."""
    with tempfile.TemporaryDirectory() as folder:
        crate = Path(folder)
        # Cargo knows which names no crate can have.
        run_cargo(crate, "init", "--quiet", "--lib", "--vcs=none", f"--name={name}")
        (crate / "Cargo.toml").write_text(CARGO_TOML.format(name=name))
        run_cargo(crate, "generate-lockfile", "--offline")
        return (crate / "Cargo.lock").read_text()


def plan(root: Path, app: str | None, name: str | None, kit_url: str | None) -> tuple[dict[Path, tuple[str, str]], str]:
    """Returns the text of each file before and after, and the lines of a manifest that is not in the project."""
    if not root.is_dir():
        raise Failed(f"there is no folder `{root}`", "name the folder of an seL4 project")
    if not (root / "CMakeLists.txt").is_file():
        raise Failed(
            f"`{root}` has no CMakeLists.txt", "name the folder of an seL4 project; `./quickstart new` makes one"
        )
    files = cmake_files(root)
    server, target = root_server(files, app, root)
    if any(file.named("add_rust_library") for file in files):
        raise Failed(f"`{root}` calls add_rust_library() already", f"for one more library, {BY_HAND}")
    name = name or re.sub(r"\W", "_", target) + "_rust"
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise Failed(f"`{name}` is not a C identifier", "give another --name, of letters, digits and `_`")
    if name in ("alloc", "core", "std"):
        raise Failed(f"`{name}` is a crate of Rust's own", "give another --name")
    names = ("add_executable", "add_library", "add_custom_target", "target_link_libraries")
    if any(name in call.arguments for file in files for call in file.named(*names)):
        raise Failed(f"the project has a target `{name}` already", "give another --name")
    crate = server.path.parent
    for path in (crate / "Cargo.toml", crate / "Cargo.lock", crate / "src" / "lib.rs"):
        if path.exists():
            raise Failed(f"there is a `{path}` already", f"for a crate that exists, {BY_HAND}")
    find_kit(files, server, root)
    server.line_before(server.of("add_executable", target), f"add_rust_library({name})")
    server.argument(server.of("target_link_libraries", target), name)

    for file in files:
        if file.insertions and (file.path.is_symlink() or b"\r" in file.path.read_bytes()):
            kind = "a link" if file.path.is_symlink() else "a file with the line ends of Windows"
            raise Failed(f"`{file.path}` is {kind}", BY_HAND)
    changes = {file.path: (file.before, file.after) for file in files if file.insertions}
    changes[crate / "Cargo.toml"] = ("", CARGO_TOML.format(name=name))
    changes[crate / "Cargo.lock"] = ("", lock_of(name))
    changes[crate / "src" / "lib.rs"] = ("", LIB_RS.format(name=name, target=target))

    manifests = [path for path in sorted(root.glob("*.xml")) if "<manifest>" in path.read_text()]
    if len(manifests) != 1:
        url = address(kit_url, "add") if kit_url or git("remote", "get-url", "origin") else "…/sel4-rust-kit"
        base, _, kit = url.rpartition("/")
        return changes, manifest_lines("", base, kit, revision())
    text = manifests[0].read_text()
    if "projects/sel4-rust-kit" not in text:
        base, _, kit = address(kit_url, "add").rpartition("/")
        at = text.rindex("</manifest>")
        changes[manifests[0]] = (text, text[:at] + manifest_lines(text, base, kit, revision()) + text[at:])
    return changes, ""


def show(changes: dict[Path, tuple[str, str]], root: Path) -> None:
    """Prints the changes as a diff."""
    for path, (before, after) in changes.items():
        name = str(path.relative_to(root))
        old = name if path.exists() else "/dev/null"
        lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), old, name, n=2)
        print("".join(line if line.endswith("\n") else f"{line}\n" for line in lines))


def write(changes: dict[Path, tuple[str, str]]) -> None:
    """Writes all files or none."""
    parts: list[tuple[Path, Path]] = []
    done: list[Path] = []
    try:
        for path, (_, after) in changes.items():
            path.parent.mkdir(exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            parts.append((part, path))
            part.write_text(after)
            if path.exists():
                part.chmod(path.stat().st_mode)
        for part, path in parts:
            os.replace(part, path)
            done.append(path)
    except BaseException:
        for path in done:
            path.write_text(changes[path][0]) if changes[path][0] else path.unlink()
        raise
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./quickstart add", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dir", metavar="DIR", help="folder of the project: the one with its CMakeLists.txt")
    parser.add_argument("--app", metavar="FOLDER", help="folder of the root server, if the project has several")
    parser.add_argument("--name", help="name of the crate and its library (default: TARGET_rust)")
    parser.add_argument(
        "--kit", metavar="URL", help="address of the kit for the manifest (default: that of this clone)"
    )
    parser.add_argument("--yes", action="store_true", help="write without asking")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = Path(os.path.abspath(arguments.dir))
    try:
        if root == KIT:
            raise Failed(f"`{root}` is the kit itself", "name the folder of your project")
        changes, lines = plan(root, arguments.app, arguments.name, arguments.kit)
        show(changes, root)
        sys.stdout.flush()
        if not arguments.yes:
            if not sys.stdin.isatty():
                raise Failed("nothing is written, as nobody can be asked", "write it: ./quickstart add DIR --yes")
            if input("Write this? [y/N] ").strip().lower() not in ("y", "yes"):
                print("nothing is written")
                return 1
        write(changes)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        print(f"error: cannot change `{root}`: {error}\nhelp: nothing is written; check its files", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print("\nnothing is written")
        return 130
    print(f"`{root}` has the kit. C calls the crate with `#include <{next_header(changes)}>`.")
    if lines:
        print(f"For the manifest of its workspace:\n{lines}")
    return 0


def next_header(changes: dict[Path, tuple[str, str]]) -> str:
    """Returns the name of the header that the build generates."""
    toml = next(after for path, (_, after) in changes.items() if path.name == "Cargo.toml")
    return re.findall(r'^name = "(\w+)"', toml, re.MULTILINE)[0] + ".h"


if __name__ == "__main__":
    sys.exit(main())
