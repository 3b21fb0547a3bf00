# SPDX-License-Identifier: BSD-2-Clause
"""How large root servers are: the Release build of each program, beside the same in C."""

import re

import support as kit
from bench.project import Build, Programs
from bench.table import markdown, ratio, step, verdict

PLATFORMS = {
    "aarch64 (qemu-arm-virt)": "qemu-arm-virt",
    "riscv64 (qemu-riscv-virt)": "qemu-riscv-virt",
    "x86_64 (pc99)": "x86_64",
}
# The aims are for this one; the others are for information.
AIMED_AT = "qemu-arm-virt"
# What it is, how much more text than the same in C it may have, and how much more it had before the kit.
PROGRAMS = {
    "plain": ("C, without the routine", None, ""),
    "routine_c": ("C, with the routine in C", None, ""),
    "routine_rust": ("the routine in Rust", 64, "+36"),
    "panic": ("Rust that can panic, and says so", 4096, "+6,704 to +13,640"),
    "collections": ("Rust with `Vec`, `BTreeMap`, `format!`", 14_000, "+18,496 to +27,888"),
}
BASE = "routine_c"
# One retype and one send: in C, with libsel4, and how many bytes of text that may add.
SENDS = ("sends_c", "sends_rust", 1024)
HEAPS = ("rlsf", "linked-list", "muslc")


class Image:
    """An ELF file as binutils see it."""

    def __init__(self, build: Programs, name: str) -> None:
        self.path = build.program(name)
        # The cross compiler's own tools.
        self.prefix = build.cached("CMAKE_NM").removesuffix("nm")
        line = self._binutil("size").splitlines()[1]
        self.text, self.data, self.bss = map(int, line.split()[:3])

    def _binutil(self, tool, *options):
        return kit.run(f"{self.prefix}{tool}", *options, self.path)

    def sections(self):
        """{name: bytes} of what is loaded."""
        rows = re.findall(r"^(\.?\w\S*) +(\d+) +(\d+)$", self._binutil("size", "-A"), re.MULTILINE)
        return {name: int(size) for name, size, address in rows if int(address) and int(size)}

    def symbols(self):
        """{name: bytes}; those of the same name together."""
        found = {}
        for line in self._binutil("nm", "--print-size", "--demangle").splitlines():
            match = re.match(r"[0-9a-f]+ ([0-9a-f]+) ([tTrRdD]) (.+)$", line)
            if match:
                found[match[3]] = found.get(match[3], 0) + int(match[1], 16)
        return found


def measure(arguments):
    tables = []
    for title, platform in PLATFORMS.items():
        step(f"sizes: {title}")
        build = Build(f"sizes-{platform}")
        build.configure((*PROGRAMS, *SENDS[:2]), f"-DPLATFORM={platform}", "-DRELEASE=ON")
        build.ninja(*PROGRAMS)
        images = {name: Image(build, name) for name in PROGRAMS}
        tables.append(_table(title, images, platform == AIMED_AT))
        tables.append(_sends_table(title, *sends(build)))
        if arguments.detail:
            tables += [
                detail(f"{PROGRAMS[name][0]}, {title}", images[BASE], images[name])
                for name in PROGRAMS
                if name not in ("plain", BASE)
            ]
        if platform == AIMED_AT:
            tables.append(_heaps_table(title, build, images))
    return "\n\n".join(tables)


def _table(title, images, aims):
    rows = []
    base = images[BASE]
    for name, (what, aim, before) in PROGRAMS.items():
        image = images[name]
        more = image.text - base.text
        rows.append(
            (
                what,
                f"{image.text:,}",
                f"{more:+,}",
                ratio(image.text, base.text),
                f"{image.data:,}",
                f"{image.bss:,}",
                *((verdict(more, aim) if aim else "", before) if aims else ()),
            )
        )
    heads = ["image", "text", "over C", "ratio", "data", "bss", *(["aim", "before"] if aims else [])]
    return markdown(f"Size of the root server, bytes: {title}, Release", heads, rows)


def sends(build):
    """The images that retype and send, in C and with libsel4, from a configured build."""
    build.ninja(*SENDS[:2])
    return [Image(build, name) for name in SENDS[:2]]


def _sends_table(title, c, rust):
    more = rust.text - c.text
    rows = [
        ("in C", f"{c.text:,}", "", "", ""),
        ("with libsel4", f"{rust.text:,}", f"{more:+,}", ratio(rust.text, c.text), verdict(more, SENDS[2])),
    ]
    return markdown(
        f"One retype and one send, bytes of text: {title}, Release", ["", "text", "over C", "ratio", "aim"], rows
    )


def _heaps_table(title, build, images):
    """The same program with each heap that RUST_HEAP may name."""
    rows, base = [], images[BASE].text
    for heap in HEAPS:
        step(f"sizes: {title}, RUST_HEAP={heap}")
        build.configure(tuple(PROGRAMS), f"-DPLATFORM={AIMED_AT}", "-DRELEASE=ON", f"-DRUST_HEAP={heap}")
        build.ninja("collections")
        image = Image(build, "collections")
        rows.append((f"`{heap}`", f"{image.text:,}", f"{image.text - base:+,}", f"{image.bss:,}"))
    return markdown(
        f"{PROGRAMS['collections'][0]}, by heap: {title}, Release", ["RUST_HEAP", "text", "over C", "bss"], rows
    )


def detail(title, c, rust):
    """Where the bytes of an image lie that the C image does not have."""
    old, new = c.sections(), rust.sections()
    rows = [
        (f"section `{each}`", f"{new.get(each, 0):,}", f"{new.get(each, 0) - old.get(each, 0):+,}")
        for each in sorted(new | old)
        if new.get(each, 0) != old.get(each, 0)
    ]
    old, new = c.symbols(), rust.symbols()
    grown = sorted(((new[each] - old.get(each, 0), each) for each in new), reverse=True)
    rows += [(f"`{each}`", f"{new[each]:,}", f"{more:+,}") for more, each in grown[:25] if more > 0]
    return markdown(f"Where the bytes go: {title}", ["what", "bytes", "over C"], rows)
