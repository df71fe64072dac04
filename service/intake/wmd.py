"""Reads World Mining Data (Austrian Federal Ministry of Finance) in long form: one line per sheet, country and year.

Which sheet speaks of which mineral and stage is decided in maps/wmd_commodities.csv, a file for a domain expert to
review. Sheets of no mineral of this project are passed over, and so are the world totals: they are no country's output.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, cast

from service.intake.names import Names, UnknownName, closest, fold
from service.intake.problems import Problem, Skipped
from service.intake.tables import SHOWN, Record, amount, records
from service.world.rows import Production, Stage

ENCODING = "utf-8-sig"
COLUMNS = ("wmd_sheet", "country", "iso3", "is_total", "year", "value", "unit", "source_flag")
UNITS = {"metr. t": "t", "kg": "kg", "ct": "ct", "mio m3": "million m³"}
QUALIFIERS: dict[str, Literal["", "estimated", "provisional"]] = {
    "": "",
    "r": "",
    "e": "estimated",
    "p": "provisional",
}
"""The compilers' flags: reported, estimated, provisional."""

_YEAR = re.compile(r"(?:19|20)\d\d")


class Meaning(NamedTuple):
    """What a sheet speaks of; `mineral` is empty where the project has none, `stage` None where none can be told."""

    mineral: str
    stage: Stage | None
    basis: str


@cache
def reviewed_meanings() -> Mapping[str, Meaning]:
    """The meaning of every sheet, by its folded name, as the map has it."""
    with (Path(__file__).parent / "maps" / "wmd_commodities.csv").open(encoding="utf-8", newline="") as file:
        return {
            fold(row["commodity"]): Meaning(row["mineral"], cast("Stage | None", row["stage"] or None), row["basis"])
            for row in csv.DictReader(file)
        }


def read(lines: Iterable[str], names: Names, source: str) -> Iterator[Production | Problem | Skipped]:
    """Production by country and year."""
    meanings = reviewed_meanings()
    for record in records(lines, COLUMNS):
        if isinstance(record, Problem):
            yield record
            continue
        sheet = record.fields["wmd_sheet"]
        meaning = meanings.get(fold(sheet)) or _corrected(sheet, names, meanings)
        if meaning is None:
            yield Problem(record.line, "wmd_sheet", sheet[:SHOWN], f"a known sheet; {closest(sheet, list(meanings))}")
        elif not meaning.mineral:
            yield Skipped(record.line, "not a mineral of this project")
        elif record.fields["is_total"].lower() == "true":
            yield Skipped(record.line, "a world total is no country's output")
        elif not record.fields["value"].strip():
            yield Skipped(record.line, "no amount is printed")
        else:
            yield _production(record, meaning, names, source)


def _corrected(sheet: str, names: Names, meanings: Mapping[str, Meaning]) -> Meaning | None:
    """The meaning of a sheet that a correction says is of some mineral."""
    mineral = names.corrected(sheet)
    return next((meaning for meaning in meanings.values() if meaning.mineral == mineral != sheet), None)


def _production(record: Record, meaning: Meaning, names: Names, source: str) -> Production | Problem:
    line, fields = record
    try:
        country = _country(fields, names)
    except UnknownName as unknown:
        return Problem(line, "country", fields["country"][:SHOWN], str(unknown))
    if not _YEAR.fullmatch(fields["year"]):
        return Problem(line, "year", fields["year"][:SHOWN], "a year")
    quantity = amount(fields["value"])
    if quantity is None:
        return Problem(line, "value", fields["value"][:SHOWN], "an amount of 0 or more")
    if fold(fields["unit"]) not in UNITS:
        return Problem(line, "unit", fields["unit"][:SHOWN], f"one of {', '.join(UNITS)}")
    if fields["source_flag"] not in QUALIFIERS:
        return Problem(line, "source_flag", fields["source_flag"][:SHOWN], "e, p, r or nothing")
    return Production(
        source=source,
        commodity=fields["wmd_sheet"],
        mineral=meaning.mineral,
        stage=meaning.stage,
        country=country,
        year=int(fields["year"]),
        quantity=quantity,
        printed=fields["value"],
        unit=UNITS[fold(fields["unit"])],
        basis=meaning.basis,
        qualifier=QUALIFIERS[fields["source_flag"]],
        locator=f"{fields['wmd_sheet']}, line {line}",
    )


def _country(fields: dict[str, str], names: Names) -> str:
    """The country by its name, or by its code where the name is not known; the codes alone have slips (Guiana)."""
    try:
        return names.country(fields["country"])
    except UnknownName:
        if fields["iso3"] in names.codes:
            return fields["iso3"]
        raise
