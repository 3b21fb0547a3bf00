#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares docs/safe-functions.md with the safe public functions of libsel4.

    docs/safe-functions.py [TABLE]      default: docs/safe-functions.md

Prints each function with the reason why it changes neither what an existing capability leads to nor memory that Rust
refers to. Exits with 1 if a function has no line, or a line no function.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
SOURCES = KIT / "rust" / "libsel4" / "src"
TABLE = KIT / "docs" / "safe-functions.md"
OWNER = re.compile(r"^(?:pub )?(?:impl(?:<.*?>)? (?!.* for )|trait )([^{]+?)(?:: .*)? \{", re.MULTILINE)
FUNCTION = re.compile(r"^( *)(pub )?(?:const )?(unsafe )?(?:extern \"C\" )?fn (\$?\w+)", re.MULTILINE)
MACRO = re.compile(r"macro_rules! (\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)


def macros(text: str) -> dict[str, list[str]]:
    """Returns, for each parameter of a macro that names a function, the names that it is invoked with."""
    found = {}
    for name, definition in MACRO.findall(text):
        parameters = re.findall(r"\$(\w+):ident = ", definition)
        invocations = "".join(re.findall(rf"^ *{name}! {{(.*?)^ *}}", text, re.MULTILINE | re.DOTALL))
        names = re.findall(r"(\w+) = seL4_\w+ \"", invocations)
        for index, parameter in enumerate(parameters):
            found[parameter] = names[index :: len(parameters)]
    return found


def functions() -> Iterator[str]:
    """Yields the names of all safe public functions, with their types or modules."""
    for path in sorted(SOURCES.rglob("*.rs")):
        text = path.read_text().partition("#[cfg(test)]\nmod tests")[0]
        named = macros(text)
        owners = [(match.start(), match[0].startswith("pub trait"), match[1]) for match in OWNER.finditer(text)]
        ends = [match.end() for match in re.finditer(r"^\}", text, re.MULTILINE)]
        for match in FUNCTION.finditer(text):
            indent, public, unsafe, name = match.groups()
            of = [owner for owner in owners if owner[0] < match.start()]
            # A function belongs to the last type before it whose block has not ended.
            inside = indent and of and not any(of[-1][0] < end < match.start() for end in ends)
            if unsafe or not (public or (inside and of[-1][1])):
                continue
            if not inside and indent and not name.startswith("$"):
                continue
            scope = of[-1][2] if inside else path.stem
            for each in named[name[1:]] if name.startswith("$") else [name]:
                yield f"{scope}::{each}"


def main() -> None:
    table = Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE
    lines = re.findall(r"^\| `([^`]+)` \| (.+) \|$", table.read_text(), re.MULTILINE)
    listed, known = {name for name, _ in lines}, set(functions())
    for name, reason in lines:
        print(f"{name}: {reason}")
    problems = [f"`{name}` has no line" for name in sorted(known - listed)]
    problems += [f"`{name}` is no safe public function" for name in sorted(listed - known)]
    problems += [f"`{name}` has two lines" for name in sorted(listed) if [each for each, _ in lines].count(name) > 1]
    if problems:
        sys.exit("\n".join(f"error: {each}" for each in problems) + f"\nhelp: edit {table}")


if __name__ == "__main__":
    main()
