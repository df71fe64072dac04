"""What would happen if: output lost and added, and the difference between two scores.

Output    shares s of the world's output change by Δ, fractions of that same output: below 0 what is lost, above 0 what
          is added. What is left is `output` = 1 + ΣΔ of what there was, and each share of it is s' = (s + Δ)/output.
          Both are always told: a share of what remains says nothing about how much remains
To replace the lost output is Σ(−Δ) of world output. With nothing added the rest of the world would have to grow by
          Σ(−Δ)/output to make up for it
Part      a score moves from one to another as several agreements begin to count at once. Each gets

              part_i = ∫₀¹ ∂score/∂x_i dz     along the straight line from none of them to all of them

          (Aumann and Shapley 1974). H is a sum over suppliers and ties never stack, so each supplier's change of H
          belongs to one agreement, and the integral has a closed form: while one stage binds, an agreement gets the
          change of the score in proportion to its part in the change of that stage's H. The parts sum to the whole, one
          that changes nothing gets nothing, and no order of the agreements has to be chosen

A shock is a bound of exposure and not a forecast: stocks, idle capacity, substitution, price and time do not enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from service.risk.intervals import LEVEL
from service.risk.methods.partner_adjusted import MineralScores, scale
from service.risk.numbers import Floats, number, numbers
from service.risk.partners import READINGS
from service.risk.uncertainty import Sample

NOTHING = 1e-9
"""Output below this fraction of what there was is none at all: what rounding leaves of a supplier lost in full."""


@dataclass(frozen=True, eq=False)
class Reshaped:
    """Shares of the output there is after a change, and how much that is of the output before."""

    shares: Floats
    output: float


def reshape(shares: Floats, change: Floats) -> Reshaped:
    """Shares after some output is lost or added; `change` is in fractions of the output before, one per share.

    Where shares are printed that sum to more than 1, `change` refers to that sum, so that losing everything leaves
    nothing; no share comes out above 1. ValueError where more is lost than there is.
    """
    numbers("a change of output", change, -1, np.inf)
    left = shares + change
    if (left < -NOTHING).any():
        raise ValueError("more output is lost than there is")
    output = 1.0 + float(change.sum()) / max(1.0, float(shares.sum()))
    if output <= NOTHING:
        return Reshaped(np.zeros_like(shares), 0.0)
    return Reshaped(np.minimum(np.where(left > NOTHING, left, 0.0) / output, 1.0), output)


def growth_needed(lost: float, output: float) -> float | None:
    """By what part the output that is left would have to grow to make up for what is lost; None if none is left."""
    number("the lost output", lost, 0, np.inf)
    return None if output <= NOTHING else lost / output


def parts(before: Floats, moves: Floats) -> Floats:
    """How much of a mineral's score each of several causes moves (points), the sum being the whole difference.

    before  H of each stage that has a score, without any of the causes
    moves   (stages × causes) what each adds to that stage's H; none of them may have another sign than the others
    """
    whole = moves.sum(axis=1)
    if (moves > 0).any() and (moves < 0).any():
        raise ValueError("causes that raise a score and causes that lower it cannot be told apart along one line")
    found: Floats = np.zeros(moves.shape[1])
    if not len(before):
        return found
    for begin, end in pairwise(_bends(before, whole)):
        binding = int(np.argmax(before + whole * (begin + end) / 2))
        if whole[binding]:
            ends = scale(before[binding] + whole[binding] * np.array([begin, end]))
            found += (ends[1] - ends[0]) * moves[binding] / whole[binding]
    return found


def _bends(before: Floats, whole: Floats) -> list[float]:
    """0, 1, and where between them one stage takes over from another."""
    crossings = {0.0, 1.0}
    for one, other in combinations(range(len(before)), 2):
        faster = whole[one] - whole[other]
        if faster and 0 < (at := float((before[other] - before[one]) / faster)) < 1:
            crossings.add(at)
    return sorted(crossings)


@dataclass(frozen=True, eq=False)
class Reading:
    """One mineral's score with the draws of the figures it was made of."""

    scores: MineralScores
    sample: Sample

    @property
    def score(self) -> float:
        """The point value, 0 where there is none."""
        return float(self.scores.score[0])

    def drawn(self) -> Floats:
        """The score (readings of the ladder × draws), 0 where there is none."""
        stages = self.scores.stages
        terms, ladder = stages.terms, stages.ladder
        table = [[kind.factor(ladder, reading) for reading in READINGS] for kind in terms.present]
        factors = np.array(table, dtype=np.float32)[terms.place]
        highest = np.zeros((len(READINGS), self.sample.draws))
        for stage in np.flatnonzero(stages.sufficient):
            begin, end = np.searchsorted(stages.suppliers.stages.index, (stage, stage + 1))
            known = self.sample.known[begin:end]
            h = [(known * factor[:, None]).sum(axis=0, dtype=np.float64) for factor in factors[begin:end].T]
            highest = np.maximum(highest, scale(np.stack(h)))
        return highest


def difference_range(before: Reading, after: Reading, level: float = LEVEL) -> tuple[float, float]:
    """The interval of the difference of a mineral's score (points, −100..100), after minus before.

    The figures are drawn, the same draws before and after; the ladder is read three times, with all its steps low,
    central and high, and the interval reaches over all three readings. So what rests on a tie whose step could as well
    be 1 reaches zero. What is not known counts nothing on either side. The ends hold the point scores' difference.
    """
    apart = after.drawn() - before.drawn()
    tail = int((1 - number("level", level, 0, 1)) / 2 * apart.shape[1])
    ends = np.partition(apart, (tail, apart.shape[1] - 1 - tail), axis=1)
    point = after.score - before.score
    return min(point, float(ends[:, tail].min())), max(point, float(ends[:, -1 - tail].max()))
