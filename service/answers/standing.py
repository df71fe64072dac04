"""Where a mineral stands among all that have a score."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from schemas.score import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.world.scoring import Scored


class Field:
    """All values of a ranking, unrounded: higher is riskier."""

    def __init__(self, values: Iterable[float]) -> None:
        self._ordered = sorted(values)

    def standing(self, value: float) -> Standing:
        """Where one of the values stands among all; equal values share the better rank."""
        of = len(self._ordered)
        lower, not_higher = bisect_left(self._ordered, value), bisect_right(self._ordered, value)
        return Standing(rank=of - not_higher + 1, of=of, percentile=round(100 * lower / of, 1))


def standings(values: Mapping[str, float]) -> dict[str, Standing]:
    """The standing of every mineral that has a value."""
    field = Field(values.values())
    return {mineral: field.standing(value) for mineral, value in values.items()}


def field_of(scored: Scored) -> Field:
    """The scores of all minerals that have one."""
    return scored.memo.get("field", lambda: Field(scored.scores.score[scored.scores.sufficient].tolist()))
