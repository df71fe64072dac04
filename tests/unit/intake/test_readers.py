"""The readers of published tables. The excerpts are lines of the published files, or of their layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from service.intake import baci, eu_study, iea, usgs, wmd
from service.intake.names import Names
from service.intake.problems import Problem, Skipped, Unreadable
from service.intake.tables import decode
from service.world.rows import Country, Mineral, Parameter, Production, Row, Share, Sourcing, Trade

from .conftest import published

Item = Row | Problem | Skipped


def lines(*text: str) -> Iterator[str]:
    return (f"{line}\n" for line in text)


def problems(items: list[Item]) -> list[tuple[int, str, str]]:
    return [(item.line, item.column, item.value) for item in items if isinstance(item, Problem)]


# --- the EU study's annex of sourcing shares ---

ANNEX = "Material,Stage,Country,Share,t"


def sourcing(names: Names, *text: str) -> list[Item]:
    return list(eu_study.sourcing(lines(ANNEX, *text), names, "eu-crm-2023"))


def test_a_sourcing_share_is_the_eus(names: Names) -> None:
    """What the EU uses, its own output included; a rule-abiding t says nothing."""
    (row,) = sourcing(names, "Aluminium,P,Norway,12%,1")
    assert isinstance(row, Sourcing)
    assert (row.buyer, row.mineral, row.stage, row.of, row.country, row.share) == (
        "EU",
        "aluminum",
        "processing",
        "supply",
        "NOR",
        0.12,
    )


def test_a_trade_parameter_that_is_not_the_rule_is_a_parameter(names: Names) -> None:
    """0.8 is the members' and 1 everybody else's: Russia's 1.1 is evidence, and so would be Germany's 1."""
    _, russia, _, germany = sourcing(names, "Aluminium,P,Russia,13%,1.1", "Germanium,P,Germany,3%,1")
    assert isinstance(russia, Parameter)
    assert isinstance(germany, Parameter)
    assert (russia.name, russia.label, russia.country, russia.value) == ("t_eu", "Aluminium", "RUS", 1.1)
    assert (germany.country, germany.value) == ("DEU", 1.0)


def test_the_one_share_without_its_percent_sign_is_known(names: Names) -> None:
    """It is read as percent and says so; another bare number is refused, for it may be a fraction."""
    row, *found = sourcing(names, "Silicon metal,P,Germany,6,0.8", "Silicon metal,P,France,28,0.8")
    assert isinstance(row, Sourcing)
    assert (row.share, row.printed, row.note) == (0.06, "6", "printed without a unit, read as percent")
    assert problems(found) == [(3, "Share", "28")]


@pytest.mark.parametrize("t", ["0.7", "1.6", "x", "", "nan"])
def test_a_trade_parameter_has_a_range(names: Names, t: str) -> None:
    assert problems(sourcing(names, f"Copper,E,Chile,28%,{t}")) == [(2, "t", t)]


@pytest.mark.parametrize(
    ("annex", "read", "count"),
    [
        ("fact_GlobalSupplyShares_t.csv", eu_study.supply, {"share": 2561, "parameter": 73}),
        ("fact_EUSupplyShares_t.csv", eu_study.sourcing, {"sourcing": 907, "parameter": 29}),
    ],
)
def test_the_annexes_read_whole_and_are_the_seeds(
    names: Names, shipped: list[Row], annex: str, read: Callable[..., Iterator[Row]], count: dict[str, int]
) -> None:
    """No line is a problem, and every row is among those shipped."""
    with published("eu_crm2023", annex).open("rb") as file:
        rows = list(read(decode(file, eu_study.ENCODING), names, "eu-crm-2023"))
    assert Counter(row.kind for row in rows) == count
    assert set(rows) <= set(shipped)


# --- the IEA's table ---

OUTLOOK = "mineral,stage,country,iso3,year,kind,value_kt,total_kt,share,top3_share_published"


def outlook(names: Names, *text: str) -> list[Item]:
    return list(iea.read(lines(OUTLOOK, *text), names, "iea-2025"))


def test_an_observed_amount_is_a_share_of_the_world_total(names: Names) -> None:
    """China refines 2,124 of 2,219: 0.957188; the outlook means that of anodes by graphite."""
    (row,) = outlook(names, "Graphite,refining,China,CHN,2024,observed_base_year,2124,2219,0.957188,")
    assert isinstance(row, Share)
    assert (row.mineral, row.stage, row.country, row.share, row.total) == (
        "natural-graphite",
        "processing",
        "CHN",
        0.957188,
        2219,
    )


def test_projections_and_the_rest_of_the_world_are_passed_over_and_said_so(names: Names) -> None:
    """What may be is no evidence; what no country is named for is the remainder."""
    items = outlook(
        names,
        "Copper,mining,Chile,CHL,2030,projection_base_case,5505,24271,0.2268,",
        "Copper,mining,Rest of world,,2024,observed_base_year,9000,22794,0.39,",
    )
    assert [item.reason for item in items if isinstance(item, Skipped)] == [
        "projections are no evidence",
        "the rest of the world is no country",
    ]


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("Copper,smelting,Chile,CHL,2024,observed_base_year,1,2,,", "stage", "smelting"),
        ("Copper,mining,Chille,CHL,2024,observed_base_year,1,2,,", "country", "Chille"),
        ("Coper,mining,Chile,CHL,2024,observed_base_year,1,2,,", "mineral", "Coper"),
        ("Copper,mining,Chile,CHL,24,observed_base_year,1,2,,", "year", "24"),
        ("Copper,mining,Chile,CHL,2024,hoped_for,1,2,,", "kind", "hoped_for"),
        ("Copper,mining,Chile,CHL,2024,observed_base_year,3,2,,", "value_kt", "3"),
        ("Copper,mining,Chile,CHL,2024,observed_base_year,inf,2,,", "value_kt", "inf"),
        ("Copper,mining,Chile,CHL,2024,observed_base_year,1,0,,", "total_kt", "0"),
    ],
)
def test_what_the_outlook_cannot_say_is_a_problem(names: Names, line: str, column: str, value: str) -> None:
    assert problems(outlook(names, line)) == [(2, column, value)]


def test_the_outlook_agrees_with_the_leaders_shares_that_are_shipped(names: Names, shipped: list[Row]) -> None:
    """61 observed rows; the 26 shipped are among them, rounded to four decimals."""
    with published("iea_2025", "iea_2025ed_supply_by_country.csv").open("rb") as file:
        rows = [row for row in iea.read(decode(file, iea.ENCODING), names, "iea-2025") if isinstance(row, Share)]
    found = {(row.mineral, row.stage, row.country): row.share for row in rows}
    ours = [row for row in shipped if isinstance(row, Share) and row.source == "iea-2025"]
    assert (len(rows), len(ours)) == (61, 26)
    assert all(found[row.mineral, row.stage, row.country] == pytest.approx(row.share, abs=5e-5) for row in ours)


# --- BACI ---

TIDY = "year,exporter,importer,hs92,value_kusd,quantity_t"
COBALT = {"282200", "810510"}


def trade(names: Names, header: str, *text: str, numbers: dict[str, str] | None = None) -> list[Item]:
    return list(baci.read(lines(header, *text), names, "baci", numbers or {}, COBALT))


def test_trade_as_published_goes_by_numbers(names: Names) -> None:
    """The release's own file says which country a number is; quantity may be missing."""
    codes = "country_code,country_name,country_iso2,country_iso3"
    numbers = baci.countries(lines(codes, "156,China,CN,CHN", '490,"Other Asia, nes",,S19', "842,USA,US,USA"))
    rows = trade(
        names, "t,i,j,k,v,q", "2022,156,842,282200,10.5,3", "2022,490,156,282200,1,          NA", numbers=numbers
    )
    first, second = rows
    assert isinstance(first, Trade)
    assert isinstance(second, Trade)
    assert (first.year, first.exporter, first.importer, first.value, first.quantity) == (2022, "CHN", "USA", 10.5, 3)
    assert (second.exporter, second.quantity) == ("TWN", None)


