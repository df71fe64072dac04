"""`geopolrisk` through the ledger against the table of its own library for 2022.

Neither that table nor its inputs are shipped: rows are told as not computable. Where the published files are at hand,
they are read with the project's own readers and every row comes out to 1e-9, end to end.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest

from service.intake import baci, wmd
from service.intake.names import Names
from service.intake.problems import Problem
from service.intake.tables import decode
from service.methods.commodities import commodities
from service.methods.geopolrisk import value_of
from service.methods.verification import verify
from service.methods.verification.geopolrisk import BUYERS, MATERIALS
from service.seeding import read_seeds
from service.world.rows import (
    Bloc,
    Country,
    Governance,
    Membership,
    Mineral,
    Parameter,
    Production,
    Row,
    Source,
    TariffLine,
    Trade,
)
from service.world.world import World
from tests.evidence import source, world_of

BUYER_OF = {"USA": "USA", "EU": "EU", "Japan": "JPN"}
LIBRARY = "library"

Table = list[dict[str, str]]


@pytest.fixture(scope="module")
def table(publications: Path) -> Table:
    """22 materials for three buyers, with every intermediate."""
    with (publications / "geopolrisk" / "expected_2022.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def names() -> Names:
    rows = list(read_seeds())
    return Names([r for r in rows if isinstance(r, Country)], [r for r in rows if isinstance(r, Mineral)])


def production(publications: Path, names: Names) -> Iterator[Production]:
    with (publications / "geopolrisk" / "wmd_2018_2024_long.csv").open("rb") as file:
        for item in wmd.read(decode(file, wmd.ENCODING), names, LIBRARY):
            assert not isinstance(item, Problem), item
            if isinstance(item, Production) and item.year == 2022:
                yield item


def trade(publications: Path, names: Names, codes: set[str]) -> Iterator[Trade]:
    with gzip.open(publications / "geopolrisk" / "baci_2022_minerals.csv.gz", "rb") as file:
        lines = decode(file, baci.ENCODING)  # type: ignore[arg-type]
        for item in baci.read(lines, names, LIBRARY, {}, codes):
            assert not isinstance(item, Problem), item
            if isinstance(item, Trade):
                yield item


def tariff_lines(table: Table) -> Iterator[TariffLine]:
    for row in table:
        for code in row["hs92_codes"].split(";"):
            yield TariffLine(source=LIBRARY, commodity=row["wmd_table"], code=code, edition="HS 1992")


def stability(publications: Path, names: Names, codes: Iterable[str]) -> Iterator[Governance]:
    """The library's governance as it takes it: none recorded is no risk (PV 2.5), Taiwan's trade 0.5 (PV 0)."""
    estimates = dict.fromkeys(codes, 2.5)
    with (publications / "geopolrisk" / "wgi_pv_mixed_vintage.csv").open(encoding="utf-8", newline="") as file:
        # Guyana's code also stands on the row of French Guiana; the library takes the first of the two.
        read = [row for row in csv.DictReader(file) if row["year"] == "2022" and row["estimate"]]
    for row in reversed(read):
        if row["iso3"] in names.codes:
            estimates[row["iso3"]] = float(row["estimate"])
    estimates["TWN"] = 0.0
    for code, estimate in estimates.items():
        yield Governance(source=LIBRARY, country=code, dimension="pv", year=2022, estimate=estimate)


def published(table: Table) -> Iterator[Parameter]:
    for row in table:
        name = f"score_{BUYER_OF[row['economic_unit']].lower()}"
        printed, label = row["geopolrisk_score"], row["raw_material"]
        yield Parameter(source=LIBRARY, name=name, label=label, year=2022, value=float(printed), printed=printed)


@pytest.fixture(scope="module")
def world(publications: Path, table: Table, names: Names) -> World:
    """The library's inputs in a ledger: trade, production, tariff lines, governance and its printed scores."""
    kept = [row for row in read_seeds() if isinstance(row, Source | Country | Mineral | Bloc | Membership)]
    codes = {code for row in table for code in row["hs92_codes"].split(";")}
    countries = [row.code for row in kept if isinstance(row, Country)]
    rows: list[Row] = [
        source(LIBRARY),
        *kept,
        *production(publications, names),
        *trade(publications, names, codes),
        *tariff_lines(table),
        *stability(publications, names, countries),
        *published(table),
    ]
    return world_of(rows)


