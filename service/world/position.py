"""What stands between a buyer and every country on a date: the best tie and the strongest restriction.

Everything is worked out for all minerals, stages and countries at once, as small [stage, mineral, country] arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from service.risk.partners import LADDER, AgreementStatus, Ladder, RestrictionType, Tier, tier_of
from service.world.dates import happened, holds, paused
from service.world.world import STAGES, World

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from service.world.rows import Agreement, Restriction

NOBODY = -1
"""Marks a cell in which no agreement or restriction stands."""

_MARKET_TYPES = ("single_market", "customs_union")


@dataclass(frozen=True, eq=False)
class Position:
    """A buyer's position on a date, as [stage, mineral, country] arrays.

    `tier` holds Tiers, `agreement` and `restriction` are places in the World's agreements and
    restrictions or NOBODY, and `protected` says that a binding clause in force forbids the country that restriction.
    """

    tier: NDArray[np.int8]
    agreement: NDArray[np.int16]
    restriction: NDArray[np.int16]
    protected: NDArray[np.bool_]


def status_on(agreement: Agreement, on: date) -> AgreementStatus:
    """An agreement's status on a day: `pending`, `signed`, `in_force`, `suspended` or `ended`."""
    if happened(agreement.ended, on):
        return "ended"
    if paused(agreement.suspended, agreement.resumed, on):
        return "suspended"
    if happened(agreement.in_force, on):
        return "in_force"
    return "signed" if happened(agreement.signed, on) else "pending"


def restriction_stands(restriction: Restriction, on: date) -> bool:
    """Whether a restriction is in force on a day."""
    return holds(restriction.valid_from, restriction.valid_to, on) and not paused(
        restriction.suspended, restriction.resumed, on
    )


