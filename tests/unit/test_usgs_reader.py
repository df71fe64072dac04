"""The reader of the USGS Mineral Commodity Summaries. The excerpts are lines of the published files, shortened."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from service.intake import usgs
from service.intake.names import Names
from service.intake.problems import Problem
from service.intake.tables import decode
from service.intake.usgs_readings import reviewed_meanings
from service.world.rows import Country, Mineral, Reserve, Share
from tests.shipped import seeds

ROOT = Path(__file__).parents[2]
REFERENCE = Path(os.environ.get("CHOKEPOINT_REFERENCE_DATA") or ROOT.parent / "shared" / "data")

HEADER_2026 = (
    "MCS chapter,Section,Commodity,Country,Statistics,Statistics_detail,Unit,Year,Value,Notes,"
    "Is critical mineral 2025,Other notes"
)
HEADER_2025 = (
    "SOURCE,COMMODITY,COUNTRY,TYPE,UNIT_MEAS,PROD_2023,PROD_EST_ 2024,PROD_NOTES,CAP_2023,CAP_EST_ 2024,CAP_NOTES,"
    "RESERVES_2024,RESERVE_NOTES"
)


@pytest.fixture(scope="module")
def names() -> Names:
    """The countries and minerals the project ships."""
    return Names(seeds(Country), seeds(Mineral))


def read(names: Names, header: str, excerpt: str) -> list[Share | Reserve | Problem]:
    lines = [header, *excerpt.strip().splitlines()]
    return list(usgs.read([f"{line}\r\n" for line in lines], names, "usgs"))


def shares(items: Sequence[Share | Reserve | Problem]) -> dict[str, Share]:
    assert not [item for item in items if isinstance(item, Problem)]
    return {item.country: item for item in items if isinstance(item, Share)}


def reserves(items: Sequence[Share | Reserve | Problem]) -> dict[str, Reserve]:
    assert not [item for item in items if isinstance(item, Problem)]
    return {item.country: item for item in items if isinstance(item, Reserve)}


BARITE = """
BARITE,World Mine Production and Reserves,Barite,United States,Production,Mine production,thousand metric tons,2024,W,,Yes,
BARITE,World Mine Production and Reserves,Barite,China,Production,Mine production,thousand metric tons,2024,"2,100",Estimated.,Yes,
BARITE,World Mine Production and Reserves,Barite,India,Production,Mine production,thousand metric tons,2024,"2,600",Reported.,Yes,
BARITE,World Mine Production and Reserves,Barite,Other countries,Production,Mine production,thousand metric tons,2024,362,Estimated.,Yes,
BARITE,World Mine Production and Reserves,Barite,World total,Production,Mine production: rounded,thousand metric tons,2024,"8,000",Estimated. -- Excludes U.S. production.,Yes,
"""  # noqa: E501 - as published


def test_a_share_is_the_amount_over_the_printed_world_total(names: Names) -> None:
    """India 2,600 of 8,000; "other countries" is nobody and stays the unreported remainder."""
    found = shares(read(names, HEADER_2026, BARITE))
    assert set(found) == {"USA", "CHN", "IND"}
    assert found["IND"] == Share(
        source="usgs",
        mineral="barite",
        stage="extraction",
        period_start=2024,
        period_end=2024,
        country="IND",
        share=0.325,
        printed="2,600",
        quantity=2600,
        total=8000,
        unit="thousand metric tons",
        basis="gross weight",
        locator="Barite: Mine production, line 4",
        note="World total excludes U.S. production.",
    )
    assert (found["CHN"].share, found["CHN"].qualifier) == (0.2625, "estimated")


def test_a_withheld_amount_keeps_its_letter_and_has_no_share(names: Names) -> None:
    """W is not zero: the United States mine barite, and the total leaves them out."""
    usa = shares(read(names, HEADER_2026, BARITE))["USA"]
    assert (usa.printed, usa.share, usa.quantity, usa.qualifier) == ("W", None, None, "withheld")


GALLIUM = """
GALLIUM,World Low-Purity Production and Production Capacity,Gallium,United States,Production,Primary production,kilograms,2025,\u2014,,Yes,
GALLIUM,World Low-Purity Production and Production Capacity,Gallium,China,Production,Primary production,kilograms,2025,"900,000",Estimated.,Yes,
GALLIUM,World Low-Purity Production and Production Capacity,Gallium,Japan,Production,Primary production,kilograms,2025,"3,000",Estimated.,Yes,
GALLIUM,World Low-Purity Production and Production Capacity,Gallium,Russia,Production,Primary production,kilograms,2025,"6,000",Estimated.,Yes,
GALLIUM,World Low-Purity Production and Production Capacity,Gallium,World total,Production,Primary production: rounded,kilograms,2025,"900,000",Estimated.,Yes,
GALLIUM,World Low-Purity Production and Production Capacity,Gallium,China,Capacity,Production capacity,kilograms,2025,"1,600,000",,Yes,
"""  # noqa: E501 - as published


def test_where_the_rounded_total_is_less_than_its_parts_their_sum_is_the_total(names: Names) -> None:
    """900,000 + 3,000 + 6,000 of a printed 900,000: China has 900 of 909, and the row says so. Capacity is no share."""
    found = shares(read(names, HEADER_2026, GALLIUM))
    assert (found["CHN"].share, found["CHN"].total) == (0.990099, 909000)
    assert found["CHN"].note == "The named amounts exceed the printed total of 900,000: their sum is used."


def test_a_dash_is_zero(names: Names) -> None:
    """USGS prints zero as a dash: a country that made none, not one of which nothing is known."""
    usa = shares(read(names, HEADER_2026, GALLIUM))["USA"]
    assert (usa.printed, usa.share, usa.quantity, usa.qualifier) == ("—", 0, 0, "")


TITANIUM = """
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,United States,Production,Mine production: Ilmenite,thousand metric tons,2025,100,Estimated.,Yes,
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,Australia,Production,Mine production: Ilmenite,thousand metric tons,2025,780,Estimated.,Yes,
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,World total,Production,"Mine production: ilmenite, rounded",thousand metric tons,2025,"9,400",Estimated.,Yes,
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,United States,Production,Mine production: Rutile,thousand metric tons,2025,s,Estimated. -- United States rutile production and reserves data are included with ilmenite.,Yes,
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,Australia,Production,Mine production: Rutile,thousand metric tons,2025,200,Estimated.,Yes,
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,World total,Production,"Mine production: rutile, rounded",thousand metric tons,2025,450,Estimated.,Yes,
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,World total,Production,"Mine production: ilmenite and rutile, rounded",thousand metric tons,2025,"9,800",Estimated.,Yes,
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,Australia,Reserves,Reserves: Ilmenite,thousand metric tons,2025,"170,000",See Appendix C for resource and reserve definitions and information concerning data sources.,Yes,
TITANIUM MINERAL CONCENTRATES,World Mine Production and Reserves,Titanium Mineral Concentrates,Kenya,Reserves,Reserves: Rutile,thousand metric tons,2025,">540",See Appendix C for resource and reserve definitions and information concerning data sources.,Yes,
"""  # noqa: E501 - as published


def of_titanium(names: Names) -> list[Share | Reserve | Problem]:
    items = read(names, HEADER_2026, TITANIUM)
    return [item for item in items if isinstance(item, Problem) or item.mineral == "titanium"]


def test_products_of_one_mineral_are_added_up_by_country(names: Names) -> None:
    """Ilmenite 780 and rutile 200 of 9,800 together; less than half a unit of rutile adds nothing to the U.S. 100."""
    found = shares(of_titanium(names))
    australia, usa = found["AUS"], found["USA"]
    assert (australia.printed, australia.quantity, australia.share) == ("780 + 200", 980, 0.1)
    assert australia.locator == "Titanium Mineral Concentrates: Mine production: Ilmenite, lines 3 and 6"
    assert (usa.printed, usa.share, usa.qualifier) == ("100 + s", 0.010204, "estimated")
    assert usa.note == "United States rutile production and reserves data are included with ilmenite."


def test_one_statistic_may_speak_of_two_minerals(names: Names) -> None:
    """The EU lists titanium metal beside titanium; both come from the same ores."""
    items = read(names, HEADER_2026, TITANIUM)
    assert {item.mineral for item in items if isinstance(item, Share)} == {"titanium", "titanium-metal"}


def test_reserves_keep_what_they_count_and_whether_they_are_a_bound(names: Names) -> None:
    """The printed >540 is at least 540; ilmenite and rutile are different bases and are not added up."""
    found = reserves(of_titanium(names))
    assert (found["KEN"].printed, found["KEN"].quantity, found["KEN"].qualifier) == (">540", 540, "above")
    assert found["KEN"].basis == "titanium dioxide (TiO2) content of rutile"
    assert (found["AUS"].year, found["AUS"].quantity, found["AUS"].qualifier) == (2025, 170000, "")


@pytest.mark.parametrize(
    ("printed", "qualifier"), [("NA", "not_available"), ("Large", "not_available"), ("s", "small")]
)
def test_a_reserve_without_a_number_has_none(names: Names, printed: str, qualifier: str) -> None:
    """The word stands as printed; no amount is made up for it."""
    line = f"GYPSUM,World Mine Production and Reserves,Gypsum,China,Reserves,Reserves,tons,2025,{printed},,No,"
    reserve = reserves(read(names, HEADER_2026, line))["CHN"]
    assert (reserve.printed, reserve.quantity, reserve.qualifier) == (printed, None, qualifier)


HELIUM_2025 = """
MCS2025,Helium,United States (extracted from natural gas),"Production, helium gas content",million cubic meters,64,68,,,,,8500,
MCS2025,Helium,United States (from Cliffside Field),"Production, helium gas content",million cubic meters,18,13,,,,,50,
MCS2025,Helium,Qatar,"Production, helium gas content",million cubic meters,66,64,estimated 2023,,,,,Large
MCS2025,Helium,South Africa ,"Production, helium gas content",million cubic meters,,,Less than 1/2 unit,,,,,NA
MCS2025,Helium,World total (rounded),"Production, helium gas content",million cubic meters,176,180,,,,,,NA
"""  # noqa: E501 - as published


def test_edition_2025_has_its_years_side_by_side(names: Names) -> None:
    """Two lines of one country are added up: 68 + 13 of 180 in 2024, 64 + 18 of 176 in 2023."""
    items = read(names, HEADER_2025, HELIUM_2025)
    usa = [(i.period_start, i.printed, i.share) for i in items if isinstance(i, Share) and i.country == "USA"]
    assert usa == [(2023, "64 + 18", 0.465909), (2024, "68 + 13", 0.45)]
    assert reserves(items)["USA"].quantity == 8550


def test_edition_2025_says_in_the_notes_what_a_blank_cell_means(names: Names) -> None:
    """Less than 1/2 unit is s, and Large stands where the reserves would."""
    items = read(names, HEADER_2025, HELIUM_2025)
    assert (shares(items)["ZAF"].printed, shares(items)["ZAF"].qualifier) == ("s", "below")
    assert (reserves(items)["QAT"].printed, reserves(items)["QAT"].qualifier) == ("Large", "not_available")


def test_edition_2025_marks_estimates_by_column_and_note(names: Names) -> None:
    """The column PROD_EST_ 2024 is estimated throughout, 2023 where the note says so."""
    items = [item for item in read(names, HEADER_2025, HELIUM_2025) if isinstance(item, Share)]
    estimated = {(item.country, item.period_start) for item in items if item.qualifier == "estimated"}
    assert estimated == {("USA", 2024), ("QAT", 2023), ("QAT", 2024)}


def test_a_blank_cell_says_nothing(names: Names) -> None:
    """Edition 2025 lists the makers of "Gemanium" and prints no amount for any of them."""
    line = "MCS2025,Gemanium,China,Primary and secondary refinery production,kilograms,,,,,,,,"
    assert read(names, HEADER_2025, line) == []


def test_edition_2025_prints_thousands_of_tons_as_tons_here_and_there(names: Names) -> None:
    """The map of statistics corrects the unit, not the amount."""
    line = 'MCS2025,Titanium Mineral Concentrates,India,"Mine production, rutile, titanium dioxide (TiO2) content",metric tons,12,12,,,,,670,'  # noqa: E501 - as published
    reserve = reserves(read(names, HEADER_2025, line))["IND"]
    assert (reserve.quantity, reserve.unit) == (670, "thousand metric tons")


def test_without_a_world_total_there_are_amounts_but_no_shares(names: Names) -> None:
    """A share is never taken of what happens to be named."""
    found = shares(read(names, HEADER_2026, "\n".join(BARITE.strip().splitlines()[:3])))
    assert (found["IND"].quantity, found["IND"].total, found["IND"].share) == (2600, None, None)
    assert found["IND"].note == "No world total is printed."


@pytest.mark.parametrize(
    ("spoiled", "column", "value", "expected"),
    [
        (("India", "Indja"), "Country", "Indja", "a known country; closest known: india"),
        (('"2,600"', "NaN"), "Value", "NaN", "an amount"),
        (('"2,600"', '"2,60"'), "Value", "2,60", "an amount"),
        (("2024", "24"), "Year", "24", "a year"),
        (("Mine production", "Mined"), "Value", "Barite: Mined", "closest known: "),
        (("Reported.,Yes", "Reported."), "", "11 columns", "12 columns"),
    ],
)
def test_what_cannot_be_read_is_a_problem_at_its_place(
    names: Names, spoiled: tuple[str, str], column: str, value: str, expected: str
) -> None:
    """The line is the file's own, and what else the table says is still read."""
    lines = BARITE.strip().splitlines()
    lines[2] = lines[2].replace(*spoiled)
    problems = [item for item in read(names, HEADER_2026, "\n".join(lines)) if isinstance(item, Problem)]
    assert [(problem.line, problem.column, problem.value) for problem in problems] == [(4, column, value)]
    assert expected in problems[0].expected


