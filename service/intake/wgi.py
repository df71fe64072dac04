"""Reads a release of the Worldwide Governance Indicators of the World Bank.

A release has one line per economy, year and dimension with an estimate (about −2.5 worst to 2.5 best) and its standard
error. Its headings have changed over the years (`LAYOUTS`); since 2025 the workbook has one sheet per dimension. Every
release rewrites the whole history, so each is a source of its own and the reader is told which one it has in hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, cast, get_args

from service.intake.names import Names, UnknownName
from service.intake.problems import Problem, Skipped
from service.intake.tables import SHOWN, Record, finite, headed, records
from service.world.rows import Governance

ENCODING = "utf-8-sig"

Dimension = Literal["cc", "ge", "pv", "rl", "rq", "va"]


class Layout(NamedTuple):
    """The headings under which a release prints what a governance row needs."""

    code: str
    dimension: str
    year: str
    estimate: str
    stderr: str


LAYOUTS = (
    Layout("wb_code", "dimension", "year", "estimate", "stderr"),
    Layout("code", "indicator", "year", "estimate", "stddev"),
    Layout(
        "Economy (code)",
        "Governance dimension",
        "Year",
        "Governance estimate (approx. -2.5 to +2.5)",
        "Standard error (estimate)",
    ),
)
"""A release in long form, the World Bank's `wgidataset` to 2024, and its workbook since 2025."""

NOT_ISO = {"ADO": "AND", "KSV": "XKX", "ROM": "ROU", "TMP": "TLS", "WBG": "PSE", "ZAR": "COD"}
"""The World Bank's own codes that differ from ISO 3166 alpha-3."""

CEASED = frozenset({"ANT"})
"""Economies of a release that were no country any more in the years the ledger needs: the Netherlands Antilles."""

WIDEST_ESTIMATE = 5.0
"""Estimates are standard normal scores; one beyond this is a misread column, not a country."""

_NOT_AVAILABLE = frozenset({"", "NA", "N/A", "#N/A", ".", ".."})


def read(lines: Iterable[str], names: Names, source: str) -> Iterator[Governance | Problem | Skipped]:
    """Governance rows of one release, to the last printed digit; a line without an estimate says nothing."""
    header, headings, lines = headed(lines)
    layout = next((layout for layout in LAYOUTS if headings.issuperset(layout)), None)
    if layout is None:
        yield Problem(1, "", header[:SHOWN].strip(), "the header of a Worldwide Governance Indicators release")
        return
    for record in records(lines, layout):
        if isinstance(record, Problem):
            yield record
        elif record.fields[layout.estimate].strip() in _NOT_AVAILABLE:
            continue
        elif (code := record.fields[layout.code].strip()) in CEASED:
            yield Skipped(record.line, f"{code} has ceased to exist")
        else:
            yield _governance(record, layout, names, source)


def _governance(record: Record, layout: Layout, names: Names, source: str) -> Governance | Problem:
    line, fields = record
    code, dimension, year, estimate, stderr = (fields[column].strip() for column in layout)
    try:
        country = names.country(NOT_ISO.get(code, code))
    except UnknownName as unknown:
        return Problem(line, layout.code, code[:SHOWN], str(unknown))
    if dimension not in get_args(Dimension):
        return Problem(line, layout.dimension, dimension[:SHOWN], f"one of {', '.join(get_args(Dimension))}")
    when = finite(year)
    if when is None or not when.is_integer() or not 1900 <= when <= 2100:
        return Problem(line, layout.year, year[:SHOWN], "a year")
    value, error = finite(estimate), finite(stderr)
    if value is None or abs(value) > WIDEST_ESTIMATE:
        return Problem(line, layout.estimate, estimate[:SHOWN], "an estimate of about -2.5 to 2.5")
    if stderr not in _NOT_AVAILABLE and (error is None or error < 0):
        return Problem(line, layout.stderr, stderr[:SHOWN], "a standard error of 0 or more")
    return Governance(
        source=source,
        locator=f"{code}{dimension}{int(when)}",
        country=country,
        dimension=cast(Dimension, dimension),
        year=int(when),
        estimate=value,
        stderr=error,
    )
