"""Figures published earlier against later ones: how often an interval made of the former holds the latter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from service.intake import usgs
from service.intake.names import Names
from service.intake.tables import decode
from service.seeding import read_seeds
from service.world.rows import Country, Mineral, Row, Share
from service.world.scoring import Scored, score_all
from tests.evidence import world_of

BUYER = "USA"
EARLIER, LATER = "usgs-mcs-2025", "usgs-mcs-2026"


@dataclass(frozen=True)
class Case:
    """One stage of one mineral: the score of the later figures, and the interval made of the earlier ones."""

    mineral: str
    stage: str
    before: float
    after: float
    low: float
    high: float

    @property
    def covered(self) -> bool:
        """Whether the interval holds the later score."""
        return self.low <= self.after <= self.high


@cache
def shipped() -> tuple[Row, ...]:
    """The shipped evidence."""
    return tuple(read_seeds())


def of_year(rows: Iterable[Row], source: str, year: int) -> list[Share]:
    """The shares a source prints of one year."""
    return [row for row in rows if isinstance(row, Share) and (row.source, row.period_end) == (source, year)]


def earlier_edition(publications: Path) -> list[Share]:
    """The shares of the edition of 2025, read from the file as published."""
    names = Names(
        [row for row in shipped() if isinstance(row, Country)], [row for row in shipped() if isinstance(row, Mineral)]
    )
    with (publications / "usgs_mcs2025" / "MCS2025_World_Data.csv").open("rb") as file:
        items = usgs.read(decode(file, usgs.ENCODINGS[EARLIER]), names, EARLIER)
        return [item for item in items if isinstance(item, Share)]


def scored(shares: list[Share], on: date, *, alone: bool) -> Scored:
    """All minerals for the buyer, with these shares `alone` or beside those of every source but USGS."""
    others = (row for row in shipped() if not (isinstance(row, Share) and (alone or row.source.startswith("usgs-"))))
    return score_all(world_of(others, shares), BUYER, on)


def cases(before: list[Share], after: list[Share], on: date, level: float, *, alone: bool = False) -> list[Case]:
    """Every stage for which either set of shares is chosen and has a score, in the order of minerals."""
    earlier, later = scored(before, on, alone=alone), scored(after, on, alone=alone)
    ends = earlier.intervals(level).stages
    places = dict(_chosen(later))
    return [
        Case(
            mineral=place[0],
            stage=place[1],
            before=float(earlier.scores.stages.score[at]),
            after=float(later.scores.stages.score[places[place]]),
            low=float(ends.low[at]),
            high=float(ends.high[at]),
        )
        for place, at in _chosen(earlier)
        if place in places
    ]


def _chosen(scored: Scored) -> Iterator[tuple[tuple[str, str], int]]:
    for at, place in enumerate(scored.sheet.places):
        if place.shares and place.shares.source.id.startswith("usgs-") and scored.scores.stages.sufficient[at]:
            yield (place.mineral, place.stage), at


def coverage(found: list[Case]) -> float:
    """The part of the cases whose interval holds the later score."""
    return sum(case.covered for case in found) / len(found)


def told(found: list[Case], level: float, what: str) -> str:
    """The figure and the misses, in words."""
    lines = [
        f"{what}: {sum(case.covered for case in found)} of {len(found)} intervals of {level:.0%} hold the later score"
        f" ({coverage(found):.1%}); half of them are narrower than"
        f" {np.median([case.high - case.low for case in found]):.1f} points"
    ]
    lines += [
        f"  missed: {case.mineral} {case.stage} {case.before:.1f} → {case.after:.1f}, [{case.low:.1f}, {case.high:.1f}]"
        for case in found
        if not case.covered
    ]
    return "\n".join(lines)


def apart(before: list[Share], after: list[Share], least: float) -> list[float]:
    """How far, in log odds, later shares lie from those estimated earlier that are at least `least`."""
    later = {(row.mineral, row.stage, row.country): row.share for row in after}
    return [
        abs(_log_odds(now) - _log_odds(row.share))
        for row in before
        if row.qualifier == "estimated"
        and row.share is not None
        and row.share >= least
        and (now := later.get((row.mineral, row.stage, row.country))) is not None
    ]


def _log_odds(share: float) -> float:
    inside = min(max(share, 1e-3), 1 - 1e-3)
    return float(np.log(inside / (1 - inside)))