def test_lines_are_counted_as_the_file_has_them(names: Names) -> None:
    """A quoted note may run over several lines."""
    excerpt = BARITE.replace("2024,W,,", '2024,W,"Two\r\nlines.",')
    assert shares(read(names, HEADER_2026, excerpt))["IND"].locator.endswith("line 5")


@pytest.mark.parametrize(
    ("printed_as", "read_as"), [("utf-8", "cp1252"), ("cp1252", "utf-8-sig"), ("utf-16", "cp1252")]
)
def test_a_wrong_encoding_is_one_problem_and_ends_the_reading(names: Names, printed_as: str, read_as: str) -> None:
    """Rows are never made of misread text."""
    file = io.BytesIO(f"{HEADER_2026}{GALLIUM}".encode(printed_as))
    items = list(usgs.read(decode(file, read_as), names, "usgs"))
    assert [type(item) for item in items] == [Problem]


@pytest.mark.parametrize("header", ["", "a,b,c", HEADER_2026.replace("Value", "Amount")])
def test_another_file_is_one_problem(names: Names, header: str) -> None:
    """Nothing is guessed from a table whose columns are not those of either edition."""
    (problem,) = read(names, header, BARITE)
    assert isinstance(problem, Problem)
    assert problem.line == 1


def test_the_maps_speak_of_minerals_and_stages_there_are() -> None:
    """Every statistic that is used belongs to a known mineral, and every share to one of its stages."""
    stages = {mineral.id: mineral.stages for mineral in seeds(Mineral)}
    for meanings in reviewed_meanings().values():
        for meaning in meanings:
            assert meaning.stage is None or meaning.stage in stages[meaning.mineral], meaning
            assert meaning.mineral in stages


