# SPDX-License-Identifier: BSD-2-Clause
"""How the benchmark tells its figures, and what it says while it takes them."""

import os
import subprocess
import sys


def step(text):
    """What is being done, at once: a benchmark takes its time."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def markdown(title, heads, rows, note=""):
    """A table; the first column is text, the others figures."""
    lines = [f"## {title}", ""]
    lines += [f"{note}\n"] if note else []
    lines.append(f"| {' | '.join(heads)} |")
    lines.append(f"|---|{'---:|' * (len(heads) - 1)}")
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines)


def ratio(value, base):
    return f"×{value / base:.3f}" if base else "–"


def verdict(value, aim):
    """The aim, and whether `value` is within it."""
    return f"≤ {aim:,}: {'met' if value <= aim else 'missed'}"


def machine():
    """What the figures depend on, without the name of anything."""

    def first_line(*command):
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]

    return (
        f"{os.cpu_count()} cores; {first_line('rustc', '--version')}; "
        f"{first_line('aarch64-linux-gnu-gcc', '--version')}; {first_line('qemu-system-aarch64', '--version')}; "
        f"{first_line('cmake', '--version')}; load average at the start {os.getloadavg()[0]:.1f}"
    )
