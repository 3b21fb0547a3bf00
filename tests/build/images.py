# SPDX-License-Identifier: BSD-2-Clause
"""What is in an image, by the linker's map and binutils."""

import bisect
import re

from support import run


class Image:
    def __init__(self, build, path, map_path=None):
        self.build, self.path = build, build.path / path
        self.map = build.path / map_path if map_path else None

    def _cached(self, variable):
        return re.search(rf"^{variable}:\w+=(.*)$", (self.build.path / "CMakeCache.txt").read_text(), re.MULTILINE)[1]

    def _binutil(self, tool, *arguments):
        # Of the toolchain of this build.
        return run(self._cached("CMAKE_NM").removesuffix("nm") + tool, *arguments)

    def text(self):
        """The bytes of code and of constant data, as `size` counts them."""
        return int(self._binutil("size", self.path).splitlines()[1].split()[0])

    def archive(self, name):
        """The archive of that name on the linker's command line."""
        return self.build.path / re.search(rf"^LOAD (\S*/{re.escape(name)})$", self.map.read_text(), re.MULTILINE)[1]

    def globals_of(self, archive):
        """The names that an archive of C defines for others."""
        listing = self._binutil("nm", "--defined-only", "--extern-only", "--format=posix", archive)
        return {line.split()[0] for line in listing.splitlines() if len(line.split()) >= 3}

    def origins(self):
        """{symbol: the file, or archive(member), that it came from}."""
        placed, pieces = self.map.read_text().split("Linker script and memory map", 1)[1], []
        for section in re.split(r"^(?=\.)", placed, flags=re.MULTILINE):
            # What is not loaded, such as debug information, stands at address 0.
            if re.match(r"\.\S+\s+0x0*[1-9a-f]", section):
                for address, size, file in re.findall(
                    r"^ [^*\n]*?\s0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$", section, re.MULTILINE
                ):
                    pieces.append((int(address, 16), int(size, 16), file))
        pieces = [piece for piece in pieces if piece[1]]
        pieces.sort()
        starts = [start for start, _, _ in pieces]
        found = {}
        for line in self._binutil("nm", "--defined-only", "--format=posix", self.path).splitlines():
            name, sort, *numbers = line.split()
            if sort in "TtWwVvDdBbRr" and numbers:
                address = int(numbers[0], 16)
                place = bisect.bisect_right(starts, address) - 1
                if place >= 0 and address < sum(pieces[place][:2]):
                    found[name] = pieces[place][2]
        return found
