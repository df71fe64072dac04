"""Where a mineral stands among all that have a score."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from schemas.score import Standing
from service.methods.ranks import ranks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.world.scoring import Scored


def standings(values: Mapping[str, float]) -> dict[str, Standing]:
    """The standing of every mineral that has a value, by unrounded values: higher is riskier."""
    ranked = ranks(values)
    sharing = Counter(ranked.values())
    return {
        mineral: Standing(
            rank=rank, of=len(values), percentile=round(100 * (len(values) - rank + 1 - sharing[rank]) / len(values), 1)
        )
        for mineral, rank in ranked.items()
    }


def scored_standings(scored: Scored) -> dict[str, Standing]:
    """The standing of every mineral that has a score."""
    scores = zip(scored.sheet.places_of, scored.scores.score.tolist(), scored.scores.sufficient.tolist(), strict=True)
    values = {mineral: score for mineral, score, sufficient in scores if sufficient}
    return scored.memo.get("standings", lambda: standings(values))
