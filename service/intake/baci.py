"""Reads bilateral trade from BACI, as CEPII publishes it and in tidied form.

As published a line has the columns t year, i exporter, j importer, k product (Harmonized System, six digits), v value
in thousand US dollars and q quantity in tonnes; countries are numbers, which the release explains in a file of its own,
`country_codes_V….csv`. In tidied form countries are ISO codes: year, exporter, importer, hs92, value_kusd, quantity_t.

Trade in all products is hundreds of times what a ledger of minerals needs: lines of tariff lines that the ledger does
not name are passed over.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import islice
from typing import NamedTuple

from service.intake.names import Names, UnknownName
from service.intake.problems import Problem, Skipped, Unreadable
from service.intake.tables import SHOWN, Record, amount, headed, records
from service.world.rows import Trade

ENCODING = "utf-8-sig"


class Layout(NamedTuple):
    """The headings under which a file prints what a trade row needs."""

    year: str
    exporter: str
    importer: str
    code: str
    value: str
    quantity: str


PUBLISHED = Layout("t", "i", "j", "k", "v", "q")
LAYOUTS = (PUBLISHED, Layout("year", "exporter", "importer", "hs92", "value_kusd", "quantity_t"))
CODE_COLUMNS = ("country_code", "country_iso3")

MOST_COUNTRIES = 10_000
"""Lines a file of country codes may have; published ones have some 240."""

NOT_ISO = {"S19": "TWN"}
"""BACI's "Other Asia, nes" (490): in practice only Taiwan's trade is reported under it, says UN Comtrade."""

_NOT_AVAILABLE = frozenset({"", "NA"})
_YEAR, _CODE = re.compile(r"(?:19|20)\d\d"), re.compile(r"\d{4,6}")


def countries(lines: Iterable[str]) -> dict[str, str]:
    """The ISO codes of a release's country numbers, from its file of them; the names beside them are misencoded there.

    Raises Unreadable for another file.
    """
    rows = csv.DictReader(lines, strict=True)
    try:
        return _numbered(rows)
    except csv.Error as error:
        raise Unreadable(Problem(rows.line_num, "", str(error), "comma-separated text")) from error


def _numbered(rows: csv.DictReader[str]) -> dict[str, str]:
    if not set(rows.fieldnames or ()).issuperset(CODE_COLUMNS):
        header = ",".join(rows.fieldnames or ())[:SHOWN]
        raise Unreadable(Problem(1, "", header, f"a header with {', '.join(CODE_COLUMNS)}"))
    number, code = CODE_COLUMNS
    found = {(row[number] or "").strip(): (row[code] or "").strip() for row in islice(rows, MOST_COUNTRIES)}
    if next(rows, None) is not None:
        raise Unreadable(Problem(rows.line_num, "", "", f"at most {MOST_COUNTRIES:,} countries"))
    return found


def read(
    lines: Iterable[str], names: Names, source: str, numbers: Mapping[str, str], tariff_lines: Set[str]
) -> Iterator[Trade | Problem | Skipped]:
    """Trade rows of the tariff lines given; `numbers` are the country numbers of the published form."""
    header, headings, lines = headed(lines)
    layout = next((layout for layout in LAYOUTS if headings.issuperset(layout)), None)
    if layout is None:
        yield Problem(1, "", header[:SHOWN].strip(), f"the header of BACI: {' or '.join(map(','.join, LAYOUTS))}")
    elif layout is PUBLISHED and not numbers:
        yield Problem(1, layout.exporter, layout.exporter, "the release's country codes beside the file")
    elif not tariff_lines:
        yield Problem(
            1, layout.code, layout.code, "tariff lines in the ledger to choose by: import form:tariff_line first"
        )
    else:
        yield from _trades(lines, layout, names, source, numbers, tariff_lines)


def _trades(
    lines: Iterable[str], layout: Layout, names: Names, source: str, numbers: Mapping[str, str], tariff_lines: Set[str]
) -> Iterator[Trade | Problem | Skipped]:
    for record in records(lines, layout):
        if isinstance(record, Problem):
            yield record
            continue
        code = record.fields[layout.code].strip()
        if not _CODE.fullmatch(code):
            yield Problem(record.line, layout.code, code[:SHOWN], "a product of six digits")
        elif code.zfill(6) not in tariff_lines:
            yield Skipped(record.line, "no mineral of the ledger is traded under the tariff line")
        else:
            yield _trade(record, layout, names, source, numbers)


def _trade(record: Record, layout: Layout, names: Names, source: str, numbers: Mapping[str, str]) -> Trade | Problem:
    line, fields = record
    year, code = fields[layout.year].strip(), fields[layout.code].strip()
    if not _YEAR.fullmatch(year):
        return Problem(line, layout.year, year[:SHOWN], "a year")
    parties = []
    for column in (layout.exporter, layout.importer):
        printed = fields[column].strip()
        named = numbers.get(printed, printed)
        try:
            parties.append(names.country(NOT_ISO.get(named, named)))
        except UnknownName as unknown:
            shown = printed if named == printed else f"{printed}: {named}"
            return Problem(line, column, shown[:SHOWN], str(unknown))
    amounts = []
    for column in (layout.value, layout.quantity):
        printed = fields[column].strip()
        amounts.append(amount(printed))
        if amounts[-1] is None and printed not in _NOT_AVAILABLE:
            return Problem(line, column, printed[:SHOWN], "an amount of 0 or more, or NA")
    return Trade(
        source=source,
        locator=f"line {line}",
        code=code.zfill(6),
        year=int(year),
        exporter=parties[0],
        importer=parties[1],
        value=amounts[0],
        quantity=amounts[1],
    )
