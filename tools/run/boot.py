#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boot a build folder's image in QEMU, show its console, and check it.

Exit status 0 only if every line of the expected output came, in order, and no
crash; the format of that file stands at the top of tools/run/console.py.
"""

import argparse
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import console


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="the build folder, or any folder to run COMMAND in")
    parser.add_argument("expected", help="the expected output")
    parser.add_argument(
        "command",
        nargs="*",
        default=["./simulate"],
        metavar="COMMAND",
        help="what to run there, after `--` (default: ./simulate)",
    )
    parser.add_argument(
        "--silence",
        type=float,
        default=60,
        metavar="SECONDS",
        help="give up after this long without a new line (default: 60)",
    )
    parser.add_argument(
        "--limit", type=float, default=600, metavar="SECONDS", help="give up after this long in all (default: 600)"
    )
    parser.add_argument(
        "--linger",
        type=float,
        default=0,
        metavar="SECONDS",
        help="keep watching for a crash after the last expected line (default: 0)",
    )
    arguments = parser.parse_args()
    # A terminated run stops QEMU like an interrupted one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        expected = console.read_expected(arguments.expected)
        outcome = console.run(
            arguments.command,
            expected,
            arguments.build,
            show=lambda line: print(line, flush=True),
            silence=arguments.silence,
            limit=arguments.limit,
            linger=arguments.linger,
        )
    except console.BadExpectation as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: cannot boot `{arguments.build}`: {error}\n"
            "help: configure and build it first (init-build.sh, ninja)",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    if outcome.passed:
        print(f"boot: all {len(expected)} expected lines appeared, in {outcome.seconds:.1f} s", file=sys.stderr)
        return 0
    print(
        f"error: {outcome.reason}\nhelp: compare the console above with `{Path(arguments.expected)}`", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
