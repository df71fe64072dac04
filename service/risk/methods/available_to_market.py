"""Concentration of what producers leave to the market once their own use is met.

    a     = max(0, P − U) / Σ max(0, P − U)
    H     = Σ a²
    score = 100 · √H        of each stage; the mineral's is the highest of its stages

Parameters
    P  output of each country, any unit, one mineral, stage and year
    U  what the country itself uses of that mineral at that stage in that year, in the same unit

A country that uses all it makes leaves nothing and drops out; a country that uses more than it makes is a buyer like
others. The score is on the scale of `hhi`, so the distance between the two is what domestic use does.

Source
    Thomas et al. 2022, for zinc: production concentration after what is consumed at home.

What is missing
    A producer whose own use is not known is left out of a, its output is named as unknown, and no score is given where
    the producers of known use make less than half of world output.

Limits
    Use at home is apparent: stocks enter it. What is committed under long contracts still counts as available here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.risk.concentration import hhi
from service.risk.numbers import Floats, numbers

ID = "available-to-market"
VERSION = 1
TITLE = "Concentration of what is left to the market"


@dataclass(frozen=True, eq=False)
class Available:
    """Each producer's part of what is left to the market, 0..1, and the concentration of it."""

    shares: Floats
    concentration: float


def available(production: Sequence[float], use: Sequence[float]) -> Available | None:
    """What producers leave once their own use is met; None where they leave nothing at all."""
    made, used = numbers("production", production, 0, np.inf), numbers("use", use, 0, np.inf)
    if made.shape != used.shape:
        raise ValueError("production and use must be equally many")
    left = np.maximum(0.0, made - used)
    if left.sum() == 0:
        return None
    shares = left / left.sum()
    return Available(shares, hhi(shares))
