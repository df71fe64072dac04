"""What moves a score most: the slope of each figure, and how far it would have to move for the band to change.

With one figure x of the method varied and all others as they are, H of every stage is a curve

    H(x) = a·x² + b·x + c        score(x) = 100 · min(1, √(the largest H(x) of the stages that have a score))

    share s         held          a = g·t                      the other suppliers keep their shares
                    proportional  a = g·t + q, b = −2q, c = q  they give way in proportion: theirs are multiplied by
                                  q = (H − s²·g·t)/(1 − s)²    (1 − x)/(1 − s), the unreported remainder too
    governance g    b = s²·t      at every stage the country supplies
    factor t        b = s²·g      of one country at one stage

c is H without the figure's own part where nothing else is said. So the slope is 50·H′/√H points per unit, and where the
band changes, or another stage binds, is a root of a quadratic. Nothing here is a second way to score: the tests hold
every slope and every root against the scores of `score_stages`.

A slope is 0 above H = 1, where the score stays at 100. It has no value at H = 0, where the root is infinitely steep,
unless the figure does not move H there at all. A share is reachable where the stage keeps enough of its output named
and governed to have a score. A supplier whose share is 0 or not known, or whose governance is not, is no lever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from service.risk.methods.partner_adjusted import BANDS, MineralScores, StageScores, band
from service.risk.model import SUFFICIENT, Band
from service.risk.partners import STRONGEST_RESTRICTION

Others = Literal["held", "proportional"]
"""What the other suppliers of a stage do when one share moves: keep theirs, or give way in proportion to them."""

Figure = Literal["share", "governance", "partner_factor"]

NOTHING = 1e-12
"""An H below this is 0, and a figure by this much out of reach within it, but for what rounding leaves."""


@dataclass(frozen=True)
class Curve:
    """H of one stage as a function of one figure: a·x² + b·x + c."""

    a: float
    b: float
    c: float

    def at(self, x: float) -> float:
        """H at x."""
        return (self.a * x + self.b) * x + self.c

    def slope(self, x: float) -> float:
        """H′ at x."""
        return 2 * self.a * x + self.b

    def minus(self, other: Curve) -> Curve:
        """How far this curve lies above another."""
        return Curve(self.a - other.a, self.b - other.b, self.c - other.c)

    def reaches(self, h: float) -> list[float]:
        """Every x where the curve crosses h; not where it only touches it, and none for a flat curve."""
        a, b, c = self.a, self.b, self.c - h
        if a == 0:
            return [-c / b] if b else []
        inside = b * b - 4 * a * c
        if inside <= 0:
            return []
        # The larger root in size first and the other from their product: no difference of nearly equal numbers.
        large = -(b + math.copysign(math.sqrt(inside), b)) / 2
        return sorted((large / a, c / large))


@dataclass(frozen=True)
class Turn:
    """The value of a figure at which a band is reached or left, and the band beyond it."""

    at: float
    band: Band


@dataclass(frozen=True)
class Lever:
    """One figure of a mineral's score.

    country   the country's stable number, as among the suppliers
    stage     the position of its stage among the mineral's; None where it acts on all of them
    value     what it is now; `low` and `high` are how far it could go
    curves    H of each stage that has a score, by the stage's position, as it moves
    binding   the position of the stage that gives the score
    """

    figure: Figure
    country: int
    stage: int | None
    value: float
    low: float
    high: float
    curves: Mapping[int, Curve]
    binding: int

    @property
    def slope(self) -> float | None:
        """Points of the mineral's score per unit of the figure; 0 where it does not act on the binding stage."""
        return self.slope_of(self.binding)

    @property
    def acts_on_binding(self) -> bool:
        """Whether it is a figure of the stage that gives the score."""
        curve = self.curves[self.binding]
        return self.stage == self.binding or (self.stage is None and (curve.a, curve.b) != (0.0, 0.0))

    def slope_of(self, stage: int) -> float | None:
        """Points of a stage's score per unit of the figure; None where there is no such number."""
        curve = self.curves[stage]
        h, rise = curve.at(self.value), curve.slope(self.value)
        if rise == 0 or h >= 1:
            return 0.0
        return None if h <= NOTHING else 50 * rise / math.sqrt(h)

    @property
    def up(self) -> Turn | None:
        """The nearest value at which the score enters a higher band; None if there is none within reach."""
        index = self._band
        if index + 1 == len(BANDS):
            return None
        at = self._nearest(self._crossings((BANDS[index][1] / 100) ** 2))
        return None if at is None else Turn(at, BANDS[index + 1][0])

    @property
    def down(self) -> Turn | None:
        """The nearest value beyond which the score is in a lower band; None if there is none within reach."""
        index = self._band
        if index == 0:
            return None
        h = (BANDS[index - 1][1] / 100) ** 2
        at = self._nearest(x for x in self._crossings(h) if self._highest(x) <= h * (1 + 1e-9))
        return None if at is None else Turn(at, BANDS[index - 1][0])

    @property
    def binds_at(self) -> float | None:
        """The nearest value at which another stage binds; None if there is none within reach."""
        binding = self.curves[self.binding]
        moving = (curve.minus(binding) for stage, curve in self.curves.items() if stage != self.binding)
        return self._nearest(x for curve in moving for x in curve.reaches(0.0))

    @property
    def _band(self) -> int:
        names = [name for name, _ in BANDS]
        return names.index(band(100 * min(1.0, math.sqrt(self._highest(self.value)))))

    def _highest(self, x: float) -> float:
        return max(0.0, *(curve.at(x) for curve in self.curves.values()))

    def _crossings(self, h: float) -> Iterator[float]:
        return (x for curve in self.curves.values() for x in curve.reaches(h))

    def _nearest(self, found: Iterator[float]) -> float | None:
        within = [min(max(x, self.low), self.high) for x in found if self.low - NOTHING <= x <= self.high + NOTHING]
        return min(within, key=lambda x: (abs(x - self.value), x), default=None)


