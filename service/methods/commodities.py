"""What the ledger has on a commodity in a year: its production, its trade, and governance, for a country or a bloc.

What is produced and what is traded meet by the commodity's name: a tariff line's `commodity` is the production row's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from service.methods.engine import MixUsed, Supply
from service.risk.governance import DIMENSIONS, stability_weight
from service.risk.methods.geopolrisk import ID, production_hhi
from service.world.dates import last_year
from service.world.memo import Memo
from service.world.standing import Ties

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from service.world.rows import Production, Stage, TariffLine, Trade
    from service.world.world import World

T = TypeVar("T")

MOST_REMEMBERED = 1024
"""What one World remembers for this method: commodities and years, and whatever else is the same for all buyers."""

TONNES: Mapping[str, float] = {"t": 1, "metr. t": 1, "metric tons": 1, "tonnes": 1, "kg": 0.001}
"""Tonnes in a unit of production. Other units are not comparable with traded tonnes."""


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


def _once(world: World, key: Hashable, work: Callable[[], T]) -> T:
    """What is the same for all buyers, worked out once for a World."""
    memory: Memo = world.memo.get((ID, "memory"), lambda: Memo(MOST_REMEMBERED))
    return memory.get(key, work)


def stability(world: World, year: int) -> tuple[int | None, dict[str, float]]:
    """g of each country with an estimate of political stability, all of one year of the ledger's governance release.

    That year is the newest one up to `year`; None where the release has none.
    """
    return _once(world, ("stability", year), lambda: _stability(world, year))


def _stability(world: World, year: int) -> tuple[int | None, dict[str, float]]:
    table = world.governance
    governed = max((each for each in table.years if each <= year), default=None)
    if governed is None:
        return None, {}
    estimates = table.estimates[table.years.index(governed), :, DIMENSIONS.index("pv")]
    codes = list(world.countries)
    known = np.flatnonzero(np.isfinite(estimates))
    weights = stability_weight(estimates[known])
    return governed, {codes[place]: float(weight) for place, weight in zip(known, weights, strict=True)}


@dataclass(frozen=True)
class Made:
    """A commodity's world production in a year: amounts by country, in a unit of so many tonnes, and their HHI."""

    amounts: Mapping[str, float]
    tonnes: float
    hhi: float
    mix: MixUsed
    sources: tuple[str, ...]


def made(world: World, commodity: Commodity, year: int) -> Made | None:
    """The commodity's production; None where it is not recorded as a mass above 0."""
    return _once(world, ("made", commodity.name, year), lambda: _made(world, commodity, year))


def _made(world: World, commodity: Commodity, year: int) -> Made | None:
    rows = [row for row in world.studies.production[commodity.name, year] if row.quantity]
    tonnes = TONNES.get(rows[0].unit) if len({row.unit for row in rows}) == 1 else None
    if tonnes is None:
        return None
    amounts: dict[str, float] = defaultdict(float)
    for row in rows:
        amounts[row.country] += row.quantity or 0.0
    hhi = production_hhi([row.quantity or 0.0 for row in rows])
    return Made(amounts, tonnes, hhi, _produced(rows, year), tuple(dict.fromkeys(row.source for row in rows)))


def _produced(rows: list[Production], year: int) -> MixUsed:
    total = sum(row.quantity or 0.0 for row in rows)
    suppliers = tuple(
        Supply(row.country, row.quantity, contribution=((row.quantity or 0.0) / total) ** 2)
        for row in sorted(rows, key=lambda row: (-(row.quantity or 0.0), row.country))
    )
    hhi = sum(supplier.contribution for supplier in suppliers)
    return MixUsed("world_production", rows[0].source, f"{year}", rows[0].unit, "(P / ΣP)²", hhi, suppliers)


@dataclass(frozen=True)
class Figures:
    """What the ledger has on a commodity in a year, for a buyer: amounts in tonnes but for production.

    made      world production, and `domestic` what of it is the buyer's
    flows     the buyer's imports by country; `unquantified` says that some are recorded by value (`worth`, kUSD) alone
    weights   g by country, of the year `governed`; a bloc's members have 0 towards it
    trader    the source of the trade
    """

    made: Made
    domestic: float
    flows: Mapping[str, float]
    worth: float
    unquantified: bool
    weights: Mapping[str, float]
    governed: int | None
    trader: str
    sources: tuple[str, ...]

    @property
    def imports(self) -> float:
        """All imports."""
        return sum(self.flows.values())

    @property
    def price(self) -> float | None:
        """What the buyer paid, kUSD/t; None where it imported nothing."""
        return self.worth / self.imports if self.imports else None


class Traded(NamedTuple):
    """A commodity's trade in a year: what each country bought, and the sources of all of it."""

    bought: Mapping[str, list[Trade]]
    sources: tuple[str, ...]


def traded(world: World, commodity: Commodity, year: int) -> Traded:
    """The commodity's trade in a year, by importer."""

    def sort() -> Traded:
        bought: dict[str, list[Trade]] = defaultdict(list)
        sources: dict[str, None] = {}
        for code in commodity.codes:
            for row in world.studies.trade.get((code, year), ()):
                bought[row.importer].append(row)
                sources[row.source] = None
        return Traded(bought, tuple(sources))

    return _once(world, ("traded", commodity.name, year), sort)


def figures(world: World, commodity: Commodity, buyer: str, year: int) -> Figures | None:
    """The figures of a commodity; None where its production is not recorded as a mass above 0."""
    production = made(world, commodity, year)
    if production is None:
        return None
    members = _once(world, ("members", buyer, year), lambda: sorted(Ties(world, date(year, 12, 31)).expand(buyer)))
    flows: dict[str, float] = defaultdict(float)
    trade = traded(world, commodity, year)
    bought = [row for member in members for row in trade.bought.get(member, ())]
    for row in bought:
        flows[row.exporter] += row.quantity or 0.0
    governed, weights = stability(world, year)
    release = world.governance.release
    sources = (*production.sources, *trade.sources, *((release.id,) if release else ()))
    return Figures(
        made=production,
        domestic=sum(production.amounts.get(member, 0.0) for member in members) * production.tonnes,
        flows=flows,
        worth=sum([row.value or 0.0 for row in bought]),
        unquantified=any(row.quantity is None for row in bought),
        weights=weights if buyer in world.countries else weights | dict.fromkeys(members, 0.0),
        governed=governed,
        trader=trade.sources[0] if trade.sources else "",
        sources=tuple(dict.fromkeys(sources)),
    )
