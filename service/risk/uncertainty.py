"""How well the figures and the ladder are known: every input drawn anew a number of times.

    share             s' = s·x / (1 − s + s·x), ln x uniform within ±√3·sd: the share if the supplier's own output is
                      off by the factor x. A share near 1 hardly moves, none leaves 0..1
    governance        g' = g + sd·z within 0..1, z standard normal, one z per country for all its rows
    tie, restriction  triangular between low and high with its peak at the central value, one draw for the whole
                      ladder: a stronger tie stays stronger in every draw

A draw depends on the seed and on what the figure is about, and on nothing else in the batch: order does not matter, a
stage alone is drawn as among hundreds, and a changed figure moves its own stage only. The draws of one figure are
spread evenly over its distribution (a Latin hypercube), so few are enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.risk.model import Suppliers
from service.risk.numbers import Floats, Ints, Real, number, numbers
from service.risk.partners import Ladder, Step
from service.risk.terms import Kind

ShareQuality = Literal["reported", "estimated", "secondary", "below"]
"""How a share is known: reported by a statistical office, its estimate, at second hand, or only as below a value."""

Draws = NDArray[np.float32]
"""(rows × draws); single precision is far finer than what is drawn."""

DRAWS = 1024
"""Draws of each figure."""

GRAIN = 2.0**-23
"""What is drawn is a multiple of this. Sums of weights are then exact below 2 in single precision, and their products
with factors in double precision: they do not depend on an order, and no rounding makes a better tie raise one. It takes
less than 1.2e-7 of H from a supplier."""

_GRAINS = np.float32(2**23)

MOST_DRAWS = 2**16
Order = NDArray[np.uint16]
"""0..draws − 1 in some order: two bytes each, since thousands of orders are kept."""

SHARE_SD: Mapping[ShareQuality, float] = {"reported": 0.10, "estimated": 0.23, "secondary": 0.35, "below": 0.40}
"""The standard error of a supplier's output by how its share is known: a convention of this project.

`estimated` is measured: of 137 shares of 10 % and more that follow from the production estimated for 2024 in the USGS
summaries of 2025, 90 % lie within ±0.36 in log odds of those for 2024 in the summaries of 2026, and 0.9·√3·0.23 = 0.36.
A score goes with the squares of shares, so it is those that count; of 512 shares of 1 % and more it is ±0.40. `below`
is a share printed as less than some value and taken at half of it, so up to twice. The others are judgements.

