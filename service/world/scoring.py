"""Scoring all minerals for a buyer on a day: the sheet of the day against the buyer's position."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from service.risk.intervals import LEVEL, Intervals, Parts, intervals, parts
from service.risk.methods.partner_adjusted import MineralScores, score_minerals, score_stages
from service.risk.partners import LADDER, Ladder, RestrictionType
from service.risk.terms import Terms
from service.world.position import NOBODY, Position, positions_on
from service.world.sheet import Sheet, sheet_on
from service.world.world import Memo, kept

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from service.risk.numbers import Bools, Floats
    from service.world.world import World

MOST_BUYERS = 8192
"""Buyers and days of which it is kept how they stand; some 300 bytes each."""
MOST_SCORED = 1024
"""Of so many ways to stand the scores of all minerals are kept; some 45 KB each at two thousand supplier rows."""
MOST_ALONE = 2048
"""Of so many ways to stand towards one mineral's suppliers its score is kept; some 12 KB each."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Every mineral's score for one buyer on one day, and the position it was scored in, row by row.

    Buyers who stand alike towards a mineral's suppliers share its score: `alike` keeps them.
    """

    sheet: Sheet
    position: Position
    scores: MineralScores
    alike: Memo = field(default_factory=lambda: Memo(MOST_ALONE), repr=False)
    memo: Memo = field(default_factory=lambda: Memo(8), repr=False)

    @property
    def terms(self) -> Terms:
        """What stands between the buyer and each supplier row."""
        return self.scores.stages.terms

    def only(self, mineral: str) -> Scored:
        """One mineral's score alone: the same numbers, and an interval for little work."""
        rows = self.sheet.suppliers.stages.rows(self.sheet.places_of[mineral])
        sheet = self.sheet.only(mineral)

        def score() -> Scored:
            scores = self.scores.only(self.sheet.order[mineral], sheet.suppliers, sheet.minerals)
            return Scored(sheet, self.position.only(rows), scores, self.alike)

        return self.alike.get((sheet, self.position.content(rows), self.scores.stages.ladder), score)

    def intervals(self, level: float = LEVEL) -> Intervals:
        """The interval of every stage and mineral, holding `level` of the draws."""
        return self.memo.get(("intervals", level), lambda: intervals(self.scores, self.sheet.sample, level))

    def parts(self, level: float = LEVEL) -> Parts:
        """The intervals, with what doubt about the figures and about the ladder contribute to them, each alone."""
        return self.memo.get(("parts", level), lambda: parts(self.scores, self.sheet.sample, level))


def is_buyer(world: World, name: str) -> bool:
    """Whether a name is that of a country or a bloc."""
    return name in world.countries or name in world.blocs


def score_all(world: World, buyer: str, as_of: date, ladder: Ladder = LADDER) -> Scored:
    """Scores every mineral for a country or bloc on a day; buyers who stand alike share the scores."""
    sheet = sheet_on(world, as_of)

    def position() -> Position:
        return positions_on(world, as_of, ladder).of(buyer)

    def score() -> Scored:
        found = position()
        stages = score_stages(sheet.suppliers, terms_of(world, found), ladder)
        return Scored(sheet, found, score_minerals(stages, sheet.minerals), kept(world, "alike", MOST_ALONE))

    asked = (buyer, world.epoch(as_of), sheet, ladder.order)
    stands = kept(world, "stands", MOST_BUYERS).get(asked, lambda: _digest(position()))
    return kept(world, "scored", MOST_SCORED).get((stands, sheet, ladder), score)


def _digest(position: Position) -> bytes:
    return blake2b(position.content(), digest_size=16).digest()


def terms_of(world: World, position: Position) -> Terms:
    """A position in the scoring core's terms."""
    types, rates, rated = world.memo.get("strengths of restrictions", lambda: _strengths(world))
    return Terms(
        tier=position.tier,
        restriction=types[position.restriction],
        rate=rates[position.restriction],
        rated=rated[position.restriction],
        relieved=position.protector != NOBODY,
    )


def _strengths(world: World) -> tuple[NDArray[np.int8], Floats, Bools]:
    """Type and rate of each restriction, and whether its source gives one, by its place; NOBODY, the last, is none."""
    rows = list(world.restrictions.values())
    types = np.array([*(RestrictionType[row.type.upper()] for row in rows), RestrictionType.NONE], dtype=np.int8)
    rates = np.array([*(row.factor or 1.0 for row in rows), 1.0])
    rated = np.array([*(row.factor is not None for row in rows), False])
    return types, rates, rated


__all__ = ["NOBODY", "Scored", "is_buyer", "score_all", "terms_of"]
