"""Governance weights of all countries on a date, from one release; releases are never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from service.risk.governance import BOUND, DIMENSIONS, governance_sd, governance_weight
from service.world.dates import last_year
from service.world.rows import Governance, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

REFERENCE_YEARS = 5
"""Governance is averaged over this many years, the EU method's reference period."""


_PLACE = {dimension: place for place, dimension in enumerate(DIMENSIONS)}


@dataclass(frozen=True, eq=False)
class Weights:
    """Governance of each country, by its index: `weight` g and its standard error `sd`, valid where `governed`.

    A country's years are those of `years` in which the release prints all six indicators for it (`complete`).
    """

    release: Source | None
    years: tuple[int, ...]
    complete: NDArray[np.bool_]
    governed: NDArray[np.bool_]
    weight: NDArray[np.float64]
    sd: NDArray[np.float64]

    def years_of(self, country: int) -> list[int]:
        """The years a country's weight is the mean of."""
        return [year for year, there in zip(self.years, self.complete[:, country], strict=True) if there]


@dataclass(frozen=True, eq=False)
class GovernanceTable:
    """One release as [year, country, indicator] arrays, NaN where nothing is printed, with where each was read."""

    release: Source | None
    years: tuple[int, ...]
    estimates: NDArray[np.float64]
    errors: NDArray[np.float64]
    locators: NDArray[np.object_]

    @cached_property
    def _widest_error(self) -> float:
        """The largest standard error of the release; half the scale where it prints none at all."""
        printed = self.errors[np.isfinite(self.errors)]
        return float(printed.max()) if printed.size else BOUND

    def on(self, as_of: date) -> Weights:
        """The weights from the latest five years that had ended by a day.

        A country's weight is the mean over those of the years that print all six indicators for it. An estimate whose
        standard error is not printed counts as no better known than the release's least known one.
        """
        places = [place for place, year in enumerate(self.years) if year <= last_year(as_of)][-REFERENCE_YEARS:]
        estimates, errors = self.estimates[places], self.errors[places]
        complete: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(estimates), axis=2)
        governed: NDArray[np.bool_] = np.logical_or.reduce(complete, axis=0)
        weight, sd = np.zeros(governed.shape), np.zeros(governed.shape)
        if governed.any():
            counted = complete[:, governed, None]
            weight[governed] = governance_weight(_mean(estimates[:, governed], counted))
            told = np.where(np.isnan(errors), self._widest_error, errors)
            sd[governed] = governance_sd(_mean(told[:, governed], counted))
        return Weights(self.release, tuple(self.years[place] for place in places), complete, governed, weight, sd)


def _mean(values: NDArray[np.float64], counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.where(counted, values, 0.0).sum(axis=0) / counted.sum(axis=0)
    return mean


def tabulate(
    rows: Sequence[Governance], sources: Mapping[str, Source], country_index: Mapping[str, int]
) -> GovernanceTable:
    """The table of the newest release among rows."""
    releases = [sources[name] for name in {row.source for row in rows}]
    release = max(releases, key=lambda s: (s.published or s.retrieved, s.id), default=None)
    chosen = [row for row in rows if release is not None and row.source == release.id]
    years = tuple(sorted({row.year for row in chosen}))
    year_place = {year: place for place, year in enumerate(years)}
    cells = (
        np.array([year_place[row.year] for row in chosen], dtype=np.int64),
        np.array([country_index[row.country] for row in chosen], dtype=np.int64),
        np.array([_PLACE[row.dimension] for row in chosen], dtype=np.int64),
    )
    shape = (len(years), len(country_index), len(DIMENSIONS))
    estimates, errors, locators = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, "", dtype=object)
    estimates[cells] = [row.estimate for row in chosen]
    errors[cells] = [np.nan if row.stderr is None else row.stderr for row in chosen]
    locators[cells] = [row.locator for row in chosen]
    return GovernanceTable(release, years, estimates, errors, locators)
