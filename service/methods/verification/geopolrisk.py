"""`geopolrisk` against the table of its own library for 2022: 22 materials for the United States, the EU and Japan.

Neither that table nor the trade and production behind it is shipped. Where the ledger holds trade, production and
tariff lines of 2022, the rows are computed; a published score is a parameter `score_usa`, `score_eu`, `score_jpn` of
2022 with the material as its label, where somebody has entered one. The table rests on a mixture of governance
releases, and on governance of 0 where none is recorded: from another release other values follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.methods.commodities import commodities
from service.methods.geopolrisk import value_of
from service.methods.verification.case import Case, Key, judged
from service.risk.methods.geopolrisk import ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.methods.commodities import Commodity
    from service.world.world import World

YEAR = 2022
BUYERS = ("USA", "EU", "JPN")
EQUAL = 1e-9

MATERIALS = {
    "Aluminium": "Aluminium",
    "Antimony": "Antimony",
    "Bauxite": "Bauxite",
    "Chromite": "Chromium (Cr2O3)",
    "Cobalt": "Cobalt",
    "Copper": "Copper",
    "Germanium": "Germanium",
    "Graphite": "Graphite",
    "Lithium": "Lithium (Li2O)",
    "Magnesite": "Magnesite",
    "Manganese": "Manganese",
    "Nickel": "Nickel",
    "Niobium": "Niobium (Nb2O5)",
    "Palladium": "Palladium",
    "Platinum": "Platinum",
    "Rare earth": "Rare Earths (REO)",
    "Tantalum": "Tantalum (Ta2O5)",
    "Tin": "Tin",
    "Titanium": "Titanium (TiO2)",
    "Tungsten": "Tungsten (W)",
    "Vanadium": "Vanadium (V)",
    "Zinc": "Zinc",
}
"""The table's materials, and the commodity under which World Mining Data counts each."""

NOT_THERE = "needs trade (BACI), production (World Mining Data) and tariff lines of 2022 in the ledger: import them"


def cases(world: World) -> Iterator[Case]:
    """Every row of the table."""
    recorded = {commodity.name: commodity for commodity in commodities(world)}
    for material, name in MATERIALS.items():
        for buyer in BUYERS:
            computed = _computed(world, recorded.get(name), buyer)
            yield judged(
                Key(ID, YEAR, material, None, buyer),
                _published(world, material, buyer),
                computed,
                lambda published, ours: abs(published - ours) <= EQUAL,
                missing=NOT_THERE,
            )


def _computed(world: World, commodity: Commodity | None, buyer: str) -> float | None:
    if commodity is None or (commodity.name, YEAR) not in world.studies.production:
        return None
    if not any(year == YEAR for _, year in world.studies.trade):  # of a code without trade the table makes zero imports
        return None
    return value_of(world, commodity, buyer, YEAR).value


def _published(world: World, material: str, buyer: str) -> float | None:
    rows = world.studies.of_parameter(f"score_{buyer.lower()}")
    return next((row.value for row in rows if row.label == material and row.year == YEAR), None)
