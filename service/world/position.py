"""What stands between a buyer and every country on a date: the best tie and the strongest restriction.

Everything is worked out for all minerals, stages and countries at once, as small [stage, mineral, country] arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from service.risk.partners import LADDER, Ladder, RestrictionType, Tier
from service.world.standing import Standing, Tied, Ties
from service.world.world import STAGES, World

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from service.world.rows import Agreement, Restriction

NOBODY = -1
"""Marks a cell in which no agreement or restriction stands."""


@dataclass(frozen=True, eq=False)
class Position:
    """A buyer's position on a date, as [stage, mineral, country] arrays.

    `tier` holds Tiers; `agreement`, `restriction` and `protector` are places in the World's agreements and restrictions
    or NOBODY: the agreement that makes the tie, the restriction that stands, and the agreement of which a binding
    clause in force forbids the country that restriction.
    """

    tier: NDArray[np.int8]
    agreement: NDArray[np.int16]
    restriction: NDArray[np.int16]
    protector: NDArray[np.int16]


class Positions:
    """Works out the positions of buyers on one date; what the buyers share is worked out once."""

    def __init__(self, world: World, on: date, ladder: Ladder = LADDER) -> None:
        self.world = world
        self.ties = Ties(world, on)
        self._ladder = ladder
        by_worth = sorted(Tier, key=lambda tier: (ladder.tau(tier).central, tier))
        self._rank = np.array([by_worth.index(tier) for tier in Tier], dtype=np.int8)
        self._shape = (len(STAGES), len(world.minerals), len(world.countries))
        self._positions: dict[Standing, Position] = {}
        self._restricted: dict[tuple[int, ...], NDArray[np.int16]] = {}

    def of(self, buyer: str) -> Position:
        """The position of a country, a bloc or a coalition (`CAN,USA`).

        A bloc or coalition is read conservatively: to each country the weakest tie any member has (members have the
        bloc's own agreements too), and the strongest restriction any member faces. Its members are home. A bloc without
        recorded members has its own agreements only.
        """
        members = sorted(self.ties.expand(buyer))
        standings = dict.fromkeys(self.ties.standing(member) for member in members or [buyer])
        position = self._weakest([self._position(standing) for standing in standings])
        home = self._places(members)
        position.tier[:, :, home] = Tier.HOME
        position.agreement[:, :, home] = NOBODY
        position.protector[:, :, home] = NOBODY
        return position

    def _position(self, standing: Standing) -> Position:
        if standing not in self._positions:
            self._positions[standing] = self._work_out(standing)
        return self._positions[standing]

    def _work_out(self, standing: Standing) -> Position:
        """The position of whoever has this standing, its own country aside."""
        tier = np.full(self._shape, Tier.NONE, dtype=np.int8)
        agreement, protector = (np.full(self._shape, NOBODY, dtype=np.int16) for _ in range(2))
        restriction = self._strongest(standing.restrictions)
        for tied in sorted(standing.ties, key=lambda tied: self._order[tied.instrument]):
            place, rung, instrument = self.ties.instruments[tied.instrument]
            cells = self._cells(instrument, tied.minerals, self.ties.all_of(tied.reached))
            better = self._rank[rung] < self._rank[tier[cells]]
            tier[cells] = np.where(better, rung, tier[cells])
            agreement[cells] = np.where(better, place, agreement[cells])
            if rung is Tier.BINDING:
                self._protect(protector, restriction, tied)
        for bloc in standing.markets:
            places = self._places(self.ties.expand(bloc))
            better = self._rank[tier[:, :, places]] > self._rank[Tier.SINGLE_MARKET]
            tier[:, :, places] = np.where(better, Tier.SINGLE_MARKET, tier[:, :, places])
            agreement[:, :, places] = np.where(better, NOBODY, agreement[:, :, places])
        return Position(tier, agreement, restriction, protector)

    @cached_property
    def _order(self) -> list[int]:
        """Where each instrument comes when they are taken best and oldest first."""

        def worth(entry: int) -> tuple[int, str, str]:
            _, tier, agreement = self.ties.instruments[entry]
            return int(self._rank[tier]), agreement.signed or "", agreement.id

        best_first = sorted(range(len(self.ties.instruments)), key=worth)
        order = [0] * len(best_first)
        for turn, entry in enumerate(best_first):
            order[entry] = turn
        return order

    def _protect(self, protector: NDArray[np.int16], restriction: NDArray[np.int16], tied: Tied) -> None:
        """Marks the standing restrictions that the binding clauses of an agreement in force forbid."""
        place, _, agreement = self.ties.instruments[tied.instrument]
        for clause in self.world.provisions.get(agreement.id, ()):
            if clause.type != "no_export_restriction" or clause.binding != "yes":
                continue
            named = self.ties.meant(frozenset(clause.minerals))
            bound = self.ties.all_of(clause.obliges or agreement.parties) & self.ties.all_of(tied.reached)
            cells = self._cells(agreement, tied.minerals & named if clause.minerals else tied.minerals, bound)
            forbidden = [RestrictionType[name.upper()] for name in clause.forbids] or list(RestrictionType)
            forbids = np.isin(self._types[restriction[cells]], forbidden) & (protector[cells] == NOBODY)
            protector[cells] = np.where(forbids, place, protector[cells])

    def _weakest(self, positions: list[Position]) -> Position:
        """A new position: the weakest tie, the strongest restriction, and the protection that all of them have."""
        if len(positions) == 1:
            only = positions[0]
            return Position(only.tier.copy(), only.agreement.copy(), only.restriction, only.protector.copy())
        tiers = np.stack([position.tier for position in positions])
        weakest = self._rank[tiers].argmax(axis=0)[None]
        restrictions = np.stack([position.restriction for position in positions])
        strongest = self._strength[restrictions].argmax(axis=0)[None]
        protected = np.logical_and.reduce([position.protector != NOBODY for position in positions])

        def picked(stack: NDArray[np.int16], choice: NDArray[np.intp]) -> NDArray[np.int16]:
            chosen: NDArray[np.int16] = np.take_along_axis(stack, choice, axis=0)[0]
            return chosen

        return Position(
            tier=np.take_along_axis(tiers, weakest, axis=0)[0],
            agreement=picked(np.stack([position.agreement for position in positions]), weakest),
            restriction=picked(restrictions, strongest),
            protector=np.where(protected, positions[0].protector, np.int16(NOBODY)),
        )

    @cached_property
    def _strength(self) -> NDArray[np.float64]:
        """How restrictions order by strength, by their place; NOBODY, the last, is the weakest."""
        strengths = [
            self._ladder.r(RestrictionType[row.type.upper()], row.factor).central
            for row in self.world.restrictions.values()
        ]
        return np.array([*strengths, 1.0])

    @cached_property
    def _types(self) -> NDArray[np.int64]:
        """The RestrictionType of each restriction, by its place; NOBODY, the last, is none."""
        types = [RestrictionType[row.type.upper()] for row in self.world.restrictions.values()]
        return np.array([*types, RestrictionType.NONE], dtype=np.int64)

    def _strongest(self, places: tuple[int, ...]) -> NDArray[np.int16]:
        """Which of some restrictions, given by their place, stands in each cell: the strongest."""
        if places not in self._restricted:
            standing = np.full(self._shape, NOBODY, dtype=np.int16)
            for place, row in self.ties.restrictions:
                if place not in places:
                    continue
                cells = self._cells(row, self.world.touched(row.mineral), frozenset((row.country,)))
                current = standing[cells]
                stronger = (current == NOBODY) | (self._strength[place] > self._strength[current])
                standing[cells] = np.where(stronger, place, current)
            self._restricted[places] = standing
        return self._restricted[places]

    def _cells(
        self, row: Agreement | Restriction, minerals: frozenset[str], countries: frozenset[str]
    ) -> tuple[NDArray[np.intp], ...]:
        """The [stage, mineral, country] cells of a row's stages with some minerals and countries."""
        stages = [place for place, stage in enumerate(STAGES) if not row.stages or stage in row.stages]
        index = self.world.mineral_index
        chosen = np.array(sorted(index[mineral] for mineral in minerals), dtype=np.intp)
        return np.ix_(np.array(stages, dtype=np.intp), chosen, self._places(countries))

    def _places(self, countries: Iterable[str]) -> NDArray[np.intp]:
        index = self.world.country_index
        return np.array(sorted(index[country] for country in countries), dtype=np.intp)


def positions_on(world: World, as_of: date, ladder: Ladder = LADDER) -> Positions:
    """The positions of a day; days between which nothing begins or ends share them."""
    return world.memo.get(("positions", world.epoch(as_of), ladder), lambda: Positions(world, as_of, ladder))
