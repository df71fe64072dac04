"""The reader of US import sources and import reliance. The excerpts are lines of the published file, shortened."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from service.intake import usgs_imports
from service.intake.names import Names
from service.intake.problems import Problem
from service.intake.tables import decode
from service.world.rows import Country, Mineral, Reliance, Sourcing
from tests.shipped import seeds

ROOT = Path(__file__).parents[2]
REFERENCE = Path(os.environ.get("CHOKEPOINT_REFERENCE_DATA") or ROOT.parent / "shared" / "data")

HEADER = (
    "MCS chapter,Section,Commodity,Country,Statistics,Statistics_detail,Unit,Year,Value,Notes,"
    "Is critical mineral 2025,Other notes"
)
SOURCES = "Import Sources,{0},{1},Import sources 2021-2024,{2},percent,2021–24,{3},{4},Yes,"
RELIANCE = (
    "Salient Statistics—United States,{0},United States,Net import reliance,"
    "Net import reliance as a percentage of apparent consumption,percent,{1},{2},{3},Yes,"
)


@pytest.fixture(scope="module")
def names() -> Names:
    """The countries and minerals the project ships."""
    return Names(seeds(Country), seeds(Mineral))


def read(names: Names, *lines: str) -> list[Sourcing | Reliance | Problem]:
    return list(usgs_imports.read([f"{line}\r\n" for line in (HEADER, *(f"X,{line}" for line in lines))], names))


def test_a_share_of_imports_is_read_with_its_place(names: Names) -> None:
    (row,) = read(names, SOURCES.format("Gallium", "China", "Metal", "18", "Includes Hong Kong."))
    assert isinstance(row, Sourcing)
    assert (row.buyer, row.mineral, row.stage, row.of) == ("USA", "gallium", "processing", "imports")
    assert (row.country, row.share, row.printed) == ("CHN", 0.18, "18")
    assert (row.period_start, row.period_end, row.note) == (2021, 2024, "Includes Hong Kong.")
    assert row.locator == "Gallium: Metal, line 2"


def test_other_countries_are_no_country_and_bounds_are_read_as_such(names: Names) -> None:
    """Over 99 % is at least 0.99; below 1 % is taken at half of it."""
    detail = "Copper content of ore and concentrate"
    rows = read(
        names,
        SOURCES.format("Copper", "Canada", detail, ">99", ""),
        SOURCES.format("Copper", "Other countries", detail, "<1", ""),
        SOURCES.format("Manganese", "Gabon", "Manganese ore", "<1", ""),
    )
    found = [(r.country, r.share, r.printed, r.qualifier) for r in rows if isinstance(r, Sourcing)]
    assert found == [("CAN", 0.99, ">99", ""), ("GAB", 0.005, "<1", "below")]


@pytest.mark.parametrize(
    ("printed", "read_as", "qualifier"),
    [
        ("57", 0.57, ""),
        (">75", 0.75, "above"),
        ("<25", 0.25, "below"),
        ("E", 0.0, "net_exporter"),
        ("s", 0.005, "below"),
        ("NA", None, "not_available"),
    ],
)
def test_reliance_as_printed_and_as_read(names: Names, printed: str, read_as: float | None, qualifier: str) -> None:
    """A net exporter relies on nothing; a bound is read as the bound and says so."""
    (row,) = read(names, RELIANCE.format("Copper", 2024, printed, ""))
    assert isinstance(row, Reliance)
    assert (row.reliance, row.printed, row.qualifier) == (read_as, printed, qualifier)
    assert (row.mineral, row.stage, row.period_start, row.period_end) == ("copper", "processing", 2024, 2024)


def test_an_estimate_is_marked(names: Names) -> None:
    (row,) = read(names, RELIANCE.format("Copper", 2025, "57", "Estimated. -- Defined as refined imports."))
    assert isinstance(row, Reliance)
    assert row.qualifier == "estimated"


def test_a_statistic_that_speaks_of_two_minerals_gives_both(names: Names) -> None:
    """Bauxite is the mining stage of aluminum, and a mineral of its own."""
    rows = read(names, RELIANCE.format("Bauxite", 2024, ">75", ""))
    assert [row.mineral for row in rows if isinstance(row, Reliance)] == ["aluminum", "bauxite"]


def test_what_is_not_understood_is_reported_with_line_and_column(names: Names) -> None:
    found = read(
        names,
        SOURCES.format("Gallium", "China", "Powder", "18", ""),
        SOURCES.format("Gallium", "Atlantis", "Metal", "18", ""),
        SOURCES.format("Gallium", "China", "Metal", "281", ""),
        RELIANCE.format("Copper", 2024, "high", ""),
        RELIANCE.format("Copper", "soon", "57", ""),
    )
    assert [(item.line, item.column) for item in found if isinstance(item, Problem)] == [
        (2, "Statistics_detail"),
        (3, "Country"),
        (4, "Value"),
        (5, "Value"),
        (6, "Year"),
    ]
    assert len(found) == 5


def test_what_is_no_mineral_here_and_other_statistics_are_passed_over(names: Names) -> None:
    world = "World,Copper,Chile,Mine production,Mine production,metric tons,2024,5300,,Yes,"
    assert read(names, SOURCES.format("Asbestos", "Brazil", "All", "100", ""), world) == []


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no published tables here")
def test_the_published_file_gives_the_shipped_rows(names: Names) -> None:
    """260 shares of imports and 336 reliances, as the seeds have them."""
    with (REFERENCE / "usgs_mcs2026" / "MCS2026_Commodities_Data.csv").open("rb") as file:
        rows = list(usgs_imports.read(decode(file, usgs_imports.ENCODING), names))
    assert Counter(type(row).__name__ for row in rows) == {"Sourcing": 260, "Reliance": 336}
    shipped = [row for kind in (Sourcing, Reliance) for row in seeds(kind) if row.source == "usgs-mcs-2026"]
    assert set(rows) == set(shipped)
