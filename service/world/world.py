"""The World: the ledger at one revision, immutable, indexed for reading, built whole and swapped whole."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, OrderedDict
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from service.world.dates import holds, last_year, settled
from service.world.governance import GovernanceTable, tabulate
from service.world.rows import (
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
from service.world.studies import Studies
from service.world.studies import collect as collect_studies

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray


STAGES: tuple[Stage, ...] = ("extraction", "processing")
R = TypeVar("R", bound=Row)
T = TypeVar("T")


class Memo:
    """A bounded memory of what was computed, the least recently used dropped first. Threads may share one."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value kept under `key`, computed now if there is none."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: T = self._kept[key]
                return kept
        value = compute()
        with self._lock:
            value = self._kept.setdefault(key, value)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return value

    def __len__(self) -> int:
        """How much is kept, what is kept in memories of this one included."""
        return sum(len(each) if isinstance(each, Memo) else 1 for each in self)

    def __iter__(self) -> Iterator[Any]:
        """What is kept."""
        return iter(tuple(self._kept.values()))

    def clear(self) -> None:
        """Forgets everything."""
        self._kept.clear()


def kept(world: World, what: str, size: int) -> Memo:
    """The memory of a World for one kind of thing, of which it keeps `size`."""
    return world.memo.get(("kept", what), lambda: Memo(size))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the ledger knows at a revision: its rows by kind, each kind in key order."""

    revision: int
    committed_at: datetime
    data_version: str
    rows: Mapping[str, Sequence[Row]]

    def of(self, kind: type[R]) -> list[R]:
        """The rows of one kind."""
        return [row for row in self.rows.get(kind.kind, ()) if isinstance(row, kind)]


@dataclass(frozen=True, eq=False)
class World:
    """An indexed, immutable picture of the ledger at `revision`.

    Countries and minerals have a fixed order; `country_index` and `mineral_index` give their places in every array.
    """

    revision: int
    committed_at: datetime
    data_version: str
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

    def epoch(self, on: date) -> int:
        """How many dated events have happened by a day: what stands between countries is the same within an epoch."""
        return bisect_right(self.event_days, on)

    def period(self, on: date) -> tuple[int, int]:
        """Which figures speak on a day: they are the same on all days with the same last year and undated sources."""
        return last_year(on), bisect_right(self.undated_days, on)

    def changed(self, **rows: Any) -> World:
        """This World with other rows in some fields, what is derived from them worked out anew."""
        world = replace(self, **rows, memo=Memo())
        return replace(world, event_days=_event_days(world))

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


def build(evidence: Evidence) -> World:
    """Builds a World from the evidence at a revision."""
    sources = {row.id: row for row in evidence.of(Source)}
    countries = {row.code: row for row in evidence.of(Country)}
    minerals = {row.id: row for row in evidence.of(Mineral)}
    country_index = {code: place for place, code in enumerate(countries)}
    sets: dict[tuple[str, str], list[ShareSet]] = {}
    for share_set in collect(evidence.of(Share), sources, country_index):
        sets.setdefault((share_set.mineral, share_set.stage), []).append(share_set)
    world = World(
        revision=evidence.revision,
        committed_at=evidence.committed_at,
        data_version=evidence.data_version,
        sources=sources,
        countries=countries,
        minerals=minerals,
        blocs={row.id: row for row in evidence.of(Bloc)},
        agreements={row.id: row for row in evidence.of(Agreement)},
        provisions=_by_agreement(evidence.of(Provision)),
        restrictions={row.id: row for row in evidence.of(Restriction)},
        listings=tuple(evidence.of(Listing)),
        memberships=tuple(evidence.of(Membership)),
        reserves=tuple(evidence.of(Reserve)),
        controls=tuple(evidence.of(Control)),
        claims={row.id: row for row in evidence.of(Claim)},
        deposits={row.id: row for row in evidence.of(Deposit)},
        governance=tabulate(evidence.of(Governance), sources, country_index),
        share_sets={place: tuple(found) for place, found in sets.items()},
        studies=collect_studies(evidence, sources, country_index),
        cited=_cited(evidence),
        event_days=(),
        undated_days=tuple(sorted(s.undated_from for found in sets.values() for s in found if s.undated_from)),
        country_index=country_index,
        country_numbers=np.array([_number(code) for code in countries], dtype=np.int64),
        mineral_index={mineral: place for place, mineral in enumerate(minerals)},
    )
    return replace(world, event_days=_event_days(world))


def _by_agreement(provisions: list[Provision]) -> dict[str, tuple[Provision, ...]]:
    found: dict[str, tuple[Provision, ...]] = {}
    for provision in provisions:
        found[provision.agreement] = (*found.get(provision.agreement, ()), provision)
    return found


def _number(code: str) -> int:
    first, second, third = (ord(letter) - ord("A") for letter in code)
    return (first * 26 + second) * 26 + third


_EVENTS = ("signed", "in_force", "suspended", "resumed", "ended", "valid_from", "valid_to")


def _event_days(world: World) -> tuple[date, ...]:
    dated = (*world.agreements.values(), *world.restrictions.values(), *world.memberships, *world.listings)
    printed = {getattr(row, event, None) for row in dated for event in _EVENTS}
    return tuple(sorted({settled(text) for text in printed if text}))


def _cited(evidence: Evidence) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for kind, rows in evidence.rows.items():
        for source, count in Counter(row.source for row in rows if isinstance(row, Cited)).items():
            counts.setdefault(source, {})[kind] = count
    return counts