Intervals of 90 % made of the estimates for 2024 (buyer USA) hold the score of the next edition's figures for 2024 in 54
of 55 stages, and in 55 of 58 with no source but USGS, where the spread between sources widens nothing. They also hold
what does not differ between two editions: governance, the ladder, and what may be behind an unreported remainder.
"""

WIDEST_SHARE_SD = 0.4
"""Up to here a supplier's output is off by a factor of two at most, which is what keeps an interval from narrowing when
a share is withheld: R'² of the joint remainder is then never less than the sum of the parts' (see `intervals`)."""

_SHARE, _GOVERNANCE, _TIE, _RESTRICTION = range(4)
"""What a draw is about: the first thing its generator is seeded with after the seed."""


@dataclass(frozen=True, eq=False)
class Doubt:
    """How well the figures of a batch of suppliers are known.

    share_sd       standard error of each supplier's own output, relative to it, 0..0.4, by how its share is known
                   (`SHARE_SD`); what is known less well is not known
    governance_sd  standard error of each row's governance weight, from the release's own (`governance.governance_sd`)
    stage          a stable number for each stage, the same in every batch; with a row's country it names a share
    """

    share_sd: Floats
    governance_sd: Floats
    stage: Ints

    def __post_init__(self) -> None:
        numbers("a share's relative standard error", self.share_sd, 0, WIDEST_SHARE_SD)
        numbers("the standard error of a governance weight", self.governance_sd, 0, 1)

    def only(self, rows: slice, stages: range) -> Doubt:
        """The doubt of some of the rows, which are those of some neighbouring stages."""
        stage = self.stage[stages.start : stages.stop]
        return Doubt(self.share_sd[rows].copy(), self.governance_sd[rows].copy(), stage.copy())

    def largest_factor(self, suppliers: Suppliers) -> Floats:
        """k: the largest x any row of each stage can be off by, 1 for a stage without rows."""
        return np.asarray(np.exp(np.sqrt(3) * np.maximum(0.0, suppliers.stages.largest(self.share_sd))))


@dataclass(frozen=True, eq=False)
class Sample:
    """The draws that do not depend on the buyer: taken once, they serve any number of buyers.

    told        what the draws of each row follow from: see `_told`
    known       s'²·g' of each row, 0 where share or governance is not known
    unweighted  s'² of the rows without a governance figure, which `ungoverned` lists
    point       s²·g of each row as it is, grained as the draws are
    remainder   R'² of each stage: R is what the shares leave, so it is as uncertain as the worst known of them
    """

    suppliers: Suppliers
    told: Floats
    known: Draws
    ungoverned: Ints
    unweighted: Draws
    point: Floats
    remainder: Floats
    seed: int
    draws: int

    def only(self, rows: slice, stages: range, suppliers: Suppliers) -> Sample:
        """The draws of some of the rows, which are those of some stages and their `suppliers`.

        They are in arrays of their own: what is kept of one mineral would keep the draws of all in memory.
        """
        first, last = np.searchsorted(self.ungoverned, (rows.start, rows.stop)).tolist()
        return Sample(
            suppliers=suppliers,
            told=self.told[rows].copy(),
            known=self.known[rows].copy(),
            ungoverned=self.ungoverned[first:last] - rows.start,
            unweighted=self.unweighted[first:last].copy(),
            point=self.point[rows].copy(),
            remainder=self.remainder[stages.start : stages.stop].copy(),
            seed=self.seed,
            draws=self.draws,
        )


def sample(suppliers: Suppliers, doubt: Doubt, seed: int, draws: int = DRAWS, before: Sample | None = None) -> Sample:
    """Draw the shares and governance weights of a batch; `seed` and what numbers stand for must not be negative.

    A seed that stays while the evidence grows (of the method's id and version, say) moves an interval when its own
    figures move and not with every revision. So rows that are as they were `before`, in a sample with the same seed and
    as many draws, have the draws they had: these are taken over.
    """
    if len(doubt.share_sd) != len(suppliers.share) or len(doubt.stage) != suppliers.stages.count:
        raise ValueError("doubt must have the rows and the stages of its suppliers")
    number("the draws", draws, 1, MOST_DRAWS)
    told = _told(suppliers, doubt)
    ungoverned = np.flatnonzero(suppliers.ungoverned)
    if before is None or (before.seed, before.draws) != (seed, draws):
        squares, known = _drawn(told, seed, draws)
        unweighted = squares[ungoverned]
    else:
        known, unweighted = _taken_over(told, ungoverned, before)
    return Sample(
        suppliers=suppliers,
        told=told,
        known=known,
        ungoverned=ungoverned,
        unweighted=unweighted,
        point=grained(suppliers.scored_weight),
        remainder=_off_by(suppliers.remainder, doubt.largest_factor(suppliers)) ** 2,
        seed=seed,
        draws=draws,
    )


def _taken_over(told: Floats, ungoverned: Ints, before: Sample) -> tuple[Draws, Draws]:
    """`known` and `unweighted` of a sample, drawn for the rows only that were not there before."""
    places = {row.tobytes(): place for place, row in enumerate(before.told)}
    place = np.array([places.get(row.tobytes(), -1) for row in told], dtype=np.int64)
    new = np.flatnonzero(place < 0)
    if not len(new) and np.array_equal(place, np.arange(len(before.told))):
        return before.known, before.unweighted
    drawn, weighted = _drawn(told[new], before.seed, before.draws)
    known = np.empty((len(told), before.draws), dtype=np.float32)
    if len(before.told):
        np.take(before.known, np.maximum(place, 0), axis=0, out=known, mode="clip")
    known[new] = weighted
    squares = np.empty((len(ungoverned), before.draws), dtype=np.float32)
    fresh = place[ungoverned] < 0
    squares[fresh] = drawn[np.searchsorted(new, ungoverned[fresh])]
    squares[~fresh] = before.unweighted[np.searchsorted(before.ungoverned, place[ungoverned[~fresh]])]
    return known, squares


@lru_cache(maxsize=128)
def drawn_factors(kinds: tuple[Kind, ...], ladder: Ladder, seed: int, draws: int) -> Floats:
    """The partner factor of each kind of terms (kinds × draws), grained."""
    factors = np.empty((len(kinds), draws))
    for place, kind in enumerate(kinds):
        factors[place] = _drawn_step(ladder.steps[kind.tier], seed, draws, _TIE)
        if kind.restricted:
            factors[place] = grained(factors[place] * _drawn_step(kind.r(ladder), seed, draws, _RESTRICTION))
    return factors


@lru_cache(maxsize=256)
def _drawn_step(step: Step, seed: int, draws: int, about: int) -> Floats:
    """A step's values, a single one where it is certain; a request that sets one leaves the others as they were."""
    if step.low == step.high:
        return grained(np.array([step.central]))
    (u,) = _spread([_order(seed, draws, about)], draws)
    return grained(_triangular(step, u))


def grained(values: NDArray[Real]) -> NDArray[Real]:
    """Numbers of 0 and more rounded down to whole multiples of GRAIN."""
    return np.asarray(np.floor(values * _GRAINS) * values.dtype.type(GRAIN))


def _told(suppliers: Suppliers, doubt: Doubt) -> Floats:
    """What the draws of each row follow from, and nothing else."""
    return np.column_stack(
        (
            doubt.stage[suppliers.stages.index],
            suppliers.country,
            suppliers.known_share,
            doubt.share_sd,
            suppliers.governance,
            doubt.governance_sd,
            suppliers.governed,
        )
    ).astype(np.float64, copy=False)


def _drawn(told: Floats, seed: int, draws: int) -> tuple[Draws, Draws]:
    """s'² and s'²·g' of rows by what was told of them; the latter is 0 without a governance figure."""
    stage, country, share, share_sd, governance, governance_sd, governed = told.T
    about = zip(stage.astype(np.int64).tolist(), country.astype(np.int64).tolist(), strict=True)
    spread = _spread([_order(seed, draws, _SHARE, *names) for names in about], draws)
    factor = np.exp(np.float32(np.sqrt(3)) * _column(share_sd) * (2 * spread - 1))
    squares = grained(_off_by(_column(share), factor) ** 2)
    countries, position = np.unique(country.astype(np.int64), return_inverse=True)
    orders = [_order(seed, draws, _GOVERNANCE, number) for number in countries.tolist()]
    z = _normal_scores(draws)[_stack(orders, draws)]
    moved = np.clip(_column(governance) + _column(governance_sd) * z[position], 0, 1)
    return squares, grained(squares * (moved * _column(governed)))


def _off_by(share: NDArray[Real], factor: NDArray[Real]) -> NDArray[Real]:
    """s·x / (1 − s + s·x): the share of a supplier whose own output is off by the factor x."""
    return np.asarray(share * factor / (1 - share + share * factor))


def _column(values: NDArray[np.generic]) -> Draws:
    return values.astype(np.float32)[:, None]


def _stack(orders: list[Order], draws: int) -> Order:
    return np.stack(orders) if orders else np.empty((0, draws), dtype=np.uint16)


@lru_cache(maxsize=8192)
def _order(seed: int, draws: int, *about: int) -> Order:
    """0..draws − 1 in an order of chance that is the same for the same seed and the same subject."""
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, *about))))
    return generator.permutation(draws).astype(np.uint16)


def _spread(orders: list[Order], draws: int) -> Draws:
    """The middles of `draws` equal parts of 0..1, in some orders of chance."""
    return np.asarray((_stack(orders, draws) + 0.5) / draws, dtype=np.float32)


@lru_cache(maxsize=8)
def _normal_scores(draws: int) -> NDArray[np.float32]:
    """The standard normal's values at the middles of `draws` equally likely parts."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((rank + 0.5) / draws) for rank in range(draws)], dtype=np.float32)


def _triangular(step: Step, u: NDArray[np.float32]) -> Floats:
    """The triangular distribution's value at probability `u`; it rises with low, central and high."""
    width = step.high - step.low
    peak = (step.central - step.low) / width
    rising = step.low + width * np.sqrt(u * peak)
    falling = step.high - width * np.sqrt((1 - u) * (1 - peak))
    return np.asarray(np.where(u < peak, rising, falling), dtype=np.float64)
