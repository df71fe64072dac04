"""What each agreement contributes to a score: all of them against none, told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.risk.partners import LADDER, Ladder, Tier
from service.risk.scenario import parts
from service.world.position import NOBODY
from service.world.scenario.agreements import without
from service.world.scoring import Scored, score_all
from service.world.sheet import share_sheet

if TYPE_CHECKING:
    from datetime import date

    from service.world.rows import Agreement
    from service.world.world import World


@dataclass(frozen=True)
class Contribution:
    """An agreement's part in points, and the countries through which it comes."""

    agreement: Agreement
    points: float
    countries: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Contributions:
    """The scores with all agreements and with none, and what each agreement contributes to the difference.

    Every supplier's tie is the work of one agreement; a bloc's is the one of its weakest member. Where the clause of
    another forbids a restriction, the tie counts first. `agreements` are the parts of one mineral's difference, the
    largest first; see `risk.scenario.parts`.
    """

    as_is: Scored
    without: Scored
    agreements: tuple[Contribution, ...]


def contributions(world: World, mineral: str, buyer: str, as_of: date, ladder: Ladder = LADDER) -> Contributions:
    """What the agreements contribute to a mineral's score for a buyer on a day."""
    bare = without(world)
    share_sheet(world, bare, as_of)
    as_is, none = score_all(world, buyer, as_of, ladder), score_all(bare, buyer, as_of, ladder)
    moves = list(_moves(as_is, none, mineral))
    return Contributions(as_is, none, tuple(_told_apart(world, none, mineral, moves)))


@dataclass(frozen=True)
class _Move:
    """What an agreement adds to the H of a stage through one country; agreement and stage by their place."""

    agreement: int
    stage: int
    country: str
    h: float


def _moves(as_is: Scored, none: Scored, mineral: str) -> Iterator[_Move]:
    sheet, stages = as_is.sheet, as_is.scores.stages
    tau = np.array([stages.ladder.tau(tier).central for tier in Tier])
    for index in sheet.places_of[mineral]:
        place = sheet.places[index]
        for at, row in enumerate(place.shares.rows if place.shares else (), start=place.rows.start):
            weight, begin, end = sheet.suppliers.scored_weight[at], none.scores.stages.factor[at], stages.factor[at]
            ties, clause = int(as_is.position.agreement[at]), int(as_is.position.protector[at])
            middle = end if clause == NOBODY else begin
            if clause != NOBODY and ties != NOBODY and begin > 0:
                middle = begin * tau[as_is.terms.at(at).tier] / tau[none.terms.at(at).tier]
            if ties != NOBODY:
                yield _Move(ties, index, row.country, float(weight * (middle - begin)))
            if clause != NOBODY:
                yield _Move(clause, index, row.country, float(weight * (end - middle)))


def _told_apart(world: World, none: Scored, mineral: str, moves: list[_Move]) -> list[Contribution]:
    counting = sorted({move.agreement for move in moves})
    stages = [index for index in none.sheet.places_of[mineral] if none.scores.stages.sufficient[index]]
    table = np.zeros((len(stages), len(counting)))
    for move in moves:
        if move.stage in stages:
            table[stages.index(move.stage), counting.index(move.agreement)] += move.h
    found = parts(none.scores.stages.h[stages], table)
    rows = list(world.agreements.values())
    told = [
        Contribution(
            agreement=rows[place],
            points=float(found[column]),
            countries=tuple(sorted({move.country for move in moves if move.agreement == place})),
        )
        for column, place in enumerate(counting)
    ]
    return sorted(told, key=lambda part: (part.points, part.agreement.id))