def test_trade_as_tidied_goes_by_codes(names: Names) -> None:
    """A code that lost its leading zeros has them back; other tariff lines are passed over."""
    row, other = trade(names, TIDY, "2022,COD,CHN,282200,75.4,", "2022,COD,CHN,20110,1,1")
    assert isinstance(row, Trade)
    assert (row.code, row.exporter, row.importer, row.quantity) == ("282200", "COD", "CHN", None)
    assert isinstance(other, Skipped)


@pytest.mark.parametrize(
    ("header", "line", "column", "value"),
    [
        (TIDY, "2022,COD,ZA1,282200,1,1", "importer", "ZA1"),
        (TIDY, "22,COD,CHN,282200,1,1", "year", "22"),
        (TIDY, "2022,COD,CHN,2822xx,1,1", "hs92", "2822xx"),
        (TIDY, "2022,COD,CHN,282200,-1,1", "value_kusd", "-1"),
        (TIDY, "2022,COD,CHN,282200,1,nan", "quantity_t", "nan"),
    ],
)
def test_what_is_no_trade_is_a_problem(names: Names, header: str, line: str, column: str, value: str) -> None:
    assert problems(trade(names, header, line)) == [(2, column, value)]


def test_trade_needs_its_country_numbers_and_the_ledgers_tariff_lines(names: Names) -> None:
    """Without them nothing could be told apart; each is a problem of its own at the header."""
    published_form = trade(names, "t,i,j,k,v,q", "2022,156,842,282200,10.5,3")
    without_lines = list(baci.read(lines(TIDY, "2022,COD,CHN,282200,1,1"), names, "baci", {}, set()))
    assert problems(published_form) == [(1, "i", "i")]
    assert problems(without_lines) == [(1, "hs92", "hs92")]
    with pytest.raises(Unreadable):
        baci.countries(lines("a,b"))


