# SPDX-License-Identifier: BSD-2-Clause
"""Builds the root servers of this folder, runs them, and compares what they say with what was recorded."""

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import console
from support import Failure, check
from support.builds import LIMIT, SILENCE, STEADY, Build, shared

HERE = Path(__file__).resolve().parent
# Name of a recording: the configuration that it was made on.
CONFIGURATIONS = {
    "x86_64": "x86_64",
    "aarch64": "qemu-arm-virt",
    "x86_64-mcs": "x86_64 MCS",
    "aarch64-mcs": "qemu-arm-virt MCS",
}
# Recordings of one subject of the scenarios, on kernels that have what the others have not: configuration and subject.
PARTS = {
    "x86_64-smp": ("x86_64 SMP", "affinity"),
    "x86_64-mcs-domains": ("x86_64 MCS domains", "domain"),
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
# What the lines of a transcript begin with; the others are the kernel's own.
MARK = "| "
# The first line of a recording.
# REUSE-IgnoreStart
LICENCE = "SPDX-License-Identifier: BSD-2-Clause"
# REUSE-IgnoreEnd


def build(app: str, name: str) -> Path:
    """Returns the build folder with an app of this folder as root server, on the kernel or on the hosted platform."""
    if configuration := CONFIGURATIONS.get(name) or PARTS.get(name, ("",))[0]:
        return shared(configuration).app(f"tests/conformance/{app}").path
    folder = Build(name)
    folder.configure(f"-DAPP=../tests/conformance/{app}", *HOSTED_CONFIGURATIONS[name])
    folder.ninja()
    return folder.path


# No load of this machine makes a time slice end: QEMU's clock counts instructions.
def transcript(app: str, folder: Path, command: Sequence[str] = STEADY) -> list[str]:
    """Returns what the image in a build folder says."""
    end = console.expectations([f"/^{re.escape(MARK)}{APPS[app]}/"])
    outcome = console.run(list(command), end, folder, forbidden=(), silence=SILENCE, limit=LIMIT)
    lines = [line.removeprefix(MARK) for line in outcome.lines if line.startswith(MARK)]
    if not outcome.passed:
        raise Failure("\n".join([outcome.reason, "the console's end:", *outcome.lines[-40:]]))
    return lines


def path(app: str, name: str) -> Path:
    """Returns the file of a recording."""
    return HERE / "recorded" / f"{app}-{name}.txt"


def recorded(app: str, name: str) -> list[str]:
    """Returns the lines of a recording."""
    return [line for line in path(app, name).read_text().splitlines() if not line.startswith("# ")]


def record(app: str, name: str) -> int:
    """Writes the recording anew."""
    lines = transcript(app, build(app, name))
    if name in PARTS:
        lines = part(lines, PARTS[name][1])
    new = path(app, name).with_suffix(".new")
    new.write_text("\n".join([f"# {LICENCE}", *lines]) + "\n")
    new.replace(path(app, name))
    return len(lines)


def sections(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Returns the name of each scenario with its lines."""
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("== "):
            found.append((line.removeprefix("== "), []))
        elif found and not line.startswith(tuple(APPS.values())):
            found[-1][1].append(line)
    return found


def part(lines: Sequence[str], subject: str) -> list[str]:
    """Returns the lines of the scenarios of one subject."""
    found = [(name, content) for name, content in sections(lines) if name.startswith(f"{subject}: ")]
    check(found, f"there are no scenarios of `{subject}`")
    return [line for name, content in found for line in (f"== {name}", *content)]


def check_hosted(ours: Sequence[str], theirs: Sequence[str], allowed: Collection[str]) -> None:
    """Fails unless the hosted platform says what was recorded but for the allowed scenarios, and differs in these."""
    found = dict(differences(ours, theirs))
    new = [text for name, text in found.items() if name not in allowed]
    check(not new, f"{len(new)} scenarios differ from the kernel's:\n" + "\n".join(new[:10]))
    cured = sorted(set(allowed) - set(found))
    check(not cured, f"these are as on the kernel now, and need not be in the list: {cured}")
    print(f"{len(sections(theirs)) - len(found)} scenarios are as on the kernel")


def differences(our_lines: Sequence[str], their_lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields name and text of each scenario that differs: the line before, and the first lines that differ."""
    ours, theirs = dict(sections(our_lines)), dict(sections(their_lines))
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
