"""How a score is looked at: the ladder of ties a request sets, and whose output counts as whose."""

from __future__ import annotations

from typing import Annotated

from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from service.risk.partners import LADDER, STEPS, Ladder, RestrictionType, Tier
from service.world.attribution import Attribution

_TIES = f"({'|'.join(tier.label for tier in Tier)}):(0(\\.[0-9]{{1,6}})?|1(\\.0{{1,6}})?)"
_RESTRICTIONS = f"({'|'.join(kind.label for kind in RestrictionType if kind)}):([12](\\.[0-9]{{1,6}})?|3(\\.0{{1,6}})?)"
_STEP = f"({_TIES}|{_RESTRICTIONS})"
LADDER_PATTERN = f"^{_STEP}(,{_STEP}){{0,{len(STEPS) - 1}}}$"
LADDER_LENGTH = 300

LadderText = Annotated[
    str | None,
    QueryParameter(
        pattern=LADDER_PATTERN,
        max_length=LADDER_LENGTH,
        description="Steps of the ladder of ties and restrictions with other values, taken as certain; the answer says"
        " which. Ties lie within 0..1, restrictions within 1..3; of a step given twice the last value counts.",
        examples=[Example(value="memorandum:1.0,forum:1.0")],
    ),
]
AttributionName = Annotated[
    Attribution,
    QueryParameter(
        description="Whose output counts as whose: the country's in which it stands (`territory`), or, as far as the"
        " ledger knows, that of who owns the capacity (`control`).",
        examples=[Example(value="territory")],
    ),
]


def read_ladder(text: str | None) -> Ladder:
    """The ladder with the steps a request sets, in the form of `LadderText`."""
    if text is None:
        return LADDER
    steps = dict(entry.split(":") for entry in text.split(","))
    return LADDER.replace(**{name: float(value) for name, value in steps.items()})
