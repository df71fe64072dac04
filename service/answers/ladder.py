"""The ladder of ties and restrictions as a request has set it, told back to whoever asked."""

from __future__ import annotations

from schemas.change import Step
from service.risk.partners import LADDER, STEPS, Ladder


def overridden(ladder: Ladder) -> dict[str, float | Step]:
    """The steps that have another value than the method's own; a step that is certain is a bare number."""
    told: dict[str, float | Step] = {}
    for name in STEPS:
        step = getattr(ladder, name)
        if step != getattr(LADDER, name):
            certain = step.low == step.central == step.high
            told[name] = step.central if certain else Step(central=step.central, low=step.low, high=step.high)
    return told
