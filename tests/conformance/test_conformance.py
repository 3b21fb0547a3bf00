# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel answers to every kind of use is what was recorded from it, line by line."""

import re
from collections.abc import Sequence

import pytest
from conformance import recording
from conformance.narrow import Implementation, digests, explained, first_difference, narrowed
from conformance.recording import CONFIGURATIONS, HERE, HOSTED, PARTS, check_hosted, differences, recorded, sections
from libsel4.api import cargo_against
from support import KIT, check, run
from support.builds import STEADY, Shared


def on(*recordings: str, name: str, also: Sequence[str] = ()) -> pytest.MarkDecorator:
    """Returns rows of these recordings on their configurations; `name` is that of a row. Those that `also` has are long."""
    rows = [pytest.param(each, CONFIGURATIONS[each], id=name.format(each)) for each in recordings]
    rows += [pytest.param(each, CONFIGURATIONS[each], id=name.format(each), marks=pytest.mark.long) for each in also]
    return pytest.mark.parametrize("name, configuration", rows)


# The two architectures of the hosted platform, each with both kinds of scheduling.
@on(*CONFIGURATIONS, name="{}: the scenarios go as recorded")
def test_says_what_was_recorded(name: str, configuration: str) -> None:
    app = "scenarios"
    ours = recording.transcript(app, recording.build(app, name))
    theirs = recorded(app, name)
    found = list(differences(ours, theirs))
    check(
        not found,
        f"{len(found)} scenarios differ from {recording.path(app, name).relative_to(HERE)}:\n"
        + "\n".join(text for _, text in found[:10]),
    )
    check(ours == theirs, "the scenarios are equal, and their order is not")


@pytest.mark.needs("hosted")
@pytest.mark.parametrize(
    "name, configuration",
    [pytest.param(name, of, id=f"{name}: {subject} as recorded") for name, (of, subject) in PARTS.items()],
)
def test_a_part_goes_as_recorded_on_the_kernel_and_on_the_hosted_platform(name: str, configuration: str) -> None:
    folder = recording.build("scenarios", name)
    theirs = recorded("scenarios", name)
    for command in STEADY, ("./simulate-hosted",):
        ours = recording.part(recording.transcript("scenarios", folder, command), PARTS[name][1])
        found = list(differences(ours, theirs))
        check(not found, f"{command[0]} differs from {name}:\n" + "\n".join(text for _, text in found))


@on("x86_64", "aarch64-mcs", name="{}: the crate is formatted and free of warnings")
def test_the_crate_is_formatted_and_free_of_warnings(name: str, configuration: str, build: Shared) -> None:
    recording.build("scenarios", name)
    run("cargo", "fmt", "--check", cwd=HERE / "scenarios")
    target = build.configuration.triple
    cargo_against(build.bindings, target, "clippy", "--", "--deny", "warnings", crate=HERE / "scenarios")


# Each architecture and each kind of scheduling once.
@on("x86_64", "aarch64-mcs", also=["x86_64-mcs", "aarch64"], name="{}: 2,000 random sequences go as recorded")
def test_answers_sequences_as_recorded(name: str, configuration: str) -> None:
    ours = digests(recording.transcript("sequences", recording.build("sequences", name)))
    theirs = digests(recorded("sequences", name))
    check(len(theirs) >= 2000, f"only {len(theirs)} sequences are recorded")
    number = first_difference(ours, theirs)
    check(number is None, f"sequence {number} differs: {ours[number or 0]}, recorded {theirs[number or 0]}")


@pytest.mark.needs("hosted")
@on("x86_64-mcs", also=["x86_64"], name="{}: images do on the hosted platform what they do on the kernel")
def test_images_do_on_the_hosted_platform_what_they_do_on_the_kernel(name: str, configuration: str) -> None:
    ours = recording.transcript("sequences", recording.build("sequences", name), ("./simulate-hosted",))
    check(ours == recorded("sequences", name), "a random sequence differs")
    ours = recording.transcript("scenarios", recording.build("scenarios", name), ("./simulate-hosted",))
    check_hosted(ours, recorded("scenarios", name), {})


@pytest.mark.long
@pytest.mark.needs("hosted")
@pytest.mark.on("qemu-arm-virt")
def test_a_sequence_that_differs_is_narrowed_to_its_smallest_part() -> None:
    # Two architectures stand for two implementations: the status of a memory fault differs. The hosted platform answers
    # as the kernel of its architecture does.
    one, other = Implementation("hosted"), Implementation("aarch64")
    number = first_difference(digests(recorded("sequences", "x86_64")), digests(recorded("sequences", other.name)))
    assert number is not None
    steps = narrowed(one, other, number)
    text = explained(one, other, number, steps)
    print(text)
    check(1 <= steps.bit_count() <= 5, f"{steps.bit_count()} steps are left")
    check("hosted: " in text and "aarch64: " in text, "the difference is not shown")


@pytest.mark.quick
def test_a_difference_is_found_wherever_it_is() -> None:
    lines = recorded("scenarios", "x86_64")
    check(not list(differences(lines, lines)), "a transcript differs from itself")
    seen = 0
    for name, content in sections(lines):
        check(content, f"`{name}` says nothing")
        # Scenarios are compared one by one.
        section = [f"== {name}", *content]
        for number, line in enumerate(section):
            before, after = section[:number], section[number + 1 :]
            check(list(differences([*before, line + " ", *after], section)), f"`{line}` of `{name}` may change unseen")
            check(list(differences([*before, *after], section)), f"`{line}` of `{name}` may go unseen")
        seen += len(section)
    # The last line is that of the program.
    check(seen == len(lines) - 1, f"{len(lines) - 1 - seen} lines are in no scenario")


ERRORS = (
    "InvalidArgument",
    "InvalidCapability",
    "IllegalOperation",
    "RangeError",
    "AlignmentError",
    "FailedLookup",
    "TruncatedMessage",
    "DeleteFirst",
    "RevokeFirst",
    "NotEnoughMemory",
    "InvalidRoot",
    "MissingCapability",
    "DepthMismatch",
    "GuardMismatch",
)


@pytest.mark.quick
def test_there_are_scenarios_of_every_kind() -> None:
    for name in CONFIGURATIONS:
        subjects = [title.partition(":")[0] for title, _ in sections(recorded("scenarios", name))]
        check(
            len(subjects) >= 60 and len(set(subjects)) >= 12,
            f"{name}: {len(subjects)} scenarios of {sorted(set(subjects))}",
        )
        text = "\n".join(recorded("scenarios", name))
        for error in ERRORS:
            check(error in text, f"{name}: `{error}` never comes")


@pytest.mark.quick
def test_the_chapter_lists_what_the_hosted_platform_does_otherwise() -> None:
    page = (KIT / "docs" / "conformance.md").read_text()
    for name, reason in HOSTED.items():
        check(f"| {name} | {reason} |" in page, f"docs/conformance.md does not have `{name}`: `{reason}`")


@pytest.mark.quick
def test_recordings_hold_no_addresses_of_the_kernel() -> None:
    # The kernel's objects are there on both architectures.
    for name in CONFIGURATIONS:
        for number, line in enumerate(recorded("scenarios", name), 1):
            check(not re.search(r"0xffffff80(?!0{8})[0-9a-f]{8}", line), f"{name}, line {number}: {line}")
