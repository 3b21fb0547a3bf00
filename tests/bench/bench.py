#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure how small and how fast images and builds with Rust in them are, beside the same in C.

Prints a table, as Markdown. Sizes and instructions are exact and the same in every run; times are
those of this machine at this moment. One run takes about a quarter of an hour, most of it for the times.
"""

import argparse
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
KIT = Path(__file__).resolve().parents[2]
# In place of this folder, where `bench` would be this file.
sys.path[:1] = [str(KIT / folder) for folder in ("tests", "tools", "tools/run")]

import support
from bench import camkes, counts, sizes, std, system_calls, table, times
from support import script

PARTS = {"sizes": sizes, "counts": counts, "system_calls": system_calls, "std": std, "times": times, "camkes": camkes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only",
        action="append",
        choices=PARTS,
        metavar="PART",
        help=f"measure this part; may be given again ({', '.join(PARTS)}; default: all)",
    )
    parser.add_argument("--detail", action="store_true", help="show of each image where the bytes go")
    parser.add_argument(
        "--runs", type=int, default=5, metavar="N", help="how often each time is taken; the median counts (default: 5)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table to FILE too")
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error(f"`{arguments.runs}` runs give no figure; help: give --runs 1 or more")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    script.begin("bench", "kernel", "rust", "aarch64", "aarch32", "riscv64", "x86_64")
    if "camkes" in (arguments.only or PARTS):
        support.run(KIT / "tools" / "provision" / "sources.py", "--fetch", "--manifest", KIT / "camkes.xml")
        support.run(KIT / "tools" / "provision" / "capdl")
        # capDL-tool is on PATH now.
        script.begin("bench")
    text = ""
    try:
        for name in [None, *(arguments.only or PARTS)]:
            part = PARTS[name].measure(arguments) if name else table.machine()
            # Each part as soon as it is there, so that a failure later loses nothing.
            print(f"{part}\n", flush=True)
            text += f"{part}\n\n"
            if arguments.out:
                arguments.out.write_text(text.rstrip() + "\n")
    except support.Failure as failure:
        sys.exit(f"error: {failure}\nhelp: the build folders are below `{support.folder()}`")


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