@pytest.mark.parametrize(
    ("source", "file", "expected"),
    [
        ("usgs-mcs-2026", "usgs_mcs2026/MCS2026_Commodities_Data.csv", (1468, 557)),
        ("usgs-mcs-2025", "usgs_mcs2025/MCS2025_World_Data.csv", (1377, 546)),
    ],
)
def test_both_editions_read_whole(names: Names, source: str, file: str, expected: tuple[int, int]) -> None:
    """No line of either edition is a problem, and no two rows of an edition have the same key."""
    items = published(names, source, file)
    assert [item for item in items if isinstance(item, Problem)] == []
    rows = [item for item in items if not isinstance(item, Problem)]
    assert (sum(isinstance(row, Share) for row in rows), sum(isinstance(row, Reserve) for row in rows)) == expected
    assert len({(row.kind, *(getattr(row, column) for column in row.key)) for row in rows}) == len(rows)


def test_the_seeds_are_what_the_reader_gives(names: Names) -> None:
    """Loading the published file of edition 2026 changes nothing: every seeded share and reserve is in it."""
    items = published(names, "usgs-mcs-2026", "usgs_mcs2026/MCS2026_Commodities_Data.csv")
    seeded = [row for row in (*seeds(Share), *seeds(Reserve)) if row.source == "usgs-mcs-2026"]
    assert len(seeded) == len(items)
    assert set(seeded) == set(items)


def published(names: Names, source: str, file: str) -> list[Share | Reserve | Problem]:
    """What the reader makes of a published file, or a skipped test where it is not at hand."""
    path = REFERENCE / file
    if not path.exists():
        pytest.skip("the published file is not at hand")
    with path.open("rb") as raw:
        return list(usgs.read(decode(raw, usgs.ENCODINGS[source]), names, source))
