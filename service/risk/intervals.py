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

A mineral's interval is that of the maximum over its stages, draw by draw. `parts` holds what the figures alone
(`inputs`, the ladder at its central values) and the ladder alone (`design`, the figures at their point values) do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.risk.methods.partner_adjusted import MineralScores, StageScores, scale
from service.risk.model import Suppliers
from service.risk.numbers import Floats, Groups, Real, number
from service.risk.uncertainty import Draws, Sample, central_ladder, drawn_ladder

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
    """The same intervals with only the figures uncertain, and with only the ladder uncertain."""

    inputs: Intervals
    design: Intervals


@dataclass(frozen=True, eq=False)
class _Drawn:
    """H of each stage with what is not known left out (least) and at its worst (most): by draw, and at the point."""

    least: Draws
    most: Draws
    point_least: Floats
    point_most: Floats


def intervals(scores: MineralScores, sample: Sample, level: float = LEVEL) -> Intervals:
    """The intervals of scored minerals and their stages; `sample` is of the very suppliers that were scored."""
    ladder = drawn_ladder(scores.stages.ladder, sample.seed, sample.draws)
    return _intervals(scores, _draw(scores.stages, sample, ladder), level)


def parts(scores: MineralScores, sample: Sample, level: float = LEVEL) -> Parts:
    """What the figures and what the ladder contribute to the intervals, each on its own."""
    stages = scores.stages
    figures = _draw(stages, sample, central_ladder(stages.ladder))
    factor = stages.terms.factors_at(*drawn_ladder(stages.ladder, sample.seed, sample.draws))
    ties = _fold(np.add, stages.suppliers.scored_weight.astype(np.float32)[:, None] * factor, stages.suppliers.stages)
    design = _Drawn(ties, ties, stages.h, stages.h)
    return Parts(_intervals(scores, figures, level), _intervals(scores, design, level))


def _draw(scores: StageScores, sample: Sample, ladder: tuple[Draws, Draws]) -> _Drawn:
    if sample.suppliers is not scores.suppliers:
        raise ValueError("the sample must be of the suppliers that were scored")
    suppliers, stages, open_rows = scores.suppliers, scores.suppliers.stages, sample.ungoverned
    factor = scores.terms.factors_at(*ladder)
    least = _fold(np.add, sample.known * factor, stages)
    most = least + sample.remainder[:, None].astype(np.float32) * _worst_factor(suppliers, factor)
    np.add.at(most, stages.index[open_rows], sample.unweighted * factor[open_rows])
    worst = sample.remainder * _worst_factor(suppliers, scores.factor[:, None])[:, 0]
    unweighted = np.where(suppliers.ungoverned, suppliers.known_share**2 * scores.factor, 0.0)
    return _Drawn(least, most, scores.h, scores.h + worst + stages.sum(unweighted))


def _worst_factor(suppliers: Suppliers, factor: NDArray[Real]) -> NDArray[Real]:
    """w of each stage (stages × draws): 1, or the largest partner factor of its suppliers whose share is withheld."""
    worst = np.ones((suppliers.stages.count, factor.shape[1]), dtype=factor.dtype)
    withheld = np.flatnonzero(~suppliers.known)
    np.maximum.at(worst, suppliers.stages.index[withheld], factor[withheld])
    return worst


def _intervals(scores: MineralScores, drawn: _Drawn, level: float) -> Intervals:
    scored, minerals = scores.stages.sufficient, scores.minerals
    least, point_least = np.where(scored[:, None], drawn.least, 0), np.where(scored, drawn.point_least, 0)
    of_minerals = _Drawn(
        least=_fold(np.maximum, least, minerals),
        most=_fold(np.maximum, drawn.most, minerals),
        point_least=np.maximum(0, minerals.largest(point_least)),
        point_most=np.maximum(0, minerals.largest(drawn.point_most)),
    )
    return Intervals(level, _ends(drawn, level), _ends(of_minerals, level))


def _ends(drawn: _Drawn, level: float) -> Ends:
    draws = drawn.least.shape[1]
    tail = int((1 - number("level", level, 0, 1)) / 2 * draws)
    low = np.partition(drawn.least, tail, axis=1)[:, tail]
    high = np.partition(drawn.most, draws - 1 - tail, axis=1)[:, draws - 1 - tail]
    return Ends(scale(np.minimum(low, drawn.point_least)), scale(np.maximum(high, drawn.point_most)))


def _fold(function: np.ufunc, values: Draws, groups: Groups) -> Draws:
    """The sum or maximum of each group's rows, draw by draw. Group by group: far faster here than `reduceat`."""
    folded = np.empty((groups.count, values.shape[1]), dtype=values.dtype)
    ends = np.cumsum(groups.sizes).tolist()
    for group, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        function.reduce(values[start:end], axis=0, out=folded[group], initial=0)
    return folded
