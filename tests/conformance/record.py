#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Record anew what the real kernel does: boots each configuration in QEMU and writes recorded/*.txt."""

import argparse
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(KIT / folder) for folder in ("tests", "tools", "tools/run")]

from conformance import recording
from support import script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="CONFIGURATION",
        default=(known := [*recording.CONFIGURATIONS, *recording.PARTS]),
        help=f"which (default: all): {' '.join(known)}",
    )
    for name in (arguments := parser.parse_args()).names:
        if name not in known:
            parser.error(f"there is no configuration `{name}`")
    script.begin("record", "kernel", "rust", "aarch64", "x86_64")
    for name in arguments.names:
        for app in recording.APPS if name in recording.CONFIGURATIONS else ("scenarios",):
            print(f"{app}, {name}: building and booting", flush=True)
            print(f"{app}, {name}: {recording.record(app, name)} lines", flush=True)


if __name__ == "__main__":
    main()