# --- World Mining Data ---

SHEETS = "wmd_sheet,reference_id,stage_in_geopolrisk,country,iso3,is_total,year,value,unit,source_flag"


def production(names: Names, *text: str) -> list[Item]:
    return list(wmd.read(lines(SHEETS, *text), names, "wmd"))


def test_production_is_by_sheet_country_and_year(names: Names) -> None:
    """Lithium is counted in oxide; an estimate is marked."""
    (row,) = production(names, "Lithium (Li2O),Lithium,Processing,Chile,CHL,False,2022,101000.0,metr. t,e")
    assert isinstance(row, Production)
    assert (row.commodity, row.mineral, row.stage, row.country, row.year) == (
        "Lithium (Li2O)",
        "lithium",
        "extraction",
        "CHL",
        2022,
    )
    assert (row.quantity, row.unit, row.basis, row.qualifier) == (101000, "t", "Li2O content", "estimated")


def test_a_country_goes_by_its_name_or_else_its_code(names: Names) -> None:
    """S19 is nobody's code, and the names know Taiwan; the names do not know Bosnia-Herzegovina, the codes do."""
    rows = production(
        names,
        "Cadmium,Cadmium,Processing,Taiwan,S19,False,2022,1.0,metr. t,",
        "Bauxite,Bauxite,Extraction,Bosnia-Herzegovina,BIH,False,2022,1.0,metr. t,r",
    )
    assert [row.country for row in rows if isinstance(row, Production)] == ["TWN", "BIH"]


