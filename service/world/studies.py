"""What studies and statistics print beside world output, found by what it speaks about.

Import sources and import reliance of buyers, inputs of published methods, ratings of others, production and trade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from service.world.dates import last_year
from service.world.rows import Parameter, Production, Rating, Reliance, Row, Sourcing, TariffLine, Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from service.world.evidence import Evidence
    from service.world.rows import Mineral, Source

R = TypeVar("R", bound=Row)
K = TypeVar("K", bound="Hashable")

STUDIED: tuple[type[Row], ...] = (Sourcing, Reliance, Parameter, Rating, Production, Trade, TariffLine)
"""The kinds that are found here."""

Place = tuple[str, str, str]
"""A buyer, a mineral and a stage."""

SAME_ORES: Mapping[tuple[str, str], str] = {("titanium-metal", "extraction"): "titanium"}
"""Stages that sources print once, under another mineral."""


def printed_as(minerals: Mapping[str, Mineral], mineral: str, stage: str) -> Iterator[str]:
    """The minerals under which a source may print a stage: itself, one of the same ores, the groups it belongs to."""
    yield mineral
    if (mineral, stage) in SAME_ORES:
        yield SAME_ORES[mineral, stage]
    yield from (group.id for group in minerals.values() if mineral in group.members)


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """A source's picture of where a buyer gets a mineral at a stage in a period: of its supply, or of its imports.

    `rows` are the ledger's, largest share first; beside them stand `countries`, their places among the World's
    countries, `shares` and `known`, False where the source withholds the share.
    """

    source: Source
    rows: tuple[Sourcing, ...]
    countries: NDArray[np.int64]
    shares: NDArray[np.float64]
    known: NDArray[np.bool_]

    @property
    def of_imports(self) -> bool:
        """Whether the shares are of imports alone, the buyer's own output left out."""
        return self.rows[0].of == "imports"

    @property
    def period(self) -> tuple[int, int]:
        """First and last year."""
        return self.rows[0].period_start, self.rows[0].period_end

    @property
    def label(self) -> str:
        """The period as it is written, `2024` or `2016-2020`."""
        start, end = self.period
        return f"{start}" if start == end else f"{start}-{end}"

    @property
    def named(self) -> float:
        """The part of supply or of imports that the source names."""
        return float(self.shares.sum())


@dataclass(frozen=True, eq=False)
class Studies:
    """The rows, indexed; a place without rows is not in the index."""

    mixes: Mapping[Place, tuple[Mix, ...]]
    reliances: Mapping[Place, tuple[Reliance, ...]]
    parameters: Mapping[tuple[str, str], tuple[Parameter, ...]]
    """By source and name."""
    ratings: Mapping[str, tuple[Rating, ...]]
    """By mineral."""
    production: Mapping[tuple[str, int], tuple[Production, ...]]
    """By commodity and year."""
    trade: Mapping[tuple[str, int], tuple[Trade, ...]]
    """By tariff line and year."""
    tariff_lines: Mapping[str, tuple[TariffLine, ...]]
    """By commodity."""

    def of_parameter(self, name: str) -> Iterable[Parameter]:
        """Every parameter of a name, whatever its source."""
        return (row for (_, called), rows in self.parameters.items() if called == name for row in rows)

    def mix_of(self, place: Place, as_of: date) -> Mix | None:
        """The newest mix whose period had ended by a day; of equals the one of the better precedence."""
        ended = [mix for mix in self.mixes.get(place, ()) if mix.period[1] <= last_year(as_of)]
        return min(ended, key=lambda mix: (-mix.period[1], mix.source.precedence, mix.source.id), default=None)

    def reliance_of(self, place: Place, as_of: date) -> Reliance | None:
        """The newest known import reliance whose period had ended by a day; of equals the first source by its id."""
        known = (row for row in self.reliances.get(place, ()) if row.reliance is not None)
        ended = [row for row in known if row.period_end <= last_year(as_of)]
        return min(ended, key=lambda row: (-row.period_end, row.source), default=None)


def collect(evidence: Evidence, sources: Mapping[str, Source], country_index: Mapping[str, int]) -> Studies:
    """The index of an Evidence's rows."""
    return Studies(
        mixes=_mixes(evidence.of(Sourcing), sources, country_index),
        reliances=_grouped(evidence.of(Reliance), lambda row: (row.buyer, row.mineral, row.stage)),
        parameters=_grouped(evidence.of(Parameter), lambda row: (row.source, row.name)),
        ratings=_grouped(evidence.of(Rating), lambda row: row.mineral),
        production=_grouped(evidence.of(Production), lambda row: (row.commodity, row.year)),
        trade=_grouped(evidence.of(Trade), lambda row: (row.code, row.year)),
        tariff_lines=_grouped(evidence.of(TariffLine), lambda row: row.commodity),
    )


def _grouped(rows: Iterable[R], key: Callable[[R], K]) -> dict[K, tuple[R, ...]]:
    groups: dict[K, list[R]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return {name: tuple(found) for name, found in groups.items()}


def _mixes(
    rows: Sequence[Sourcing], sources: Mapping[str, Source], country_index: Mapping[str, int]
) -> dict[Place, tuple[Mix, ...]]:
    sets = _grouped(
        rows, lambda row: (row.buyer, row.mineral, row.stage, row.source, row.of, row.period_start, row.period_end)
    )
    places: dict[Place, list[Mix]] = {}
    for (buyer, mineral, stage, source, *_), found in sets.items():
        ordered = sorted(found, key=lambda row: (-(row.share or 0.0), row.country))
        mix = Mix(
            source=sources[source],
            rows=tuple(ordered),
            countries=np.array([country_index[row.country] for row in ordered], dtype=np.int64),
            shares=np.array([row.share or 0.0 for row in ordered]),
            known=np.array([row.share is not None for row in ordered], dtype=np.bool_),
        )
        places.setdefault((buyer, mineral, stage), []).append(mix)
    return {place: tuple(mixes) for place, mixes in places.items()}
