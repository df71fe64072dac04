"""The stages of a mineral's score, as the wire contract has them.

Nothing in them depends on the buyer but what stands between it and the suppliers: buyers to whom the same terms apply
share all of it, apart from which agreements and restrictions these are, which `names` adds.
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
from service.answers.names import Names
from service.answers.rounding import measure, points, share, weight
from service.methods.default import REASONS
from service.risk.methods.partner_adjusted import band
from service.world.scoring import Scored
from service.world.sourcing import Sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from service.risk.intervals import Ends
    from service.risk.methods.partner_adjusted import StageScores
    from service.risk.model import StageResult
    from service.world.attribution import Attribution
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

    @property
    def interval(self) -> Interval:
        """The interval of the mineral's score."""
        return self._intervals[-1]

    @cached_property
    def _intervals(self) -> list[Interval]:
        """Those of the stages, and behind them that of the mineral's score."""
        parts = self.scored.parts(self.level)
        readings = [[*_ranges(reading.stages), *_ranges(reading.minerals)] for reading in parts]
        return [
            Interval(
                low=whole.low, high=whole.high, level=self.level, parts=IntervalParts(inputs=inputs, design=design)
            )
            for whole, inputs, design in zip(*readings, strict=True)
        ]

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
            interval=None if score is None else self._intervals[index],
            value=measure(score),
            reference_year=shares.reference_year if shares else None,
            period=shares.label if shares else None,
            sources=whole.sources if whole else [],
            risk_concentration=weight(scores.h[index]) if shares else None,
            own_supply=self._own_supply(index),
            concentration=whole.concentration if whole else None,
            partner_coverage=_coverage(scores, index) if shares else None,
            suppliers=self._suppliers(whole.suppliers, scores, place.rows.start) if whole else [],
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
                suppliers=self._printed(shares.countries.tolist(), shares.shares.tolist()),
                sources=list(dict.fromkeys([shares.source.id, *([release.id] if release else []), *owned])),
                withheld=[row.country for row in shares.rows if row.share is None],
                ownership=control.ownership,
                offtake=control.offtake,
            )

        return self.scored.sheet.memo.get(("whole", index), work_out)

    def _printed(self, countries: Sequence[int], shares: Sequence[float]) -> list[tuple[int, str, float, float | None]]:
        """The rows with a share, by their place: the country, its share and its governance, as they are told."""
        weights, governed = self.scored.sheet.governance.weight, self.scored.sheet.governance.governed
        return [
            (at, self._names.countries[country], share(part), weight(weights[country]) if governed[country] else None)
            for at, (country, part) in enumerate(zip(countries, shares, strict=True))
            if part
        ]

    @cached_property
    def _names(self) -> Names:
        return Names.of(self.world)

    def _suppliers(
        self, rows: Iterable[tuple[int, str, float, float | None]], stages: StageScores, begin: int
    ) -> list[Supplier]:
        """Suppliers whose rows stand among those of `stages` from `begin` on, without the names of what ties them."""
        kinds = [
            (share(factor), TIES[kind.tier])
            for factor, kind in zip(stages.factor_of_kind.tolist(), stages.terms.present, strict=True)
        ]
        places, contributions = stages.terms.place[begin:].tolist(), stages.contribution[begin:].tolist()
        return [
            Supplier(
                country=country,
                share=part,
                governance=governance,
                partner_factor=kinds[places[at]][0],
                tie=kinds[places[at]][1],
                agreement=None,
                restriction=None,
                contribution=_contribution(contributions[at]),
            )
            for at, country, part, governance in rows
        ]

    def _own_supply(self, index: int) -> OwnSupply | None:
        """The buyer's own supply of a stage, by its place on the sheet."""
        if not isinstance(self.scored, Sourced) or (own := self.scored.own[index]) is None:
            return None
        stages, plain = self.scored.supply.scores, self.scored.scores.stages
        rows = self._printed(own.countries.tolist(), own.share.tolist())
        bare = self._suppliers(rows, stages, own.rows.start)
        suppliers = self._names.added(bare, self.scored.own_position, (own.rows.start + at for at, *_ in rows))
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


def _ranges(ends: Ends) -> list[Range]:
    return [
        Range(low=points(low), high=points(high))
        for low, high in zip(ends.low.tolist(), ends.high.tolist(), strict=True)
    ]


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
    return PartnerCoverage(**{name: share(part) for name, part in scores.coverage(index).items()})
