# SPDX-License-Identifier: BSD-2-Clause
"""Builds the root servers of this folder, runs them, and compares what they say with what was recorded."""

import itertools
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from kit import Build, Failure, check, console

# Name of a recording: how its build folder is configured.
CONFIGURATIONS = {
    "x86_64": ("-DPLATFORM=x86_64",),
    "aarch64": ("-DPLATFORM=qemu-arm-virt",),
    "x86_64-mcs": ("-DPLATFORM=x86_64", "-DMCS=ON"),
    "aarch64-mcs": ("-DPLATFORM=qemu-arm-virt", "-DMCS=ON"),
}
# The same for the hosted platform, which has its host's architecture, or that of the compiler: programs for aarch64 run
# in QEMU's user mode then.
HOSTED_CONFIGURATIONS = {
    "hosted": ("-DPLATFORM=hosted",),
    "hosted-mcs": ("-DPLATFORM=hosted", "-DMCS=ON"),
    "hosted-aarch64": ("-DPLATFORM=hosted", "-DCROSS_COMPILER_PREFIX=aarch64-linux-gnu-"),
    "hosted-aarch64-mcs": ("-DPLATFORM=hosted", "-DCROSS_COMPILER_PREFIX=aarch64-linux-gnu-", "-DMCS=ON"),
}
# Root server: the line that ends it.
APPS = {"scenarios": "end of the scenarios", "sequences": "end of the sequences"}
# Scenarios that go otherwise where they are compiled for the hosted platform, each with the reason. Images built for a
# kernel do them as on the kernel.
HOSTED = {
    "fault: a system call that does not exist": "a system call is a call there, and none is without a name",
}
# QEMU's clock counts instructions, so that no load of this machine makes a time slice end.
SIMULATE = ("./simulate", "--extra-qemu-args=-icount shift=0,sleep=off")
# What the lines of a transcript begin with; the others are the kernel's own.
MARK = "| "
# The first line of a recording.
# REUSE-IgnoreStart
LICENCE = "SPDX-License-Identifier: BSD-2-Clause"
# REUSE-IgnoreEnd


def build(app, name, configuration=None):
    """A build folder with an app of this folder as root server."""
    folder = Build(f"{app}-{name}")
    folder.configure(f"-DAPP=../tests/conformance/{app}", *(configuration or CONFIGURATIONS[name]))
    folder.ninja()
    return folder


def transcript(app, folder, command=SIMULATE):
    """What the image in a build folder says."""
    end = console.expectations([f"/^{re.escape(MARK)}{APPS[app]}/"])
    outcome = console.run(list(command), end, folder, forbidden=(), silence=60, limit=300)
    lines = [line.removeprefix(MARK) for line in outcome.lines if line.startswith(MARK)]
    if not outcome.passed:
        raise Failure("\n".join([outcome.reason, "the console's end:", *outcome.lines[-40:]]))
    return lines


def path(app, name):
    """Where a recording is kept."""
    return HERE / "recorded" / f"{app}-{name}.txt"


def recorded(app, name):
    return [line for line in path(app, name).read_text().splitlines() if not line.startswith("# ")]


def record(app, name):
    """Writes the recording anew."""
    lines = transcript(app, build(app, name).path)
    new = path(app, name).with_suffix(".new")
    new.write_text("\n".join([f"# {LICENCE}", *lines]) + "\n")
    new.replace(path(app, name))
    return len(lines)


def sections(lines):
    """[(name of a scenario, its lines)]"""
    found = []
    for line in lines:
        if line.startswith("== "):
            found.append((line.removeprefix("== "), []))
        elif found and not line.startswith(tuple(APPS.values())):
            found[-1][1].append(line)
    return found


def check_hosted(ours, theirs, allowed):
    """That what the hosted platform says is what was recorded but for these scenarios, and is not for these."""
    found = dict(differences(ours, theirs))
    new = [text for name, text in found.items() if name not in allowed]
    check(not new, f"{len(new)} scenarios differ from the kernel's:\n" + "\n".join(new[:10]))
    cured = sorted(set(allowed) - set(found))
    check(not cured, f"these are as on the kernel now, and need not be in the list: {cured}")
    print(f"{len(sections(theirs)) - len(found)} scenarios are as on the kernel")


def differences(ours, theirs):
    """(name, text) for each scenario that differs; the text has the line before and the first lines that differ."""
    ours, theirs = dict(sections(ours)), dict(sections(theirs))
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        if name not in ours or name not in theirs:
            yield name, f"== {name}\n  only in {'ours' if name in ours else 'the recording'}"
            continue
        before = "(its beginning)"
        for mine, other in itertools.zip_longest(ours[name], theirs[name], fillvalue="(its end)"):
            if mine != other:
                yield name, f"== {name}\n  after:    {before}\n  recorded: {other}\n  now:      {mine}"
                break
            before = other
