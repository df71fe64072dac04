"""Whether an interval holds what later editions print about as often as it says. `pytest -s` prints the figures.

Two tests on figures that were not there when the interval could have been made, buyer USA, every stage whose shares
are those of USGS in both pictures:

* the estimate for 2024 of the edition of 2025 against 2024 in the edition of 2026: the very thing the standard error
  of an estimate stands for. Of some 55 stages a well-made interval of 90 % holds 0.9 ± 0.08 (two standard errors of the
  binomial), so less than 0.82 is too narrow. More than 0.9 is expected: the interval also holds the doubt about
  governance, the ladder and the unreported remainder, none of which moves between the two editions. With no other
  source in the ledger all of them would be too wide, by a chance of 0.3 % (0.9 to the power of 55); with other sources
  the spread between those and USGS widens it further;
* 2024 against 2025, both of the edition of 2026 and among the seeds: a year's change and not an error. USGS carries
  most estimates forward, so an interval that held less than 0.9 would be too narrow even for that.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from service.risk.uncertainty import SHARE_SD
from service.world.rows import Share
from tests.verification.coverage import (
    EARLIER,
    LATER,
    Case,
    apart,
    cases,
    coverage,
    earlier_edition,
    of_year,
    shipped,
    told,
)

LEVEL = 0.9
NARROWEST = 0.82


@pytest.fixture(scope="module")
def editions(publications: Path) -> tuple[list[Share], list[Share]]:
    """2024 as estimated in the edition of 2025, and as printed in the edition of 2026."""
    return of_year(earlier_edition(publications), EARLIER, 2024), of_year(shipped(), LATER, 2024)


def between_editions(
    editions: tuple[list[Share], list[Share]], level: float = LEVEL, *, alone: bool = False
) -> list[Case]:
    return cases(*editions, date(2024, 12, 31), level, alone=alone)


def test_intervals_hold_what_the_next_edition_prints(editions: tuple[list[Share], list[Share]]) -> None:
    """As the service makes them, of all sources: not too narrow."""
    found = between_editions(editions)
    print("\n" + told(found, LEVEL, "2024 as estimated in 2025 against 2024 as printed in 2026, all sources"))
    assert len(found) > 50
    assert coverage(found) >= NARROWEST


def test_intervals_of_one_source_hold_about_what_they_say(editions: tuple[list[Share], list[Share]]) -> None:
    """Of USGS alone: not too narrow, and not so wide that nothing could fall outside."""
    found = between_editions(editions, alone=True)
    print("\n" + told(found, LEVEL, "2024 as estimated in 2025 against 2024 as printed in 2026, USGS alone"))
    assert len(found) > 50
    assert NARROWEST <= coverage(found) < 1


def test_intervals_hold_the_next_years_figures() -> None:
    """From the seeds alone."""
    years = of_year(shipped(), LATER, 2024), of_year(shipped(), LATER, 2025)
    found = cases(*years, date(2025, 12, 31), LEVEL)
    print("\n" + told(found, LEVEL, "2024 against 2025, edition of 2026"))
    assert len(found) > 50
    assert coverage(found) >= LEVEL


def test_an_interval_of_less_holds_less(editions: tuple[list[Share], list[Share]]) -> None:
    """Coverage falls with the level, and an interval of next to nothing is found out."""
    held = [coverage(between_editions(editions, level)) for level in (0.99, 0.9, 0.5)]
    assert held == sorted(held, reverse=True)
    assert coverage(between_editions(editions, 0.05)) < NARROWEST


def test_the_standard_error_of_an_estimate_is_measured(editions: tuple[list[Share], list[Share]]) -> None:
    """90 % of the shares of 10 % and more lie within 0.9·√3 standard errors of what the next edition prints, in log
    odds: the middle 90 % of the uniform distribution they are drawn from."""
    found = apart(*editions, least=0.1)
    reach = float(np.quantile(found, 0.9))
    measured = reach / (0.9 * np.sqrt(3))
    print(f"\n{len(found)} shares of 10 % and more: 90 % within ±{reach:.3f}, a standard error of {measured:.3f}")
    assert len(found) > 100
    assert SHARE_SD["estimated"] == pytest.approx(measured, abs=0.02)
