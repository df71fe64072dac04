"""Share sets: one source's picture of a mineral at a stage in one period, and which of them speaks on a date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import structs

from service.world.dates import last_year, settled
from service.world.rows import Share, Source, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

FULL = 0.8
"""The part of world output a set must name to be preferred for being newer (design: at least 80 %)."""


@dataclass(frozen=True, slots=True, eq=False)
class ShareSet:
    """A source's shares of one mineral at one stage in one period.

    `rows` are the ledger's, largest share first; beside them stand `countries`, their places among the World's
    countries, `shares`, fractions of world output, and `known`, False where the source withholds the share.
    """

    source: Source
    mineral: str
    stage: Stage
    period: tuple[int, int] | None
    countries: NDArray[np.int64]
    shares: NDArray[np.float64]
    known: NDArray[np.bool_]
    rows: tuple[Share, ...]
    named: float
    """The part of world output the set names; above 1 where rounded shares are printed."""
    sd: NDArray[np.float64] | None = None
    """Standard errors that came with the shares, see `doubt.share_sd`; None where they follow from the sources."""

    @property
    def by_country(self) -> dict[str, float]:
        """The shares that are known."""
        return {row.country: row.share for row in self.rows if row.share is not None}

    @property
    def undated_from(self) -> date | None:
        """The day from which a set without a period counts: when its source appeared, or was found."""
        return None if self.period else settled(self.source.published or self.source.retrieved)

    @property
    def label(self) -> str | None:
        """The period as it is written, `2024` or `2016-2020`; None where the source names none."""
        if self.period is None:
            return None
        start, end = self.period
        return f"{start}" if start == end else f"{start}-{end}"

    @property
    def reference_year(self) -> int | None:
        """The last year of the period, None where the source names none."""
        return self.period[1] if self.period else None

    def speaks_on(self, as_of: date) -> bool:
        """Whether the period had ended by a date; a set without a period counts once its source had appeared."""
        if self.period is None:
            return settled(self.source.published or self.source.retrieved) <= as_of
        return self.period[1] <= last_year(as_of)

    @property
    def _newest(self) -> tuple[int, int, str]:
        return (-(self.reference_year or 0), self.source.precedence, self.source.id)


def choose(sets: Sequence[ShareSet], as_of: date) -> ShareSet | None:
    """The set that speaks on a date: the newest among those naming at least 80 %, else the one that names most.

    Ties go to the source of the better precedence. None where no set's period had ended.
    """
    speaking = [candidate for candidate in sets if candidate.speaks_on(as_of)]
    full = [candidate for candidate in speaking if candidate.named >= FULL]
    if full:
        return min(full, key=lambda s: s._newest)
    return min(speaking, key=lambda s: (-s.named, s._newest), default=None)


def collect(rows: Sequence[Share], sources: dict[str, Source], country_index: dict[str, int]) -> list[ShareSet]:
    """The share sets of rows that come sorted by source, mineral, stage and period."""
    sets: list[ShareSet] = []
    start = 0
    for end in range(1, len(rows) + 1):
        if end < len(rows) and _belongs(rows[start], rows[end]):
            continue
        sets.append(_share_set(rows[start:end], sources, country_index))
        start = end
    return sets


def reshaped(
    original: ShareSet,
    shares: Mapping[str, float],
    sd: Mapping[str, float],
    country_index: dict[str, int],
    gone: Iterable[str] = (),
) -> ShareSet:
    """A set as it would be with other shares, `sd` their standard errors; its `rows` are then none of the ledger's.

    Suppliers without a share left are left out; those whose share is withheld stay unless they are `gone`.
    """
    known = {row.country: row for row in original.rows}
    rows = [
        structs.replace(known.get(country, original.rows[0]), country=country, share=share, printed=f"{share:.6f}")
        for country, share in shares.items()
        if share > 0
    ]
    rows += [row for row in original.rows if row.share is None and row.country not in gone]
    columns = _columns(rows, country_index)
    errors = np.array([sd.get(row.country, 0.0) for row in columns["rows"]], dtype=np.float64)
    return replace(original, **columns, sd=errors)


def _belongs(first: Share, other: Share) -> bool:
    return (
        first.mineral == other.mineral
        and first.stage == other.stage
        and first.source == other.source
        and first.period_end == other.period_end
        and first.period_start == other.period_start
    )


def _share_set(rows: Sequence[Share], sources: dict[str, Source], country_index: dict[str, int]) -> ShareSet:
    first = rows[0]
    start, end = first.period_start, first.period_end
    return ShareSet(
        source=sources[first.source],
        mineral=first.mineral,
        stage=first.stage,
        period=None if start is None or end is None else (start, end),
        **_columns(rows, country_index),
    )


def _columns(rows: Sequence[Share], country_index: dict[str, int]) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: (-(row.share or 0.0), row.country))
    shares = np.array([row.share or 0.0 for row in ordered], dtype=np.float64)
    return {
        "countries": np.array([country_index[row.country] for row in ordered], dtype=np.int64),
        "shares": shares,
        "known": np.array([row.share is not None for row in ordered], dtype=np.bool_),
        "rows": tuple(ordered),
        "named": float(shares.sum()),
    }
