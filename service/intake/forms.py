"""The project's own CSV forms: one per kind of evidence, its header the kind's columns, lists joined by `;`.

Text may be marked against formulas as the service's own CSV is, see `service.formulas`.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from service.formulas import unmarked
from service.intake.names import wanted_name
from service.intake.problems import Problem
from service.intake.tables import SHOWN, Record, records
from service.wanted import may_be_missing, wanted
from service.world.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.intake.names import Names

R = TypeVar("R", bound=Row)

ENCODING = "utf-8-sig"
"""UTF-8, with the mark at its start that spreadsheets write, or without."""


class Columns(NamedTuple):
    """What a kind's columns hold: `named` are those that name a country or a mineral."""

    types: dict[str, Any]
    required: frozenset[str]
    listed: frozenset[str]
    text: frozenset[str]
    numbers: tuple[str, ...]
    named: frozenset[str]


@cache
def columns_of(kind: type[Row]) -> Columns:
    """The columns of a kind's form."""
    fields = msgspec.structs.fields(kind)
    listed = frozenset(field.name for field in fields if "tuple" in str(field.type))
    return Columns(
        types={field.name: field.type for field in fields},
        required=frozenset(field.name for field in fields if field.required),
        listed=listed,
        text=frozenset(
            field.name for field in fields if field.name not in listed and (field.required or field.default == "")
        ),
        numbers=tuple(field.name for field in fields if "float" in str(field.type)),
        named=frozenset(name for name, kinds in kind.refers.items() if {"country", "mineral"} & set(kinds)),
    )


def read(
    kind: type[R], lines: Iterable[str], *, source: str | None = None, names: Names | None = None
) -> Iterator[R | Problem]:
    """The rows of a form, and a Problem for each cell that cannot be what its column holds.

    Rows that leave `source` empty cite the given one. `names` may teach what a country or mineral is meant by a name;
    otherwise a form has codes and ids.
    """
    columns = columns_of(kind)
    source = source if "source" in columns.types else None
    required = sorted(columns.required - ({"source"} if source else set()))
    strange: str | None = None
    for place, record in enumerate(records(lines, required)):
        if isinstance(record, Problem):
            yield record
            continue
        if not place:
            strange = next((name for name in record.fields if name not in columns.types), None)
        if strange is not None:
            yield Problem(1, strange[:SHOWN], strange[:SHOWN], f"columns of this form only: {', '.join(columns.types)}")
            return
        cells = _cells(columns, record.fields, names)
        if source and not cells.get("source"):
            cells["source"] = source
        try:
            row = msgspec.convert(cells, kind, strict=False)
        except msgspec.ValidationError as error:
            yield from _problems(record, kind, cells, names, str(error))
            continue
        endless = _endless(columns, row)
        if endless is None:
            yield row
        else:
            yield Problem(record.line, endless, record.fields[endless][:SHOWN], "a finite number")


def _cells(columns: Columns, fields: dict[str, str], names: Names | None) -> dict[str, Any]:
    """What the cells say: an empty one is an empty text or list, or nothing at all."""
    text = columns.text
    cells: dict[str, Any] = {name: unmarked(cell) for name, cell in fields.items() if cell or name in text}
    for name in columns.listed:
        if name in fields:
            cells[name] = tuple(part.strip() for part in unmarked(fields[name]).split(";") if part.strip())
    if names:
        for name in columns.named:
            if cell := cells.get(name):
                cells[name] = names.corrected(cell) if isinstance(cell, str) else tuple(map(names.corrected, cell))
    return cells


def _endless(columns: Columns, row: Row) -> str | None:
    """The first column that holds an infinite number."""
    for name in columns.numbers:
        value = getattr(row, name)
        if value is not None and math.isinf(value):
            return name
    return None


def _problems(
    record: Record, kind: type[Row], cells: dict[str, Any], names: Names | None, message: str
) -> Iterator[Problem]:
    """What is wrong with each cell of a line on its own; where nothing is, what is wrong with the line as a whole."""
    columns, found = columns_of(kind), False
    for name, column_type in columns.types.items():
        if name in cells:
            try:
                msgspec.convert(cells[name], column_type, strict=False)
                continue
            except msgspec.ValidationError:
                pass
        elif name not in columns.required:
            continue
        found = True
        printed = record.fields.get(name, "")
        known = wanted_name(kind.refers.get(name, ()), printed, names) if names and printed else None
        expected = known or wanted(column_type) + ", or nothing" * may_be_missing(column_type)
        yield Problem(record.line, name, printed[:SHOWN], expected)
    if not found:
        yield Problem(record.line, "", "", message)
