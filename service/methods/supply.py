"""The methods that look at world supply alone: concentration, the loss of the largest, what is left to the market.

They are the same for every buyer. All take the share set that speaks on the day, as the default method does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from service.methods.engine import Engine, MixUsed, StageValue, Supply, Term, Valued, Values
from service.risk.concentration import hhi_bounds
from service.risk.methods import available_to_market, hhi, n_minus_one
from service.risk.model import SUFFICIENT
from service.world.sheet import Place, sheet_on

if TYPE_CHECKING:
    from datetime import date

    from service.methods.engine import MixKind
    from service.world.shares import ShareSet
    from service.world.world import World

CONSUMPTION = "consumption"
"""The parameter that says what a country itself uses of a mineral at a stage in a year."""

NO_SHARES = "no source names a share of this stage's output for a period that had ended by the day"
TOO_FEW = "less than half of the output is named by the source"
NO_USE = "the ledger knows no producer's own use of this mineral at this stage in the year and unit of its output"
TOO_LITTLE_USE = "the producers whose own use is known make less than half of the output"
NOTHING_LEFT = "the producers use all they make"

Value = Callable[["World", Place, "ShareSet"], StageValue]


def _engine(name: str, meaning: str, value: Value) -> Engine:
    def run(world: World, buyer: str, as_of: date) -> Values:
        sheet = sheet_on(world, as_of)
        return {
            mineral: Valued.of_stages(mineral, tuple(_stage(world, sheet.places[at], as_of, value) for at in places))
            for mineral, places in sheet.places_of.items()
        }

    return Engine(name, "points", meaning, run)


def _stage(world: World, place: Place, as_of: date, value: Value) -> StageValue:
    shares = place.shares
    if shares is None or not shares.named:
        return StageValue(place.stage, None, (NO_SHARES,))
    told = value(world, place, shares)
    return StageValue(
        stage=told.stage,
        value=told.value,
        reasons=told.reasons,
        period=shares.label,
        sources=tuple(dict.fromkeys((shares.source.id, *told.sources))),
        terms=told.terms,
        mixes=told.mixes,
        flags=(*told.flags, *place.flags(as_of)),
    )


def _known(shares: ShareSet) -> dict[str, float]:
    return {row.country: row.share for row in shares.rows if row.share is not None}


def _mix(of: MixKind, shares: ShareSet, amounts: dict[str, float]) -> MixUsed:
    suppliers = tuple(Supply(country, part, contribution=part**2) for country, part in amounts.items())
    total = sum(supplier.contribution for supplier in suppliers)
    return MixUsed(of, shares.source.id, shares.label or "", "share", "share²", total, suppliers)


def _concentration(_: World, place: Place, shares: ShareSet) -> StageValue:
    known = _known(shares)
    low, high, tight = hhi_bounds(list(known.values()))
    terms = (
        Term("hhi", low),
        Term("hhi_10000", low * 10_000),
        Term("hhi_high", high),
        Term("hhi_tight", tight),
        Term("effective_suppliers", 1 / low if low else None),
        Term("named_share", shares.named),
    )
    mixes = (_mix("world_supply", shares, known),)
    if shares.named < SUFFICIENT:
        return StageValue(place.stage, None, (TOO_FEW,), terms=terms, mixes=mixes)
    return StageValue(place.stage, hhi.concentration_score(low), terms=terms, mixes=mixes)


def _without_leader(world: World, place: Place, shares: ShareSet) -> StageValue:
    known = _known(shares)
    leader = max(known, key=lambda country: known[country])
    used = _use(world, place, shares)
    demand = used.get(leader)
    possible = demand is not None and demand < 1  # a leader that uses all there is leaves no others to speak of
    found = n_minus_one.without_leader(list(known.values()), demand if possible else None)
    terms = (
        Term("largest_supplier", known[leader], "share", leader),
        Term("met_of_world_demand", found.world, "fraction"),
        Term(
            "met_of_others_demand",
            found.others,
            "fraction",
            "" if found.others is not None else "the leader's own demand is not known",
        ),
        Term("others_score", found.others_score, "points"),
    )
    flags = ("remainder_could_lead",) if found.remainder_could_lead else ()
    mixes = (_mix("world_supply", shares, known),)
    if shares.named < SUFFICIENT:
        return StageValue(place.stage, None, (TOO_FEW,), terms=terms, mixes=mixes, flags=flags)
    return StageValue(place.stage, found.world_score, terms=terms, mixes=mixes, flags=flags)


def _available(world: World, place: Place, shares: ShareSet) -> StageValue:
    known, used = _known(shares), _use(world, place, shares)
    makers = [country for country in known if country in used]
    covered = sum(known[country] for country in makers)
    if not makers:
        return StageValue(place.stage, None, (NO_USE,))
    terms = (
        Term("output_of_known_use", covered, "share"),
        *(Term(f"use {country}", used[country], "share of world output") for country in makers),
    )
    if covered < SUFFICIENT:
        return StageValue(place.stage, None, (TOO_LITTLE_USE,), terms=terms)
    found = available_to_market.available([known[c] for c in makers], [used[c] for c in makers])
    if found is None:
        return StageValue(place.stage, None, (NOTHING_LEFT,), terms=terms)
    mixes = (_mix("available_supply", shares, dict(zip(makers, found.shares.tolist(), strict=True))),)
    unknown = ("use_not_known",) if len(makers) < len(known) else ()
    return StageValue(
        place.stage, hhi.concentration_score(found.concentration), terms=terms, mixes=mixes, flags=unknown
    )


def _use(world: World, place: Place, shares: ShareSet) -> dict[str, float]:
    """What countries use themselves, as a fraction of world output: known for the same year and in the same unit."""
    totals = {(row.country, row.unit): row.total for row in shares.rows if row.total}
    year = shares.reference_year
    return {
        row.country: row.value / total
        for row in world.studies.of_parameter(CONSUMPTION)
        if (row.mineral, row.stage, row.year) == (place.mineral, place.stage, year)
        and row.country is not None
        and row.value is not None
        and (total := totals.get((row.country, row.unit)))
    }


HHI = _engine(hhi.ID, "0..100; 60 is as concentrated as 60 % in one country and the rest in countless", _concentration)
N_MINUS_ONE = _engine(
    n_minus_one.ID, "0..100; the percentage of world demand not met without the largest supplier", _without_leader
)
AVAILABLE = _engine(available_to_market.ID, "0..100, as hhi, of what producers leave to the market", _available)

__all__ = ["AVAILABLE", "HHI", "N_MINUS_ONE"]
