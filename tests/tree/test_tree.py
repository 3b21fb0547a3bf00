# SPDX-License-Identifier: BSD-2-Clause
"""What holds for every file of the tree."""

import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from support import KIT, folder, run
from tree.files import lines_with, name, tracked, with_interpreter

pytestmark = [pytest.mark.needs("shellcheck"), pytest.mark.quick]

FULL_HASH = re.compile(r"\b[0-9a-f]{40}\b")


def check_none(found, finding):
    assert not found, "\n".join([finding, *map(str, found)])


def projects():
    return list(ElementTree.parse(KIT / "manifest.xml").getroot().iter("project"))


def test_shell_scripts_pass_shellcheck():
    scripts = with_interpreter("sh|bash") + [path for path in tracked() if path.suffix == ".sh"]
    run("shellcheck", "--external-sources", *sorted(set(scripts)), cwd=KIT)


def test_pages_of_the_docs_are_what_the_sources_say():
    run(KIT / "docs" / "update.py", "--check", cwd=KIT)


def test_links_in_pages_lead_somewhere():
    broken = []
    for page in (path for path in tracked() if path.suffix == ".md"):
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{name(page)}: {target}")
    check_none(broken, "links that lead nowhere:")


def test_commands_in_pages_name_tests_that_exist():
    wrong = []
    for page in (path for path in tracked() if path.suffix == ".md"):
        text = page.read_text()
        wrong += [
            f"{name(page)}: {path}"
            for path in re.findall(r"\./test (tests/[\w./-]+)", text)
            if not (KIT / path).exists()
        ]
        wrong += [f"{name(page)}: {option}" for option in re.findall(r"\./test (--only)", text)]
    check_none(wrong, "`./test` runs no such tests:")


def test_reuse_finds_licence_and_copyright_of_each_file():
    # In a copy, as reuse also walks through what other tests make and remove meanwhile.
    copy = folder() / "copy"
    for path in tracked():
        (copy / name(path)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy / name(path))
    alone = {"GIT_CEILING_DIRECTORIES": str(folder())}
    said = run(sys.executable, "-m", "reuse", "--root", copy, "lint", cwd=copy, env=alone)
    found = re.search(r"Files with license information: (\d+) / \1$", said, re.MULTILINE)
    assert found and int(found[1]) > len(tracked()) - 10, said


# Besides one for each app, as a user has it: the kit's workspaces (its own, that of the tests, those for fuzzing), a test
# with many crates, and the example of a user's project.
MOST_LOCKS = 6


def test_lock_files_are_few():
    locks = [name(path) for path in tracked() if path.name == "Cargo.lock"]
    apps = [path.parts[1] for path in locks if path.parts[0] == "apps"]
    assert len(apps) == len(set(apps)), f"an app has more than one: {apps}"
    apart = [str(path) for path in locks if path.parts[0] != "apps"]
    assert "Cargo.lock" in apart and len(apart) <= MOST_LOCKS, f"{len(apart)}: {' '.join(apart)}"


def test_every_file_names_its_licence():
    """hosted/kernel is under the licence of the kernel that it models, all else under that of seL4's user level."""

    def licence(path):
        return "GPL-2.0-only" if name(path).parts[:2] == ("hosted", "kernel") else "BSD-2-Clause"

    # Tools read VERSION as a whole; REUSE.toml names its licence.
    texts = [path for path in tracked() if path.parent.name != "LICENSES" and path.name != "VERSION"]
    check_none(
        [
            f"{name(path)}: {licence(path)}"
            for path in texts
            # REUSE-IgnoreStart
            if f"SPDX-License-Identifier: {licence(path)}" not in path.read_text()
        ],
        # REUSE-IgnoreEnd
        "no line `SPDX-License-Identifier` with the licence in:",
    )


def test_D7_every_manifest_entry_is_a_full_commit_hash():
    assert len(projects()) > 1, "manifest.xml names no projects"
    for project in projects():
        if project.get("name") == "sel4-rust-kit":
            assert project.get("revision") == "main", "the kit itself is not taken from `main`"
        else:
            assert FULL_HASH.fullmatch(project.get("revision", "")), (
                f"`{project.get('name')}` has the revision `{project.get('revision')}`"
            )


def test_A10_Corrosion_is_pinned_in_the_manifest_and_nowhere_else():
    pins = [project for project in projects() if project.get("name") == "corrosion"]
    assert len(pins) == 1 and FULL_HASH.fullmatch(pins[0].get("revision")), "manifest.xml does not pin Corrosion"
    cmake = [path for path in tracked() if path.suffix == ".cmake" or path.name == "CMakeLists.txt"]
    check_none(lines_with(r"FetchContent|ExternalProject|GIT_TAG|GIT_REPOSITORY", cmake), "CMake fetches by itself:")