def levers(scores: MineralScores, others: Others = "held") -> list[Lever]:
    """Every figure of the one mineral in `scores`, which has a score: of all its stages that have one."""
    if scores.minerals.count != 1 or not scores.sufficient[0]:
        raise ValueError("levers are those of one mineral that has a score")
    return list(_Levers(scores, others).all())


class _Levers:
    """Builds the levers of one mineral."""

    def __init__(self, scores: MineralScores, others: Others) -> None:
        self._stages: StageScores = scores.stages
        self._binding = int(scores.binding_stage[0])
        self._others: Others = others
        self._flat = {
            stage: Curve(0.0, 0.0, float(self._stages.h[stage]))
            for stage in np.flatnonzero(self._stages.sufficient).tolist()
        }
        suppliers = self._stages.suppliers
        known = (suppliers.known_share > 0) & suppliers.governed & self._stages.sufficient[suppliers.stages.index]
        self._rows = np.flatnonzero(known).tolist()

    def all(self) -> Iterator[Lever]:
        """Shares and factors row by row, then governance country by country."""
        for row in self._rows:
            yield self._share(row)
            yield self._factor(row)
        yield from self._governance()

    def _figures(self, row: int) -> tuple[int, float, float, float]:
        suppliers = self._stages.suppliers
        stage = int(suppliers.stages.index[row])
        return stage, float(suppliers.share[row]), float(suppliers.governance[row]), float(self._stages.factor[row])

    def _share(self, row: int) -> Lever:
        stage, s, g, t = self._figures(row)
        rest = self._flat[stage].c - s * s * g * t
        suppliers = self._stages.suppliers
        enough = SUFFICIENT - float(suppliers.rounding[stage])
        covered = float(suppliers.named_and_governed[stage]) - s
        if self._others == "held":
            return self._lever("share", row, s, Curve(g * t, 0.0, rest), low=min(s, max(0.0, enough - covered)))
        if s >= 1:
            return self._lever("share", row, s, self._flat[stage], low=s)
        q, spread = rest / (1 - s) ** 2, covered / (1 - s)
        low = (enough - spread) / (1 - spread) if spread < 1 else 0.0
        return self._lever("share", row, s, Curve(g * t + q, -2 * q, q), low=min(s, max(0.0, low)))

    def _factor(self, row: int) -> Lever:
        stage, s, g, t = self._figures(row)
        curve = Curve(0.0, s * s * g, self._flat[stage].c - s * s * g * t)
        return self._lever("partner_factor", row, t, curve, high=STRONGEST_RESTRICTION)

    def _lever(
        self, figure: Figure, row: int, value: float, curve: Curve, low: float = 0.0, high: float = 1.0
    ) -> Lever:
        stage = int(self._stages.suppliers.stages.index[row])
        country = int(self._stages.suppliers.country[row])
        return Lever(figure, country, stage, value, low, high, self._flat | {stage: curve}, self._binding)

    def _governance(self) -> Iterator[Lever]:
        rows_of: dict[int, list[int]] = {}
        for row in self._rows:
            rows_of.setdefault(int(self._stages.suppliers.country[row]), []).append(row)
        for country, rows in rows_of.items():
            curves = dict(self._flat)
            for row in rows:
                stage, s, g, t = self._figures(row)
                curve = curves[stage]
                curves[stage] = Curve(0.0, curve.b + s * s * t, curve.c - s * s * g * t)
            value = float(self._stages.suppliers.governance[rows[0]])
            yield Lever("governance", country, None, value, 0.0, 1.0, curves, self._binding)
