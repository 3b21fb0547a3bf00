# SPDX-License-Identifier: BSD-2-Clause
"""Compares libsel4 of the hosted platform with the bindings of a real build, item by item.

Of each constant, type and function there, an assertion is made that rustc judges: same value, same layout, same
signature. What the hosted platform has not is in absent.txt.
"""

import re

from support import KIT

ABSENT = KIT / "tests" / "hosted" / "absent.txt"


def absences(architecture):
    """The names of absent.txt but those that are of another architecture, which it names in brackets."""
    lines = [line for line in ABSENT.read_text().splitlines() if line and not line.startswith("#")]
    found = [re.fullmatch(r"(?:\[(\w+)\] )?(\w+): .+", line).groups() for line in lines]
    return [name for of, name in found if of in (None, architecture)]


def items(bindings):
    """Name and assertion of everything in `bindings.rs`."""
    text = re.sub(r"#\[doc.*?\]\n|^\s*///.*\n", "", bindings, flags=re.MULTILINE)
    found = {}
    for name, of, value in re.findall(r"^pub const (\w+): (\w+) = (.+?);", text, re.MULTILINE):
        found[name] = f"const _: () = assert!({name} as i128 == {value} as i128); const _: {of} = {name};"
    for name, of in re.findall(r"^pub type (\w+) = (.+?);", text, re.MULTILINE):
        found[name] = f"const _: () = assert!(size_of::<{name}>() == size_of::<{of}>());"
    for of, name in re.findall(r"^pub use self::(\w+) as (\w+);", text, re.MULTILINE):
        found[name] = f"const _: fn({of}) -> {name} = |it| it;"
    for name, of in re.findall(r"^pub (?:struct|union) (\w+) (\{.*?^\})", text, re.MULTILINE | re.DOTALL):
        found[name] = "\n".join(
            f"const _: fn(&{name}) -> &{field_type.strip()} = |it| &it.{field};"
            for field, field_type in re.findall(r"pub (\w+): (.+?),\n", of)
        )
    for block in re.findall(r"^const _: \(\) = \{.*?^\};", text, re.MULTILINE | re.DOTALL):
        name = re.search(r"size_of::<(\w+)>", block)[1]
        found[name] += "\n" + block
    for name, parameters, result in re.findall(r"pub fn (\w+)\((.*?)\)( -> .*?)?;", text, re.DOTALL):
        types = re.findall(r"\w+: ([^,]+?)(?:,|$)", re.sub(r"\s+", " ", parameters))
        found[name] = f'const _: unsafe extern "C" fn({", ".join(types)}){result} = {name};'
    return found


def assertions(bindings, architecture):
    """Rust's source text that compiles if the hosted platform has what `bindings` has."""
    found, absent = items(bindings), absences(architecture)
    assert len(found) > 500, f"only {len(found)} items were found in the bindings"
    unneeded = [prefix for prefix in absent if not any(name.startswith(prefix) for name in found)]
    assert not unneeded, f"absent.txt names what no build has: {unneeded}"
    kept = [text for name, text in found.items() if not any(is_absent(name, prefix) for prefix in absent)]
    return ("#![allow(warnings)]\nuse sel4_hosted_libsel4::api::*;\n" + "\n".join(kept)), len(kept)


def is_absent(name, prefix):
    # A deprecated name may be the beginning of one that is in use.
    return (
        name == prefix
        or name.startswith(prefix)
        and (prefix.endswith("_") or prefix in FAMILIES)
        or (name in (f"{prefix}_", f"{prefix}_t", f"{prefix}__bindgen_ty_1"))
    )


FAMILIES = (
    "seL4_CapData",
    "seL4_IsArch",
    "seL4_VCPUReg",
    "seL4_VCPUFault",
    "seL4_VGICMaintenance",
    "seL4_VPPIEvent",
    "seL4_NumExclusive",
    "ARMPageDirectory",
)