def test_totals_blanks_and_foreign_sheets_are_passed_over(names: Names) -> None:
    items = production(
        names,
        "Cobalt,Cobalt,Processing,Total,,True,2022,200253.0,metr. t,",
        "Cobalt,Cobalt,Processing,Cuba,CUB,False,2022,,metr. t,",
        "Mercury,Mercury,Extraction,China,CHN,False,2022,1,metr. t,",
    )
    assert [item.reason for item in items if isinstance(item, Skipped)] == [
        "a world total is no country's output",
        "no amount is printed",
        "not a mineral of this project",
    ]


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("Kryptonite,K,,China,CHN,False,2022,1,metr. t,", "wmd_sheet", "Kryptonite"),
        ("Cobalt,Cobalt,,Chinna,XXX,False,2022,1,metr. t,", "country", "Chinna"),
        ("Cobalt,Cobalt,,China,CHN,False,22,1,metr. t,", "year", "22"),
        ("Cobalt,Cobalt,,China,CHN,False,2022,-1,metr. t,", "value", "-1"),
        ("Cobalt,Cobalt,,China,CHN,False,2022,1,long tons,", "unit", "long tons"),
        ("Cobalt,Cobalt,,China,CHN,False,2022,1,metr. t,?", "source_flag", "?"),
    ],
)
def test_what_is_no_production_is_a_problem(names: Names, line: str, column: str, value: str) -> None:
    assert problems(production(names, line)) == [(2, column, value)]


def taught(shipped: list[Row], **corrections: str) -> Names:
    countries = [row for row in shipped if isinstance(row, Country)]
    minerals = [row for row in shipped if isinstance(row, Mineral)]
    return Names(countries, minerals, corrections)


def test_a_correction_teaches_the_name_of_a_sheet(shipped: list[Row]) -> None:
    """It then means what the known sheet of that mineral does."""
    (row,) = production(taught(shipped, Kobalt="cobalt"), "Kobalt,Cobalt,,China,CHN,False,2022,1,metr. t,")
    assert isinstance(row, Production)
    assert (row.commodity, row.mineral, row.stage) == ("Kobalt", "cobalt", "extraction")


def test_a_correction_teaches_the_summaries_name_of_a_commodity(shipped: list[Row]) -> None:
    """As the edition of 2025 had Gemanium: the statistic is known of the mineral, so it is known what it means."""
    header = (
        "SOURCE,COMMODITY,COUNTRY,TYPE,UNIT_MEAS,PROD_2023,PROD_EST_ 2024,PROD_NOTES,CAP_2023,CAP_EST_ 2024,CAP_NOTES,"
        "RESERVES_2024,RESERVE_NOTES"
    )
    line = "MCS2025,Galium,{},Primary production,kilograms,,{},,,,,,"
    amounts = (line.format("China", 9), line.format("World total", 10))
    unknown, *_ = usgs.read(lines(header, *amounts), taught(shipped), "usgs-mcs-2025")
    (row,) = usgs.read(lines(header, *amounts), taught(shipped, Galium="gallium"), "usgs-mcs-2025")
    assert isinstance(unknown, Problem)
    assert isinstance(row, Share)
    assert (row.mineral, row.stage, row.share) == ("gallium", "processing", 0.9)


def test_the_map_of_sheets_speaks_of_minerals_and_stages_there_are(shipped: list[Row]) -> None:
    stages = {row.id: row.stages for row in shipped if isinstance(row, Mineral)}
    for meaning in wmd.reviewed_meanings().values():
        assert not meaning.mineral or meaning.stage is None or meaning.stage in stages[meaning.mineral], meaning
        assert not meaning.mineral or meaning.mineral in stages


def test_world_mining_data_reads_whole(names: Names) -> None:
    """No line is a problem, and no two rows have the same key."""
    with published("geopolrisk", "wmd_2018_2024_long.csv").open("rb") as file:
        items = list(wmd.read(decode(file, wmd.ENCODING), names, "wmd"))
    rows = [item for item in items if isinstance(item, Production)]
    assert problems(list(items)) == []
    assert len({(row.commodity, row.country, row.year) for row in rows}) == len(rows) == 10_208
