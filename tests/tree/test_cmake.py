# SPDX-License-Identifier: BSD-2-Clause
"""CMake's functions see the variables of whatever calls them. The kit's read none by accident."""

import re
from pathlib import Path

import pytest
from support import KIT, folder
from tree.files import tracked

pytestmark = pytest.mark.quick

FUNCTION = re.compile(r"^function\(\s*(\w+)([^)]*)\)\n(.*?)^endfunction\(\)", re.DOTALL | re.MULTILINE)
BRACKETS = re.compile(r"#?\[(=*)\[.*?\]\1\]", re.DOTALL)
COMMENT = re.compile(r"(?<!\S)#.*")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# Variables of a whole build: CMake's own, options, and those of seL4's build and of platforms, which name their owner.
OF_THE_BUILD = re.compile(r"ARG[CNV]?$|CMAKE_|RUST_|SEL4_|Kernel|KERNEL_|LibSel4|MUSLLIBC_|PLATFORM$")


def read_without_being_set(path: Path) -> list[str]:
    """Returns the variables that the functions of a file read, and that no word of theirs can have set."""
    found = []
    for name, parameters, body in FUNCTION.findall(BRACKETS.sub("", path.read_text())):
        body = COMMENT.sub("", body)
        # Every bare word, as any command may set a variable that an argument names.
        words = set(re.findall(r"(?<![\w${])\w+(?![\w}])", STRING.sub('""', body))) | set(parameters.split())
        for facts in re.findall(r"_sel4_rust_read_facts\(([^)]*)\)", body):
            words |= {f"fact_{key}" for key in re.findall(r"\b[A-Z]+\b", facts)}
        # cmake_parse_arguments() sets a variable for each keyword.
        for prefix, keywords in re.findall(
            r"cmake_parse_arguments\(\s*(?:PARSE_ARGV\s+\d+\s+)?(\w+)\s+([^)]*)\)", body
        ):
            of_arguments = (*re.findall(r"[A-Z_]+", keywords), "UNPARSED_ARGUMENTS", "KEYWORDS_MISSING_VALUES")
            words |= {f"{prefix}_{keyword}" for keyword in of_arguments}
        # A name that is put together, as in `set(prefix_${item} ...)`.
        prefixes = tuple(re.findall(r"(?<![\w{])(\w+_)\$\{", body))
        for variable in dict.fromkeys(re.findall(r"(?<!\\)\$\{(\w+)\}", body)):
            if variable not in words and not variable.startswith(prefixes) and not OF_THE_BUILD.match(variable):
                found.append(f"{path.name}: {name}() reads `{variable}`")
    return found


def test_functions_read_no_variable_of_their_caller() -> None:
    of_cmake = [path for path in tracked() if path.suffix == ".cmake" and "tests" not in path.relative_to(KIT).parts]
    functions = sum(len(FUNCTION.findall(path.read_text())) for path in of_cmake)
    assert functions > 50, f"only {functions} functions are found"
    found = [finding for path in of_cmake for finding in read_without_being_set(path)]
    assert not found, "\n".join(["pass it as an argument, or keep it in a property:", *found])


def test_a_function_that_reads_a_variable_of_its_caller_is_found() -> None:
    path = folder() / "planted.cmake"
    path.write_text("""
function(add out name)
    # ${comment}
    _sel4_rust_read_facts("${facts}" TRIPLE)
    cmake_parse_arguments(PARSE_ARGV 2 ARG "FLAG" "ONE" "")
    foreach(item IN LISTS ARG_ONE)
        set(${out} "${name} ${item} ${target} ${fact_TRIPLE} ${fact_STD} ${ARG_TWO}" PARENT_SCOPE)
    endforeach()
    message("${CMAKE_BINARY_DIR} ${RUST_HEAP}")
endfunction()
""")
    read = ("facts", "target", "fact_STD", "ARG_TWO")
    assert read_without_being_set(path) == [f"planted.cmake: add() reads `{variable}`" for variable in read]
