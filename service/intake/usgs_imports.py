"""Reads where the United States imports minerals from, and how far it relies on it, from the USGS summaries of 2026.

The file is that of `usgs` (MCS2026_Commodities_Data.csv, Windows-1252). Which statistic speaks of which mineral and
stage is decided in maps/usgs_imports.csv, a file for a domain expert to review.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, cast

from service.intake.names import Names, UnknownName, closest, fold
from service.intake.problems import Problem
from service.intake.tables import SHOWN, Record, records
from service.world.rows import Reliance, Sourcing, Stage

ENCODING = "cp1252"
COLUMNS = ("Commodity", "Country", "Statistics", "Statistics_detail", "Year", "Value", "Notes")
BUYER = "USA"

Kind = Literal["sources", "reliance"]
Places = tuple[tuple[str, Stage], ...]
Meanings = Mapping[tuple[Kind, str, str], Places]
"""The minerals and stages a statistic speaks of, by kind, folded commodity and folded statistic; none if unused."""

_SOURCES = re.compile(r"Import sources \d{4}-\d{4}")
_PERIOD = re.compile(r"(\d{4})(?:[–-](\d{2}))?")
_PERCENT = re.compile(r"([<>]?)(\d+(?:\.\d+)?)")
SMALL = 0.005
"""Half of the last printed digit: what `s`, less than half a unit, is taken at."""


class Line(NamedTuple):
    """A line of the file that is used: where it stands, what it speaks of, its period and its fields."""

    number: int
    places: Places
    period: tuple[int, int]
    fields: dict[str, str]

    @property
    def printed(self) -> str:
        """The value as printed."""
        return self.fields["Value"].strip()

    @property
    def locator(self) -> str:
        """Where in the file."""
        return f"{self.fields['Commodity']}: {self.fields['Statistics_detail']}, line {self.number}"


def read(
    lines: Iterable[str], names: Names, source: str = "usgs-mcs-2026", meanings: Meanings | None = None
) -> Iterator[Sourcing | Reliance | Problem]:
    """Shares of imports by country, and net import reliance as a part of consumption, both 0..1 by mineral and stage.

    "Other countries" is no country: what the named ones leave of imports stays a remainder.
    """
    meanings = meanings or reviewed_meanings()
    for record in records(lines, COLUMNS):
        if isinstance(record, Problem):
            yield record
            continue
        kind = _kind(record.fields["Statistics"])
        if kind is None:
            continue
        line = _line(record, kind, meanings)
        if isinstance(line, Problem):
            yield line
        elif kind == "reliance":
            yield from _reliances(line, source)
        elif not fold(line.fields["Country"]).startswith("other countries"):
            yield from _sourcings(line, names, source)


def _kind(statistics: str) -> Kind | None:
    if _SOURCES.fullmatch(statistics):
        return "sources"
    return "reliance" if statistics == "Net import reliance" else None


@cache
def reviewed_meanings() -> Meanings:
    """The meanings of every statistic, as the map has them."""
    meanings: dict[tuple[Kind, str, str], Places] = {}
    with (Path(__file__).parent / "maps" / "usgs_imports.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = (cast("Kind", row["kind"]), fold(row["commodity"]), fold(row["statistic"]))
            used: Places = ((row["mineral"], cast("Stage", row["stage"])),) if row["mineral"] else ()
            meanings[key] = meanings.get(key, ()) + used
    return meanings


def _line(record: Record, kind: Kind, meanings: Meanings) -> Line | Problem:
    commodity, statistic = fold(record.fields["Commodity"]), fold(record.fields["Statistics_detail"])
    places = meanings.get((kind, commodity, statistic), meanings.get((kind, commodity, "")))
    if places is None:
        value = f"{record.fields['Commodity']}: {record.fields['Statistics_detail']}"[:SHOWN]
        nearest = closest(commodity, {of for _, of, _ in meanings})
        return Problem(record.line, "Statistics_detail", value, f"a {kind} statistic that has a meaning; {nearest}")
    period = _PERIOD.fullmatch(record.fields["Year"].strip())
    if period is None:
        return Problem(record.line, "Year", record.fields["Year"][:SHOWN], "a year or a span such as 2021–24")
    start = int(period[1])
    end = int(period[1][:2] + period[2]) if period[2] else start
    return Line(record.line, places, (start, end), record.fields)


def _sourcings(line: Line, names: Names, source: str) -> Iterator[Sourcing | Problem]:
    value = _PERCENT.fullmatch(line.printed)
    if value is None or float(value[2]) > 100:
        if line.places:
            yield Problem(line.number, "Value", line.printed[:SHOWN], "a share of imports in percent: 12 or >99 or <1")
        return
    for mineral, stage in line.places:
        try:
            country = names.country(line.fields["Country"])
        except UnknownName as unknown:
            yield Problem(line.number, "Country", line.fields["Country"][:SHOWN], str(unknown))
            return
        yield Sourcing(
            source=source,
            buyer=BUYER,
            mineral=mineral,
            stage=stage,
            of="imports",
            period_start=line.period[0],
            period_end=line.period[1],
            country=country,
            share=round(float(value[2]) / 100 * (0.5 if value[1] == "<" else 1), 6),
            printed=line.printed,
            basis=line.fields["Statistics_detail"],
            qualifier="below" if value[1] == "<" else "",
            locator=line.locator,
            note=line.fields["Notes"].strip(),
        )


def _reliances(line: Line, source: str) -> Iterator[Reliance | Problem]:
    estimated = "estimated" in line.fields["Notes"].casefold()
    try:
        reliance, qualifier = _reliance(line.printed)
    except ValueError:
        expected = "a reliance in percent: 76 or >50 or <25, or E, s, NA"
        if line.places:
            yield Problem(line.number, "Value", line.printed[:SHOWN], expected)
        return
    for mineral, stage in line.places:
        yield Reliance(
            source=source,
            buyer=BUYER,
            mineral=mineral,
            stage=stage,
            period_start=line.period[0],
            period_end=line.period[1],
            reliance=reliance,
            printed=line.printed,
            basis=line.fields["Statistics_detail"],
            qualifier=qualifier or ("estimated" if estimated else ""),
            locator=line.locator,
            note=line.fields["Notes"].strip(),
        )


Qualifier = Literal["", "above", "below", "net_exporter", "not_available"]


def _reliance(printed: str) -> tuple[float | None, Qualifier]:
    """A reliance as printed: a net exporter (E) relies on nothing, a bound is read as the bound."""
    if printed == "E":
        return 0.0, "net_exporter"
    if printed == "NA":
        return None, "not_available"
    if printed == "s":
        return SMALL, "below"
    found = _PERCENT.fullmatch(printed)
    if found is None or float(found[2]) > 100:
        raise ValueError(printed)
    bounds: dict[str, Qualifier] = {">": "above", "<": "below", "": ""}
    return round(float(found[2]) / 100, 6), bounds[found[1]]
