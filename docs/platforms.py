#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Build the app hello for all platforms of the manifest's kernel, and write the table of them into docs/platforms.md.

  docs/platforms.py               build all that has no result yet in build-platforms/, then print the table
  docs/platforms.py NAME...       build these only, again
  docs/platforms.py --write …     as one of these, and write the table into the page, whose other rows stay

Each takes a minute or two. Nothing is booted: `./test` does that, for the platforms that QEMU has. Where a build fails in
sources of C that need no Rust, the table says so.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
PAGE = KIT / "docs" / "platforms.md"
BEGIN, END = "<!-- docs/platforms.py: begin -->\n", "<!-- docs/platforms.py: end -->\n"
FOLDER = KIT / "build-platforms"
RESULTS = FOLDER / "results.json"
# The option for each architecture, in the order of preference where a platform has several.
ARCHITECTURES = {"aarch64": "AARCH64", "riscv64": "RISCV64", "aarch32": "AARCH32", "x86_64": "", "ia32": ""}


def platforms(kernel: Path) -> dict[str, str]:
    """Returns the platforms that the kernel declares, each with the architecture to build it for."""
    found = {}
    for config in sorted((kernel / "src" / "plat").glob("*/config.cmake")):
        text = config.read_text()
        declared = re.findall(r"declare_platform\(\s*([\w-]+)", text)
        known = set(" ".join(re.findall(r"declare_seL4_arch\(([^)]*)\)", text)).split())
        architecture = next(name for name in ARCHITECTURES if name in known)
        names = ("x86_64", "ia32") if declared == ["pc99"] else declared
        found.update({name: name if name in ARCHITECTURES else architecture for name in names})
    return found


def build(name: str, architecture: str) -> dict[str, str]:
    """Builds hello for a platform; returns the columns of its row."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    option = ARCHITECTURES[architecture]
    options = [f"-DPLATFORM={name}", "-DAPP=hello", "-DSIMULATION=OFF", *([f"-D{option}=ON"] if option else [])]
    row = {"architecture": architecture, "target": "", "result": "built"}
    environment = f'kit={KIT}; . "{KIT}/tools/environment.sh"; exec "$@"'
    for command in ([str(KIT / "init-build.sh"), *options], ["ninja"]):
        ended = subprocess.run(
            ["sh", "-c", environment, "sh", *command],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        with (FOLDER / f"{name}.log").open("a") as log:
            log.write(ended.stdout)
        targets = re.findall(r"required link libraries for target (\S+)", ended.stdout)
        row["target"] = row["target"] or next(iter(targets), "")
        if ended.returncode != 0:
            failed = re.findall(r"^FAILED: (\S+)", ended.stdout, re.MULTILINE)
            place = failed[0] if failed else "configuring"
            rust = re.search(r"rust|cargo", place)
            row["result"] = f"fails in {'Rust' if rust else 'C'}: `{place}`"
            break
    shutil.rmtree(folder)
    return row


def rows(page: str) -> dict[str, dict[str, str]]:
    """Returns the results that the page's table has."""
    lines = page[page.index(BEGIN) + len(BEGIN) : page.index(END)].splitlines()[2:]
    found = {}
    for line in lines:
        name, architecture, target, result = (cell.strip() for cell in line.strip("|").split("|"))
        found[name] = {"architecture": architecture, "target": target, "result": result}
    return found


def table(results: dict[str, dict[str, str]]) -> str:
    """Returns the table of the results."""
    lines = ["| platform | architecture | Rust target | hello |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {row['architecture']} | {row['target']} | {row['result']} |"
        for name, row in sorted(results.items())
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="platforms to build, again")
    parser.add_argument("--write", action="store_true", help="write the table into docs/platforms.md")
    arguments = parser.parse_args()
    sources = KIT / "tools" / "provision" / "sources.py"
    workspace = subprocess.run([sources, "--path"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    known = platforms(Path(workspace) / "kernel")
    for name in arguments.names:
        if name not in known:
            print(f"error: the kernel has no platform `{name}`\nhelp: give some of: {' '.join(known)}", file=sys.stderr)
            return 1
    FOLDER.mkdir(exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    chosen = arguments.names or [name for name in known if name not in results]
    for number, name in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {name}, {known[name]}", file=sys.stderr, flush=True)
        results[name] = build(name, known[name])
        RESULTS.write_text(json.dumps(results, indent=1))
    page = PAGE.read_text()
    # A clone without these builds has the page's results. Platforms that the kernel no longer declares go.
    text = table({name: row for name, row in {**rows(page), **results}.items() if name in known})
    print(text, end="")
    if arguments.write:
        start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
        PAGE.write_text(page[:start] + text + page[end:])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
