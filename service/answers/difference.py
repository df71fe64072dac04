"""Two scores of the same mineral for the same buyer side by side, and the difference between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from schemas.effect import CoverageChange, DifferenceInterval, Outcome, StageDifference
from service.answers.rounding import points, seen, share
from service.answers.score import FLAGS
from service.risk.intervals import LEVEL
from service.risk.scenario import Reading, difference_range

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from service.world.scoring import Scored


@dataclass(frozen=True)
class Side:
    """One mineral's score on one side of a comparison."""

    scored: Scored
    mineral: str
    as_of: date

    @cached_property
    def alone(self) -> Scored:
        """The mineral by itself: places, stages and rows count from 0."""
        return self.scored.only(self.mineral)

    @cached_property
    def outcome(self) -> Outcome:
        """The score in short."""
        scores = self.alone.scores
        result, stages = scores.mineral(0), scores.stages
        raised: set[str] = {flag for flag, where in stages.flags.items() if where.any()}
        raised.update(result.flags, *(place.flags(self.as_of) for place in self.alone.sheet.places))
        return Outcome(
            status=result.status,
            score=points(result.score),
            band=result.band,
            binding_stage=None if result.binding_stage is None else self.alone.sheet.places[result.binding_stage].stage,
            flags=[flag for flag in FLAGS if flag in raised],
        )

    @property
    def score(self) -> float | None:
        """The unrounded score, None without one."""
        return self.alone.scores.mineral(0).score

    @property
    def reading(self) -> Reading:
        """The score with the draws of its figures."""
        return Reading(self.alone.scores, self.alone.sheet.sample)

    def stage_score(self, stage: int) -> float | None:
        """The unrounded score of one of the mineral's stages."""
        stages = self.alone.scores.stages
        return float(stages.score[stage]) if stages.sufficient[stage] else None


@dataclass(frozen=True)
class Compared:
    """A mineral before and after, or without and with."""

    before: Side
    after: Side

    @property
    def difference(self) -> float | None:
        """After minus before in points, None where either has no score."""
        return _apart(self.before.score, self.after.score)

    @cached_property
    def same(self) -> bool:
        """Whether everything that enters the score is the same, so that nothing can differ."""
        one, other = self.before.alone, self.after.alone
        terms = [[*map(each.terms.at, range(len(each.terms.kind)))] for each in (one, other)]
        return (
            one.scores.stages.ladder == other.scores.stages.ladder
            and terms[0] == terms[1]
            and all(map(np.array_equal, _figures(one), _figures(other)))
        )

    def interval(self, level: float = LEVEL) -> DifferenceInterval | None:
        """The range of the difference, None where there is none."""
        if self.difference is None:
            return None
        low, high = 0.0, 0.0
        if not self.same:
            low, high = difference_range(self.before.reading, self.after.reading, level)
        return DifferenceInterval(low=seen(low), high=seen(high), level=level)

    def stages(self) -> list[StageDifference]:
        """Stage by stage, those that exist."""
        return [self._stage(place) for place in range(len(self.before.alone.sheet.places))]

    def _stage(self, place: int) -> StageDifference:
        before, after = self.before.stage_score(place), self.after.stage_score(place)
        difference = _apart(before, after)
        return StageDifference(
            stage=self.before.alone.sheet.places[place].stage,
            before=points(before),
            after=points(after),
            difference=seen(difference),
            difference_unrounded=difference,
            coverage=self._coverage(place),
        )

    def _coverage(self, place: int) -> CoverageChange | None:
        sides = [side.alone.scores.stages.stage(place) for side in (self.before, self.after)]
        if any(side.concentration.hhi is None for side in sides):
            return None
        before, after = (side.coverage for side in sides)
        return CoverageChange(**{name: share(after[name] - before[name]) + 0.0 for name in before})


def _figures(scored: Scored) -> tuple[NDArray[Any], ...]:
    """The figures that enter the scores, row by row."""
    suppliers = scored.sheet.suppliers
    return (suppliers.share, suppliers.known, suppliers.governance, suppliers.governed, suppliers.country)


def _apart(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
