# SPDX-License-Identifier: BSD-2-Clause
"""Python packages that the kit installs are pinned by hash, in the form of the command that updates the pins."""

import importlib.util
import re
from types import ModuleType

import pytest
from support import KIT

pytestmark = pytest.mark.quick

FOLDERS = ("tools/provision", "tests")


def pin() -> ModuleType:
    """The module tools/provision/pin.py."""
    spec = importlib.util.spec_from_file_location("pin", KIT / "tools" / "provision" / "pin.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked(folder: str) -> dict[str, str]:
    """The packages that FOLDER/requirements.in names, each with its conditions."""
    lines = (KIT / folder / "requirements.in").read_text().splitlines()
    words = [re.fullmatch(r"([\w-]+)\s*(.*)", line) for line in lines if line and not line.startswith("#")]
    return {word[1]: word[2] for word in words if word}


def test_all_folders_with_requirements_are_known_to_the_command() -> None:
    assert tuple(pin().FOLDERS) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_requirements_are_as_the_command_writes_them(folder: str) -> None:
    text = (KIT / folder / "requirements.txt").read_text()
    wheels, sources = pin().parse(text)
    assert text == pin().render(wheels, sources), "update them: tools/provision/pin.py"
    pinned = {one.name: one for one in (*wheels, *sources)}
    for name, condition in asked(folder).items():
        assert name in pinned, f"`{name}` has no pin; update them: tools/provision/pin.py {folder}"
        if condition.startswith("=="):
            assert pinned[name].version == condition.removeprefix("=="), f"`{name}` is not pinned to `{condition}`"
    for one in (*wheels, *sources):
        assert re.fullmatch(r"[0-9][\w.+]*", one.version), f"`{one.name}` is pinned to `{one.version}`"
        assert one.hashes and all(re.fullmatch("[0-9a-f]{64}", digest) for digest in one.hashes), one
    assert "://" not in text, "they name an index"


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_built_has_one_file_and_the_rest_wheels(folder: str) -> None:
    _, sources = pin().parse((KIT / folder / "requirements.txt").read_text())
    # setuptools builds these.
    known = {"plyplus", "pyfdt"} if folder == "tools/provision" else {"reuse"}
    assert {one.name: len(one.hashes) for one in sources} == dict.fromkeys(known, 1), (
        "another package has no wheels: is what builds it pinned, too?"
    )


def test_the_command_takes_wheels_for_Linux_and_sources_only_without_them() -> None:
    def file(name: str, digest: str) -> dict[str, object]:
        return {"url": f"/files/{name}", "hashes": {"sha256": digest}}

    sdist = file("a-1.tar.gz", "5")
    wheels = [
        file("a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "1"),
        file("a-1-cp311-cp311-musllinux_1_2_aarch64.whl", "2"),
        file("a-1-cp311-cp311-win_amd64.whl", "3"),
    ]
    newer = [file("b-2-cp310-cp310-manylinux_2_41_x86_64.whl", "4")]
    packages = [
        {"name": "a", "version": "1", "marker": "python_full_version >= '3.9'", "sdist": sdist, "wheels": wheels},
        {"name": "b", "version": "2", "sdist": sdist, "wheels": newer},
        {"name": "c", "version": "3", "marker": "sys_platform == 'win32'", "sdist": sdist},
    ]
    taken, built = pin().choose(packages, "3.9")
    assert [tuple(one) for one in taken] == [("a", "1", "", ("1", "2"))]
    assert [tuple(one) for one in built] == [("b", "2", "", ("5",))]
