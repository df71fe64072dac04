"""A score with everything that enters it, unrounded, so that it can be worked out again from the answer alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from msgspec import to_builtins
from msgspec.structs import replace

from schemas import explain as wire
from service.answers.catalog import cite, source_item
from service.answers.explain_ties import TiesExplained
from service.answers.names import Names
from service.answers.score import FLAGS, METHOD, TIES, Account
from service.answers.stamp import stamp
from service.risk.governance import BOUND, DIMENSIONS
from service.risk.methods.partner_adjusted import BANDS
from service.risk.model import SHARE_DIGITS, SUFFICIENT
from service.risk.partners import LADDER, RestrictionType, Tier
from service.risk.uncertainty import DRAWS
from service.world.governance import REFERENCE_YEARS
from service.world.shares import FULL
from service.world.sheet import SEED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.explain import ShareSetFate
    from schemas.score import StageScore
    from service.risk.partners import Step
    from service.world.rows import Share
    from service.world.shares import ShareSet
    from service.world.sheet import Place

FORMULA = "score = 100 * min(1, sqrt(H)); H = sum of share^2 * g * t; t = tau * (1 + (r - 1) * (1 - rho))"


def explain(account: Account, mineral: str) -> wire.Explanation:
    """The explanation of a mineral's score in an account at the method's own ladder."""
    told = account.score(mineral)
    made = _Made(account, mineral)
    answer = wire.Explanation(
        **stamp(account.world, account.as_of),
        mineral=mineral,
        buyer=account.buyer,
        method=METHOD,
        status=told.status,
        score=account.scored.scores.mineral(account.world.mineral_index[mineral]).score,
        band=told.band,
        binding_stage=told.binding_stage,
        interval=told.interval,
        flags=_flags(told.flags),
        readers=made.ties.readers,
        rules=_rules(),
        stages=[made.stage(index, stage) for index, stage in zip(made.places, told.stages, strict=True)],
        governance=made.governance(),
        agreements=made.ties.agreements(),
        restrictions=made.ties.restrictions(),
        blocs=made.ties.blocs(),
        sources=[],
    )
    cited = account.world.sources.keys() & set(_cited(to_builtins(answer)))
    return replace(answer, sources=[source_item(account.world, source) for source in sorted(cited)])


@dataclass(frozen=True)
class _Made:
    """What one mineral's score is made of."""

    account: Account
    mineral: str

    @cached_property
    def places(self) -> range:
        """Where the mineral's stages stand on the sheet."""
        return self.account.scored.sheet.places_of[self.mineral]

    @cached_property
    def suppliers(self) -> tuple[str, ...]:
        """The countries named by the share sets that count."""
        chosen = (self.account.scored.sheet.places[index].shares for index in self.places)
        return tuple(sorted({row.country for shares in chosen if shares for row in shares.rows}))

    @cached_property
    def ties(self) -> TiesExplained:
        """What stands between the buyer and them."""
        return TiesExplained(
            self.account.world, self.mineral, self.account.buyer, self.account.as_of, self.suppliers, LADDER
        )

    def stage(self, index: int, told: StageScore) -> wire.StageExplained:
        """A stage, by its place on the sheet."""
        place, stages = self.account.scored.sheet.places[index], self.account.scored.scores.stages
        result = stages.stage(index)
        rows = range(place.rows.start, place.rows.stop)
        governed = [at for at in rows if stages.suppliers.governed[at]]
        return wire.StageExplained(
            stage=place.stage,
            status=told.status,
            reasons=told.reasons,
            named_share=float(stages.suppliers.named[index]),
            named_and_governed=float(stages.suppliers.known_share[governed].sum()),
            remainder=float(stages.suppliers.remainder[index]),
            h=result.h if place.shares else None,
            root=math.sqrt(result.h) if place.shares else None,
            score=result.score,
            interval=told.interval,
            flags=_flags(told.flags),
            share_sets=self._share_sets(place),
            suppliers=[
                self._supplier(place, row, at)
                for row, at in zip(place.shares.rows if place.shares else (), rows, strict=True)
            ],
        )

    def _supplier(self, place: Place, row: Share, at: int) -> wire.SupplierUsed:
        scored, stages = self.account.scored, self.account.scored.scores.stages
        names, kind = Names.of(self.account.world), scored.terms.at(at)
        g = float(stages.suppliers.governance[at]) if stages.suppliers.governed[at] else None
        return wire.SupplierUsed(
            country=row.country,
            share=row.share,
            printed=row.printed,
            quantity=row.quantity,
            total=row.total,
            unit=row.unit,
            basis=row.basis,
            qualifier=row.qualifier,
            share_standard_error=float(scored.sheet.doubt.share_sd[at]),
            source=cite(row),
            w=None if g is None else 10 * g,
            g=g,
            tie=TIES[kind.tier],
            agreement=names.agreements[int(scored.position.agreement[at])],
            restriction=names.restrictions[int(scored.position.restriction[at])],
            tau=LADDER.tau(kind.tier).central,
            r=LADDER.r(kind.restriction, kind.rate).central,
            rho=float(kind.relieved),
            t=float(stages.factor[at]),
            contribution=float(stages.contribution[at]),
            readings=self.ties.readings(place.stage, row.country),
        )

    def _share_sets(self, place: Place) -> list[wire.ShareSetConsidered]:
        return [
            wire.ShareSetConsidered(
                source=shares.source.id,
                precedence=shares.source.precedence,
                period_start=shares.period[0] if shares.period else None,
                period_end=shares.period[1] if shares.period else None,
                counts_from=shares.undated_from or date(shares.reference_year or 0, 12, 31),
                named_share=shares.named,
                outcome=_fate(shares, place.shares, self.account.as_of),
                rows=[
                    wire.RowConsidered(
                        country=row.country,
                        share=row.share,
                        printed=row.printed,
                        qualifier=row.qualifier,
                        locator=row.locator,
                    )
                    for row in shares.rows
                ],
            )
            for shares in self.account.world.share_sets.get((self.mineral, place.stage), ())
        ]

    def governance(self) -> wire.GovernanceUsed:
        """The governance of every supplier, with the estimates it comes from."""
        weights = self.account.scored.sheet.governance
        printed = {name for name, rows in self.account.world.cited.items() if "governance" in rows}
        return wire.GovernanceUsed(
            releases=[
                wire.ReleaseConsidered(
                    source=name,
                    outcome="counts" if weights.release and name == weights.release.id else "older_release",
                )
                for name in sorted(printed)
            ],
            years=list(weights.years),
            unit="standard normal units, -2.5 (worst) to 2.5 by theory",
            countries=[self._country(code) for code in self.suppliers],
        )

    def _country(self, code: str) -> wire.CountryGovernance:
        weights, place = self.account.scored.sheet.governance, self.account.world.country_index[code]
        governed, g = bool(weights.governed[place]), float(weights.weight[place])
        return wire.CountryGovernance(
            country=code,
            indicators=list(self._indicators(place)),
            years=weights.years_of(place),
            w=10 * g if governed else None,
            g=g if governed else None,
            standard_error=float(weights.sd[place]) if governed else None,
        )

    def _indicators(self, country: int) -> Iterator[wire.IndicatorUsed]:
        table = self.account.world.governance
        for year in self.account.scored.sheet.governance.years:
            for number, dimension in enumerate(DIMENSIONS):
                cell = table.years.index(year), country, number
                if np.isfinite(table.estimates[cell]):
                    error = float(table.errors[cell])
                    yield wire.IndicatorUsed(
                        year=year,
                        dimension=dimension,
                        estimate=float(table.estimates[cell]),
                        standard_error=error if math.isfinite(error) else None,
                        locator=table.locators[cell],
                    )


