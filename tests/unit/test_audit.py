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


def test_an_audit_that_did_not_happen_for_another_reason_is_a_failure(tmp_path: Path) -> None:
    """Such as a file of requirements that is not there."""
    assert runpy.run_path(str(AUDIT))["main"](str(tmp_path / "none.txt"), str(tmp_path / "report.json")) == 1


@pytest.mark.parametrize(
    ("message", "unreachable"),
    [
        ("requests.exceptions.ProxyError: HTTPSConnectionPool(host='feed', port=443): Max retries exceeded", True),
        ("ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed", True),
        ("No module named pip_audit", False),
    ],
)
def test_who_cannot_be_asked_is_told_from_other_failures(message: str, unreachable: bool) -> None:
    assert bool(runpy.run_path(str(AUDIT))["UNREACHABLE"].search(message)) == unreachable
