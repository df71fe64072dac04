"""What stands between a buyer and countries on a date: the best tie and the strongest restriction.

It is worked out for many cells at once, each a stage, a mineral and a country: those of the day's suppliers, or all.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from service.risk.numbers import Bools, Ints
from service.risk.partners import LADDER, Ladder, RestrictionType, Tier
from service.world.memo import Memo, kept
from service.world.sheet import MOST_REACHED, Cells, sheet_on
from service.world.standing import Standing, Tied, ties_on
from service.world.world import STAGES, World

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from service.world.rows import Agreement, Restriction

NOBODY = -1
"""Marks a cell in which no agreement or restriction stands."""

MOST_POSITIONS = 64
"""Of so many days (between which nothing begins or ends) and orders of the ladder ties are kept; below 1 MB each."""


@dataclass(frozen=True, eq=False)
class Position:
    """A buyer's position on a date towards some cells, in their shape.

    `tier` holds Tiers; `agreement`, `restriction` and `protector` are places in the World's agreements and restrictions
    or NOBODY: the agreement that makes the tie, the restriction that stands, and the agreement of which a binding
    clause in force forbids the country that restriction.
    """

    tier: NDArray[np.int8]
    agreement: NDArray[np.int16]
    restriction: NDArray[np.int16]
    protector: NDArray[np.int16]

    def only(self, rows: slice) -> Position:
        """The position towards some of the cells, as arrays of their own: a view would keep all cells in memory."""
        return Position(
            tier=self.tier[rows].copy(),
            agreement=self.agreement[rows].copy(),
            restriction=self.restriction[rows].copy(),
            protector=self.protector[rows].copy(),
        )

    def content(self, rows: slice = slice(None)) -> bytes:
        """The same for every position that is the same in each of some cells."""
        columns = (self.tier, self.agreement, self.restriction, self.protector)
        return b"".join([column[rows].tobytes() for column in columns])


class Positions:
    """Works out the positions of buyers on one date towards `cells`, all there are unless told otherwise.

    What the buyers share is worked out once; `reached` is what is known of the same cells from other days and Worlds.
    """

    def __init__(
        self,
        world: World,
        on: date,
        ladder: Ladder = LADDER,
        cells: Cells | None = None,
        reached: Memo | None = None,
    ) -> None:
        self.world = world
        self.ties = ties_on(world, on)
        self._ladder = ladder
        self._rank = np.array([ladder.by_worth.index(tier) for tier in Tier], dtype=np.int8)
        stage, mineral, country = _everywhere(world) if cells is None else cells
        self._shape = stage.shape
        self._stage, self._mineral, self._country = stage.ravel(), mineral.ravel(), country.ravel()
        self._reached = Memo(MOST_REACHED) if reached is None else reached
        self._positions: dict[Standing, Position] = {}
        self._tied: dict[Tied, Ints] = {}
        self._standing: dict[tuple[int, ...], NDArray[np.int16]] = {}

    def within(self, world: World) -> Positions:
        """The same in another World that has the same rows, which lets go of this one."""
        same = copy(self)
        same.world, same.ties = world, self.ties.within(world)
        return same

    def towards(self, cells: Cells) -> bool:
        """Whether it is towards these cells that positions are worked out."""
        return all(map(np.array_equal, cells, (self._stage, self._mineral, self._country)))

    def of(self, buyer: str) -> Position:
        """The position of a country, a bloc or a coalition (`CAN,USA`).

        A bloc or coalition is read conservatively: to each country the weakest tie any member has (members have the
        bloc's own agreements too), and the strongest restriction any member faces. Its members are home. A bloc without
        recorded members has its own agreements only.
        """
        members = sorted(self.ties.expand(buyer))
        standings = dict.fromkeys(self.ties.standing(member) for member in members or [buyer])
        position = self._weakest([self._position(standing) for standing in standings])
        home = self._in(members)
        if home.any():
            position = Position(
                tier=np.where(home, np.int8(Tier.HOME), position.tier),
                agreement=np.where(home, np.int16(NOBODY), position.agreement),
                restriction=position.restriction,
                protector=np.where(home, np.int16(NOBODY), position.protector),
            )
        shaped = (each.reshape(self._shape) for each in vars(position).values())
        return position if len(self._shape) == 1 else Position(*shaped)

    def _position(self, standing: Standing) -> Position:
        if standing not in self._positions:
            self._positions[standing] = self._work_out(standing)
        return self._positions[standing]

    def _work_out(self, standing: Standing) -> Position:
        """The position of whoever has this standing, its own country aside: the best tie is written last."""
        cells = len(self._stage)
        tier = np.full(cells, Tier.NONE, dtype=np.int8)
        agreement, protector = (np.full(cells, NOBODY, dtype=np.int16) for _ in range(2))
        restriction = self._strongest(standing.restrictions)
        for tied in sorted(standing.ties, key=lambda tied: self._order[tied.instrument], reverse=True):
            place, rung, _ = self.ties.instruments[tied.instrument]
            if self._rank[rung] < self._rank[Tier.NONE]:
                reached = self._tied_cells(tied)
                tier[reached] = rung
                agreement[reached] = place
            if rung is Tier.BINDING:
                self._protect(protector, restriction, tied)
        for bloc in standing.markets:
            better = self._in(self.ties.expand(bloc)) & (self._rank[tier] > self._rank[Tier.SINGLE_MARKET])
            tier[better] = Tier.SINGLE_MARKET
            agreement[better] = NOBODY
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

    def _tied_cells(self, tied: Tied) -> Ints:
        """The cells an instrument reaches for those it ties."""
        if tied not in self._tied:
            instrument = self.ties.instruments[tied.instrument].agreement
            self._tied[tied] = self._where(instrument, tied.minerals, self.ties.all_of(tied.reached))
        return self._tied[tied]

    def _protect(self, protector: NDArray[np.int16], restriction: NDArray[np.int16], tied: Tied) -> None:
        """Marks the standing restrictions that the binding clauses of an agreement in force forbid."""
        place, _, agreement = self.ties.instruments[tied.instrument]
        for clause in self.world.provisions.get(agreement.id, ()):
            if clause.type != "no_export_restriction" or clause.binding != "yes":
                continue
            named = self.ties.meant(frozenset(clause.minerals))
            bound = self.ties.all_of(clause.obliges or agreement.parties) & self.ties.all_of(tied.reached)
            cells = self._where(agreement, tied.minerals & named if clause.minerals else tied.minerals, bound)
            forbidden = [RestrictionType[name.upper()] for name in clause.forbids] or list(RestrictionType)
            protector[cells[np.isin(self._types[restriction[cells]], forbidden)]] = place

    def _weakest(self, positions: list[Position]) -> Position:
        """The weakest tie, the strongest restriction, and the protection that all of them have."""
        if len(positions) == 1:
            return positions[0]
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

    @cached_property
    def _restricted(self) -> list[tuple[int, Ints]]:
        """The restrictions in force by their place, with their cells, the weakest first and of equals the last."""
        touched = self.world.memo.get("touched", lambda: _touched(self.world))
        found = [
            (place, self._where(row, touched[row.mineral], frozenset((row.country,))))
            for place, row in self.ties.restrictions
        ]
        return sorted(found, key=lambda each: (self._strength[each[0]], -each[0]))

    def _strongest(self, places: tuple[int, ...]) -> NDArray[np.int16]:
        """Which of some restrictions, given by their place, stands in each cell: the strongest is written last."""
        if places not in self._standing:
            standing = np.full(len(self._stage), NOBODY, dtype=np.int16)
            hit = set(places)
            for place, cells in self._restricted:
                if place in hit:
                    standing[cells] = place
            self._standing[places] = standing
        return self._standing[places]

    def _where(self, row: Agreement | Restriction, minerals: frozenset[str], countries: frozenset[str]) -> Ints:
        """The cells of a row's stages with some minerals and countries."""

        def found() -> Ints:
            stages = [not row.stages or stage in row.stages for stage in STAGES]
            meant = _marked((self.world.mineral_index[mineral] for mineral in minerals), len(self.world.minerals))
            return np.flatnonzero(np.array(stages)[self._stage] & meant[self._mineral] & self._in(countries))

        return self._reached.get((row.stages, minerals, countries), found)

    def _in(self, countries: Iterable[str]) -> Bools:
        """Which cells are in some countries."""
        places = (self.world.country_index[country] for country in countries)
        return _marked(places, len(self.world.countries))[self._country]


def _everywhere(world: World) -> Cells:
    stage, mineral, country = np.indices((len(STAGES), len(world.minerals), len(world.countries)))
    return stage, mineral, country


def _marked(places: Iterable[int], of: int) -> Bools:
    marked = np.zeros(of, dtype=np.bool_)
    marked[list(places)] = True
    return marked


def _touched(world: World) -> dict[str, frozenset[str]]:
    return {mineral: world.touched(mineral) for mineral in {row.mineral for row in world.restrictions.values()}}


def positions_on(world: World, as_of: date, ladder: Ladder = LADDER) -> Positions:
    """The positions of a day towards its suppliers; days between which nothing begins or ends share them."""

    def made() -> Positions:
        sheet = sheet_on(world, as_of)
        return Positions(world, as_of, ladder, sheet.cells, sheet.reached)

    key = (world.epoch(as_of), world.period(as_of), ladder.order)
    return kept(world, "positions", MOST_POSITIONS).get(key, made)
