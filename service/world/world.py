"""The World: the ledger at one revision, immutable, indexed for reading, built whole and swapped whole."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from service.world.dates import holds, last_year, settled
from service.world.governance import GovernanceTable, tabulate
from service.world.memo import Memo
from service.world.rows import (
    KINDS,
    Agreement,
    Bloc,
    Cited,
    Claim,
    Control,
    Country,
    Deposit,
    Governance,
    Listing,
    Membership,
    Mineral,
    Provision,
    Reserve,
    Restriction,
    Row,
    Share,
    Source,
    Stage,
)
from service.world.shares import ShareSet, choose, collect
from service.world.studies import STUDIED, Studies
from service.world.studies import collect as collect_studies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date, datetime

    from numpy.typing import NDArray

    from service.world.evidence import Evidence

STAGES: tuple[Stage, ...] = ("extraction", "processing")
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class World:
    """An indexed, immutable picture of the ledger at `revision`.

    Countries and minerals have a fixed order; `country_index` and `mineral_index` give their places in every array.
    """

    evidence: Evidence = field(repr=False)
    """What it was built from."""
    sources: dict[str, Source]
    countries: dict[str, Country]
    minerals: dict[str, Mineral]
    blocs: dict[str, Bloc]
    agreements: dict[str, Agreement]
    provisions: dict[str, tuple[Provision, ...]]
    """The clauses on record, by agreement."""
    restrictions: dict[str, Restriction]
    listings: tuple[Listing, ...]
    memberships: tuple[Membership, ...]
    reserves: tuple[Reserve, ...]
    controls: tuple[Control, ...]
    claims: dict[str, Claim]
    deposits: dict[str, Deposit]
    governance: GovernanceTable
    share_sets: dict[tuple[str, str], tuple[ShareSet, ...]]
    studies: Studies
    cited: dict[str, dict[str, int]]
    """How many rows of each kind cite each source."""
    event_days: tuple[date, ...] = field(repr=False)
    """The days on which an agreement, a restriction, a membership or a list begins, pauses or ends, in order."""
    undated_days: tuple[date, ...] = field(repr=False)
    """The days from which share sets without a period count, in order."""
    country_index: dict[str, int] = field(repr=False)
    country_numbers: NDArray[np.int64] = field(repr=False)
    """A number for each country that stays the same in every revision: its code read in base 26."""
    mineral_index: dict[str, int] = field(repr=False)
    memo: Memo = field(default_factory=Memo, repr=False)
    """What has been worked out from this World; dropped with it."""

    @property
    def revision(self) -> int:
        """The ledger revision it shows."""
        return self.evidence.revision

    @property
    def committed_at(self) -> datetime:
        """When that revision was committed."""
        return self.evidence.committed_at

    @property
    def data_version(self) -> str:
        """The hash of the ledger's content at that revision."""
        return self.evidence.data_version

    def epoch(self, on: date) -> int:
        """How many dated events have happened by a day: what stands between countries is the same within an epoch."""
        return bisect_right(self.event_days, on)

    def period(self, on: date) -> tuple[int, int]:
        """Which figures speak on a day: they are the same on all days with the same last year and undated sources."""
        return last_year(on), bisect_right(self.undated_days, on)

    def changed(self, **rows: Any) -> World:
        """This World with other rows in some fields, what is derived from them worked out anew."""
        world = replace(self, **rows, memo=Memo())
        dated = (world.agreements.values(), world.restrictions.values(), world.memberships, world.listings)
        return replace(world, event_days=_event_days(*dated))

    def members(self, bloc: str, on: date) -> frozenset[str]:
        """The countries that belong to a bloc on a day."""
        return frozenset(m.country for m in self.memberships if m.bloc == bloc and holds(m.valid_from, m.valid_to, on))

    def blocs_of(self, country: str, on: date) -> frozenset[str]:
        """The blocs a country belongs to on a day."""
        return frozenset(
            m.bloc for m in self.memberships if m.country == country and holds(m.valid_from, m.valid_to, on)
        )

    def share_set(self, mineral: str, stage: str, as_of: date) -> ShareSet | None:
        """The share set that speaks for a mineral's stage on a day, by the rule of `shares.choose`."""
        return choose(self.share_sets.get((mineral, stage), ()), as_of)

    def listed(self, owner: str, on: date) -> frozenset[str]:
        """The minerals on a country's or bloc's lists of critical minerals in force on a day."""
        return frozenset(
            row.mineral for row in self.listings if row.owner == owner and holds(row.valid_from, row.valid_to, on)
        )

    def covered(self, minerals: frozenset[str]) -> frozenset[str]:
        """The minerals meant by naming some: members of a named group, and groups all of whose members are meant."""
        meant = set(minerals)
        waiting = list(minerals)
        while waiting:
            for member in self.minerals[waiting.pop()].members:
                if member not in meant:
                    meant.add(member)
                    waiting.append(member)
        meant.update(m.id for m in self.minerals.values() if m.members and meant.issuperset(m.members))
        return frozenset(meant)

    def touched(self, mineral: str) -> frozenset[str]:
        """The minerals a restriction on one reaches: it, its members, and every group that has one of these.

        A group is restricted where any member is, and covered by an agreement only where all are: whoever needs the
        group needs that member too.
        """
        meant = self.covered(frozenset((mineral,)))
        return meant | {group.id for group in self.minerals.values() if not meant.isdisjoint(group.members)}