class Positions:
    """Works out the positions of buyers on one date; what the buyers share is worked out once."""

    def __init__(self, world: World, on: date, ladder: Ladder = LADDER) -> None:
        self.world = world
        self.on = on
        self._ladder = ladder
        by_worth = sorted(Tier, key=lambda tier: (ladder.tau(tier).central, tier))
        self._rank = np.array([by_worth.index(tier) for tier in Tier], dtype=np.int8)
        self._shape = (len(STAGES), len(world.minerals), len(world.countries))
        self._expanded: dict[str, frozenset[str]] = {}

    def of(self, buyer: str) -> Position:
        """The position of a country or a bloc.

        A bloc is read conservatively: to each country the weakest tie any member has (members have the bloc's own
        agreements too), and the strongest restriction any member faces. Its members are home. A bloc without recorded
        members has its own agreements only.
        """
        members = sorted(self.expand(buyer)) if buyer in self.world.blocs else []
        if not members:
            return self._single(buyer)
        position = self._weakest([self._single(member) for member in members])
        home = [self.world.country_index[member] for member in members]
        position.tier[:, :, home] = Tier.HOME
        position.agreement[:, :, home] = NOBODY
        return position

    def expand(self, party: str) -> frozenset[str]:
        """The countries a party stands for on the date: itself, or a bloc's members."""
        if party not in self._expanded:
            self._expanded[party] = (
                self.world.members(party, self.on) if party in self.world.blocs else frozenset((party,))
            )
        return self._expanded[party]

    def _single(self, buyer: str) -> Position:
        tier = np.full(self._shape, Tier.NONE, dtype=np.int8)
        agreement = np.full(self._shape, NOBODY, dtype=np.int16)
        protected = np.zeros(self._shape, dtype=np.bool_)
        standing = self._restrictions(buyer)
        for place, rung, instrument in self._instruments:
            if not (partners := self._partners(instrument, buyer)):
                continue
            cells = np.ix_(self._stages(instrument.stages), self._covered(instrument, buyer), self._places(partners))
            better = self._rank[rung] < self._rank[tier[cells]]
            tier[cells] = np.where(better, rung, tier[cells])
            agreement[cells] = np.where(better, place, agreement[cells])
            if rung is Tier.BINDING:
                self._protect(protected, standing, instrument, buyer)
        for bloc in self._markets:
            if buyer in (inside := self.expand(bloc)):
                self._improve(tier, agreement, self._places(inside), Tier.SINGLE_MARKET)
        self._improve(tier, agreement, self._places(self.expand(buyer)), Tier.HOME)
        return Position(tier, agreement, standing, protected)

    def _protect(
        self, protected: NDArray[np.bool_], standing: NDArray[np.int16], agreement: Agreement, buyer: str
    ) -> None:
        """Marks the standing restrictions that the binding clauses of an agreement in force forbid."""
        covered = minerals_covered(self.world, agreement, buyer, self.on)
        for clause in self.world.provisions.get(agreement.id, ()):
            if clause.type != "no_export_restriction" or clause.binding != "yes":
                continue
            meant = self.world.covered(frozenset(clause.minerals)) & covered if clause.minerals else covered
            bound = frozenset().union(*(self.expand(party) for party in clause.obliges or agreement.parties))
            cells = np.ix_(
                self._stages(agreement.stages),
                self._mineral_places(meant),
                self._places(bound & self._partners(agreement, buyer)),
            )
            forbidden = [RestrictionType[name.upper()] for name in clause.forbids] or list(RestrictionType)
            protected[cells] |= np.isin(self._types[standing[cells]], forbidden)

    def _improve(
        self, tier: NDArray[np.int8], agreement: NDArray[np.int16], places: NDArray[np.intp], rung: Tier
    ) -> None:
        better = self._rank[tier[:, :, places]] > self._rank[rung]
        tier[:, :, places] = np.where(better, rung, tier[:, :, places])
        agreement[:, :, places] = np.where(better, NOBODY, agreement[:, :, places])

    def _weakest(self, positions: list[Position]) -> Position:
        tiers = np.stack([position.tier for position in positions])
        weakest = self._rank[tiers].argmax(axis=0)[None]
        restrictions = np.stack([position.restriction for position in positions])
        strongest = self._strength[restrictions].argmax(axis=0)[None]

        def picked(stack: NDArray[np.int16], choice: NDArray[np.intp]) -> NDArray[np.int16]:
            chosen: NDArray[np.int16] = np.take_along_axis(stack, choice, axis=0)[0]
            return chosen

        return Position(
            tier=np.take_along_axis(tiers, weakest, axis=0)[0],
            agreement=picked(np.stack([position.agreement for position in positions]), weakest),
            restriction=picked(restrictions, strongest),
            protected=np.logical_and.reduce([position.protected for position in positions]),
        )

    @cached_property
    def _instruments(self) -> list[tuple[int, Tier, Agreement]]:
        """The agreements that amount to a tie, best and oldest first, with their place and tier."""
        found = []
        for place, agreement in enumerate(self.world.agreements.values()):
            status = status_on(agreement, self.on)
            tier = tier_of(agreement.type, agreement.binding, status)
            if tier is not Tier.NONE:
                found.append((place, tier, agreement))
        return sorted(found, key=lambda entry: (self._rank[entry[1]], entry[2].signed or "", entry[2].id))

    def _partners(self, agreement: Agreement, buyer: str) -> frozenset[str]:
        """The countries an agreement ties to a buyer: those that come in through another party than the buyer.

        An instrument whose only party is a bloc ties the bloc's members with each other.
        """
        own = [party for party in agreement.parties if buyer == party or buyer in self.expand(party)]
        if not own:
            return frozenset()
        others: Iterable[str] = agreement.parties
        if len(own) == 1 and len(agreement.parties) > 1:
            others = (party for party in agreement.parties if party != own[0])
        return frozenset().union(*(self.expand(party) for party in others)) - {buyer}

    def _covered(self, agreement: Agreement, buyer: str) -> NDArray[np.intp]:
        return self._mineral_places(minerals_covered(self.world, agreement, buyer, self.on))

    def _mineral_places(self, minerals: Iterable[str]) -> NDArray[np.intp]:
        index = self.world.mineral_index
        return np.array(sorted(index[mineral] for mineral in minerals), dtype=np.intp)

    def _places(self, countries: Iterable[str]) -> NDArray[np.intp]:
        index = self.world.country_index
        return np.array(sorted(index[country] for country in countries), dtype=np.intp)

    @staticmethod
    def _stages(stages: tuple[str, ...]) -> NDArray[np.intp]:
        return np.array([place for place, stage in enumerate(STAGES) if not stages or stage in stages], dtype=np.intp)

    @cached_property
    def _markets(self) -> list[str]:
        return [bloc.id for bloc in self.world.blocs.values() if bloc.type in _MARKET_TYPES]

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

    def _restrictions(self, buyer: str) -> NDArray[np.int16]:
        standing = np.full(self._shape, NOBODY, dtype=np.int16)
        for place, restriction in enumerate(self.world.restrictions.values()):
            if not restriction_stands(restriction, self.on) or not self.hits(restriction, buyer):
                continue
            minerals = self._mineral_places(self.world.touched(restriction.mineral))
            cells = np.ix_(self._stages(restriction.stages), minerals, self._places((restriction.country,)))
            current = standing[cells]
            stronger = (current == NOBODY) | (self._strength[place] > self._strength[current])
            standing[cells] = np.where(stronger, place, current)
        return standing

    def hits(self, restriction: Restriction, buyer: str) -> bool:
        """Whether a restriction is aimed at a buyer: at all, at it, or at a bloc it belongs to."""
        return not restriction.targets or any(
            buyer == target or buyer in self.expand(target) for target in restriction.targets
        )


def minerals_covered(world: World, agreement: Agreement, buyer: str, on: date) -> frozenset[str]:
    """The minerals an agreement covers for a buyer on a day.

    "Critical minerals" are those on the buyer's own list of that day, else on that of a bloc it belongs to, else on any
    list of a party's; where no list was in force, none.
    """
    if agreement.scope == "all":
        return frozenset(world.minerals)
    if agreement.scope == "named":
        return world.covered(frozenset(agreement.minerals))
    for owners in ((buyer,), sorted(world.blocs_of(buyer, on)), agreement.parties):
        if listed := frozenset().union(*(world.listed(owner, on) for owner in owners)):
            return world.covered(listed)
    return frozenset()
