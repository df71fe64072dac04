"""Dates as precise as their source: an event counts from the last day of the period its source states.

A treaty "of 2009" is certain to stand on 31 December 2009 and on no earlier day, so that is when it begins to count;
the same holds for the day it ends. One rule for starts and ends keeps a fact from being both early and late.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from functools import cache


@cache
def settled(printed: str) -> date:
    """The first day on which an event of this PartialDate has certainly happened."""
    year, *rest = (int(part) for part in printed.split("-"))
    month = rest[0] if rest else 12
    day = rest[1] if len(rest) == 2 else monthrange(year, month)[1]
    return date(year, month, day)


def last_year(on: date) -> int:
    """The latest calendar year that is over by the end of a day."""
    return on.year if (on.month, on.day) == (12, 31) else on.year - 1


def happened(printed: str | None, on: date) -> bool:
    """Whether an event has happened by the end of a day; one without a date has not."""
    return printed is not None and settled(printed) <= on


def holds(valid_from: str, valid_to: str | None, on: date) -> bool:
    """Whether a span that begins on `valid_from` and is over on `valid_to` holds on a day."""
    return happened(valid_from, on) and not happened(valid_to, on)


def paused(suspended: str | None, resumed: str | None, on: date) -> bool:
    """Whether a suspension is running on a day."""
    return happened(suspended, on) and not happened(resumed, on)
