"""Scoring all minerals for a buyer on a day: the sheet of the day against the buyer's position."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from service.risk.intervals import LEVEL, Intervals, Parts, intervals, parts
from service.risk.methods.partner_adjusted import MineralScores, score_minerals, score_stages
from service.risk.partners import LADDER, Ladder, RestrictionType, Terms
from service.world.position import NOBODY, Position, positions_on
from service.world.sheet import Sheet, sheet_on
from service.world.world import Memo

if TYPE_CHECKING:
    from datetime import date

    from service.risk.numbers import Bools, Floats, Ints
    from service.world.world import World


@dataclass(frozen=True, eq=False)
class Scored:
    """Every mineral's score for one buyer on one day; `agreement` and `restriction` are places, or NOBODY, by row."""

    sheet: Sheet
    agreement: Ints
    restriction: Ints
    scores: MineralScores
    memo: Memo = field(default_factory=lambda: Memo(8), repr=False)

    @property
    def terms(self) -> Terms:
        """What stands between the buyer and each supplier row."""
        return self.scores.stages.terms

    def only(self, mineral: str) -> Scored:
        """One mineral's score alone: the same numbers, and an interval for little work."""
        return self.memo.get(("only", mineral), lambda: self._only(mineral))

    def _only(self, mineral: str) -> Scored:
        sheet, stages = self.sheet.only(mineral), self.sheet.places_of[mineral]
        rows = self.sheet.suppliers.stages.rows(stages)
        index = list(self.sheet.places_of).index(mineral)
        scores = self.scores.only(index, sheet.suppliers)
        return Scored(sheet, self.agreement[rows], self.restriction[rows], scores)

    def intervals(self, level: float = LEVEL) -> Intervals:
        """The interval of every stage and mineral, holding `level` of the draws."""
        return self.memo.get(("intervals", level), lambda: intervals(self.scores, self.sheet.sample, level))

    def parts(self, level: float = LEVEL) -> Parts:
        """What doubt about the figures and about the ladder contribute to the intervals, each alone."""
        return self.memo.get(("parts", level), lambda: parts(self.scores, self.sheet.sample, level))


def is_buyer(world: World, name: str) -> bool:
    """Whether a name is that of a country or a bloc."""
    return name in world.countries or name in world.blocs


def score_all(world: World, buyer: str, as_of: date, ladder: Ladder = LADDER) -> Scored:
    """Scores every mineral for a country or bloc on a day."""
    key = ("scored", buyer, world.period(as_of), world.epoch(as_of), ladder)
    return world.memo.get(key, lambda: _score_all(world, buyer, as_of, ladder))


def _score_all(world: World, buyer: str, as_of: date, ladder: Ladder) -> Scored:
    sheet = sheet_on(world, as_of)
    terms, agreement, restriction = buyer_terms(world, sheet.cells, positions_on(world, as_of, ladder).of(buyer))
    stages = score_stages(sheet.suppliers, terms, ladder)
    return Scored(sheet, agreement, restriction, score_minerals(stages, sheet.minerals))


def buyer_terms(world: World, cells: tuple[Ints, Ints, Ints], position: Position) -> tuple[Terms, Ints, Ints]:
    """What stands between a buyer and supplier rows, which are at [stage, mineral, country] `cells`."""
    flat = np.ravel_multi_index(cells, position.tier.shape)  # one look-up by place is far quicker than one by three
    restriction = position.restriction.take(flat).astype(np.int64)
    types, rates, rated = world.memo.get("strengths of restrictions", lambda: _strengths(world))
    terms = Terms(
        tier=position.tier.take(flat).astype(np.int64),
        restriction=types[restriction],
        rate=rates[restriction],
        rated=rated[restriction],
        relieved=position.protector.take(flat) != NOBODY,
    )
    return terms, position.agreement.take(flat).astype(np.int64), restriction


def _strengths(world: World) -> tuple[Ints, Floats, Bools]:
    """Type and rate of each restriction, and whether its source gives one, by its place; NOBODY, the last, is none."""
    rows = list(world.restrictions.values())
    types = np.array([*(RestrictionType[row.type.upper()] for row in rows), RestrictionType.NONE], dtype=np.int64)
    rates = np.array([*(row.factor or 1.0 for row in rows), 1.0])
    rated = np.array([*(row.factor is not None for row in rows), False])
    return types, rates, rated


__all__ = ["NOBODY", "Scored", "buyer_terms", "is_buyer", "score_all"]
