"""The reader of the Worldwide Governance Indicators."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from service.intake import wgi
from service.intake.names import Names
from service.intake.problems import Problem, Skipped
from service.intake.tables import decode
from service.world.rows import Country, Governance

LONG = "country,wb_code,iso3,dimension,year,estimate,stderr,num_sources"
WGIDATASET = "codeindyr,code,countryname,year,indicator,estimate,stddev,nsource,pctrank,pctranklower,pctrankupper"
SINCE_2025 = (
    "ID variable (economy code/ gov. dimension/ year),Economy (name),Economy (code),Year,Governance dimension,"
    "Governance estimate (approx. -2.5 to +2.5),Standard error (estimate)"
)
CONGO = "Congo, Dem. Rep."


def country(code: str, alpha_2: str, name: str) -> Country:
    return Country(code=code, alpha_2=alpha_2, name=name, source="iso-3166")


NAMES = Names(
    [
        country("AND", "AD", "Andorra"),
        country("CHN", "CN", "China"),
        country("COD", "CD", "DR Congo"),
        country("PSE", "PS", "Palestine"),
        country("ROU", "RO", "Romania"),
        country("TLS", "TL", "Timor-Leste"),
        country("XKX", "XK", "Kosovo"),
    ],
    [],
)


def read(header: str, *lines: str) -> list[Governance | Problem | Skipped]:
    return list(wgi.read([f"{line}\n" for line in (header, *lines)], NAMES, "wgi-2024"))


def rows(items: Iterable[Governance | Problem | Skipped]) -> list[Governance]:
    return [item for item in items if isinstance(item, Governance)]


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (LONG, "China,CHN,CHN,pv,2023,-0.5130970478057861,0.20809811353683472,8.0"),
        (WGIDATASET, "CHNpv2023,CHN,China,2023,pv,-0.5130970478057861,0.20809811353683472,8,26,20,40"),
        (SINCE_2025, "CHNpv2023,China,CHN,2023,pv,-0.5130970478057861,0.20809811353683472"),
    ],
)
def test_every_heading_in_use_gives_the_same_row(header: str, line: str) -> None:
    """China's political stability of 2023 in the release of 2024, to the last printed digit."""
    assert read(header, line) == [
        Governance(
            source="wgi-2024",
            locator="CHNpv2023",
            country="CHN",
            dimension="pv",
            year=2023,
            estimate=-0.5130970478057861,
            stderr=0.20809811353683472,
        )
    ]


@pytest.mark.parametrize(
    ("printed", "meant"),
    [("ZAR", "COD"), ("ROM", "ROU"), ("ADO", "AND"), ("TMP", "TLS"), ("WBG", "PSE"), ("KSV", "XKX")],
)
def test_the_banks_own_codes_become_iso_codes(printed: str, meant: str) -> None:
    """Six codes of the World Bank are not ISO 3166; the locator keeps the code as printed."""
    (row,) = rows(read(LONG, f'"{CONGO}",{printed},{meant},rl,2023,-1.5,0.2,9'))
    assert (row.country, row.locator) == (meant, f"{printed}rl2023")


@pytest.mark.parametrize("missing", ["", "NA", "#N/A", ".."])
def test_a_line_without_an_estimate_gives_nothing(missing: str) -> None:
    """A missing figure is no row: never a zero, never an average."""
    assert read(LONG, f"China,CHN,CHN,pv,2023,{missing},,") == []


def test_an_estimate_without_a_standard_error_has_none() -> None:
    """The estimate stands by itself; its uncertainty is unknown, not zero."""
    (row,) = rows(read(LONG, "China,CHN,CHN,pv,2023,-0.5,,"))
    assert row.stderr is None


def test_a_year_printed_as_a_decimal_is_that_year() -> None:
    """Spreadsheets export 2023 as 2023.0."""
    (row,) = rows(read(LONG, "China,CHN,CHN,pv,2023.0,-0.5,0.2,8"))
    assert row.year == 2023


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("Utopia,UTO,UTO,pv,2023,0.5,0.2,2", "wb_code", "UTO"),
        ("China,CHN,CHN,xx,2023,0.5,0.2,2", "dimension", "xx"),
        ("China,CHN,CHN,pv,last,0.5,0.2,2", "year", "last"),
        ("China,CHN,CHN,pv,2023.5,0.5,0.2,2", "year", "2023.5"),
        ("China,CHN,CHN,pv,2023,low,0.2,2", "estimate", "low"),
        ("China,CHN,CHN,pv,2023,nan,0.2,2", "estimate", "nan"),
        ("China,CHN,CHN,pv,2023,26.4,0.2,2", "estimate", "26.4"),
        ("China,CHN,CHN,pv,2023,0.5,-0.2,2", "stderr", "-0.2"),
        ("China,CHN,CHN,pv,2023,0.5,wide,2", "stderr", "wide"),
    ],
)
def test_a_wrong_value_is_a_problem_at_its_place(line: str, column: str, value: str) -> None:
    """The line and column are those of the file, and the lines after it are still read."""
    problem, row = read(LONG, line, "China,CHN,CHN,pv,2022,-0.4,0.2,8")
    assert isinstance(problem, Problem)
    assert (problem.line, problem.column, problem.value) == (2, column, value)
    assert isinstance(row, Governance)


@pytest.mark.parametrize("header", ["", "country,year,value", LONG.replace("stderr", "error")])
def test_another_file_is_one_problem(header: str) -> None:
    """A header that is no release's ends the reading at its first line."""
    (problem,) = read(header, "China,CHN,CHN,pv,2023,-0.5,0.2,8")
    assert isinstance(problem, Problem)
    assert problem.line == 1


def test_the_release_of_2024_reads_whole() -> None:
    """13,905 lines of 2013-2023: every line is a row, but for the six of the former Netherlands Antilles."""
    folder = os.environ.get("CHOKEPOINT_REFERENCE_DATA") or Path(__file__).parents[3] / "shared" / "data"
    path = Path(folder) / "wgi2024" / "wgi_2013_2023_long.csv"
    if not path.exists():
        pytest.skip("the published release is not at hand")
    with path.open("rb") as file:
        lines = list(decode(file, wgi.ENCODING))
    codes = {line.split(",")[-9] for line in lines[1:]} - {"ANT"}
    every = Names([country(code, "ZZ", code) for code in codes], [])
    items = list(wgi.read(lines, every, "wgi-2024"))
    assert len(rows(items)) == 13_899
    assert [item.reason for item in items if isinstance(item, Skipped)] == ["ANT has ceased to exist"] * 6
