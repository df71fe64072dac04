"""Share sets: one source's picture of a mineral at a stage in one period, and which of them speaks on a date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from msgspec import structs

from service.world.dates import last_year, settled
from service.world.packed import Packed
from service.world.rows import Share, Source, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

FULL = 0.8
"""The part of world output a set must name to be preferred for being newer (design: at least 80 %)."""


LAID_OUT = 2048
"""So many sets a process keeps unpacked beside each other, some 40 MB: more than today's of all minerals."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The rows of a set, largest share first, and beside them what is reckoned with.

    `countries` are their places among the World's countries, `shares` fractions of world output, and `known` is False
    where the source withholds the share. `named` is the part of world output they name.
    """

    rows: tuple[Share, ...]
    countries: NDArray[np.int64]
    shares: NDArray[np.float64]
    known: NDArray[np.bool_]
    named: float


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class ShareSet:
    """A source's shares of one mineral at one stage in one period, unpacked when somebody asks.

    `rows` are the ledger's.
    """

    source: Source
    mineral: str
    stage: Stage
    period: tuple[int, int] | None
    held: Packed | Columns
    country_index: Mapping[str, int]
    sd: NDArray[np.float64] | None = None
    """Standard errors that came with the shares, see `doubt.share_sd`; None where they follow from the sources."""

    @property
    def columns(self) -> Columns:
        """The rows, laid out. Ask once for what is used several times."""
        return self.held if isinstance(self.held, Columns) else laid_out(self)

    @property
    def rows(self) -> tuple[Share, ...]:
        """The shares, largest first."""
        return self.columns.rows

    @property
    def countries(self) -> NDArray[np.int64]:
        """The places of the rows' countries among the World's."""
        return self.columns.countries

    @property
    def shares(self) -> NDArray[np.float64]:
        """Fractions of world output, 0 where the source withholds it."""
        return self.columns.shares

    @property
    def known(self) -> NDArray[np.bool_]:
        """False where the source withholds the share."""
        return self.columns.known

    @property
    def named(self) -> float:
        """The part of world output the set names; above 1 where rounded shares are printed."""
        return self.columns.named

    @property
    def printed(self) -> Mapping[str, float | None]:
        """The share of each country, None where it is withheld: for a look that does not lay out the rows."""
        if isinstance(self.held, Packed):
            return self.held.shares
        return {row.country: row.share for row in self.rows}

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
    speaking = sorted((candidate for candidate in sets if candidate.speaks_on(as_of)), key=lambda s: s._newest)
    full = (candidate for candidate in speaking if candidate.named >= FULL)
    return next(full, None) or min(speaking, key=lambda s: -s.named, default=None)


def collect(
    sets: Iterable[Packed], sources: Mapping[str, Source], country_index: Mapping[str, int]
) -> tuple[ShareSet, ...]:
    """Share sets as they were packed, in the same order."""
    return tuple(
        ShareSet(sources[each.source], each.mineral, each.stage, each.period, each, country_index) for each in sets
    )


def reshaped(
    original: ShareSet,
    shares: Mapping[str, float],
    sd: Mapping[str, float],
    country_index: Mapping[str, int],
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
    columns = lay_out(rows, country_index)
    errors = np.array([sd.get(row.country, 0.0) for row in columns.rows], dtype=np.float64)
    return replace(original, held=columns, sd=errors)


def lay_out(rows: Iterable[Share], country_index: Mapping[str, int]) -> Columns:
    """The columns of some rows."""
    ordered = sorted(rows, key=lambda row: (-(row.share or 0.0), row.country))
    shares = np.array([row.share or 0.0 for row in ordered], dtype=np.float64)
    return Columns(
        rows=tuple(ordered),
        countries=np.array([country_index[row.country] for row in ordered], dtype=np.int64),
        shares=shares,
        known=np.array([row.share is not None for row in ordered], dtype=np.bool_),
        named=float(shares.sum()),
    )


columns_kept: WeakKeyDictionary[ShareSet, Columns] = WeakKeyDictionary()
_laying_out = Lock()


def laid_out(found: ShareSet) -> Columns:
    """The columns of a set that is held packed; they are kept for a while, and no longer than the set."""
    columns = columns_kept.get(found)
    if columns is None:
        assert isinstance(found.held, Packed)
        columns = lay_out(found.held.rows, found.country_index)
        with _laying_out:
            columns_kept[found] = columns
            if len(columns_kept) > LAID_OUT:
                columns_kept.pop(next(iter(columns_kept), found), None)
    return columns
