"""The interval around a score: how far the doubt in its figures and in the ladder could move it.

Each end is an order statistic of the drawn scores (`uncertainty`). What is not known counts nothing at the lower end
and its worst case at the upper end:

    a supplier without a governance figure   g = 1
    a remainder R                            R'²·w: a single, worst-governed country with no tie holds it. R' is R off
                                             by the largest factor of the stage's shares, since it is what they leave;
                                             w is 1, or the largest partner factor among suppliers whose share is
                                             withheld, since they may be that country
    a stage without enough figures           its named suppliers and the remainder, as above; with no figure at all,
                                             100. Only a mineral's upper end shows it: the stage itself has no score

The ends are widened where needed to hold the point value. So, by construction and not by the luck of the draw:

* low ≤ score ≤ high;
* a better tie or a lifted restriction raises neither end: every draw is the same but for a smaller factor;
* withholding a share (of those that sum to at most 1), a governance figure or a whole stage lowers the low end and
  raises the high end or leaves them: every draw falls at the one and rises at the other.

A mineral's interval is that of the maximum over its stages, draw by draw. `parts` adds what the figures alone
(`inputs`, the ladder at its central values) and the ladder alone (`design`, the figures at their point values) do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.risk.methods.partner_adjusted import MineralScores, StageScores, scale
from service.risk.numbers import Bools, Floats, Groups, Ints, Real, number
from service.risk.sourcing import OwnSupply
from service.risk.uncertainty import Draws, Sample, central_ladder, drawn_ladder

Ladders = tuple[Draws, Draws]
"""τ (tiers × draws) and r (restriction types × draws)."""

ALIKE = 2
"""Draws that stand for all where all are the same: numpy would add a single column up in another order."""

LEVEL = 0.9
"""The part of the draws an interval holds unless told otherwise: p05…p95."""


@dataclass(frozen=True, eq=False)
class Ends:
    """Lower and upper ends on the scale of the score, 0..100; they mean nothing where there is no score."""

    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Intervals:
    """The intervals of every stage and every mineral of a batch."""

    level: float
    stages: Ends
    minerals: Ends


@dataclass(frozen=True, eq=False)
class Parts:
    """The intervals, and the same with only the figures uncertain, and with only the ladder uncertain."""

    whole: Intervals
    inputs: Intervals
    design: Intervals


@dataclass(frozen=True, eq=False)
class _Drawn:
    """H of each stage with what is not known left out (least) and at its worst (most): by draw, and at the point."""

    least: Draws
    most: Draws
    point_least: Floats
    point_most: Floats

    def everywhere(self, draws: int) -> _Drawn:
        """These stages, of which all draws are the same, with so many draws."""
        least, most = (np.broadcast_to(each[:, :1], (len(each), draws)) for each in (self.least, self.most))
        return _Drawn(least, most, self.point_least, self.point_most)

    def blended(self, own: _Drawn, part: Floats) -> _Drawn:
        """These stages with `part` of H from another supply of the same stages."""
        by_draw = part[:, None].astype(np.float32)
        return _Drawn(
            least=self.least * (1 - by_draw) + own.least * by_draw,
            most=self.most * (1 - by_draw) + own.most * by_draw,
            point_least=self.point_least * (1 - part) + own.point_least * part,
            point_most=self.point_most * (1 - part) + own.point_most * part,
        )


def intervals(scores: MineralScores, sample: Sample, level: float = LEVEL, own: OwnSupply | None = None) -> Intervals:
    """The intervals of scored minerals and their stages; `sample` is of the very suppliers that were scored.

    `own` is the buyer's own supply where it is in H; the import reliance that weighs it is taken as certain.
    """
    drawn = _factors(scores, own, drawn_ladder(scores.stages.ladder, sample.seed, sample.draws))
    return _intervals(scores, [_draw(scores, sample, own, drawn)], level)[0]


def parts(scores: MineralScores, sample: Sample, level: float = LEVEL, own: OwnSupply | None = None) -> Parts:
    """The intervals, with what the figures and what the ladder contribute to them, each on its own."""
    ladder = scores.stages.ladder
    central = _factors(scores, own, central_ladder(ladder))
    figures = _draw(scores, sample, own, central)
    if all(ladder.certain(supply.terms.steps) for supply in _supplies(scores, own)):
        design = _draw_ladder(scores, own, [np.repeat(factors, ALIKE, axis=1) for factors in central])
        whole, apart = _intervals(scores, [figures, design.everywhere(sample.draws)], level)
        return Parts(whole, whole, apart)
    drawn = _factors(scores, own, drawn_ladder(ladder, sample.seed, sample.draws))
    readings = [_draw(scores, sample, own, drawn), figures, _draw_ladder(scores, own, drawn)]
    return Parts(*_intervals(scores, readings, level))


def _supplies(scores: MineralScores, own: OwnSupply | None) -> list[StageScores]:
    return [scores.stages] if own is None else [scores.stages, own.scores]


def _factors(scores: MineralScores, own: OwnSupply | None, ladder: Ladders) -> list[Draws]:
    """The partner factors of the kinds of terms there are, towards the world's suppliers and towards one's own."""
    return [supply.terms.table(*ladder) for supply in _supplies(scores, own)]


def _draw(scores: MineralScores, sample: Sample, own: OwnSupply | None, factors: list[Draws]) -> _Drawn:
    """The stages with their figures drawn."""
    drawn = _draw_supply(scores.stages, sample, factors[0])
    return drawn if own is None else drawn.blended(_draw_supply(own.scores, own.sample, factors[1]), own.part)


def _draw_ladder(scores: MineralScores, own: OwnSupply | None, factors: list[Draws]) -> _Drawn:
    """The stages with their figures at the point values."""
    drawn = _draw_ties(scores.stages, factors[0])
    return drawn if own is None else drawn.blended(_draw_ties(own.scores, factors[1]), own.part)


def _draw_ties(scores: StageScores, factors: Draws) -> _Drawn:
    ties = _sums(scores.suppliers.scored_weight.astype(np.float32)[:, None], scores, factors)
    h = scores.suppliers.stages.sum(scores.contribution)
    return _Drawn(ties, ties, h, h)


def _draw_supply(scores: StageScores, sample: Sample, factors: Draws) -> _Drawn:
    suppliers, stages = scores.suppliers, scores.suppliers.stages
    if sample.suppliers is not suppliers:
        raise ValueError("the sample must be of the suppliers that were scored")
    least, h = _sums(sample.known, scores, factors), stages.sum(scores.contribution)
    open_rows, withheld, kind = sample.ungoverned, suppliers.withheld, scores.terms.kind
    most, worst = sample.remainder.astype(np.float32)[:, None], sample.remainder
    if withheld.size:
        most = most * _worst(stages.index[withheld], factors[kind[withheld]], stages.count)
        worst = worst * _worst(stages.index[withheld], scores.factor[withheld, None], stages.count)[:, 0]
    most, point_most = least + most, h + worst
    if open_rows.size:
        np.add.at(most, stages.index[open_rows], sample.unweighted * factors[kind[open_rows]])
        point_most += stages.sum(np.where(suppliers.ungoverned, suppliers.known_share**2 * scores.factor, 0.0))
    return _Drawn(least, most, h, point_most)


def _sums(weights: Draws, scores: StageScores, factors: Draws) -> Draws:
    """Σ weight · t of each stage, draw by draw. Stage by stage, so that all of one stays in the processor's cache."""
    stages, kind = scores.suppliers.stages, scores.terms.kind
    sums = np.empty((stages.count, max(weights.shape[1], factors.shape[1])), dtype=np.float32)
    for stage, rows in enumerate(stages.slices):
        np.add.reduce(weights[rows] * factors.take(kind[rows], axis=0), axis=0, out=sums[stage], initial=0)
    return sums


