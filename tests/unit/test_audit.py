"""The audit of the requirements: what is known is a failure, what cannot be known is said."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[2] / ".ci" / "audit.py"
SOUND = {"name": "click", "version": "1.0", "vulns": []}
WEAK = {"name": "h11", "version": "0.9", "vulns": [{"id": "CVE-2025-43859", "fix_versions": ["0.16.0"]}]}
UNKNOWN = {"name": "numpy", "skip_reason": "Dependency not found"}


@pytest.fixture
def told() -> Callable[[list[dict[str, Any]]], int]:
    found: Callable[[list[dict[str, Any]]], int] = runpy.run_path(str(AUDIT))["told"]
    return found


@pytest.mark.parametrize(
    ("report", "code", "lines"),
    [
        ([SOUND], 0, ["1 requirements audited, 0 with known weaknesses"]),
        ([SOUND, WEAK], 1, ["WEAK: h11 0.9: CVE-2025-43859, fixed in 0.16.0"]),
        ([SOUND, UNKNOWN], 0, ["NOT AUDITED: 1 of 2 requirements, unknown to the service: numpy"]),
        ([UNKNOWN], 0, ["0 requirements audited, 0 with known weaknesses"]),
    ],
)
def test_a_report_is_told(
    told: Callable[[list[dict[str, Any]]], int],
    capsys: pytest.CaptureFixture[str],
    report: list[dict[str, Any]],
    code: int,
    lines: list[str],
) -> None:
    assert told(report) == code
    assert set(lines) <= set(capsys.readouterr().out.splitlines())


def test_a_service_that_cannot_be_asked_is_said_and_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A requirement that no file names cannot be read either: there is no report, and that is said."""
    code = runpy.run_path(str(AUDIT))["main"](str(tmp_path / "none.txt"), str(tmp_path / "report.json"))
    assert code == 0
    assert capsys.readouterr().out.startswith("NOT AUDITED")
