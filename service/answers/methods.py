"""The values of methods with scales of their own, as the wire contract has scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.method import MixSupplier, SupplyMix, Term
from schemas.score import MethodRef, Score, ScoreRow, StageScore
from service.answers.rounding import measure, weight
from service.answers.stamp import stamp
from service.answers.standing import standings
from service.methods import ENGINES, run
from service.risk.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from schemas.common import Stage
    from schemas.score import Standing
    from service.methods import Valued, Values
    from service.methods.engine import MixUsed, StageValue
    from service.methods.engine import Term as Entered
    from service.world.world import World

FLAGS = {
    "understated": "a stage that the method looks at has no value; it may be the one with the higher risk",
    "older_study": "the newest study does not print this mineral; the value is that of an older one",
    "study_mixes_not_printed": "the study names supply mixes that it does not print; those it prints are used",
    "remainder_could_lead": "what the source leaves unnamed is more than the largest supplier has",
    "use_not_known": "a producer whose own use is not known is left out of what is left to the market",
    "imports_without_governance": "imports come from places without a governance figure and add nothing to the risk",
    "imports_without_quantity": "some imports are recorded by value alone and add nothing to the risk",
    "no_supply": "neither imports nor production is on record: nothing is at risk that is not there",
    "old_reference_year": "the figures describe a year more than three years before the day asked for",
    "undated_shares": "the source of the shares names no year",
}
"""Every flag a method's value can carry, and what it means."""


def method_ref(method: str) -> MethodRef:
    """A method and its version."""
    return MethodRef(id=method, version=METHODS[method].version)


def method_score(world: World, method: str, mineral: str, buyer: str, as_of: date) -> Score:
    """A mineral under a method with a scale of its own: `value` in `unit`, and what it is made of."""
    values = run(world, method, buyer, as_of)
    valued = values[mineral]
    return Score(
        **stamp(world, as_of),
        mineral=mineral,
        buyer=buyer,
        method=method_ref(method),
        mix=None,
        status="insufficient_data" if valued.value is None else "scored",
        reasons=list(valued.reasons) if valued.value is None else [],
        score=None,
        band=None,
        interval=None,
        value=measure(valued.value),
        unit=ENGINES[method].unit,
        standing=_standings(values).get(mineral),
        binding_stage=valued.stage,
        stages=[_stage(stage) for stage in valued.stages if stage.stage],
        terms=[_term(term) for term in (*valued.terms, *(t for s in valued.stages if not s.stage for t in s.terms))],
        flags=flags_of(valued),
    )


def method_rows(world: World, method: str, minerals: Iterable[str], values: Values) -> list[ScoreRow]:
    """The lines of some minerals in the list of scores by a method with a scale of its own."""
    standing = _standings(values)
    return [_row(world, method, mineral, values[mineral], standing.get(mineral)) for mineral in minerals]


def _standings(values: Values) -> dict[str, Standing]:
    return standings({mineral: valued.value for mineral, valued in values.items() if valued.value is not None})


def _row(world: World, method: str, mineral: str, valued: Valued, standing: Standing | None) -> ScoreRow:
    binding = next((stage for stage in valued.stages if stage.stage == valued.stage), None)
    leading = next((mix for mix in binding.mixes if mix.of == "world_supply"), None) if binding else None
    top = leading.suppliers[0] if leading and leading.suppliers else None
    return ScoreRow(
        mineral=mineral,
        name=world.minerals[mineral].name_en,
        status="insufficient_data" if valued.value is None else "scored",
        score=None,
        band=None,
        interval_low=None,
        interval_high=None,
        value=measure(valued.value),
        unit=ENGINES[method].unit,
        rank=standing.rank if standing else None,
        binding_stage=valued.stage,
        reference_year=_last_year(binding),
        top_country=top.country if top else None,
        top_share=measure(top.amount) if top else None,
        flags=flags_of(valued),
    )


def flags_of(valued: Valued) -> list[str]:
    """The flags of a value and of its stages, in the order they are documented in."""
    raised = {*valued.flags, *(flag for stage in valued.stages for flag in stage.flags)}
    return [flag for flag in FLAGS if flag in raised]


def _last_year(stage: StageValue | None) -> int | None:
    period = stage.period if stage else None
    return int(period.rpartition("-")[2]) if period else None


def _stage(told: StageValue) -> StageScore:
    assert told.stage is not None
    stage: Stage = told.stage
    return StageScore(
        stage=stage,
        status="insufficient_data" if told.value is None else "scored",
        reasons=list(told.reasons),
        score=None,
        band=None,
        interval=None,
        value=measure(told.value),
        reference_year=_last_year(told),
        period=told.period,
        sources=list(told.sources),
        risk_concentration=None,
        own_supply=None,
        concentration=None,
        partner_coverage=None,
        suppliers=[],
        withheld=[],
        terms=[_term(term) for term in told.terms],
        mixes=[_mix(mix) for mix in told.mixes],
        flags=[flag for flag in FLAGS if flag in told.flags],
    )


def _term(entered: Entered) -> Term:
    return Term(
        name=entered.name,
        value=measure(entered.value),
        unit=entered.unit,
        text=entered.text,
        source=entered.source,
        locator=entered.locator,
    )


def _mix(used: MixUsed) -> SupplyMix:
    return SupplyMix(
        of=used.of,
        source=used.source,
        period=used.period,
        unit=used.unit,
        formula=used.formula,
        total=weight(used.total),
        suppliers=[
            MixSupplier(
                country=supplier.country,
                amount=measure(supplier.amount),
                weight=None if supplier.weight is None else weight(supplier.weight),
                factor=measure(supplier.factor),
                contribution=weight(supplier.contribution),
            )
            for supplier in used.suppliers
        ],
    )
