"""GeoPolRisk from the ledger's production, trade and governance: the newest year that has both, for country or bloc."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from service.methods.commodities import Commodity, Figures, commodities, figures, newest_year
from service.methods.engine import Engine, MixUsed, StageValue, Supply, Term, Valued, Values
from service.risk.methods.geopolrisk import (
    ID,
    characterisation_factor,
    geopolrisk_score,
    import_risk,
    midpoint,
)
from service.risk.model import SUFFICIENT

if TYPE_CHECKING:
    from service.world.world import World

NOT_THERE = "the ledger has no production and tariff lines of this mineral, which the method needs with trade"
UNGOVERNED = "more than half of the buyer's supply comes from places without a governance figure"
NO_MASS = "production is not recorded as a mass above 0"
NO_TRADE = "the ledger has no year with both production and trade of this mineral that had ended by the day"


def value_of(world: World, commodity: Commodity, buyer: str, year: int) -> StageValue:
    """The commodity's score for a country or a bloc in a year, with every intermediate."""
    found = figures(world, commodity, buyer, year)
    if found is None:
        return StageValue(commodity.stage, None, (NO_MASS,), f"{year}")
    hhi = found.made.hhi
    governed = np.array([country in found.weights for country in found.flows], dtype=np.bool_)
    g = [found.weights.get(country, 0.0) for country in found.flows]
    risk = import_risk(list(found.flows.values()), g, governed, found.domestic)
    score = geopolrisk_score(hhi, risk.value)
    enough = risk.ungoverned <= 1 - SUFFICIENT
    return StageValue(
        stage=commodity.stage,
        value=score if enough else None,
        reasons=() if enough else (UNGOVERNED,),
        period=f"{year}",
        sources=found.sources,
        terms=(
            Term("commodity", None, "", commodity.name),
            Term("tariff_lines", None, "", ", ".join(commodity.codes)),
            Term("hhi", hhi),
            Term("import_risk", risk.value),
            Term("imports", found.imports, "t"),
            Term("domestic_production", found.domestic, "t"),
            Term("governance_year", found.governed, "year"),
            *_priced(score, found.price),
        ),
        mixes=(found.made.mix, _imported(found, year)),
        flags=(*risk.flags, *(("imports_without_quantity",) if found.unquantified else ())),
    )


def _priced(score: float, price: float | None) -> tuple[Term, ...]:
    if price is None:
        return (Term("price", None, "kUSD/t"),)
    return (
        Term("price", price, "kUSD/t"),
        Term("midpoint", midpoint(score, price), "kUSD/t"),
        Term("characterisation_factor", characterisation_factor(score, price), "kg Cu eq/kg"),
    )


def _imported(found: Figures, year: int) -> MixUsed:
    supply = found.domestic + found.imports
    suppliers = tuple(
        Supply(
            country,
            amount,
            found.weights.get(country),
            None,
            amount * found.weights.get(country, 0) / supply if supply else 0,
        )
        for country, amount in sorted(found.flows.items(), key=lambda flow: (-flow[1], flow[0]))
    )
    total = sum(supplier.contribution for supplier in suppliers)
    return MixUsed("imports", found.trader, f"{year}", "t", "g · f / (p + F)", total, suppliers)


def run(world: World, buyer: str, as_of: date) -> Values:
    """The score of every mineral whose production and trade are recorded, each from its newest year."""
    found: dict[str, list[StageValue]] = defaultdict(list)
    reasons: dict[str, str] = {}
    for commodity in commodities(world):
        if commodity.mineral is None:
            continue
        year = newest_year(world, commodity, as_of)
        if year is None:
            reasons[commodity.mineral] = NO_TRADE
        else:
            found[commodity.mineral].append(value_of(world, commodity, buyer, year))
    return {
        mineral: Valued.of_stages(mineral, tuple(found[mineral]))
        if mineral in found
        else Valued(mineral, None, None, (), (reasons.get(mineral, NOT_THERE),))
        for mineral in world.minerals
    }


ENGINE = Engine(ID, "fraction", "0..1: concentration of production times the risk of the buyer's imports", run)