def test_the_manifest_is_the_only_place_that_names_a_revision():
    others = [path for path in tracked() if path.name not in ("manifest.xml", "camkes.xml")]
    check_none(lines_with(FULL_HASH, others), "a commit hash outside manifest.xml and camkes.xml:")


def numbered(letter, numbers):
    return [f"{letter}{number}" for number in numbers]


def test_each_id_of_an_earlier_system_is_shown_where_the_docs_say():
    page = (KIT / "docs" / "earlier-systems.md").read_text()
    rows = {
        id: subjects.split()
        for id, subjects in re.findall(r"^\| ([A-Z]\d+) \|.*\| ([a-z0-9 -]+) \|$", page, re.MULTILINE)
    }
    told = re.findall(r"^\* ([A-Z]\d+),", page, re.MULTILINE)
    ids = [
        *numbered("D", range(1, 9)),
        *numbered("R", range(1, 4)),
        *numbered("K", range(1, 4)),
        *numbered("B", range(1, 3)),
        *numbered("L", range(1, 5)),
        *numbered("S", range(1, 4)),
        *numbered("I", range(1, 3)),
        *numbered("X", range(1, 4)),
        "G1",
        *numbered("W", range(1, 3)),
        *numbered("A", [*range(1, 9), 10, 11, 12]),
    ]
    assert set(ids) <= {*rows, *told}, f"docs/earlier-systems.md does not describe {sorted(set(ids) - {*rows, *told})}"
    texts = {}
    for path in tracked():
        if name(path).parts[0] == "tests" and path.suffix == ".py":
            texts[name(path).parts[1]] = texts.get(name(path).parts[1], "") + path.read_text()
    absent = [
        f"{id} in tests/{subject}"
        for id, subjects in rows.items()
        for subject in subjects
        if not re.search(rf"(?<![A-Za-z0-9]){id}(?![A-Za-z0-9])", texts.get(subject, ""))
    ]
    check_none(absent, "ids that no test of the folder has:")
    used = re.findall(r"(?:^def test_|id=f?[\"'])((?:[A-Z]\d+[_ ])+)", "\n".join(texts.values()), re.MULTILINE)
    unknown = {id for names in used for id in re.split("[_ ]", names) if id} - set(rows)
    assert not unknown, f"docs/earlier-systems.md has no row for {sorted(unknown)}"


def check_named_tests(rows):
    for row in rows:
        named = re.findall(r"\[[\w.]+\]\(\.\./([\w/.-]+)\): (`[^`]+`(?:, `[^`]+`)*)", row)
        assert named, f"no test is named: {row}"
        absent = [
            f"`{text}` in {path}"
            for path, texts in named
            for text in texts.strip("`").split("`, `")
            if text not in (KIT / path).read_text()
        ]
        check_none(absent, "what the page names and the file lacks:")


def test_each_finding_of_the_review_names_tests_that_there_are():
    page = (KIT / "docs" / "review.md").read_text()
    rows = re.findall(r"^\| (?:[CHM]|low )\d+ \|.*\|$", page, re.MULTILINE)
    assert len(rows) >= 35, f"only {len(rows)} rows are of the form of the others"
    check_named_tests(rows)


def test_all_that_is_relied_on_in_std_names_tests_that_there_are():
    page = (KIT / "docs" / "std-internals.md").read_text()
    _, *tables = page.split("| relied on | for | if it changes | test that notices |\n|---|---|---|---|\n")
    rows = [row for table in tables for row in table.split("\n\n")[0].splitlines()]
    assert len(tables) == 3 and len(rows) >= 14, f"only {len(rows)} rows in {len(tables)} tables are found"
    check_named_tests(row.rsplit(" | ", 1)[1] for row in rows)


def test_no_path_of_a_machine_is_in_a_file():
    # In two halves, so that this file does not find itself.
    check_none(
        lines_with(r"(?<![\w.$}])/(?:ho" r"me/\w|ro" r"ot/|wo" r"rk/|tmp/ba" r"sh_jobs)", tracked()),
        "paths of a machine:",
    )


def test_nothing_is_left_unfinished_or_switched_off():
    check_none(
        lines_with(
            r"\bto"
            r"do!\(|unimple"
            r"mented!\(|\bFIX"
            r"ME\b|\bXX"
            r"X\b|\bTO"
            r"DO\b|#\[ign"
            r"ore|\|\| tr"
            r"ue\s*$",
            tracked(),
        ),
        "left unfinished or switched off:",
    )
