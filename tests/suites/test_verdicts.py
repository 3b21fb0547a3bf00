# SPDX-License-Identifier: BSD-2-Clause
"""Verdicts on suites in one image, from what its console shows."""

from typing import Any

import console
import pytest
from suites import suite

pytestmark = pytest.mark.quick

END = '{ "type": "suite", "event": "ok", "passed": %d, "failed": 0, "ignored": 0, "filtered_out": 0 }'
LINES = (
    "The suite one begins",
    END % 0,
    "The suite two begins",
    '{ "type": "test", "event": "started", "name": "adds" }',
    '{ "type": "test", "event": "ok", "name": "adds" }',
    END % 1,
)


@pytest.mark.parametrize(
    "lines, reason, findings",
    [
        pytest.param(LINES, "", {"one": [], "two": []}, id="all suites end"),
        pytest.param(LINES[:5], "silence", {"one": [], "two": ["the suite did not come to its end: silence"]}, id="cut off"),
        pytest.param(LINES, "a fault", {"one": [], "two": ["the image did not come to its end: a fault"]}, id="fault"),
    ],
)  # fmt: skip
def test_an_image_that_does_not_end_is_a_finding(
    lines: tuple[str, ...], reason: str, findings: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "boot", lambda *_: console.Outcome(reason, list(lines)))
    nothing: Any = None
    verdicts = suite.judge_image(nothing, "x86_64", dict.fromkeys(("one", "two"), nothing))
    assert {name: [each.split(";")[0] for each in verdict.findings] for name, verdict in verdicts.items()} == findings
    assert [verdict.passed for verdict in verdicts.values()] == [0, 1]
