"""The ladder of ties and restrictions as a request has set it, told back to whoever asked."""

from __future__ import annotations

from schemas.change import Step
from service.risk.partners import STEPS, Ladder


def overridden(ladder: Ladder) -> dict[str, float | Step]:
    """The steps that have another value than the method's own; a step that is certain is a bare number."""
    told: dict[str, float | Step] = {}
    for place in ladder.changed:
        step = ladder.steps[place]
        certain = step.low == step.central == step.high
        told[STEPS[place]] = step.central if certain else Step(central=step.central, low=step.low, high=step.high)
    return told
