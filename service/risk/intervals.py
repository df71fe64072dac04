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

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.risk.methods.partner_adjusted import MineralScores, StageScores, scale
from service.risk.numbers import Bools, Floats, Groups, Ints, Real, number
from service.risk.sourcing import OwnSupply
from service.risk.uncertainty import Draws, Sample, drawn_factors, grained

LEVEL = 0.9
"""The part of the draws an interval holds unless told otherwise: p05…p95."""


class Ends(NamedTuple):
    """Lower and upper ends on the scale of the score, 0..100; they mean nothing where there is no score."""

    low: Floats
    high: Floats


class Intervals(NamedTuple):
    """The intervals of every stage and every mineral of a batch."""

    level: float
    stages: Ends
    minerals: Ends


class Parts(NamedTuple):
    """The intervals, and the same with only the figures uncertain, and with only the ladder uncertain."""

    whole: Intervals
    inputs: Intervals
    design: Intervals


WHOLE, INPUTS, DESIGN = range(3)
"""What is drawn: figures and ladder, the figures alone, the ladder alone."""

LEAST, MOST = range(2)
"""What is not known counts nothing, or its worst case."""


class _Drawn(NamedTuple):
    """H of some stages, and of minerals behind them: with what is not known left out (LEAST), and at its worst (MOST).

    draws  by draw (2 × readings × stages × draws)
    point  at the point (2 × readings × stages)
    """

    draws: Draws
    point: Floats

    @classmethod
    def empty(cls, readings: int, stages: int, draws: int) -> _Drawn:
        """To be filled."""
        return cls(np.empty((2, readings, stages, draws), dtype=np.float32), np.empty((2, readings, stages)))

    def first(self, stages: int) -> _Drawn:
        """So many stages from the first on, in the same memory."""
        return _Drawn(self.draws[:, :, :stages], self.point[:, :, :stages])

    def blend(self, own: _Drawn, part: Floats) -> None:
        """Takes `part` of H from another supply of the same stages."""
        by_draw = part[:, None].astype(np.float32)
        self.draws[:] = self.draws * (1 - by_draw) + own.draws * by_draw
        self.point[:] = self.point * (1 - part) + own.point * part

    def fold(self, minerals: Groups, scored: Bools) -> None:
        """Fills in the minerals behind the stages: the maximum of each one's stages, at the least of those `scored`."""
        count = len(scored)
        for mineral, members in enumerate(minerals.slices, start=count):
            here = scored[members]
            for values in self:
                np.maximum.reduce(values[:, :, members], axis=2, out=values[:, :, mineral], initial=0)
                if not here.all():
                    known = np.flatnonzero(here) + members.start
                    np.maximum.reduce(values[LEAST][:, known], axis=1, out=values[LEAST][:, mineral], initial=0)


def intervals(scores: MineralScores, sample: Sample, level: float = LEVEL, own: OwnSupply | None = None) -> Intervals:
    """The intervals of scored minerals and their stages; `sample` is of the very suppliers that were scored.

    `own` is the buyer's own supply where it is in H; the import reliance that weighs it is taken as certain.
    """
    return _read(scores, sample, level, own, 1)[WHOLE]


def parts(scores: MineralScores, sample: Sample, level: float = LEVEL, own: OwnSupply | None = None) -> Parts:
    """The intervals, with what the figures and what the ladder contribute to them, each on its own."""
    return Parts(*_read(scores, sample, level, own, 3))


def _read(scores: MineralScores, sample: Sample, level: float, own: OwnSupply | None, readings: int) -> list[Intervals]:
    """The intervals by so many readings: WHOLE alone, or all."""
    tail = int((1 - number("level", level, 0, 1)) / 2 * sample.draws)
    scored, minerals = scores.stages.sufficient, scores.minerals
    count = len(scored)
    single = minerals.single and bool(scored.all())  # every mineral is its only stage
    drawn = _Drawn.empty(readings, count if single else count + minerals.count, sample.draws)
    _draw(scores.stages, sample, drawn.first(count))
    if own is not None:
        beside = _Drawn.empty(readings, count, sample.draws)
        _draw(own.scores, own.sample, beside)
        drawn.first(count).blend(beside, own.part)
    if not single:
        drawn.fold(minerals, scored)
    (least, most), top = drawn.draws, sample.draws - 1 - tail
    least.partition(tail, axis=-1)
    most.partition(top, axis=-1)
    lows = scale(np.minimum(least[..., tail], drawn.point[LEAST]))
    highs = scale(np.maximum(most[..., top], drawn.point[MOST]))
    behind = slice(0 if single else count, None)
    return [
        Intervals(level, Ends(low[:count], high[:count]), Ends(low[behind], high[behind]))
        for low, high in zip(lows, highs, strict=True)
    ]


