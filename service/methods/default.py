"""The default method's scores in the same form as the others', for standing beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.methods.engine import Engine, StageValue, Valued, Values
from service.risk.methods.partner_adjusted import ID
from service.world.scoring import score_all

if TYPE_CHECKING:
    from datetime import date

    from service.world.world import World

UNIT = "points"

REASONS = {
    "no_shares": "no source names a share of this stage's output for a period that had ended by the day",
    "less_than_half_named_and_governed": "less than half of the output is both named by the source and has a governance"
    " figure",
}
"""Why a stage has no score."""


def run(world: World, buyer: str, as_of: date) -> Values:
    """The score of every mineral; the whole account is at `/v1/minerals/{mineral}/score`."""
    scored = score_all(world, buyer, as_of)
    values = {}
    for mineral, places in scored.sheet.places_of.items():
        stages = []
        for at in places:
            place, result = scored.sheet.places[at], scored.scores.stages.stage(at)
            period = place.shares.label if place.shares else None
            reasons = tuple(REASONS[reason] for reason in result.reasons)
            stages.append(StageValue(place.stage, result.score, reasons, period))
        values[mineral] = Valued.of_stages(mineral, tuple(stages))
    return values


ENGINE = Engine(ID, UNIT, "0..100; 60 is as if 60 % came from one worst-governed foreign country without a tie", run)
