#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run the root server of a build for x86_64 on the hosted platform, unmodified.

  tools/run/hosted.py [--gdb] BUILD

What runs is the image that QEMU boots, in a Linux process: its system calls go to
a model of the kernel instead of a kernel. docs/hosted.md says what that means.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(KIT / "tools"))
import cache


def stop(what, next_step):
    sys.exit(f"error: {what}\nhelp: {next_step}")


def one(build, pattern):
    found = sorted(build.glob(pattern))
    if not found:
        stop(f"`{build}` has no `{pattern}`", "give the folder of a build for PLATFORM=x86_64, after ninja")
    return found[0]


def configuration(build):
    values = {}
    for pattern in ("*/gen_config/kernel/gen_config.json", "*/gen_config/sel4/gen_config.json"):
        values.update(json.loads(one(build, pattern).read_text()))
    if values.get("SEL4_ARCH") != "x86_64":
        stop(f"`{build}` is a build for {values.get('SEL4_ARCH')}", "give one for PLATFORM=x86_64")
    if values.get("KERNEL_X86_SYSCALL") != "syscall":
        stop(
            f"`{build}` enters the kernel by `{values.get('KERNEL_X86_SYSCALL')}`",
            "configure it with -DKernelSyscall=syscall",
        )
    return values


def holds(condition, values):
    """A preprocessor's condition over the configuration."""
    text = re.sub(r"defined\((CONFIG_)?(\w+)\)", lambda name: str(bool(values.get(name[2]))), condition)
    text = re.sub(r"!(?!=)", " not ", text).replace("&&", " and ").replace("||", " or ")
    if not re.fullmatch(r"(True|False|not|and|or|[()\s])+", text):
        stop(f"libsel4 has the condition `{condition}`, which cannot be evaluated", "report it to the kit's authors")
    # Of these words alone. The spaces at its beginning are no indentation.
    return eval(text.strip())


def labels(build, values):
    """Names of invocations, in the order of their numbers."""
    names = ["InvalidInvocation"]
    for pattern in (
        "*/include/sel4/invocation.h",
        "*/sel4_arch_include/*/sel4/sel4_arch/invocation.h",
        "*/arch_include/*/sel4/arch/invocation.h",
    ):
        stack = []
        for line in one(build, pattern).read_text().splitlines():
            if match := re.match(r"#\s*if (.*)", line):
                stack.append(holds(match[1], values))
            elif re.match(r"#\s*endif", line):
                stack.pop()
            elif (match := re.match(r"\s+([A-Z]\w+)(?: = \w+)?,$", line)) and all(stack) and match[1] not in names:
                names.append(match[1])
    return names


def runner():
    # One for each clone: cargo would not notice that the program there is another clone's.
    target = cache.folder() / "hosted" / hashlib.sha256(bytes(KIT)).hexdigest()[:16]
    command = ["cargo", "build", "--release", "--locked", "--package", "sel4-hosted-run", "--target-dir", str(target)]
    if not (target / "release" / "sel4-hosted-run").exists():
        print("building the hosted platform, once", file=sys.stderr)
        subprocess.run(["cargo", "fetch", "--locked"], cwd=KIT, check=True)
    else:
        command.append("--quiet")
    if subprocess.run(command, cwd=KIT).returncode != 0:
        stop("the hosted platform cannot be built", "cargo's own message is above")
    return target / "release" / "sel4-hosted-run"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="the folder of a build for PLATFORM=x86_64")
    parser.add_argument("--gdb", action="store_true", help="run it in gdb, which stops once the image is loaded")
    parser.add_argument("rest", nargs="*", metavar="GDB-OPTION", help="options of gdb, after `--`")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    if platform.machine() != "x86_64":
        stop(
            f"this machine is {platform.machine()}, and images as they are run on x86_64 only",
            "boot the image in QEMU: ./simulate",
        )
    values = configuration(build)
    image = one(build, "images/*-image-x86_64-*")
    facts = [f"label {name} {number}" for number, name in enumerate(labels(build, values)) if number]
    facts += [
        f"config {name} {str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items()
    ]
    program = runner()
    # In the place of this: signals and exit codes are the program's own.
    file = os.memfd_create("facts", 0)
    os.write(file, ("\n".join(facts) + "\n").encode())
    command = [program, image, f"/proc/self/fd/{file}"]
    if arguments.gdb:
        if not shutil.which("gdb"):
            stop("there is no gdb", "install it, as in Debian the package gdb")
        command = [
            "gdb",
            "-q",
            "-x",
            KIT / "hosted" / "gdb.py",
            "-ex",
            f"sel4-image {image}",
            *arguments.rest,
            "--args",
            *command,
        ]
    os.execvp(command[0], command)


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