def _draw(scores: StageScores, sample: Sample, drawn: _Drawn) -> None:
    """Fills in the stages of one supply."""
    suppliers, terms, stages = scores.suppliers, scores.terms, scores.suppliers.stages
    if sample.suppliers is not suppliers:
        raise ValueError("the sample must be of the suppliers that were scored")
    factors = _Factors(
        drawn=drawn_factors(terms.present, scores.ladder, sample.seed, sample.draws),
        central=grained(scores.factor_of_kind),
    )
    for stage, rows in enumerate(stages.slices):
        factors.add_up(terms.marks[:, rows] @ sample.known[rows], drawn.draws[LEAST, :DESIGN, stage])
    if drawn.draws.shape[1] > DESIGN:
        drawn.draws[:, DESIGN] = scores.by_kind(sample.point) @ factors.drawn
    drawn.point[:] = stages.sum(scores.contribution)
    _add_unknown(scores, sample, factors, _Drawn(drawn.draws[:, :DESIGN], drawn.point[:, :DESIGN]))


class _Factors(NamedTuple):
    """The partner factor of each kind of terms: drawn (kinds × draws), and central."""

    drawn: Floats
    central: Floats

    def add_up(self, weights: Draws, sums: NDArray[Real]) -> None:
        """Σ weight · t of a stage, draw by draw, for each reading in `sums`, of weights by kind (kinds × draws).

        The weights and both factors are grained, and so each sum is exact.
        """
        exact = weights.astype(np.float64)
        sums[WHOLE] = np.einsum("kd,kd->d", exact, self.drawn)
        if len(sums) > INPUTS:
            sums[INPUTS] = self.central @ exact


def _add_unknown(scores: StageScores, sample: Sample, factors: _Factors, drawn: _Drawn) -> None:
    """Fills in the worst of stages whose least is known: what is not known is added to it."""
    suppliers, terms, stages = scores.suppliers, scores.terms, scores.suppliers.stages
    (least, most), point = drawn.draws, drawn.point[MOST]
    if sample.ungoverned.size:
        least = least.copy()
        stage_of, unknown = stages.index[sample.ungoverned], np.empty((len(least), sample.draws), dtype=np.float32)
        for stage in np.unique(stage_of).tolist():
            here = stage_of == stage
            factors.add_up(terms.marks[:, sample.ungoverned[here]] @ sample.unweighted[here], unknown)
            least[:, stage] += unknown
        point += stages.sum(np.where(suppliers.ungoverned, suppliers.known_share**2 * scores.factor, 0.0))
    remainder = sample.remainder.astype(np.float32)[:, None]
    if not suppliers.withheld.size:
        np.add(least, remainder, out=most)
        point += sample.remainder
        return
    stage_of, kind = stages.index[suppliers.withheld], terms.place[suppliers.withheld]
    for reading, table in enumerate((factors.drawn, factors.central[:, None])[: len(most)]):
        most[reading] = least[reading] + remainder * _worst(stage_of, table[kind], stages.count)
    point += sample.remainder * _worst(stage_of, scores.factor[suppliers.withheld, None], stages.count)[:, 0]


def _worst(stage: Ints, factor: Floats, stages: int) -> Floats:
    """w of each stage (stages × draws): 1, or the largest partner factor of its suppliers whose share is withheld."""
    worst = np.ones((stages, factor.shape[1]))
    for at, of_row in zip(stage.tolist(), factor, strict=True):
        np.maximum(worst[at], of_row, out=worst[at])
    return worst
