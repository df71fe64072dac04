"""GeoPolRisk against the table of its own library for 2022, from trade, production and governance, where at hand."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from service.risk.governance import stability_weight
from service.risk.methods.geopolrisk import (
    ImportRisk,
    characterisation_factor,
    geopolrisk_score,
    import_risk,
    production_hhi,
)

EU = [
    *("AUT", "BEL", "BGR", "HRV", "CYP", "CZE", "DNK", "EST", "FIN", "FRA", "DEU", "GRC", "HUN", "IRL"),
    *("ITA", "LVA", "LTU", "LUX", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "ESP", "SWE"),
]
MEMBERS = {"USA": ["USA"], "Japan": ["JPN"], "EU": EU}
OTHER_ASIA = "S19"
"""BACI's code for Asia not specified elsewhere, to which the library gives g = 0.5."""

Row = dict[str, str]


@pytest.fixture(scope="module")
def expected(publications: Path) -> list[Row]:
    """22 materials for three buyers, with every intermediate."""
    with (publications / "geopolrisk" / "expected_2022.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass
class World2022:
    """Production (t) by material and country, g by country, and trade (kUSD, t) by commodity code."""

    production: dict[str, dict[str, float]]
    stability: dict[str, float]
    trade: dict[str, list[Row]]

    def import_risk(self, buyer: str, row: Row) -> tuple[ImportRisk, float, float]:
        """The buyer's import risk, its own production and the price of what it imports."""
        members = MEMBERS[buyer]
        flows: dict[str, float] = defaultdict(float)
        value = 0.0
        for flow in (flow for code in row["hs92_codes"].split(";") for flow in self.trade[code]):
            if flow["importer"] in members:
                flows[flow["exporter"]] += float(flow["quantity_t"] or 0)
                value += float(flow["value_kusd"])
        inside = set(members) if len(members) > 1 else set()
        weights = self.stability | {OTHER_ASIA: 0.5} | dict.fromkeys(inside, 0.0)
        governed = np.array([country in weights for country in flows], dtype=np.bool_)
        governance = [weights.get(country, 0.0) for country in flows]
        own = sum(self.production[row["wmd_table"]].get(country, 0.0) for country in members)
        risk = import_risk(list(flows.values()), governance, governed, own)
        imported = sum(flows.values())
        return risk, own, value / imported if imported else 0.0


@pytest.fixture(scope="module")
def world(publications: Path) -> World2022:
    """The library's inputs as it takes them."""
    folder = publications / "geopolrisk"
    production: dict[str, dict[str, float]] = defaultdict(dict)
    with (folder / "wmd_2018_2024_long.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["year"] == "2022" and row["is_total"] == "False":
                tonnes = float(row["value"] or 0) * (0.001 if row["unit"] == "kg" else 1)
                production[row["wmd_sheet"]][row["iso3"] or row["country"]] = tonnes
    stability: dict[str, float] = {}
    with (folder / "wgi_pv_mixed_vintage.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["year"] == "2022" and row["estimate"]:
                # Guyana's code also stands on the row of French Guiana; the library takes the first of the two.
                stability.setdefault(row["iso3"], float(stability_weight(float(row["estimate"]))))
    trade: dict[str, list[Row]] = defaultdict(list)
    with gzip.open(folder / "baci_2022_minerals.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            trade[row["hs92"]].append(row)
    return World2022(production, stability, trade)


def test_every_row_follows_from_its_intermediates(expected: list[Row]) -> None:
    """Imports, production and weighted imports as printed give risk, score and factor to 1e-9."""
    assert len(expected) == 66
    for row in expected:
        imports, numerator = float(row["imports_t_recomputed"]), float(row["weighted_imports_numerator_recomputed"])
        mean = numerator / imports if imports else 0.0
        own = float(row["domestic_production_t_recomputed"])
        risk = import_risk([imports], [mean], np.array([True]), own).value
        score = geopolrisk_score(float(row["hhi"]), risk)
        assert risk == pytest.approx(float(row["import_risk"]), abs=1e-9)
        assert score == pytest.approx(float(row["geopolrisk_score"]), abs=1e-9)
        factor = characterisation_factor(score, float(row["price_kusd_per_t"]))
        assert factor == pytest.approx(float(row["cf_kgCu_eq_per_kg"]), rel=1e-9, abs=1e-9)


def test_every_row_follows_from_trade_production_and_governance(expected: list[Row], world: World2022) -> None:
    """From the files alone: concentration, import risk, price and factor of all 66 rows to 1e-9."""
    for row in expected:
        hhi = production_hhi(list(world.production[row["wmd_table"]].values()))
        risk, own, price = world.import_risk(row["economic_unit"], row)
        assert hhi == pytest.approx(float(row["hhi"]), abs=1e-9)
        assert own == pytest.approx(float(row["domestic_production_t_recomputed"]), abs=1e-9)
        assert risk.value == pytest.approx(float(row["import_risk"]), abs=1e-9), row["raw_material"]
        assert price == pytest.approx(float(row["price_kusd_per_t"]), rel=1e-9)
        factor = characterisation_factor(geopolrisk_score(hhi, risk.value), price)
        assert factor == pytest.approx(float(row["cf_kgCu_eq_per_kg"]), rel=1e-9, abs=1e-9)


def test_what_the_library_takes_as_zero_is_flagged_here(expected: list[Row], world: World2022) -> None:
    """The EU neither imported nor made germanium under its code in 2022: no risk on record is not a low risk."""
    germanium = next(row for row in expected if (row["economic_unit"], row["raw_material"]) == ("EU", "Germanium"))
    risk, _, _ = world.import_risk("EU", germanium)
    assert risk.flags == ("no_supply",)