def _worst(stage: Ints, factor: NDArray[Real], stages: int) -> NDArray[Real]:
    """w of each stage (stages × draws): 1, or the largest partner factor of its suppliers whose share is withheld."""
    worst = np.ones((stages, factor.shape[1]), dtype=factor.dtype)
    for at, of_row in zip(stage.tolist(), factor, strict=True):
        np.maximum(worst[at], of_row, out=worst[at])
    return worst


def _intervals(scores: MineralScores, drawn: Sequence[_Drawn], level: float) -> list[Intervals]:
    """The intervals of several readings (readings × stages and minerals × draws) in as many steps as those of one."""
    least, most = _stacked([each.least for each in drawn]), _stacked([each.most for each in drawn])
    low, high = _stacked([each.point_least for each in drawn]), _stacked([each.point_most for each in drawn])
    scored, groups = scores.stages.sufficient, scores.minerals
    count, all_scored = len(scored), bool(scored.all())
    single = all_scored and groups.count == count  # every mineral is its only stage
    if not single:
        silent = None if all_scored else scored
        least, most = _with_minerals(least, groups, silent), _with_minerals(most, groups)
        low, high = _with_minerals(low, groups, silent), _with_minerals(high, groups)
    tail = int((1 - number("level", level, 0, 1)) / 2 * least.shape[-1])
    top = least.shape[-1] - 1 - tail
    lows = scale(np.minimum(np.partition(least, tail, axis=-1)[..., tail], low))
    highs = scale(np.maximum(np.partition(most, top, axis=-1)[..., top], high))
    minerals = slice(0 if single else count, None)
    return [
        Intervals(level, Ends(low[:count], high[:count]), Ends(low[minerals], high[minerals]))
        for low, high in zip(lows, highs, strict=True)
    ]


def _stacked(readings: Sequence[NDArray[Real]]) -> NDArray[Real]:
    return np.stack(readings) if len(readings) > 1 else readings[0][None]


def _with_minerals(values: NDArray[Real], minerals: Groups, scored: Bools | None = None) -> NDArray[Real]:
    """Stages and behind them minerals: the maximum of each one's stages, be it of those `scored`; none is below 0."""
    stages = values.shape[1]
    joined = np.empty((len(values), stages + minerals.count, *values.shape[2:]), dtype=values.dtype)
    joined[:, :stages] = values
    if scored is not None:
        values = np.where(scored.reshape(-1, *(1 for _ in values.shape[2:])), values, 0)
    for mineral, members in enumerate(minerals.slices):
        np.maximum.reduce(values[:, members], axis=1, out=joined[:, stages + mineral], initial=0)
    return joined