def _fate(shares: ShareSet, chosen: ShareSet | None, as_of: date) -> ShareSetFate:
    """Why a share set counts or does not, by the rule of `shares.choose`."""
    if shares is chosen:
        return "counts"
    if chosen is None or not shares.speaks_on(as_of):
        return "not_ended"
    if chosen.named >= FULL > shares.named:
        return "names_too_little"
    if chosen.named < FULL and shares.named < chosen.named:
        return "names_less"
    return "older_period" if (shares.reference_year or 0) < (chosen.reference_year or 0) else "lower_precedence"


def _rules() -> wire.Rules:
    ties: list[tuple[str, Step]] = [(tier.label, LADDER.tau(tier)) for tier in Tier]
    restrictions = [(kind.label, LADDER.r(kind)) for kind in RestrictionType if kind]
    return wire.Rules(
        formula=FORMULA,
        full_share=FULL,
        sufficient_share=SUFFICIENT,
        governance_years=REFERENCE_YEARS,
        governance_bound=BOUND,
        share_digits=SHARE_DIGITS,
        ties=[_step(*named) for named in ties],
        restrictions=[_step(*named) for named in restrictions],
        bands=[wire.BandLimit(band=name, below=float(end) if math.isfinite(end) else None) for name, end in BANDS],
        draws=DRAWS,
        seed=SEED,
    )


def _step(name: str, step: Step) -> wire.LadderStep:
    return wire.LadderStep(step=name, central=step.central, low=step.low, high=step.high)


def _flags(raised: list[str]) -> list[wire.FlagMeaning]:
    return [wire.FlagMeaning(flag=flag, meaning=FLAGS[flag]) for flag in raised]


def _cited(told: object) -> Iterator[str]:
    """The sources named anywhere in an answer."""
    if isinstance(told, list):
        for each in told:
            yield from _cited(each)
    elif isinstance(told, dict):
        if isinstance(source := told.get("source"), str):
            yield source
        for each in told.values():
            yield from _cited(each)
