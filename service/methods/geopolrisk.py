"""GeoPolRisk from the ledger's production, trade and governance: the newest year that has both, for country or bloc.

What is produced and what is traded meet by the commodity's name: a tariff line's `commodity` is the production row's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from service.methods.engine import Engine, MixUsed, StageValue, Supply, Term, Valued, Values
from service.risk.governance import DIMENSIONS, stability_weight
from service.risk.methods.geopolrisk import (
    ID,
    characterisation_factor,
    geopolrisk_score,
    import_risk,
    midpoint,
    production_hhi,
)
from service.world.dates import last_year

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.world.rows import Production, Stage, TariffLine
    from service.world.world import World

TONNES: Mapping[str, float] = {"t": 1, "metr. t": 1, "metric tons": 1, "tonnes": 1, "kg": 0.001}
"""Tonnes in a unit of production. Other units are not comparable with traded tonnes."""

NOT_THERE = "the ledger has no production and tariff lines of this mineral, which the method needs with trade"
NO_TRADE = "the ledger has no year with both production and trade of this mineral that had ended by the day"


@dataclass(frozen=True)
class Commodity:
    """What production and trade are recorded of, and what it is here."""

    name: str
    mineral: str | None
    stage: Stage | None
    codes: tuple[str, ...]


def commodities(world: World) -> tuple[Commodity, ...]:
    """The commodities that have both production and tariff lines."""
    return world.memo.get((ID, "commodities"), lambda: tuple(_commodities(world)))


def _commodities(world: World) -> Iterable[Commodity]:
    produced: dict[str, Production] = {}
    for (name, _), rows in world.studies.production.items():
        produced.setdefault(name, rows[0])
    for name, lines in world.studies.tariff_lines.items():
        if name in produced:
            told: tuple[TariffLine | Production, ...] = (lines[0], produced[name])
            mineral = next((row.mineral for row in told if row.mineral), None)
            stage = next((row.stage for row in told if row.stage), None)
            yield Commodity(name, mineral, stage, tuple(sorted({line.code for line in lines})))


def newest_year(world: World, commodity: Commodity, as_of: date) -> int | None:
    """The newest year over by a day in which the commodity's production and trade are both recorded."""
    made = {year for name, year in world.studies.production if name == commodity.name}
    traded = {year for code, year in world.studies.trade if code in commodity.codes}
    return max((year for year in made & traded if year <= last_year(as_of)), default=None)


def stability(world: World, year: int) -> dict[str, float]:
    """g of each country with an estimate of political stability for a year, all of the ledger's governance release."""
    table = world.governance
    if year not in table.years:
        return {}
    estimates = table.estimates[table.years.index(year), :, DIMENSIONS.index("pv")]
    codes = list(world.countries)
    known = np.flatnonzero(np.isfinite(estimates))
    weights = stability_weight(estimates[known])
    return {codes[place]: float(weight) for place, weight in zip(known, weights, strict=True)}


def value_of(world: World, commodity: Commodity, buyer: str, year: int) -> StageValue:
    """The commodity's score for a country or a bloc in a year, with every intermediate."""
    members = world.members(buyer, date(year, 12, 31)) if buyer in world.blocs else frozenset((buyer,))
    made = world.studies.production[commodity.name, year]
    amounts = [row for row in made if row.quantity is not None]
    unit = TONNES.get(amounts[0].unit) if amounts else None
    if unit is None or not any(row.quantity for row in amounts):
        return StageValue(commodity.stage, None, ("production is not recorded as a mass above 0",), f"{year}")
    hhi = production_hhi([row.quantity or 0.0 for row in amounts])
    domestic = sum(row.quantity or 0.0 for row in amounts if row.country in members) * unit
    flows, worth, unquantified = _imports(world, commodity, members, year)
    weights = stability(world, year)
    if len(members) > 1:
        weights |= dict.fromkeys(members, 0.0)
    governed = np.array([country in weights for country in flows], dtype=np.bool_)
    g = [weights.get(country, 0.0) for country in flows]
    risk = import_risk(list(flows.values()), g, governed, domestic)
    score = geopolrisk_score(hhi, risk.value)
    total = sum(flows.values())
    price = worth / total if total else None
    release = world.governance.release
    return StageValue(
        stage=commodity.stage,
        value=score,
        period=f"{year}",
        sources=tuple(dict.fromkeys([*(row.source for row in amounts), *_traders(world, commodity, year)]))
        + ((release.id,) if release else ()),
        terms=(
            Term("commodity", None, "", commodity.name),
            Term("tariff_lines", None, "", ", ".join(commodity.codes)),
            Term("hhi", hhi),
            Term("import_risk", risk.value),
            Term("imports", total, "t"),
            Term("domestic_production", domestic, "t"),
            Term("price", price, "kUSD/t"),
            Term("midpoint", None if price is None else midpoint(score, price), "kUSD/t"),
            Term("characterisation_factor", None if price is None else characterisation_factor(score, price), "kg Cu eq/kg"),
        ),
        mixes=(_produced(amounts, year), _imported(world, commodity, flows, weights, domestic + total, year)),
        flags=(*risk.flags, *(("imports_without_quantity",) if unquantified else ())),
    )


def _imports(
    world: World, commodity: Commodity, members: frozenset[str], year: int
) -> tuple[dict[str, float], float, bool]:
    """Imports by country in tonnes, their value in kUSD, and whether some are recorded by value alone."""
    flows: dict[str, float] = defaultdict(float)
    worth, unquantified = 0.0, False
    for code in commodity.codes:
        for row in world.studies.trade.get((code, year), ()):
            if row.importer in members:
                flows[row.exporter] += row.quantity or 0.0
                worth += row.value or 0.0
                unquantified |= row.quantity is None
    return dict(flows), worth, unquantified


def _traders(world: World, commodity: Commodity, year: int) -> list[str]:
    return [row.source for code in commodity.codes for row in world.studies.trade.get((code, year), ())[:1]]


def _produced(amounts: list[Production], year: int) -> MixUsed:
    total = sum(row.quantity or 0.0 for row in amounts)
    suppliers = tuple(
        Supply(row.country, row.quantity, contribution=((row.quantity or 0.0) / total) ** 2)
        for row in sorted(amounts, key=lambda row: (-(row.quantity or 0.0), row.country))
    )
    hhi = sum(supplier.contribution for supplier in suppliers)
    return MixUsed("world_production", amounts[0].source, f"{year}", amounts[0].unit, "(P / ΣP)²", hhi, suppliers)


def _imported(
    world: World, commodity: Commodity, flows: Mapping[str, float], weights: Mapping[str, float], supply: float, year: int
) -> MixUsed:
    suppliers = tuple(
        Supply(country, amount, weights.get(country), None, amount * weights.get(country, 0.0) / supply if supply else 0.0)
        for country, amount in sorted(flows.items(), key=lambda flow: (-flow[1], flow[0]))
    )
    source = next(iter(_traders(world, commodity, year)), "")
    total = sum(supplier.contribution for supplier in suppliers)
    return MixUsed("imports", source, f"{year}", "t", "g · f / (p + F)", total, suppliers)


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
