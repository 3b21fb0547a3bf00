#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write a project of the user's own: `./quickstart new DIR`.

The files are those of template/. The manifest has the kit's pins of seL4, and names the kit by the address and the commit
of this clone. DIR/sel4-rust-kit is a link to this clone.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import manifest
from project.common import KIT, Failed, address, revision

TEMPLATE = KIT / "template"

# Words of the template that stand for the project's name and the address of the kit.
NAME, URL = "my-project", "KIT_URL"
LINK = "sel4-rust-kit"


def check_folder(path: Path) -> None:
    """Refuses a folder in which a project cannot be, or that has files."""
    name = path.name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        raise Failed(
            f"`{name}` cannot be the name of a project",
            "take letters, digits, `-` and `_`, a letter first: it becomes a name of CMake's, and a folder's",
        )
    taken = [Path(project.path) for project in manifest.read()] + [Path(manifest.KIT_PATH)]
    if Path("projects") / name in taken:
        raise Failed(f"a workspace has another project `{name}`", "give the project another name")
    if subprocess.run([KIT / "tools" / "check-paths", "--no-space", path]).returncode != 0:
        sys.exit(1)
    if not path.parent.is_dir():
        raise Failed(f"there is no folder `{path.parent}`", f"make it: mkdir -p {path.parent}")
    if path.is_symlink() or path.exists() and not path.is_dir():
        raise Failed(f"`{path}` exists and is not a folder", "give another name")
    if path.is_dir() and any(path.iterdir()):
        raise Failed(
            f"the folder `{path}` is not empty",
            f"give a new one; a project that exists takes the kit in by `./quickstart add {path}`",
        )
    if path.is_relative_to(KIT) and not path.relative_to(KIT).parts[0].startswith("build"):
        raise Failed(
            f"`{path}` is inside the kit's sources", "give a folder outside the clone, such as `../my-project`"
        )


def manifest_of(name: str, url: str, commit: str) -> str:
    """Returns the project's manifest: that of the kit, with the project in the kit's place and the kit beside it."""
    text = (KIT / "manifest.xml").read_text()
    opening = text.index("<!--\n")
    # A comment of XML cannot have the name: `--` ends it.
    subject = "<!-- The sources of this project, as a manifest for Google's `repo` tool. -->\n"
    text = text[:opening] + subject + text[text.index("<manifest>") :]
    base, kit = url.rsplit("/", 1)
    start, end = text.index("  <!-- The kit comes"), text.index("  <!-- The kernel, ")
    projects = f"""  <!-- This project comes from the place that the manifest came from. -->
  <remote name="own" fetch="."/>
  <project name="{name}" remote="own" revision="main" path="projects/{name}">
    <linkfile src="init-build.sh" dest="init-build.sh"/>
    <linkfile src="easy-settings.cmake" dest="easy-settings.cmake"/>
  </project>

  <remote name="kit" fetch="{base}"/>
  <project name="{kit}" remote="kit" revision="{commit}" path="projects/{LINK}">
    <linkfile src="." dest="projects/{name}/{LINK}"/>
  </project>

"""
    return text[:start] + projects + text[end:]


def lock(crate: Path) -> None:
    """Writes Cargo.lock: dependencies of the versions that the kit is tested with."""
    shutil.copy(KIT / "Cargo.lock", crate)
    update = ["cargo", "update", "--quiet", "--workspace"]
    # Without network where that does.
    tried = subprocess.run([*update, "--offline"], cwd=crate, capture_output=True)
    if tried.returncode != 0 and subprocess.run(update, cwd=crate).returncode != 0:
        raise Failed(
            f"cargo cannot find the dependencies of `{crate.name}`", "its own message is above; check the network"
        )
    if subprocess.run(["cargo", "fetch", "--quiet", "--locked"], cwd=crate).returncode != 0:
        raise Failed(
            f"cargo cannot fetch the dependencies of `{crate.name}`", "its own message is above; check the network"
        )


def make(path: Path, std: bool, url: str) -> None:
    """Writes the project into a folder beside `path`, which takes its place when it is whole."""
    part = path.with_name(f".{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        shutil.copytree(TEMPLATE / "project", part, ignore=shutil.ignore_patterns("target", "build*", "Cargo.lock"))
        if std:
            shutil.copytree(
                TEMPLATE / "std", part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("target", "Cargo.lock")
            )
        for file in (file for file in part.rglob("*") if file.is_file()):
            file.write_text(file.read_text().replace(NAME, path.name).replace(URL, url))
        (part / "manifest.xml").write_text(manifest_of(path.name, url, revision()))
        (part / LINK).symlink_to(KIT)
        for crate in sorted(part.glob("apps/*/Cargo.toml")):
            lock(crate.parent)
        # Takes the place of an empty folder, too.
        os.rename(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./quickstart new", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dir", metavar="DIR", help="folder of the project: a new or an empty one")
    parser.add_argument("--std", action="store_true", help="the server's crate uses Rust's std (aarch64, x86_64)")
    parser.add_argument(
        "--kit", metavar="URL", help="address of the kit for the manifest (default: that of this clone)"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    path = Path(os.path.abspath(arguments.dir))
    try:
        check_folder(path)
        make(path, arguments.std, address(arguments.kit, "new"))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: cannot write `{path}`: {error}\nhelp: check its rights and the free disk space", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"`{path}` is a project of your own. From there to the console:\n")
    print(
        f"    cd {arguments.dir}\n    ./quickstart                # or, without the sources of seL4: ./quickstart hosted\n"
    )
    print("README.md says what is in it, and `./test` runs its tests.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