def test_without_its_sources_every_row_is_told_as_not_computable(shipped: World) -> None:
    """66 rows, each with the reason, none with a number."""
    rows = verify(shipped, "geopolrisk")
    assert len(rows) == 66
    assert {row.key.buyer for row in rows} == set(BUYERS)
    for row in rows:
        assert (row.published, row.computed, row.verdict) == (None, None, "not_computable")
        assert "import them" in row.reason


def test_every_row_comes_out_from_trade_production_and_governance(world: World) -> None:
    """All 66 to 1e-9, from the files through the readers and the ledger's World."""
    rows = verify(world, "geopolrisk")
    assert len(rows) == 66
    assert {row.verdict for row in rows} == {"exact"}
    assert max(abs(row.difference or 0.0) for row in rows) <= 1e-9


def test_every_intermediate_comes_out_too(world: World, table: Table) -> None:
    """Concentration, import risk, amounts, price and characterisation factor, row by row."""
    recorded = {commodity.name: commodity for commodity in commodities(world)}
    assert set(recorded) == set(MATERIALS.values())
    for row in table:
        told = value_of(world, recorded[row["wmd_table"]], BUYER_OF[row["economic_unit"]], 2022)
        terms = {term.name: term.value for term in told.terms}
        about = row["economic_unit"], row["raw_material"]
        assert terms["hhi"] == pytest.approx(float(row["hhi"]), abs=1e-9), about
        assert terms["import_risk"] == pytest.approx(float(row["import_risk"]), abs=1e-9), about
        assert terms["imports"] == pytest.approx(float(row["imports_t_recomputed"]), rel=1e-9, abs=1e-9), about
        made = float(row["domestic_production_t_recomputed"])
        assert terms["domestic_production"] == pytest.approx(made, rel=1e-9, abs=1e-9), about
        assert (terms["price"] or 0.0) == pytest.approx(float(row["price_kusd_per_t"]), rel=1e-9), about
        factor = float(row["cf_kgCu_eq_per_kg"])
        assert terms.get("characterisation_factor", 0.0) == pytest.approx(factor, rel=1e-9, abs=1e-9), about


def test_imports_within_the_bloc_carry_no_risk_and_stay_in_the_denominator(world: World) -> None:
    """The EU's cobalt: members' deliveries are among the imports with a weight of 0."""
    cobalt = next(commodity for commodity in commodities(world) if commodity.name == "Cobalt")
    told = value_of(world, cobalt, "EU", 2022)
    imports = next(mix for mix in told.mixes if mix.of == "imports")
    inside = world.members("EU", date(2022, 12, 31))
    within = [supplier for supplier in imports.suppliers if supplier.country in inside]
    assert len(inside) == 27
    assert within
    assert {supplier.weight for supplier in within} == {0.0}
    assert sum(supplier.amount or 0 for supplier in within) > 0


def test_a_bloc_of_one_is_the_country(world: World) -> None:
    """Japan alone as a bloc buys as Japan does."""
    alone = [
        Bloc(id="ALONE", name="Japan alone", type="group", source=LIBRARY),
        Membership(bloc="ALONE", country="JPN", valid_from="2000", source=LIBRARY),
    ]
    tin = next(commodity for commodity in commodities(world) if commodity.name == "Tin")
    rows: list[Row] = [*world.sources.values(), *world.countries.values(), *alone]
    rows += [row for found in world.studies.production.values() for row in found]
    rows += [row for found in world.studies.trade.values() for row in found]
    rows += [row for found in world.studies.tariff_lines.values() for row in found]
    other = world_of(rows)
    assert value_of(other, tin, "ALONE", 2022).value == value_of(other, tin, "JPN", 2022).value
