"""Who is tied to whom on a date: which agreements, markets and restrictions touch a country, and for which minerals."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from service.risk.partners import AgreementStatus, Tier, tier_of
from service.world.dates import happened, holds, paused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from service.world.rows import Agreement, Restriction
    from service.world.world import World

MARKET_TYPES = ("single_market", "customs_union")
"""Blocs whose members are tied by belonging to them."""


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


class Instrument(NamedTuple):
    """An agreement that amounts to a tie on the date, with its place among the World's agreements."""

    place: int
    tier: Tier
    agreement: Agreement


class Tied(NamedTuple):
    """An instrument, by its place among those of the date, the parties it reaches and the minerals it covers."""

    instrument: int
    reached: tuple[str, ...]
    minerals: frozenset[str]


class Standing(NamedTuple):
    """All that makes a country's position towards others: countries that share it differ in where home is only.

    `markets` are the customs unions and single markets it is in, `restrictions` the places of those that hit it.
    """

    ties: tuple[Tied, ...]
    markets: tuple[str, ...]
    restrictions: tuple[int, ...]


class Ties:
    """The ties of one date; what is asked for twice is worked out once."""

    def __init__(self, world: World, on: date) -> None:
        self.world = world
        self.on = on
        self._expanded: dict[str, frozenset[str]] = {}
        self._meant: dict[frozenset[str], frozenset[str]] = {}
        self._of_buyer: dict[str, frozenset[str]] = {}
        self._standings: dict[str, Standing] = {}

    def within(self, world: World) -> Ties:
        """The same in another World that has the same rows, which lets go of this one."""
        same = copy(self)
        same.world = world
        return same

    def expand(self, party: str) -> frozenset[str]:
        """The countries a party stands for: itself, a bloc's members, or those of all parts of a coalition."""
        if party not in self._expanded:
            if "," in party:
                self._expanded[party] = self.all_of(party.split(","))
            elif party in self.world.blocs:
                self._expanded[party] = self._members.get(party, frozenset())
            else:
                self._expanded[party] = frozenset((party,))
        return self._expanded[party]

    def all_of(self, parties: Iterable[str]) -> frozenset[str]:
        """The countries that some parties stand for."""
        return frozenset().union(*(self.expand(party) for party in parties))

    @cached_property
    def _members(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for row in self.world.memberships:
            if holds(row.valid_from, row.valid_to, self.on):
                found.setdefault(row.bloc, set()).add(row.country)
        return {bloc: frozenset(members) for bloc, members in found.items()}

    def _blocs_of(self, country: str) -> list[str]:
        return [bloc for bloc, members in self._members.items() if country in members]

    @cached_property
    def instruments(self) -> list[Instrument]:
        """The agreements that amount to a tie."""
        entries = (
            Instrument(place, tier_of(agreement.type, agreement.binding, status_on(agreement, self.on)), agreement)
            for place, agreement in enumerate(self.world.agreements.values())
        )
        return [entry for entry in entries if entry.tier is not Tier.NONE]

    @cached_property
    def restrictions(self) -> list[tuple[int, Restriction]]:
        """The restrictions in force, with their place among the World's."""
        rows = enumerate(self.world.restrictions.values())
        return [(place, row) for place, row in rows if restriction_stands(row, self.on)]

    @cached_property
    def _on_all(self) -> list[int]:
        """The places of the restrictions in force that are aimed at nobody in particular."""
        return [place for place, row in self.restrictions if not row.targets]

    @cached_property
    def _aimed(self) -> list[tuple[int, Restriction]]:
        return [(place, row) for place, row in self.restrictions if row.targets]

    @cached_property
    def _markets(self) -> list[str]:
        return [bloc.id for bloc in self.world.blocs.values() if bloc.type in MARKET_TYPES]

    @cached_property
    def _instruments_of(self) -> dict[str, list[int]]:
        """By country or bloc, the instruments that have it among their parties, itself or through a bloc."""
        found: dict[str, list[int]] = {}
        for entry, (_, _, agreement) in enumerate(self.instruments):
            for name in self.all_of(agreement.parties).union(agreement.parties):
                found.setdefault(name, []).append(entry)
        return found

    def standing(self, buyer: str) -> Standing:
        """The standing of a country, or of a bloc by itself."""
        if buyer not in self._standings:
            self._standings[buyer] = self._standing(buyer)
        return self._standings[buyer]

    def _standing(self, buyer: str) -> Standing:
        own = ((entry, self.instruments[entry].agreement) for entry in self._instruments_of.get(buyer, ()))
        return Standing(
            ties=tuple(
                Tied(entry, self._reached(agreement, buyer), self.covered(agreement, buyer)) for entry, agreement in own
            ),
            markets=tuple(bloc for bloc in self._markets if buyer in self.expand(bloc)),
            restrictions=tuple(sorted((*self._on_all, *(at for at, row in self._aimed if self.hits(row, buyer))))),
        )

    def partners(self, agreement: Agreement, buyer: str) -> frozenset[str]:
        """The countries an agreement ties to a buyer: those that come in through another party than the buyer.

        An instrument whose only party is a bloc ties the bloc's members with each other.
        """
        return self.all_of(self._reached(agreement, buyer)) - {buyer}

    def _reached(self, agreement: Agreement, buyer: str) -> tuple[str, ...]:
        own = [party for party in agreement.parties if buyer == party or buyer in self.expand(party)]
        if not own:
            return ()
        if len(own) == 1 and len(agreement.parties) > 1:
            return tuple(party for party in agreement.parties if party != own[0])
        return agreement.parties

    def covered(self, agreement: Agreement, buyer: str) -> frozenset[str]:
        """The minerals an agreement covers for a buyer.

        "Critical minerals" are those on the buyer's own list of the day, else on that of a bloc it belongs to, else on
        any list of a party's; where no list was in force, none.
        """
        if agreement.scope == "all":
            return self._everything
        if agreement.scope == "named":
            return self.meant(frozenset(agreement.minerals))
        return self._critical(buyer) or self.meant(self._on_lists(agreement.parties))

    def _critical(self, buyer: str) -> frozenset[str]:
        """The minerals that a buyer's own lists mean, else those of the blocs it belongs to; none without a list."""
        if buyer not in self._of_buyer:
            self._of_buyer[buyer] = self.meant(self._on_lists((buyer,)) or self._on_lists(self._blocs_of(buyer)))
        return self._of_buyer[buyer]

    def _on_lists(self, owners: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*(self._listed.get(owner, ()) for owner in owners))

    @cached_property
    def _everything(self) -> frozenset[str]:
        return frozenset(self.world.minerals)

    @cached_property
    def _listed(self) -> dict[str, set[str]]:
        """The minerals on the lists of critical minerals in force, by whose they are."""
        found: dict[str, set[str]] = {}
        for row in self.world.listings:
            if holds(row.valid_from, row.valid_to, self.on):
                found.setdefault(row.owner, set()).add(row.mineral)
        return found

    def meant(self, minerals: frozenset[str]) -> frozenset[str]:
        """The minerals meant by naming some, see `World.covered`."""
        if minerals not in self._meant:
            self._meant[minerals] = self.world.covered(minerals)
        return self._meant[minerals]

    def hits(self, restriction: Restriction, buyer: str) -> bool:
        """Whether a restriction is aimed at a buyer: at all, at it, or at a bloc it belongs to."""
        return not restriction.targets or any(
            buyer == target or buyer in self.expand(target) for target in restriction.targets
        )


def ties_on(world: World, on: date) -> Ties:
    """The ties of a day; days between which nothing begins or ends share them."""
    return world.memo.get(("ties", world.epoch(on)), lambda: Ties(world, on))
