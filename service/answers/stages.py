"""The stages of a mineral's score, as the wire contract has them.

Nothing in them depends on the buyer but what stands between it and the suppliers: buyers who stand alike share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple, get_args

from schemas.common import Tie
from schemas.score import (
    Concentration,
    Holding,
    Interval,
    IntervalParts,
    OwnSupply,
    PartnerCoverage,
    Range,
    StageScore,
    Supplier,
)
from service.answers.control import FLAGS as CONTROL_FLAGS
from service.answers.control import StageControl
from service.answers.rounding import measure, points, share, weight
from service.methods.default import REASONS
from service.risk.methods.partner_adjusted import band
from service.risk.partners import BUCKETS
from service.world.scoring import NOBODY, Scored
from service.world.sourcing import Sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from service.risk.intervals import Ends, Parts
    from service.risk.methods.partner_adjusted import StageScores
    from service.risk.model import StageResult
    from service.world.attribution import Attribution
    from service.world.position import Position
    from service.world.sheet import Place
    from service.world.world import World

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


def ordered(flags: set[str]) -> list[str]:
    """The flags in the order they are described. A stage without control data says nothing beside one that has some."""
    if not flags:
        return []
    dropped = {"no_control_data"} if "control_partly_known" in flags else set()
    return [flag for flag in FLAGS if flag in flags - dropped]


def flags_of(world: World, scored: Scored, attribution: Attribution, as_of: date) -> list[list[str]]:
    """What to know of the figures of each place on the sheet."""

    def raised() -> list[list[str]]:
        core = [(flag, where.tolist()) for flag, where in scored.scores.stages.flags.items()]
        found = []
        for index, place in enumerate(scored.sheet.places):
            control = StageControl(world, place.mineral, place.stage, as_of)
            mine = [flag for flag, where in core if where[index]] if place.shares else []
            more = control.flags(attribution) if place.shares else []
            found.append(ordered({*mine, *place.flags(as_of), *more}))
        return found

    return scored.sheet.memo.get(("flags", attribution, as_of.year), raised)


_factor = lru_cache(maxsize=4096)(share)
_contribution = lru_cache(maxsize=16_384)(weight)
"""Rounding a number takes as long as looking many up, and most suppliers contribute the same to most buyers."""


class _Whole(NamedTuple):
    """A stage's figures as they are told to every buyer; `suppliers` are the rows with a share, at their place."""

    concentration: Concentration
    suppliers: list[tuple[int, str, float, float | None]]
    sources: list[str]
    withheld: list[str]
    ownership: list[Holding]
    offtake: list[Holding]


class _Names(NamedTuple):
    """What is known by its place in the World, by that place."""

    countries: list[str]
    agreements: list[str]
    restrictions: list[str]

    @classmethod
    def of(cls, world: World) -> _Names:
        return cls(list(world.countries), list(world.agreements), list(world.restrictions))