def build(evidence: Evidence, base: World | None = None) -> World:
    """Builds a World from the evidence at a revision.

    What would be made from the same rows as in `base`, a World built before, is taken over from it.
    """
    world = _Building(evidence, base)
    sources = world.made("sources", (Source,), lambda: {row.id: row for row in evidence.of(Source)})
    countries = world.made("countries", (Country,), lambda: {row.code: row for row in evidence.of(Country)})
    minerals = world.made("minerals", (Mineral,), lambda: {row.id: row for row in evidence.of(Mineral)})
    country_index = world.made("country_index", (Country,), lambda: _places(countries))
    share_sets = world.made("share_sets", (Share, Source, Country), lambda: _share_sets(world, sources, country_index))
    return World(
        evidence=evidence,
        sources=sources,
        countries=countries,
        minerals=minerals,
        blocs=world.made("blocs", (Bloc,), lambda: {row.id: row for row in evidence.of(Bloc)}),
        agreements=world.made("agreements", (Agreement,), lambda: {row.id: row for row in evidence.of(Agreement)}),
        provisions=world.made("provisions", (Provision,), lambda: _by_agreement(evidence.of(Provision))),
        restrictions=world.made(
            "restrictions", (Restriction,), lambda: {row.id: row for row in evidence.of(Restriction)}
        ),
        listings=world.made("listings", (Listing,), lambda: tuple(evidence.of(Listing))),
        memberships=world.made("memberships", (Membership,), lambda: tuple(evidence.of(Membership))),
        reserves=world.made("reserves", (Reserve,), lambda: tuple(evidence.of(Reserve))),
        controls=world.made("controls", (Control,), lambda: tuple(evidence.of(Control))),
        claims=world.made("claims", (Claim,), lambda: {row.id: row for row in evidence.of(Claim)}),
        deposits=world.made("deposits", (Deposit,), lambda: {row.id: row for row in evidence.of(Deposit)}),
        governance=world.made(
            "governance",
            (Governance, Source, Country),
            lambda: tabulate(evidence.of(Governance), sources, country_index),
        ),
        share_sets=share_sets,
        studies=world.made(
            "studies", (*STUDIED, Source, Country), lambda: collect_studies(evidence, sources, country_index)
        ),
        cited=_cited(world),
        event_days=world.made("event_days", DATED, lambda: _event_days(*(evidence.of(kind) for kind in DATED))),
        undated_days=world.made("undated_days", (Share, Source, Country), lambda: _undated_days(share_sets)),
        country_index=country_index,
        country_numbers=world.made(
            "country_numbers", (Country,), lambda: np.array([_number(code) for code in countries], dtype=np.int64)
        ),
        mineral_index=world.made("mineral_index", (Mineral,), lambda: _places(minerals)),
    )


@dataclass(frozen=True)
class _Building:
    """What a World is built from: its evidence, and a World that may have been built from some of the same rows."""

    evidence: Evidence
    base: World | None

    def kept(self, *kinds: type[Row]) -> World | None:
        """The base, if it was built from the same rows of these kinds."""
        base = self.base
        return base if base and all(self.evidence.same(kind, base.evidence) for kind in kinds) else None

    def made(self, field: str, kinds: tuple[type[Row], ...], make: Callable[[], T]) -> T:
        """A field of the World, which is made from rows of these kinds and nothing else."""
        kept = self.kept(*kinds)
        return make() if kept is None else getattr(kept, field)


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _share_sets(
    world: _Building, sources: Mapping[str, Source], country_index: Mapping[str, int]
) -> dict[tuple[str, str], tuple[ShareSet, ...]]:
    """All share sets; where neither those of a place nor what they refer to has changed, they stay the same objects."""
    base = world.kept(Country)
    if base is not None and any(sources.get(name) != source for name, source in base.sources.items()):
        base = None
    return {
        place: base.share_sets[place]
        if base is not None and base.evidence.shares.get(place) is sets
        else collect(sets, sources, country_index)
        for place, sets in world.evidence.shares.items()
    }


def _undated_days(share_sets: Mapping[tuple[str, str], tuple[ShareSet, ...]]) -> tuple[date, ...]:
    return tuple(sorted(s.undated_from for found in share_sets.values() for s in found if s.undated_from))


def _by_agreement(provisions: Iterable[Provision]) -> dict[str, tuple[Provision, ...]]:
    found: dict[str, tuple[Provision, ...]] = {}
    for provision in provisions:
        found[provision.agreement] = (*found.get(provision.agreement, ()), provision)
    return found


def _number(code: str) -> int:
    first, second, third = (ord(letter) - ord("A") for letter in code)
    return (first * 26 + second) * 26 + third


DATED: tuple[type[Row], ...] = (Agreement, Restriction, Membership, Listing)
"""The kinds whose rows say from when on, and until when, they count."""

_EVENTS = ("signed", "in_force", "suspended", "resumed", "ended", "valid_from", "valid_to")


def _event_days(*dated: Iterable[Row]) -> tuple[date, ...]:
    printed = {getattr(row, event, None) for rows in dated for row in rows for event in _EVENTS}
    return tuple(sorted({settled(text) for text in printed if text}))


def _cited(world: _Building) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for kind in KINDS:
        for source, count in _citing(world, kind).items():
            counts.setdefault(source, {})[kind.kind] = count
    return counts


def _citing(world: _Building, kind: type[Row]) -> dict[str, int]:
    """How many rows of a kind cite each source."""
    if (base := world.kept(kind)) is not None:
        return {source: found[kind.kind] for source, found in base.cited.items() if kind.kind in found}
    counts: Counter[str] = Counter()
    if kind is Share:
        for each in (each for sets in world.evidence.shares.values() for each in sets):
            counts[each.source] += each.count
    elif issubclass(kind, Cited):
        counts.update(map(attrgetter("source"), world.evidence.of(kind)))
    return counts
