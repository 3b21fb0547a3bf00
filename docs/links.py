#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rewrites and checks the links of the book.

    docs/links.py preprocess            mdBook's preprocessor: reads the book on stdin, writes it to stdout
    docs/links.py check FOLDER          exits with 1 and lists the dead links of the book in FOLDER

A link from a page to a crate's folder, or to its src/lib.rs, leads to the rustdoc of that crate. A link to any other file
outside docs/ leads to that file below SOURCE_URL, an environment variable: the address of the tree, such as that on a forge.
"""

import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

DOCS = Path(__file__).resolve().parent
KIT = DOCS.parent
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def library(manifest: Path) -> str:
    """Returns the name under which Rust code uses the crate."""
    text = manifest.read_text()
    named = re.search(r'^\[lib\]\n(?:[^\[\n].*\n|\n)*?name = "(.+)"', text, re.MULTILINE)
    named = named or re.search(r'^name = "(.+)"', text, re.MULTILINE)
    if not named:
        sys.exit(f"error: `{manifest}` names no package\nhelp: link to the folder of a crate, or to a file")
    return named[1].replace("-", "_")


def in_book(target: str, source: str) -> str:
    """Returns what a page's relative link becomes in the book."""
    path = (DOCS / target).resolve()
    if path.is_relative_to(DOCS) or not path.is_relative_to(KIT):
        return target
    place = path.relative_to(KIT)
    crate = path.parent.parent if path.parts[-2:] == ("src", "lib.rs") else path
    if place.parts[0] in ("hosted", "rust") and (crate / "Cargo.toml").is_file():
        return f"rustdoc/{library(crate / 'Cargo.toml')}/index.html"
    return f"{source}/{place}"


def preprocess() -> None:
    if sys.argv[2:3] == ["supports"]:
        return
    source = os.environ.get("SOURCE_URL", f"file://{KIT}").rstrip("/")

    def visit(items: list) -> None:
        for item in items:
            if isinstance(item, dict) and "Chapter" in item:
                chapter = item["Chapter"]
                chapter["content"] = LINK.sub(
                    lambda found: found[1] + in_book(found[2], source) + found[3], chapter["content"]
                )
                visit(chapter["sub_items"])

    _, book = json.load(sys.stdin)
    visit(book["items"])
    json.dump(book, sys.stdout)


class Page(HTMLParser):
    """Links and anchors of one page of the book."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.anchors.add(value)
            elif value and (name in ("href", "src")):
                self.links.append(value)


def check(folder: Path) -> None:
    pages = {path: Page(path) for path in sorted(folder.glob("*.html")) if path.name not in ("404.html", "toc.html")}
    if not pages:
        sys.exit(f"error: `{folder}` has no page of the book\nhelp: docs/build")
    dead = []
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:|//", link):
                continue
            target, _, anchor = link.partition("#")
            goal = (path.parent / unquote(target)).resolve() if target else path
            if not goal.exists() or anchor and goal in pages and unquote(anchor) not in pages[goal].anchors:
                dead.append(f"  {path.name}: {link}")
    if dead:
        sys.exit(
            "\n".join(["error: dead links in the book:", *dict.fromkeys(dead)])
            + "\nhelp: correct them in the pages of docs/, then run docs/build again"
        )


if sys.argv[1:2] == ["preprocess"]:
    preprocess()
elif len(sys.argv) == 3 and sys.argv[1] == "check":
    check(Path(sys.argv[2]).resolve())
else:
    sys.exit(f"error: docs/links.py does not know `{' '.join(sys.argv[1:])}`\nhelp: docs/links.py check FOLDER")