@dataclass(frozen=True)
class Stages:
    """One mineral's stages, scored alone, ready to be told; `level` is the part of the draws that intervals hold."""

    world: World
    as_of: date
    scored: Scored
    level: float
    attribution: Attribution

    def told(self) -> list[StageScore]:
        """Every stage, in the sheet's order."""
        flags = flags_of(self.world, self.scored, self.attribution, self.as_of)
        return [
            self._stage(index, place, raised)
            for index, (place, raised) in enumerate(zip(self.scored.sheet.places, flags, strict=True))
        ]

    @cached_property
    def _parts(self) -> Parts:
        return self.scored.parts(self.level)

    @cached_property
    def interval(self) -> Interval:
        """The interval of the mineral's score."""
        found = self._parts
        return self._interval(0, found.whole.minerals, found.inputs.minerals, found.design.minerals)

    def _stage_interval(self, index: int) -> Interval:
        found = self._parts
        return self._interval(index, found.whole.stages, found.inputs.stages, found.design.stages)

    def _interval(self, index: int, whole: Ends, inputs: Ends, design: Ends) -> Interval:
        def ends(found: Ends) -> Range:
            return Range(low=points(float(found.low[index])), high=points(float(found.high[index])))

        low, high = points(float(whole.low[index])), points(float(whole.high[index]))
        parts = IntervalParts(inputs=ends(inputs), design=ends(design))
        return Interval(low=low, high=high, level=self.level, parts=parts)

    def _stage(self, index: int, place: Place, flags: list[str]) -> StageScore:
        scores, shares = self.scored.scores.stages, place.shares
        whole = self._whole(index, place) if shares else None
        score = float(scores.score[index]) if scores.sufficient[index] else None
        return StageScore(
            stage=place.stage,
            status="insufficient_data" if score is None else "scored",
            reasons=[REASONS[reason] for reason in scores.reasons(index)],
            score=points(score),
            band=None if score is None else band(score),
            interval=None if score is None else self._stage_interval(index),
            value=measure(score),
            reference_year=shares.reference_year if shares else None,
            period=shares.label if shares else None,
            sources=whole.sources if whole else [],
            risk_concentration=weight(scores.h[index]) if shares else None,
            own_supply=self._own_supply(index),
            concentration=whole.concentration if whole else None,
            partner_coverage=_coverage(scores, index) if shares else None,
            suppliers=self._suppliers(whole.suppliers, scores, self.scored.position, place.rows) if whole else [],
            ownership=whole.ownership if whole else [],
            offtake=whole.offtake if whole else [],
            withheld=whole.withheld if whole else [],
            terms=[],
            mixes=[],
            flags=flags,
        )

    def _whole(self, index: int, place: Place) -> _Whole:
        """What of a stage is told alike to all buyers."""

        def work_out() -> _Whole:
            shares = place.shares
            assert shares is not None
            release = self.scored.sheet.governance.release
            control = StageControl(self.world, place.mineral, place.stage, self.as_of)
            owned = [holding.source for holding in control.ownership] if self.attribution == "control" else []
            return _Whole(
                concentration=_concentration(place, self.scored.scores.stages.stage(index)),
                suppliers=self._named(shares.countries.tolist(), shares.shares.tolist()),
                sources=list(dict.fromkeys([shares.source.id, *([release.id] if release else []), *owned])),
                withheld=[row.country for row in shares.rows if row.share is None],
                ownership=control.ownership,
                offtake=control.offtake,
            )

        return self.scored.sheet.memo.get(("whole", index), work_out)

    def _named(self, countries: Sequence[int], shares: Sequence[float]) -> list[tuple[int, str, float, float | None]]:
        """The rows with a share, by their place: the country, its share and its governance, as they are told."""
        weights, governed = self.scored.sheet.governance.weight, self.scored.sheet.governance.governed
        return [
            (at, self._names.countries[country], share(part), weight(weights[country]) if governed[country] else None)
            for at, (country, part) in enumerate(zip(countries, shares, strict=True))
            if part
        ]

    @cached_property
    def _names(self) -> _Names:
        return self.world.memo.get("names", lambda: _Names.of(self.world))

    def _suppliers(
        self,
        named: Iterable[tuple[int, str, float, float | None]],
        stages: StageScores,
        position: Position,
        rows: slice,
    ) -> list[Supplier]:
        """Suppliers, whose rows stand among those of `stages` and `position`."""
        agreements, restrictions = position.agreement[rows].tolist(), position.restriction[rows].tolist()
        tiers, factors = stages.terms.tier[rows].tolist(), stages.factor[rows].tolist()
        contributions = stages.contribution[rows].tolist()
        return [
            Supplier(
                country=country,
                share=part,
                governance=governance,
                partner_factor=_factor(factors[at]),
                tie=TIES[tiers[at]],
                agreement=None if agreements[at] == NOBODY else self._names.agreements[agreements[at]],
                restriction=None if restrictions[at] == NOBODY else self._names.restrictions[restrictions[at]],
                contribution=_contribution(contributions[at]),
            )
            for at, country, part, governance in named
        ]

    def _own_supply(self, index: int) -> OwnSupply | None:
        """The buyer's own supply of a stage, by its place on the sheet."""
        if not isinstance(self.scored, Sourced) or (own := self.scored.own[index]) is None:
            return None
        stages, plain = self.scored.supply.scores, self.scored.scores.stages
        named = self._named(own.countries.tolist(), own.share.tolist())
        suppliers = self._suppliers(named, stages, self.scored.own_position, own.rows)
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


def _concentration(place: Place, result: StageResult) -> Concentration:
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


def _coverage(scores: StageScores, index: int) -> PartnerCoverage:
    split = dict(zip(BUCKETS, map(share, scores.coverage[index].tolist()), strict=True))
    return PartnerCoverage(**split, restricted=share(float(scores.restricted[index])))
