"""The reader of the EU study's global supply shares. The excerpts are lines of the published file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.intake import eu_study
from service.intake.names import Names
from service.intake.problems import Problem
from service.intake.tables import decode
from service.world.rows import Country, Mineral, Share
from tests.shipped import seeds

ROOT = Path(__file__).parents[2]
REFERENCE = Path(os.environ.get("CHOKEPOINT_REFERENCE_DATA") or ROOT.parent / "shared" / "data")
HEADER = "Material,Stage,Country,Share,t"

OVER_ONE = {
    ("antimony", "processing"),
    ("bentonite", "extraction"),
    ("copper", "extraction"),
    ("feldspar", "extraction"),
    ("gold", "extraction"),
    ("gypsum", "extraction"),
    ("hydrogen", "extraction"),
    ("iron-ore", "extraction"),
    ("iron-ore", "processing"),
    ("kaolin", "extraction"),
    ("lead", "extraction"),
    ("lead", "processing"),
    ("manganese", "extraction"),
    ("manganese", "processing"),
    ("phosphate-rock", "extraction"),
    ("silica-sand", "extraction"),
    ("silver", "extraction"),
    ("sulfur", "processing"),
    ("tin", "extraction"),
    ("zinc", "extraction"),
}
"""The material-stages whose printed shares add up to more than 1.005, as published; none exceeds 1.021."""


@pytest.fixture(scope="module")
def names() -> Names:
    """The countries and minerals the project ships."""
    return Names(seeds(Country), seeds(Mineral))


def read_one(names: Names, line: str) -> Share | Problem:
    (item,) = eu_study.read([f"{HEADER}\r\n", f"{line}\r\n"], names)
    return item


def test_a_share_is_the_printed_percentage(names: Names) -> None:
    """China made 42.8 % of the world's titanium metal in 2016-2020."""
    assert read_one(names, "Titanium metal,P,China,42.8%,1.0") == Share(
        source="eu-crm-2023",
        mineral="titanium-metal",
        stage="processing",
        period_start=2016,
        period_end=2020,
        country="CHN",
        share=0.428,
        printed="42.8%",
        basis="average share of world supply",
        locator="Titanium metal P, line 2",
    )


def test_less_than_a_tenth_of_a_percent_counts_as_half_of_it(names: Names) -> None:
    """The study's own convention; the row keeps the sign as printed."""
    share = read_one(names, "Gypsum,E,Afghanistan,<0.1%,1.0")
    assert isinstance(share, Share)
    assert (share.share, share.printed, share.qualifier) == (0.0005, "<0.1%", "below")


@pytest.mark.parametrize(
    ("printed", "meant"),
    [("Barytes", "barite"), ("Borate", "boron"), ("Phosphorous", "phosphorus"), ("Coking coal", "metallurgical-coal")],
)
def test_materials_go_by_the_studys_names(names: Names, printed: str, meant: str) -> None:
    """The study's tables differ in their names for the same material; the minerals know them all."""
    share = read_one(names, f"{printed},E,China,10%,1.0")
    assert isinstance(share, Share)
    assert share.mineral == meant


@pytest.mark.parametrize(("printed", "meant"), [("Turkyie", "TUR"), ("Brasilia", "BRA"), ('"Congo, D.R."', "COD")])
def test_countries_go_by_the_studys_names(names: Names, printed: str, meant: str) -> None:
    """Misspellings included."""
    share = read_one(names, f"Copper,E,{printed},1%,1.0")
    assert isinstance(share, Share)
    assert share.country == meant


def test_a_rare_earths_share_is_its_groups(names: Names) -> None:
    """The study prints the shares of light and heavy rare earths once for each of their elements."""
    share = read_one(names, "Neodymium,P,China,84.9%,1.0")
    assert isinstance(share, Share)
    assert share.note == "group share repeated for each member"


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("Copper,R,Chile,28%,1.0", "Stage", "R"),
        ("Copper,E,Chile,281%,1.0", "Share", "281%"),
        ("Copper,E,Chile,NaN,1.0", "Share", "NaN"),
        ("Copper,E,Chile,0.28,1.0", "Share", "0.28"),
        ("Coper,E,Chile,28%,1.0", "Material", "Coper"),
        ("Copper,E,Chille,28%,1.0", "Country", "Chille"),
        ("Copper,E,Chile,28%", "", "4 columns"),
    ],
)
def test_what_cannot_be_read_is_a_problem_at_its_place(names: Names, line: str, column: str, value: str) -> None:
    """One Problem for the line, with its column and value."""
    problem = read_one(names, line)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.column, problem.value) == (2, column, value)


def test_an_unknown_name_comes_with_the_closest_known_ones(names: Names) -> None:
    """So that it can be corrected, or mapped."""
    problem = read_one(names, "Coper,E,Chile,28%,1.0")
    assert isinstance(problem, Problem)
    assert problem.expected.startswith("a known mineral; closest known: copper")


def test_a_correction_teaches_a_new_name() -> None:
    """A user's map of names goes before what the ledger knows."""
    taught = Names(seeds(Country), seeds(Mineral), {"Coper": "copper", "Chille": "CHL"})
    share = read_one(taught, "Coper,E,Chille,28%,1.0")
    assert isinstance(share, Share)
    assert (share.mineral, share.country) == ("copper", "CHL")


def test_the_seeds_are_what_the_reader_gives(names: Names) -> None:
    """2,561 published lines, 2,561 seeded rows, no problem."""
    path = REFERENCE / "eu_crm2023" / "fact_GlobalSupplyShares_t.csv"
    if not path.exists():
        pytest.skip("the published file is not at hand")
    with path.open("rb") as file:
        items = list(eu_study.read(decode(file, eu_study.ENCODING), names))
    seeded = [row for row in seeds(Share) if row.source == "eu-crm-2023"]
    assert len(items) == len(seeded) == 2561
    assert set(items) == set(seeded)


def test_the_sums_above_one_are_the_studys_own() -> None:
    """Rounded shares of many countries: the exceptions are named, and none goes beyond 2.1 %."""
    sums: dict[tuple[str, str], float] = {}
    for row in seeds(Share):
        if row.source == "eu-crm-2023":
            sums[row.mineral, row.stage] = sums.get((row.mineral, row.stage), 0.0) + (row.share or 0.0)
    assert {key for key, total in sums.items() if round(total, 6) > 1.005} == OVER_ONE
    assert max(sums.values()) < 1.021
