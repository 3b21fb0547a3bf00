# SPDX-License-Identifier: BSD-2-Clause
"""Every public type of libsel4 has an example in its documentation, which runs on the hosted platform."""

import re

import pytest
from libsel4.api import API
from support import check
from support.rust import cargo

# Sources of types that only kernels have which the hosted platform does not model, or types in other sources.
NOT_MODELLED = ("arm_smmu", "arm_vcpu", "benchmark", "breakpoint", "iospace", "x86_vtx")
NOT_MODELLED_TYPES = ("Section", "SgiSignal", "Smc", "SuperSection")
PUBLIC = re.compile(r"^pub use \{?(.*?)\}?;$", re.MULTILINE | re.DOTALL)
# The comment and the attributes of a type, or of a line of `kinds!`.
TYPE = re.compile(
    r"((?:^ *(?:///|#\[).*\n)+) *(?:pub (?:unsafe )?(?:struct|enum|trait|type) (\w+)\b|(\w+)(?:: \w+\(.*\))?;$)",
    re.MULTILINE,
)
ENDS = re.compile(r"^test result: ok\. (\d+) passed; 0 failed; 0 ignored;", re.MULTILINE)


def types() -> dict[str, list[bool]]:
    """Returns the public types, each with whether its comments, one for each configuration, have an example."""
    sources = {path: path.read_text() for path in API.glob("src/**/*.rs")}
    uses = "\n".join(PUBLIC.findall(sources[API / "src" / "lib.rs"]))
    public = set(re.findall(r"\b([A-Z]\w*[a-z]\w*)\b", uses))
    found: dict[str, list[bool]] = {}
    for path, text in sources.items():
        of_module = path.stem in ("message", "debug", "benchmark")
        for comment, defined, kind in TYPE.findall(text):
            name = defined or kind
            if path.stem in NOT_MODELLED or name in NOT_MODELLED_TYPES or not (name in public or of_module):
                continue
            found.setdefault(name, []).append(bool(re.search(r"^ */// ```\n", comment, re.MULTILINE)))
    elsewhere = {
        name for path, text in sources.items() if path.stem in NOT_MODELLED for name in re.findall(r"\w+", text)
    }
    missing = public - set(found) - elsewhere - set(NOT_MODELLED_TYPES)
    check(not missing, f"not found: {missing}")
    return found


@pytest.mark.quick
def test_every_type_has_an_example() -> None:
    found = types()
    check(len(found) > 60, f"only {len(found)} types were found")
    without = [name for name, examples in found.items() if not all(examples)]
    check(not without, f"without an example: {' '.join(without)}")


@pytest.mark.quick
@pytest.mark.needs("rust", "hosted")
@pytest.mark.parametrize(
    "features",
    [
        # Among the tests of the workspace, which tests/tree runs.
        pytest.param((), id="the examples run", marks=pytest.mark.long),
        pytest.param(("--features", "sel4-hosted/mcs"), id="and with MCS", marks=pytest.mark.quick(False)),
    ],
)
def test_the_examples_run(features: tuple[str, ...]) -> None:
    output = cargo("test", "--locked", "--doc", "--package", "libsel4", *features)
    # Those of a few types belong to one of the two kernels.
    passed = max(map(int, ENDS.findall(output)))
    check(passed >= 60, output)
