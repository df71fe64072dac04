"""Dates as precise as their source: an event counts from the last day of the period the source states."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.world.dates import happened, holds, last_year, paused, settled

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@st.composite
def printed_dates(draw: st.DrawFn) -> str:
    day = draw(DAYS)
    return draw(st.sampled_from([f"{day:%Y}", f"{day:%Y-%m}", f"{day:%Y-%m-%d}"]))


@pytest.mark.parametrize(
    ("printed", "first"),
    [
        ("2026-02-04", date(2026, 2, 4)),
        ("2025-02", date(2025, 2, 28)),
        ("2024-02", date(2024, 2, 29)),
        ("2025-04", date(2025, 4, 30)),
        ("2009", date(2009, 12, 31)),
    ],
)
def test_a_date_is_certain_on_the_last_day_of_its_period(printed: str, first: date) -> None:
    assert settled(printed) == first
    assert happened(printed, first)
    assert not happened(printed, first - timedelta(days=1))


@given(printed_dates(), DAYS)
def test_what_has_happened_stays_so(printed: str, on: date) -> None:
    if happened(printed, on):
        assert happened(printed, on + timedelta(days=1))


@given(printed_dates())
def test_a_date_lies_within_what_is_printed(printed: str) -> None:
    """The more precise date begins with the less precise one, and never lies after its period."""
    assert settled(printed).isoformat().startswith(printed)
    assert settled(printed) <= settled(printed[:4])


def test_an_event_without_a_date_has_not_happened() -> None:
    assert not happened(None, date.max)


@given(printed_dates(), printed_dates(), DAYS)
def test_a_span_holds_from_its_beginning_to_the_day_before_its_end(begin: str, end: str, on: date) -> None:
    """The end is the first day outside."""
    assert holds(begin, end, on) == (settled(begin) <= on < settled(end))
    assert holds(begin, None, on) == (settled(begin) <= on)


@given(printed_dates(), printed_dates(), DAYS)
def test_a_pause_runs_until_it_is_resumed(suspended: str, resumed: str, on: date) -> None:
    assert paused(suspended, resumed, on) == (settled(suspended) <= on < settled(resumed))
    assert not paused(None, resumed, on)


@given(DAYS)
def test_a_year_is_over_on_its_last_day(on: date) -> None:
    assert settled(str(last_year(on))) <= on < settled(str(last_year(on) + 1))
