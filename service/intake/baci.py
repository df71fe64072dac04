"""Reads bilateral trade from BACI, as CEPII publishes it and in tidied form.

As published a line has the columns t year, i exporter, j importer, k product (Harmonized System, six digits), v value in
thousand US dollars and q quantity in tonnes; countries are numbers, which the release explains in a file of its own
(`country_codes_V….csv`). In tidied form countries are ISO codes: year, exporter, importer, hs92, value_kusd, quantity_t.

Trade in all products is hundreds of times what a ledger of minerals needs: lines of tariff lines that the ledger does
not name are passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import chain
from typing import NamedTuple

from service.intake.names import Names, UnknownName
from service.intake.problems import Problem, Skipped
from service.intake.tables import SHOWN, Record, records
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
CODE_COLUMNS = ("country_code", "country_name", "country_iso3")

NOT_ISO = {"S19": "TWN"}
"""BACI's "Other Asia, nes" (490): in practice only Taiwan's trade is reported under it, says UN Comtrade."""

_NOT_AVAILABLE = frozenset({"", "NA"})
_YEAR, _CODE = re.compile(r"(?:19|20)\d\d"), re.compile(r"\d{4,6}")


def countries(lines: Iterable[str]) -> Iterator[tuple[str, str] | Problem]:
    """The release's country numbers, each with its ISO code or, where there is none, its name."""
    for record in records(lines, CODE_COLUMNS):
        if isinstance(record, Problem):
            yield record
        else:
            number, name, iso = (record.fields[column].strip() for column in CODE_COLUMNS)
            yield number, iso or name


def read(
    lines: Iterable[str], names: Names, source: str, numbers: Mapping[str, str], tariff_lines: Set[str]
) -> Iterator[Trade | Problem | Skipped]:
    """Trade rows of the tariff lines given; `numbers` are the country numbers of the published form."""
    lines = iter(lines)
    header = next(lines, "")
    headings = {name.strip().strip('"') for name in header.split(",")}
    layout = next((layout for layout in LAYOUTS if headings.issuperset(layout)), None)
    if layout is None:
        yield Problem(1, "", header[:SHOWN].strip(), f"the header of BACI: {' or '.join(map(','.join, LAYOUTS))}")
    elif layout is PUBLISHED and not numbers:
        yield Problem(1, layout.exporter, layout.exporter, "the release's country codes beside the file")
    else:
        yield from _trades(chain([header], lines), layout, names, source, numbers, tariff_lines)


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
    year, code, value = (fields[column].strip() for column in (layout.year, layout.code, layout.value))
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
        amount = _amount(printed)
        if amount is None and printed not in _NOT_AVAILABLE:
            return Problem(line, column, printed[:SHOWN], "an amount of 0 or more, or NA")
        amounts.append(amount)
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


def _amount(printed: str) -> float | None:
    """An amount of 0 or more, or None for anything else."""
    try:
        number = float(printed)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
