"""How agreements and restrictions stand on a day."""

from __future__ import annotations

from datetime import date

import pytest

from service.world.standing import restriction_stands, status_on
from tests.evidence import agreement, restriction

LIFE = {
    "signed": "2020-03-01",
    "in_force": "2021",
    "suspended": "2023-05",
    "resumed": "2024-01-15",
    "ended": "2025-06-30",
}


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2020-02-29", "pending"),
        ("2020-03-01", "signed"),
        ("2021-12-30", "signed"),
        ("2021-12-31", "in_force"),
        ("2023-05-30", "in_force"),
        ("2023-05-31", "suspended"),
        ("2024-01-14", "suspended"),
        ("2024-01-15", "in_force"),
        ("2025-06-29", "in_force"),
        ("2025-06-30", "ended"),
        ("2100-01-01", "ended"),
    ],
)
def test_an_agreement_lives_through_its_dates(day: str, status: str) -> None:
    assert status_on(agreement("pact", "AAA", "BBB", **LIFE), date.fromisoformat(day)) == status


def test_an_agreement_that_only_says_when_it_entered_into_force_is_in_force() -> None:
    pact = agreement("pact", "AAA", "BBB", signed=None, in_force="2021-01-01")
    assert status_on(pact, date(2020, 12, 31)) == "pending"
    assert status_on(pact, date(2021, 1, 1)) == "in_force"


def test_an_end_without_a_beginning_is_an_end() -> None:
    """Nothing stands after it has ended, whatever else is not known."""
    assert status_on(agreement("pact", "AAA", "BBB", signed=None, ended="2021-01-01"), date(2022, 1, 1)) == "ended"


@pytest.mark.parametrize(
    ("day", "stands"),
    [
        ("2022-03-03", False),
        ("2022-03-04", True),
        ("2023-01-01", False),
        ("2023-06-30", True),
        ("2024-12-31", False),
    ],
)
def test_a_restriction_stands_between_its_dates_and_not_while_suspended(day: str, stands: bool) -> None:
    row = restriction("ban", "AAA", "cobalt", suspended="2023-01-01", resumed="2023-06-30", valid_to="2024")
    assert restriction_stands(row, date.fromisoformat(day)) == stands
