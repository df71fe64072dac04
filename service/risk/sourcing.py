"""A buyer's own supply beside the world's, as in the EU's equation.

    H = H_world · IR/2 + H_own · (1 − IR/2)

H_world and H_own are the concentrations of the default method, Σ s² · g · t, of the world's supply and of the buyer's
own; IR is its import reliance, 0..1, a negative one taken as 0. A buyer that imports nothing rests on its own supply
alone, one that imports everything half on either: when its suppliers fail it competes for the world's.

Where only imports are known by country, the own supply is 1 − IR from home and IR times each country's part of imports.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from service.risk.methods.partner_adjusted import StageScores, scale
from service.risk.numbers import Floats, numbers
from service.risk.uncertainty import Doubt, Sample, sample


@dataclass(frozen=True, eq=False)
class OwnSupply:
    """The scored own supply of a buyer, in the same stages as the world's.

    `part` is what of H it makes in each stage: 1 − IR/2, and 0 where the world's supply counts alone.
    """

    scores: StageScores
    doubt: Doubt
    seed: int
    part: Floats

    @cached_property
    def sample(self) -> Sample:
        """The draws of the buyer's own supply."""
        return sample(self.scores.suppliers, self.doubt, self.seed)

    def only(self, stages: range) -> OwnSupply:
        """The own supply in some neighbouring stages, drawn as among all."""
        suppliers = self.scores.suppliers
        return OwnSupply(
            scores=self.scores.only(stages, suppliers.only(stages)),
            doubt=self.doubt.only(suppliers.stages.rows(stages), stages),
            seed=self.seed,
            part=self.part[stages.start : stages.stop],
        )

    def __post_init__(self) -> None:
        if len(self.part) != len(self.scores.h):
            raise ValueError("the own supply's parts must be one per stage")
        numbers("the part of the own supply", self.part, 0, 1)


def own_part(import_reliance: ArrayLike) -> Floats:
    """1 − IR/2; IR as a fraction up to 1."""
    reliance = numbers("import reliance", import_reliance, -np.inf, 1)
    return np.asarray(1 - np.maximum(0.0, reliance) / 2)


def with_own_supply(world: StageScores, own: OwnSupply) -> StageScores:
    """The stages with both supplies in H; contributions, concentration and coverage stay those of the world's."""
    if len(own.part) != len(world.h):
        raise ValueError("the own supply must have the stages of the world's")
    h = world.h * (1 - own.part) + own.scores.h * own.part
    return replace(world, h=h, score=scale(h))
