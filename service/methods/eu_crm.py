"""The EU's supply risk of every mineral, from what the studies print of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.methods.engine import Engine, StageValue, Term, Valued, Values
from service.methods.eu_studies import BUYER, StudyRow, studies, study_rows
from service.risk.methods.eu_crm import ID, is_critical
from service.world.dates import happened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from service.world.world import World


def run(world: World, buyer: str, as_of: date) -> Values:
    """The supply risk of every mineral, from the newest study out on the day that has it. It speaks for the EU only."""
    if buyer != BUYER:
        reasons = ("the EU's studies speak of the EU's own sourcing: this method has values for buyer=EU only",)
        return {mineral: Valued(mineral, None, None, (), reasons) for mineral in world.minerals}
    out = [study for study in studies(world) if happened(study.source.published, as_of)]
    found: dict[str, list[StudyRow]] = {}
    for study in out:
        of_study: dict[str, list[StudyRow]] = {}
        for row in study_rows(world, study):
            of_study.setdefault(row.mineral, []).append(row)
        for mineral, rows in of_study.items():
            found.setdefault(mineral, rows)
    newest = out[0].vintage if out else None
    return {
        mineral: _valued(world, found[mineral], newest)
        if mineral in found
        else Valued(mineral, None, None, (), ("no study of the EU that was out on the day prints this mineral",))
        for mineral in world.minerals
    }


def _valued(world: World, rows: Sequence[StudyRow], newest: int | None) -> Valued:
    vintage, mineral = rows[0].study.vintage, rows[0].mineral
    valued = Valued.of_stages(mineral, tuple(map(_stage, sorted(rows, key=lambda row: row.stage))))
    importance = economic_importance(world, mineral, vintage)
    terms = [Term("list_year", float(vintage), "year"), Term("economic_importance", importance, "EI")]
    if importance is not None and valued.value is not None:
        terms.append(Term("critical_by_list_rule", float(is_critical(valued.value, importance)), "0 or 1"))
    older = ("older_study",) if vintage != newest else ()
    return Valued(
        mineral, valued.value, valued.stage, valued.stages, valued.reasons, tuple(terms), valued.flags + older
    )


def _stage(row: StudyRow) -> StageValue:
    basis = row.risk.basis if row.risk is not None else None
    used = () if basis is None else (Term("mixes_used", None, "", basis),)
    lacking = () if row.value is not None else row.missing or ("a member has no supply risk",)
    return StageValue(
        stage=row.stage,
        value=row.value,
        reasons=lacking,
        period=row.mixes[0].period if row.mixes else None,
        sources=(row.study.source.id,),
        terms=(*used, *row.terms),
        mixes=row.mixes,
        flags=("study_mixes_not_printed",) if row.departs else (),
    )


def economic_importance(world: World, mineral: str, vintage: int) -> float | None:
    """The economic importance printed for a mineral with a list; None where none is."""
    rated = world.studies.ratings.get(mineral, ())
    return next((row.value for row in rated if row.measure == "economic_importance" and row.year == vintage), None)


ENGINE = Engine(ID, "SR", "supply risk, 0..10 and above; the EU's threshold is 1.0", run)
