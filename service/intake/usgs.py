"""Reads the world tables of the USGS Mineral Commodity Summaries, editions 2025 and 2026, as published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal, NamedTuple, cast

from service.intake.names import Names
from service.intake.problems import Problem
from service.intake.usgs_layouts import LAYOUTS, Amount, Figure, Qualifier, figures
from service.intake.usgs_readings import Meaning, Meanings, Reading, readings, reviewed_meanings
from service.world.rows import Reserve, Share, Stage

ENCODINGS = {f"usgs-mcs-{layout.edition}": layout.encoding for layout in LAYOUTS}
"""The encoding each edition is published in."""

_WITHOUT_US = re.compile(r"(exclud|not includ)[^.]*(U\.S\.|United States)", re.IGNORECASE)

_SHARE_QUALIFIERS: dict[Qualifier, Literal["", "withheld", "not_available", "below"]] = {
    "": "",
    "withheld": "withheld",
    "not_available": "not_available",
    "small": "below",
    "below": "below",
    "above": "not_available",
}


def read(
    lines: Iterable[str], names: Names, source: str, meanings: Meanings | None = None
) -> Iterator[Share | Reserve | Problem]:
    """Shares and reserves by country. Share = amount / world total, rounded to six decimals.

    The edition is told by the header. A table's lines are held until the next table begins, no longer.
    """
    lines = iter(lines)
    header = next(lines, "")
    table: list[Reading] = []
    for item in readings(figures(header, chain([header], lines)), names, meanings or reviewed_meanings()):
        if isinstance(item, Problem):
            yield item
            continue
        if table and item.minerals != table[0].minerals:
            yield from _rows(table, source)
            table = []
        table.append(item)
    yield from _rows(table, source)


class Entry(NamedTuple):
    """A reading under one of its meanings."""

    reading: Reading
    meaning: Meaning

    @property
    def figure(self) -> Figure:
        """The figure as printed."""
        return self.reading.figure

    @property
    def unit(self) -> str:
        """The unit the amount is in."""
        return self.meaning.unit or self.figure.unit


def _rows(table: list[Reading], source: str) -> Iterator[Share | Reserve]:
    """The rows of one table: shares by mineral, stage and year; reserves by mineral, basis and year."""
    groups: dict[tuple[str, str, int], list[Entry]] = {}
    for reading in table:
        for meaning in reading.meanings:
            key = (meaning.mineral, meaning.stage or meaning.basis, reading.figure.year)
            groups.setdefault(key, []).append(Entry(reading, meaning))
    for entries in groups.values():
        yield from _shares(entries, source) if entries[0].meaning.stage else _reserves(entries, source)


def _shares(entries: list[Entry], source: str) -> Iterator[Share]:
    countries = _by_country(entries)
    sums = {country: _sum(of_country) for country, of_country in countries.items()}
    totals = [entry.reading for entry in entries if entry.reading.country is None]
    total, about_total = _total(totals, sum(summed.quantity or 0.0 for summed in sums.values()))
    common = _common_remarks(entries)
    for country, of_country in countries.items():
        first = of_country[0]
        quantity = sums[country].quantity if not sums[country].qualifier else None
        yield Share(
            source=source,
            mineral=first.meaning.mineral,
            stage=cast(Stage, first.meaning.stage),
            period_start=first.figure.year,
            period_end=first.figure.year,
            country=country,
            share=round(quantity / total, 6) if quantity is not None and total else None,
            printed=_printed(of_country),
            quantity=quantity,
            total=total,
            unit=first.unit,
            basis=first.meaning.basis,
            qualifier=_SHARE_QUALIFIERS[sums[country].qualifier] or _estimated(of_country),
            locator=_locator(of_country),
            note=" ".join([*_own_remarks(of_country, common), *about_total]),
        )


def _reserves(entries: list[Entry], source: str) -> Iterator[Reserve]:
    common = _common_remarks(entries)
    for country, of_country in _by_country(entries).items():
        first = of_country[0]
        quantity, qualifier = _sum(of_country)
        yield Reserve(
            source=source,
            mineral=first.meaning.mineral,
            country=country,
            year=first.figure.year,
            quantity=quantity,
            printed=_printed(of_country),
            unit=first.unit,
            basis=first.meaning.basis,
            qualifier=qualifier or _estimated(of_country),
            locator=_locator(of_country),
            note=" ".join(_own_remarks(of_country, common)),
        )


def _by_country(entries: list[Entry]) -> dict[str, list[Entry]]:
    countries: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.reading.country is not None:
            countries.setdefault(entry.reading.country, []).append(entry)
    return countries


def _sum(entries: list[Entry]) -> Amount:
    """Several amounts of one country as one: unknown as soon as one is unknown and more than "s"."""
    amounts = [entry.reading.amount for entry in entries]
    numbers = [amount.quantity for amount in amounts if amount.quantity is not None]
    reasons = [amount.qualifier for amount in amounts if amount.qualifier]
    unknown = [reason for reason in reasons if reason in ("withheld", "not_available")]
    if unknown or not numbers:
        return Amount(None, (unknown or reasons)[0])
    return Amount(sum(numbers), next((reason for reason in reasons if reason != "small"), ""))


def _total(printed: list[Reading], named: float) -> tuple[float | None, list[str]]:
    """The world total and what must be said of it; of several (ilmenite, rutile, both) the largest covers all."""
    totals = [reading for reading in printed if reading.amount.quantity is not None]
    if not totals:
        return None, ["No world total is printed."]
    largest = max(totals, key=lambda reading: reading.amount.quantity or 0.0)
    total = largest.amount.quantity or 0.0
    about = []
    if any(_WITHOUT_US.search(remark) for remark in largest.figure.remarks):
        about.append("World total excludes U.S. production.")
    if named > total:
        about.append(f"The named amounts exceed the printed total of {largest.figure.printed}: their sum is used.")
    return max(total, named), about


def _estimated(entries: list[Entry]) -> Literal["", "estimated"]:
    return "estimated" if any(entry.figure.estimated for entry in entries) else ""


def _printed(entries: list[Entry]) -> str:
    return " + ".join(entry.figure.printed for entry in entries)


def _locator(entries: list[Entry]) -> str:
    first = entries[0].figure
    lines = " and ".join(str(entry.figure.line) for entry in entries)
    return f"{first.commodity}: {first.statistic}, line{'s' if len(entries) > 1 else ''} {lines}"


def _common_remarks(entries: list[Entry]) -> set[str]:
    """Remarks that every line of a table repeats: they are the table's, not the country's."""
    remarks = [set(entry.figure.remarks) for entry in entries if entry.reading.country is not None]
    return set.intersection(*remarks) if len(remarks) > 1 else set()


def _own_remarks(entries: list[Entry], common: set[str]) -> list[str]:
    said = dict.fromkeys(remark for entry in entries for remark in entry.figure.remarks)
    return [remark if remark.endswith(".") else f"{remark}." for remark in said if remark not in common]
