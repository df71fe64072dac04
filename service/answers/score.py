"""The score of a mineral, and the list of all scores, as the wire contract has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from schemas.common import Tie
from schemas.score import (
    Concentration,
    Interval,
    IntervalParts,
    MethodRef,
    OwnSupply,
    PartnerCoverage,
    Range,
    Score,
    ScoreRow,
    StageScore,
    Supplier,
)
from service.answers.control import FLAGS as CONTROL_FLAGS
from service.answers.control import StageControl
from service.answers.ladder import overridden
from service.answers.rounding import measure, points, share, weight
from service.answers.stamp import stamp
from service.answers.standing import scored_standings
from service.methods.default import REASONS, UNIT
from service.risk.intervals import LEVEL, Ends, Intervals
from service.risk.methods.partner_adjusted import ID, VERSION
from service.risk.partners import LADDER, Ladder
from service.world.attribution import Attribution, attributed
from service.world.scoring import NOBODY, Scored, score_all
from service.world.sourcing import Sourced, score_sourced

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from schemas.score import Standing
    from service.risk.methods.partner_adjusted import StageScores
    from service.risk.model import StageResult
    from service.world.position import Position
    from service.world.sheet import Place
    from service.world.world import World

METHOD = MethodRef(id=ID, version=VERSION)
TIES: tuple[Tie, ...] = get_args(Tie)
"""The wire's names of the tiers, in the tiers' order."""

FLAGS = {
    "understated": "a stage that is known to exist has no score; it may be the one with the higher risk",
    "unreported_remainder": "the source names less than the whole output; the rest adds nothing to the score",
    "share_withheld": "the source names a supplier without printing its share; it adds nothing to the score",
    "supplier_without_governance": "a named supplier has no governance figure; it adds nothing to the score",
    "shares_exceed_one": "the source's rounded shares sum to more than 1; they are used as printed",
    "old_reference_year": "the shares describe a year more than three years before the day asked for",
    "undated_shares": "the source of the shares names no year",
    **CONTROL_FLAGS,
}
"""Every flag a score can carry, and what it means."""


MixName = Literal["world", "sourcing"]
"""Whose supply counts: the world's alone, or the buyer's own beside it where the ledger knows it."""


MIXES: dict[MixName, str] = {
    "world": "H of a stage is that of the world's supply",
    "sourcing": "H = H_world · IR/2 + H_own · (1 − IR/2), as in the EU's equation, where the ledger knows the buyer's"
    " own supply and import reliance IR; the world's supply alone elsewhere",
}
"""What each choice of supply does."""


class _Ids(NamedTuple):
    """What is known by its place in the World, by that place."""

    countries: list[str]
    agreements: list[str]
    restrictions: list[str]


class _Row(NamedTuple):
    """A scored supplier row: the stages and the position it was scored with, and its place in both."""

    stages: StageScores
    position: Position
    at: int


@dataclass(frozen=True)
class Account:
    """One buyer's scores on one day, ready to be told mineral by mineral."""

    world: World
    buyer: str
    as_of: date
    scored: Scored
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
        score = score_sourced if mix == "sourcing" else score_all
        scored = score(attributed(world, attribution, as_of), buyer, as_of, ladder)
        return cls(world, buyer, as_of, scored, level, attribution)

    def score(self, mineral: str) -> Score:
        """The whole account of one mineral."""
        return replace(self, scored=self.scored.only(mineral))._score(mineral, self.standings.get(mineral))

    def _score(self, mineral: str, standing: Standing | None) -> Score:
        """The account of the one mineral that is scored."""
        sheet = self.scored.sheet
        result = self.scored.scores.mineral(0)
        stages = [self._stage(place) for place in sheet.places_of[mineral]]
        binding = None if result.binding_stage is None else sheet.places[result.binding_stage].stage
        return Score(
            **stamp(self.world, self.as_of),
            mineral=mineral,
            buyer=self.buyer,
            method=METHOD,
            attribution=self.attribution,
            ladder=overridden(self.scored.scores.stages.ladder),
            mix="sourcing" if isinstance(self.scored, Sourced) else "world",
            status=result.status,
            reasons=[f"{s.stage}: {reason}" for s in stages for reason in s.reasons] if result.score is None else [],
            score=points(result.score),
            band=result.band,
            interval=None if result.score is None else self._interval("minerals", 0),
            value=measure(result.score),
            unit=UNIT,
            standing=standing,
            binding_stage=binding,
            stages=stages,
            terms=[],
            flags=_ordered({*result.flags, *(flag for stage in stages for flag in stage.flags)}),
        )

    @cached_property
    def standings(self) -> Mapping[str, Standing]:
        """Where every mineral that has a score stands among them."""
        return scored_standings(self.scored)

    def row(self, mineral: str) -> ScoreRow:
        """One mineral's line in the list of scores."""
        place = self.world.mineral_index[mineral]
        result = self.scored.scores.mineral(place)
        binding = None if result.binding_stage is None else self.scored.sheet.places[result.binding_stage]
        top = binding.shares.rows[0] if binding and binding.shares else None
        ends = self.scored.intervals(self.level).minerals
        return ScoreRow(
            mineral=mineral,
            name=self.world.minerals[mineral].name_en,
            status=result.status,
            score=points(result.score),
            band=result.band,
            interval_low=None if result.score is None else points(float(ends.low[place])),
            interval_high=None if result.score is None else points(float(ends.high[place])),
            value=measure(result.score),
            unit=UNIT,
            rank=standing.rank if (standing := self.standings.get(mineral)) else None,
            binding_stage=binding.stage if binding else None,
            reference_year=binding.shares.reference_year if binding and binding.shares else None,
            top_country=top.country if top else None,
            top_share=share(top.share) if top else None,
            attribution=self.attribution,
            flags=_ordered({*result.flags, *(f for i in self.scored.sheet.places_of[mineral] for f in self._flags(i))}),
        )

    def _flags(self, index: int) -> list[str]:
        place = self.scored.sheet.places[index]
        if place.shares is None:
            return []
        raised = [flag for flag, where in self.scored.scores.stages.flags.items() if where[index]]
        return _ordered({*raised, *place.flags(self.as_of), *self._control(place).flags(self.attribution)})

    def _control(self, place: Place) -> StageControl:
        return StageControl(self.world, place.mineral, place.stage, self.as_of, self.buyer)

    def _interval(self, of: Literal["stages", "minerals"], index: int) -> Interval:
        def ends(found: Intervals) -> Range:
            both: Ends = getattr(found, of)
            return Range(low=points(float(both.low[index])), high=points(float(both.high[index])))

        whole, parts = ends(self.scored.intervals(self.level)), self.scored.parts(self.level)
        return Interval(
            low=whole.low,
            high=whole.high,
            level=self.level,
            parts=IntervalParts(inputs=ends(parts.inputs), design=ends(parts.design)),
        )

    def _stage(self, index: int) -> StageScore:
        sheet = self.scored.sheet
        place = sheet.places[index]
        result = self.scored.scores.stages.stage(index)
        shares = place.shares
        release, control = sheet.governance.release, self._control(place)
        owned = [holding.source for holding in control.ownership] if self.attribution == "control" else []
        return StageScore(
            stage=place.stage,
            status=result.status,
            reasons=[REASONS[reason] for reason in result.reasons],
            score=points(result.score),
            band=result.band,
            interval=None if result.score is None else self._interval("stages", index),
            value=measure(result.score),
            reference_year=shares.reference_year if shares else None,
            period=shares.label if shares else None,
            sources=list(dict.fromkeys([shares.source.id, *([release.id] if release else []), *owned]))
            if shares
            else [],
            risk_concentration=weight(result.h) if shares else None,
            own_supply=self._own_supply(index),
            concentration=self._concentration(place, result) if shares else None,
            partner_coverage=_coverage(result) if shares else None,
            suppliers=self._suppliers(place),
            ownership=control.ownership,
            offtake=control.offtake,
            available_to_market=control.available,
            withheld=[row.country for row in shares.rows if row.share is None] if shares else [],
            terms=[],
            mixes=[],
            flags=self._flags(index),
        )

    def _concentration(self, place: Place, result: StageResult) -> Concentration:
        found = result.concentration
        top = None if found.top is None or place.shares is None else place.shares.rows[found.top].country
        return Concentration(
            hhi=share(found.hhi),
            hhi_low=share(found.hhi_low),
            hhi_high=share(found.hhi_high),
            effective_suppliers=None if found.effective_suppliers is None else round(found.effective_suppliers, 2),
            top_country=top,
            top_share=share(found.top_share),
            named_share=share(found.named_share),
        )

    def _suppliers(self, place: Place) -> list[Supplier]:
        if place.shares is None:
            return []
        rows = enumerate(zip(place.shares.countries.tolist(), place.shares.shares.tolist(), strict=True))
        stages, position = self.scored.scores.stages, self.scored.position
        return [
            self._supplier(country, part, _Row(stages, position, place.rows.start + at))
            for at, (country, part) in rows
            if part
        ]

    @cached_property
    def _ids(self) -> _Ids:
        return _Ids(list(self.world.countries), list(self.world.agreements), list(self.world.restrictions))

    def _supplier(self, country: int, part: float, row: _Row) -> Supplier:
        """A country, by its place among the World's, and its part in a supply."""
        governance = self.scored.sheet.governance
        agreement, restriction = int(row.position.agreement[row.at]), int(row.position.restriction[row.at])
        return Supplier(
            country=self._ids.countries[country],
            share=share(part),
            governance=weight(governance.weight[country]) if governance.governed[country] else None,
            partner_factor=share(row.stages.factor[row.at]),
            tie=TIES[int(row.stages.terms.tier[row.at])],
            agreement=None if agreement == NOBODY else self._ids.agreements[agreement],
            restriction=None if restriction == NOBODY else self._ids.restrictions[restriction],
            contribution=weight(row.stages.contribution[row.at]),
        )

    def _own_supply(self, index: int) -> OwnSupply | None:
        """The buyer's own supply of a stage, by its place on the sheet."""
        if not isinstance(self.scored, Sourced) or (own := self.scored.own[index]) is None:
            return None
        stages, plain = self.scored.supply.scores, self.scored.scores.stages
        suppliers = [
            self._supplier(country, part, _Row(stages, self.scored.own_position, own.rows.start + at))
            for at, (country, part) in enumerate(zip(own.countries.tolist(), own.share.tolist(), strict=True))
            if part
        ]
        return OwnSupply(
            counted=bool(self.scored.supply.part[index]),
            of="imports" if own.mix.of_imports else "supply",
            source=own.mix.source.id,
            period=own.mix.label,
            import_reliance=share(own.import_reliance),
            import_reliance_printed=own.reliance.printed,
            import_reliance_source=own.reliance.source,
            import_reliance_year=own.reliance.period_end,
            h_world=weight(plain.contribution[plain.suppliers.stages.index == index].sum()),
            h_own=weight(stages.h[index]),
            suppliers=sorted(suppliers, key=lambda supplier: (-supplier.share, supplier.country)),
        )


def _coverage(result: StageResult) -> PartnerCoverage:
    return PartnerCoverage(**{name: share(value) for name, value in result.coverage.items()})


def _ordered(flags: set[str]) -> list[str]:
    """The flags in the order they are described. A stage without control data says nothing beside one that has some."""
    dropped = {"no_control_data"} if "control_partly_known" in flags else set()
    return [flag for flag in FLAGS if flag in flags - dropped]
