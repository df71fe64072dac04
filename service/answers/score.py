"""The score of a mineral, and the list of all scores, as the wire contract has them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec import Raw
from msgspec.json import Encoder
from msgspec.structs import replace

from schemas.score import MethodRef, Score, ScoreRow
from service.answers.control import StageControl
from service.answers.ladder import overridden
from service.answers.names import named
from service.answers.rounding import measure, points, share
from service.answers.stages import FLAGS, TIES, Stages, flags_of, ordered
from service.answers.stamp import stamp
from service.answers.standing import Field, field_of
from service.methods.default import UNIT
from service.risk.intervals import LEVEL
from service.risk.methods.partner_adjusted import ID, VERSION, band
from service.risk.partners import LADDER, Ladder
from service.world.attribution import Attribution, attributed
from service.world.memo import kept_by
from service.world.scoring import Scored, score_alike
from service.world.sourcing import Sourced, score_sourced

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from schemas.score import StageScore
    from service.world.world import World

METHOD = MethodRef(id=ID, version=VERSION)

MOST_TOLD = 16_384
"""So many accounts of one mineral are kept as they are sent, some 5 KB each; the buyers there are have some 10,000 that
differ on the days of two years, and other ladders come on top."""

MOST_ALIKE = 4096
"""Of so many kinds of terms towards one mineral's suppliers it is kept what they come to; some 5 KB each."""

_ENCODER = Encoder()

_Told = tuple[dict[str, Any], float | None]
"""Fields of an account, and the score, unrounded."""

MixName = Literal["world", "sourcing"]
"""Whose supply counts: the world's alone, or the buyer's own beside it where the ledger knows it."""


MIXES: dict[MixName, str] = {
    "world": "H of a stage is that of the world's supply",
    "sourcing": "H = H_world · IR/2 + H_own · (1 − IR/2), as in the EU's equation, where the ledger knows the buyer's"
    " own supply and import reliance IR; the world's supply alone elsewhere",
}
"""What each choice of supply does."""


class _Lines(NamedTuple):
    """The scores of all minerals in plain numbers, by their place; the flags are by the sheet's places."""

    score: list[float]
    sufficient: list[bool]
    binding_stage: list[int]
    understated: list[bool]
    low: list[float]
    high: list[float]
    flags: list[list[str]]
    field: Field


