# SPDX-License-Identifier: BSD-2-Clause
"""What tests of the crate libsel4 share: cargo against given bindings, and the comparison with C's functions."""

import json
import re
from pathlib import Path

from support import KIT, check, folder, run, write
from support.builds import Shared
from support.headers import Headers

API = KIT / "rust" / "libsel4"
# Functions that C has and the API has in another form: fields of words and of faults, registers passed as arguments, the
# rest of a received capability's word, the string as a whole, and what the C library keeps for itself.
ELSEWHERE = re.compile(
    r"seL4_(\w+_(ptr_)?[gs]et_\w+|\w+_ptr_new|(get)?Fault\w*|getArchFault|[A-Za-z]+Fault_\w+|\w+WithMRs"
    r"|UnknownSyscall_\w+|UserException_\w+|DebugException_\w+|V(GICMaintenance|PPIEvent)_\w+|Timeout_\w+"
    r"|is\w+_(Tag|tag|MSG)|Is\w+From|(Get|Set)(Tag|IPCBuffer)|ExceptIPC_[GS]et"
    r"|CapData_(Badge|Guard)_new|GetCap|GetCapReceivePath|GetBootInfo|InitBootInfo"
    r"|DebugPutString|SchedControl_Configure|PF_\w+)"
)


def cargo_against(bindings: Path, target: str, *arguments: str, crate: Path = API, **more: str) -> str:
    """Runs cargo on a crate, against libsel4 as the folder `bindings` has it. `more` are environment variables."""
    __tracebackhide__ = True
    command = ("cargo", "--offline", *arguments[:1], "--locked", "--target", target, *arguments[1:])
    return run(*command, cwd=crate, env={"SEL4_SYS_DIR": bindings, "CARGO_TARGET_DIR": folder() / "target", **more})


def compare(name: str, bindings: Path) -> set[str]:
    """Fails if the API lacks a function of these bindings; returns those there are."""
    __tracebackhide__ = True
    bound = set(re.findall(r"pub fn (seL4_\w+)", (bindings / "bindings.rs").read_text()))
    text = "".join(path.read_text() for path in API.glob("src/**/*.rs"))
    absent = {function for function in bound if not re.search(rf"\b{function}\b", text)}
    missing = sorted(function for function in absent if not ELSEWHERE.fullmatch(function))
    check(len(bound) > 200 and not missing, f"`{name}` has, and the API has not: {missing}")
    return bound


def tool(build: Shared) -> str:
    """Returns the host tool that a configured build uses."""
    commands = run("ninja", "-t", "commands", "sel4_rust_sys_gen", cwd=build.path)
    found = re.search(r"(\S+/sel4-rust) bindings", commands)
    assert found, commands
    return found[1]


def bound(build: Shared, name: str, target: str, found: Headers) -> Path:
    """Returns the folder of the bindings of these headers, made by the host tool of the build."""
    path = folder() / "bound" / name
    path.mkdir(parents=True, exist_ok=True)
    request = {"target": target, "out": path, **found.request()}
    lines = (f"{key} = {json.dumps(value, default=str)}\n" for key, value in request.items())
    write(path / "request.toml", "".join(lines))
    run(tool(build), "bindings", path / "request.toml")
    return path
