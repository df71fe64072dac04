"""Scoring all minerals for a buyer on a day: the sheet of the day against the buyer's position."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from service.risk.intervals import LEVEL, Intervals, Parts, intervals, parts
from service.risk.methods.partner_adjusted import MineralScores, score_minerals, score_stages
from service.risk.partners import LADDER, Ladder, RestrictionType, Tier
from service.risk.terms import Kind, Terms
from service.world.memo import Memo, kept, kept_by
from service.world.position import NOBODY, Position, positions_on
from service.world.sheet import Sheet, sheet_on

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import date

    from service.risk.numbers import Ints
    from service.world.world import World

MOST_BUYERS = 8192
"""Buyers and days of which it is kept how they stand; some 300 bytes each."""
MOST_SCORED = 1024
"""Of so many ways to stand the scores of all minerals are kept; some 45 KB each at two thousand supplier rows."""
MOST_ALONE = 2048
"""Of so many ways to stand towards one mineral's suppliers its score is kept; some 12 KB each."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Stand:
    """How a buyer stands towards some supplier rows, whatever the ladder makes of it: one for all who stand alike."""

    position: Position
    terms: Terms

    def only(self, rows: slice) -> Stand:
        """How it stands towards some of the rows."""
        return Stand(self.position.only(rows), self.terms.only(rows))


@dataclass(frozen=True, eq=False)
class Scored:
    """Every mineral's score for one buyer on one day, and how the buyer stands towards the suppliers, row by row.

    Buyers who stand alike towards a mineral's suppliers share its score: `stands` keeps how, and `alike` the scores.
    """

    sheet: Sheet
    stand: Stand
    scores: MineralScores
    stands: Memo | None = field(default=None, repr=False)
    alike: Memo | None = field(default=None, repr=False)
    memo: Memo = field(default_factory=lambda: Memo(8), repr=False)

    @property
    def position(self) -> Position:
        """The buyer's position towards each supplier row."""
        return self.stand.position

    @property
    def terms(self) -> Terms:
        """What stands between the buyer and each supplier row."""
        return self.stand.terms

    def towards(self, mineral: str) -> Stand:
        """How the buyer stands towards one mineral's suppliers."""
        rows = self.sheet.rows_of(mineral)
        key = (self.sheet, mineral, self.position.content(rows))
        return _in(self.stands, key, lambda: self.stand.only(rows))

    def only(self, mineral: str) -> Scored:
        """One mineral's score alone: the same numbers, and an interval for little work."""
        return self.only_of(mineral, self.towards(mineral))

    def only_of(self, mineral: str, stand: Stand) -> Scored:
        """The same, of a buyer of whom it is known how it stands towards the mineral's suppliers."""
        sheet = self.sheet.only(mineral)

        def score() -> Scored:
            scores = self.scores.only(self.sheet.order[mineral], sheet.suppliers, sheet.minerals, stand.terms)
            return Scored(sheet, stand, scores)  # without the memories it is kept in: they go with the World

        return _in(self.alike, (stand, self.scores.stages.ladder), score)

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
    return _scored(world, sheet, _stand(world, sheet, buyer, as_of, ladder), ladder)


def score_alike(world: World, buyer: str, as_of: date, ladder: Ladder = LADDER) -> Scored:
    """The same scores as `score_all`, by whichever ladder says the same of all that stands between buyer and suppliers.

    What is worked out from them must not ask the ladder about ties that are not there.
    """
    sheet = sheet_on(world, as_of)
    stand = _stand(world, sheet, buyer, as_of, ladder)
    return _scored(world, sheet, stand, ladder.on(stand.terms.steps))


def _stand(world: World, sheet: Sheet, buyer: str, as_of: date, ladder: Ladder) -> Stand:
    worked_out: list[Position] = []

    def position() -> Position:
        if not worked_out:
            worked_out.append(positions_on(world, as_of, ladder).of(buyer))
        return worked_out[0]

    asked = (buyer, world.epoch(as_of), sheet, ladder.order)
    alike = kept(world, "buyers", MOST_BUYERS).get(asked, lambda: _digest(position()))
    return kept(world, "stands", MOST_SCORED).get((alike, sheet), lambda: stand_in(world, position()))


def _scored(world: World, sheet: Sheet, stand: Stand, ladder: Ladder) -> Scored:
    def score() -> Scored:
        stages = score_stages(sheet.suppliers, stand.terms, ladder)
        alone = kept(world, "stands alone", MOST_ALONE), kept_by(ladder, world, "alone", MOST_ALONE)
        return Scored(sheet, stand, score_minerals(stages, sheet.minerals), *alone)

    return kept_by(ladder, world, "scored", MOST_SCORED).get((stand, ladder), score)


def _in(memory: Memo | None, key: Hashable, compute: Callable[[], T]) -> T:
    return compute() if memory is None else memory.get(key, compute)


def stand_in(world: World, position: Position) -> Stand:
    """How whoever has a position stands."""
    return Stand(position, terms_of(world, position))


def _digest(position: Position) -> bytes:
    return sha256(position.content()).digest()


def terms_of(world: World, position: Position) -> Terms:
    """A position in the scoring core's terms."""
    kinds, restricted = world.memo.get("kinds of terms", lambda: _kinds(world))
    relieved = len(Tier) * (position.protector != NOBODY)
    kind = restricted[position.restriction] + relieved + position.tier
    return Terms(kinds, kind.astype(np.min_scalar_type(len(kinds))))  # as narrow as it may be: many are kept


def _kinds(world: World) -> tuple[tuple[Kind, ...], Ints]:
    """All kinds of terms there can be, and where those begin that each restriction makes, by its place.

    Of each strength of a restriction there are those not relieved, tier by tier, and behind them those relieved.
    NOBODY, the last place, is no restriction.
    """
    rows = [(RestrictionType[row.type.upper()], row.factor) for row in world.restrictions.values()]
    rows.append((RestrictionType.NONE, None))
    strengths = {strength: place for place, strength in enumerate(dict.fromkeys(rows))}
    kinds = [Kind(tier, *each, relieved) for each in strengths for relieved in (False, True) for tier in Tier]
    return tuple(kinds), np.array([2 * len(Tier) * strengths[row] for row in rows])


__all__ = ["NOBODY", "Scored", "is_buyer", "score_all", "terms_of"]