@dataclass(frozen=True)
class Account:
    """One buyer's scores on one day, ready to be told mineral by mineral."""

    world: World
    buyer: str
    as_of: date
    scored: Scored
    ladder: Ladder = LADDER
    level: float = LEVEL
    attribution: Attribution = "territory"

    @classmethod
    def of(
        cls,
        world: World,
        buyer: str,
        as_of: date,
        ladder: Ladder = LADDER,
        level: float = LEVEL,
        mix: MixName = "world",
        attribution: Attribution = "territory",
    ) -> Account:
        """The account of a country, bloc or coalition; `level` is the part of the draws that intervals hold."""
        score = score_sourced if mix == "sourcing" else score_alike
        scored = score(attributed(world, attribution, as_of), buyer, as_of, ladder)
        return cls(world, buyer, as_of, scored, ladder, level, attribution)

    def score(self, mineral: str) -> Score:
        """The whole account of one mineral."""
        told, score, stages = self._named(mineral)
        stages = [self._to_market(mineral, stage) for stage in stages]
        return self._signed(told | {"stages": stages}, score)

    def sent(self, mineral: str) -> Score:
        """The account as it is sent: its stages, which all who stand alike have in common, are JSON already."""
        scored = self.scored
        if isinstance(scored, Sourced):  # no two buyers have the same supply of their own
            return self.score(mineral)
        stands = scored.position.content(scored.sheet.rows_of(mineral))
        told, score = self._kept("told", MOST_TOLD, mineral, stands, lambda: self._packed(mineral))
        return self._signed(told, score) if told else self.score(mineral)

    def _kept(self, what: str, most: int, mineral: str, stands: bytes, compute: Callable[[], _Told]) -> _Told:
        """What is told of a mineral, to all who stand alike or to all with the same terms, which `stands` says."""
        scored, ladder = self.scored, self.scored.scores.stages.ladder
        if ladder.changed:
            ladder = ladder.on(scored.towards(mineral).terms.steps)
        key = (scored.sheet, mineral, stands, ladder, self.level, self.attribution, self.as_of.year)
        return kept_by(ladder, self.world, what, most).get(key, compute)

    def _packed(self, mineral: str) -> _Told:
        """What is told to all who stand alike, and the score; nothing where something is told to this buyer alone."""
        told, score, stages = self._named(mineral)
        if any(stage.offtake for stage in stages):
            return {}, None
        return told | {"stages": Raw(_ENCODER.encode(stages))}, score

    def _named(self, mineral: str) -> tuple[*_Told, list[StageScore]]:
        """What is told to all who stand alike, the score, and the stages with the names of what stands between."""
        scored, sheet = self.scored, self.scored.sheet.only(mineral)
        if isinstance(scored, Sourced):
            alone = scored.only(mineral)
            stand, (told, score) = alone.stand, self._told(mineral, alone)
        else:
            stand = scored.towards(mineral)
            terms = stand.terms.kind.tobytes()
            told, score = self._kept(
                "alike", MOST_ALIKE, mineral, terms, lambda: self._told(mineral, scored.only_of(mineral, stand))
            )
        return told, score, named(self.world, sheet, told["stages"], stand.position)

    def _signed(self, told: dict[str, Any], score: float | None) -> Score:
        """What is told to all who stand alike, for this buyer and day."""
        return Score(
            **told,
            **stamp(self.world, self.as_of),
            buyer=self.buyer,
            ladder=overridden(self.ladder),
            standing=None if score is None else field_of(self.scored).standing(score),
        )

    def _to_market(self, mineral: str, stage: StageScore) -> StageScore:
        """A stage with what of its output is left to the buyer, where some of it is committed."""
        if not stage.offtake:
            return stage
        control = StageControl(self.world, mineral, stage.stage, self.as_of)
        return replace(stage, available_to_market=control.available(self.buyer))

    def _told(self, mineral: str, alone: Scored) -> _Told:
        """What is told to all to whom the same terms apply, whichever agreements make them, and the score."""
        result = alone.scores.mineral(0)
        made = Stages(self.world, self.as_of, alone, self.level, self.attribution)
        stages = made.told()
        binding = None if result.binding_stage is None else alone.sheet.places[result.binding_stage].stage
        told = {
            "mineral": mineral,
            "method": METHOD,
            "attribution": self.attribution,
            "mix": "sourcing" if isinstance(alone, Sourced) else "world",
            "status": result.status,
            "reasons": [f"{s.stage}: {reason}" for s in stages for reason in s.reasons] if result.score is None else [],
            "score": points(result.score),
            "band": result.band,
            "interval": None if result.score is None else made.interval,
            "value": measure(result.score),
            "unit": UNIT,
            "binding_stage": binding,
            "stages": stages,
            "terms": [],
            "flags": ordered({*result.flags, *(flag for stage in stages for flag in stage.flags)}),
        }
        return told, result.score

    def row(self, mineral: str) -> ScoreRow:
        """One mineral's line in the list of scores."""
        place, line = self.world.mineral_index[mineral], self._lines
        score = line.score[place] if line.sufficient[place] else None
        binding = None if score is None else self.scored.sheet.places[line.binding_stage[place]]
        top = binding.shares.rows[0] if binding and binding.shares else None
        raised = {flag for at in self.scored.sheet.places_of[mineral] for flag in line.flags[at]}
        return ScoreRow(
            mineral=mineral,
            name=self.world.minerals[mineral].name_en,
            status="insufficient_data" if score is None else "scored",
            score=points(score),
            band=None if score is None else band(score),
            interval_low=None if score is None else points(line.low[place]),
            interval_high=None if score is None else points(line.high[place]),
            value=measure(score),
            unit=UNIT,
            rank=None if score is None else line.field.standing(score).rank,
            binding_stage=binding.stage if binding else None,
            reference_year=binding.shares.reference_year if binding and binding.shares else None,
            top_country=top.country if top else None,
            top_share=share(top.share) if top else None,
            attribution=self.attribution,
            flags=ordered(raised | {"understated"} if line.understated[place] else raised),
        )

    @cached_property
    def _lines(self) -> _Lines:
        scores, ends = self.scored.scores, self.scored.intervals(self.level).minerals
        return _Lines(
            score=scores.score.tolist(),
            sufficient=scores.sufficient.tolist(),
            binding_stage=scores.binding_stage.tolist(),
            understated=scores.understated.tolist(),
            low=ends.low.tolist(),
            high=ends.high.tolist(),
            flags=flags_of(self.world, self.scored, self.attribution, self.as_of),
            field=field_of(self.scored),
        )


__all__ = ["FLAGS", "METHOD", "MIXES", "TIES", "Account", "MixName"]
