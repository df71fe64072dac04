"""How the editions of the USGS Mineral Commodity Summaries print their world tables: one Figure per printed amount.

Edition 2026 has one line per amount; edition 2025 has one per country and statistic, with the years side by side and
W, NA or "Large" in the notes beside a blank cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple, cast, get_args

from service.intake.problems import Problem
from service.intake.tables import SHOWN, Record, records

Kind = Literal["production", "reserves"]
Qualifier = Literal["", "withheld", "not_available", "small", "above", "below"]


class Figure(NamedTuple):
    """One printed amount of a world table and what the line says about it."""

    line: int
    column: str
    kind: Kind
    commodity: str
    statistic: str
    country: str
    year: int
    printed: str
    unit: str
    estimated: bool
    remarks: tuple[str, ...]


class Amount(NamedTuple):
    """A printed amount: a number, or the reason why there is none."""

    quantity: float | None
    qualifier: Qualifier = ""


_WORDS: dict[str, Amount] = {
    "w": Amount(None, "withheld"),
    "na": Amount(None, "not_available"),
    "xx": Amount(None, "not_available"),
    "large": Amount(None, "not_available"),
    "moderate": Amount(None, "not_available"),
    "moderate to large": Amount(None, "not_available"),
    "small": Amount(None, "small"),
    "very small": Amount(None, "small"),
    "s": Amount(None, "small"),
    "—": Amount(0.0),
}
"""What USGS prints in place of a number: "s" is less than half a unit, XX does not apply, and the dash is zero."""

_NUMBER = re.compile(r"([<>]?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?")
_BOUNDS: dict[str, Qualifier] = {"": "", ">": "above", "<": "below"}


def amount(printed: str) -> Amount:
    """A printed amount as read; ValueError for anything that USGS does not print."""
    word = _WORDS.get(printed.lower())
    if word is not None:
        return word
    match = _NUMBER.fullmatch(printed)
    if match is None:
        raise ValueError(printed)
    return Amount(float(match[2].replace(",", "") + (match[3] or "")), _BOUNDS[match[1]])


def figures(header: str, lines: Iterable[str]) -> Iterator[Figure | Problem]:
    """The production and reserves of a file's world tables, whichever edition's its header is."""
    layout = next((layout for layout in LAYOUTS if layout.mark in header), None)
    if layout is None:
        yield Problem(1, "", header[:SHOWN].strip(), "the header of Mineral Commodity Summaries 2025 or 2026")
        return
    for record in records(lines, layout.columns):
        if isinstance(record, Problem):
            yield record
        else:
            yield from layout.figures(record)


def _figures_2026(record: Record) -> Iterator[Figure | Problem]:
    line, fields = record
    kind = fields["Statistics"].lower()
    if not fields["Section"].startswith("World") or kind == "capacity":
        return
    if kind not in get_args(Kind):
        yield Problem(line, "Statistics", fields["Statistics"][:SHOWN], "Production, Reserves or Capacity")
    elif not re.fullmatch(r"(19|20)\d\d", fields["Year"]):
        yield Problem(line, "Year", fields["Year"][:SHOWN], "a year")
    else:
        yield Figure(
            line=line,
            column="Value",
            kind=cast(Kind, kind),
            commodity=fields["Commodity"].strip(),
            statistic=fields["Statistics_detail"].strip(),
            country=fields["Country"].strip(),
            year=int(fields["Year"]),
            printed=fields["Value"].strip(),
            unit=fields["Unit"].strip(),
            estimated=fields["Notes"].startswith("Estimated"),
            remarks=_remarks(fields["Notes"]),
        )


_AMOUNTS_2025 = re.compile(r"(PROD|RESERVES)_(EST_)? ?((?:19|20)\d\d)")


def _figures_2025(record: Record) -> Iterator[Figure | Problem]:
    line, fields = record
    for column, printed in fields.items():
        match = _AMOUNTS_2025.fullmatch(column)
        if match is None:
            continue
        kind: Kind = "production" if match[1] == "PROD" else "reserves"
        notes = fields["PROD_NOTES" if kind == "production" else "RESERVE_NOTES"].strip()
        said = f"{fields['TYPE']} {notes}".lower() if kind == "production" else ""
        yield Figure(
            line=line,
            column=column,
            kind=kind,
            commodity=fields["COMMODITY"].strip(),
            statistic=fields["TYPE"].strip(),
            country=fields["COUNTRY"].strip(),
            year=int(match[3]),
            printed=printed.strip() or _printed_in_notes(notes),
            unit=fields["UNIT_MEAS"].strip(),
            estimated=bool(match[2]) or ("estimated" in said and "reported" not in said),
            remarks=_remarks(notes),
        )


def _printed_in_notes(notes: str) -> str:
    """The word that belongs into a blank cell: "W for 23-24" is W, "Less than 1/2 unit" is s; "" if there is none."""
    if notes.lower().startswith("less than"):
        return "s"
    word = notes.split(" ")[0]
    return word if word.lower() in _WORDS else ""


_PLAIN_REMARK = re.compile(
    r"(estimated|reported|reproted|yes|na|xx|large|w|w for .*|estimated \d{4}|see appendix c.*)[ .]*", re.IGNORECASE
)


def _remarks(notes: str) -> tuple[str, ...]:
    """What the notes say beyond "Estimated." and a pointer into the book."""
    parts = (part.strip().replace("\xa0", " ") for part in notes.split("--"))
    return tuple(part for part in parts if part and not _PLAIN_REMARK.fullmatch(part))


class Layout(NamedTuple):
    """An edition's way of printing; `mark` is a column heading that only it has."""

    edition: str
    encoding: str
    mark: str
    columns: tuple[str, ...]
    figures: Callable[[Record], Iterator[Figure | Problem]]


LAYOUTS = (
    Layout(
        "2026",
        "cp1252",
        "Statistics_detail",
        ("Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit", "Year", "Value", "Notes"),
        _figures_2026,
    ),
    Layout(
        "2025",
        "utf-8-sig",
        "UNIT_MEAS",
        ("COMMODITY", "COUNTRY", "TYPE", "UNIT_MEAS", "PROD_NOTES", "RESERVE_NOTES"),
        _figures_2025,
    ),
)
