"""Concentration alone: how few countries hold a mineral's output, the same for every buyer.

    HHI   = Σ s²
    score = 100 · √HHI        of each stage; the mineral's is the highest of its stages

Parameters
    s  fraction 0..1 of world output of the mineral at the stage

On this scale a score of 60 means: as concentrated as if 60 % of output stood in one country and the rest in countless
small ones. It is the score of `partner-adjusted` with every governance weight and partner factor at 1, so the distance
between the two is what governance and ties do.

Source
    Hirschman 1945, Herfindahl 1950; on the scale of competition law HHI is multiplied by 10,000.

What is missing
    The unreported remainder adds nothing; `hhi_low` and `hhi_high` bound what it could. A stage without a known share,
    or with less than half of output named, has no score.

Limits
    Who the countries are, how they are governed and what ties the buyer has with them does not enter.
"""

from __future__ import annotations

import math

from service.risk.numbers import number

ID = "hhi"
VERSION = 1
TITLE = "Concentration alone"


def concentration_score(hhi: float) -> float:
    """100·√HHI, 0..100; HHI 0..1."""
    return 100 * math.sqrt(number("HHI", hhi, 0, 1))
