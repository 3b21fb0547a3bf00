# SPDX-License-Identifier: BSD-2-Clause
"""Safe code reaches no invocation that libsel4 does not offer, and no memory that Rust refers to."""

import functools
import json
import re

import pytest
from libsel4.api import API
from support import KIT, check, folder, write
from support.rust import cargo

ATTACKS = KIT / "tests" / "libsel4" / "attacks"
ON_KERNEL = KIT / "tests" / "kernel" / "rootserver" / "src" / "api" / "attacks.rs"
# Attacks of each kind that there are at least.
REFUSED, HARMLESS = 60, 25
BLOCK = re.compile(r"^## (\w+): (E\d{4})\n\n(?:[^\n]+\n)+\n```diff\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
PRELUDE = "#![no_std]\n#![forbid(unsafe_code)]\n#![allow(unused, clippy::all)]\nuse libsel4::*;\n"


def refused() -> dict[str, tuple[str, str, str]]:
    """Returns for each attack of refused.md the compiler's number, its text, and the text with the legal lines instead."""
    found = {}
    for name, code, diff in BLOCK.findall((ATTACKS / "refused.md").read_text()):
        attack = "".join(f"{line[1:]}\n" for line in diff.splitlines() if line[:1] != "+")
        legal = "".join(f"{line[1:]}\n" for line in diff.splitlines() if line[:1] != "-")
        found[name] = (code, attack, legal)
    return found


@functools.cache
def codes() -> dict[str, set[str]]:
    """Compiles all attacks, and all legal forms, and returns the numbers of each one's errors."""
    crate = folder() / "refused"
    targets = [f"attack-{name}" for name in refused()] + [f"legal-{name}" for name in refused()]
    examples = "".join(f'[[example]]\nname = "{target}"\ncrate-type = ["rlib"]\n' for target in targets)
    write(
        crate / "Cargo.toml",
        f'[package]\nname = "refused"\nedition = "2024"\n[workspace]\n[dependencies]\n'
        f'libsel4 = {{ path = "{API}" }}\n{examples}',
    )
    write(crate / "src" / "lib.rs", "#![no_std]\n")
    for name, (_, attack, legal) in refused().items():
        write(crate / "examples" / f"attack-{name}.rs", PRELUDE + attack)
        write(crate / "examples" / f"legal-{name}.rs", PRELUDE + legal)
    # Constants of generic functions are computed by a build only.
    output = cargo("build", "--offline", "--examples", "--keep-going", "--message-format=json", cwd=crate, status=101)
    found: dict[str, set[str]] = {target: set() for target in targets}
    for line in output.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("reason") == "compiler-message" and told["message"]["level"] == "error":
            found[told["target"]["name"]].add((told["message"]["code"] or {}).get("code", ""))
    # The last line of a failure has no number.
    return {name: numbers - {""} for name, numbers in found.items()}


@pytest.mark.quick
@pytest.mark.needs("rust")
@pytest.mark.parametrize("name", [pytest.param(name, id=f"the compiler refuses {name}") for name in refused()])
def test_is_refused(name: str) -> None:
    expected = refused()[name][0]
    check(codes()[f"attack-{name}"] == {expected}, f"`{name}`: {codes()[f'attack-{name}']}, not {expected}")
    check(not codes()[f"legal-{name}"], f"`{name}` is refused without its attack: {codes()[f'legal-{name}']}")


def harmless() -> list[str]:
    """Returns the names of the attacks that compile, in the order of the sources."""
    attack = re.compile(r"^pub fn (\w+)\(\s*\w+: &mut dyn World", re.MULTILINE)
    modules = re.findall(r"^pub mod (\w+);", (ATTACKS / "src" / "lib.rs").read_text(), re.MULTILINE)
    return [name for module in modules for name in attack.findall((ATTACKS / "src" / f"{module}.rs").read_text())]


@pytest.mark.quick
def test_the_lists_of_attacks_are_complete() -> None:
    text = (ATTACKS / "refused.md").read_text()
    names = re.findall(r"^## (\w+)", text, re.MULTILINE)
    check(list(refused()) == names, f"not of the form of the others: {set(names) ^ set(refused())}")
    check(len(names) >= REFUSED, f"only {len(names)} attacks are refused")
    for name, (_, attack, legal) in refused().items():
        check(attack != legal, f"`{name}` has no legal form")
    expected = sorted(harmless())
    check(len(set(expected)) >= HARMLESS, f"only {len(expected)} attacks compile")
    listed = sorted(re.findall(r"^\| `(\w+)` \|.+\|.+\|$", (ATTACKS / "README.md").read_text(), re.MULTILINE))
    check(listed == expected, f"the README differs: {set(listed) ^ set(expected)}")
    on_kernel = sorted(re.findall(r"run\(t, \w+::(\w+)\)", ON_KERNEL.read_text()))
    check(on_kernel == expected, f"the tests on the kernel differ: {set(on_kernel) ^ set(expected)}")
    for path in ("lib", *re.findall(r"^pub mod (\w+);", (ATTACKS / "src" / "lib.rs").read_text(), re.MULTILINE)):
        check("unsafe" not in (ATTACKS / "src" / f"{path}.rs").read_text().replace("unsafe_code", ""), path)


@pytest.mark.quick
@pytest.mark.needs("rust", "hosted")
def test_attacks_on_the_hosted_platform_are_harmless() -> None:
    output = cargo("test", "--locked", "--package", "attacks", "--test", "hosted", cwd=KIT / "tests")
    # One is for kernels with MCS; two more show that harm is noticed.
    ran = set(re.findall(r"^test (\w+) (?:- should panic )?\.\.\. ok$", output, re.MULTILINE))
    check(ran - set(harmless()) == {"a_changed_word_is_noticed", "a_page_mapped_over_is_noticed"}, output)
    check(set(harmless()) - ran <= {"nothing_from_slot_0", "slot_of_refused_ports"}, output)
