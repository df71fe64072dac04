"""The project's own CSV forms: one per kind of evidence, its header the kind's columns, lists joined by `;`."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from service.intake.problems import Problem
from service.intake.tables import records
from service.world.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

R = TypeVar("R", bound=Row)


@cache
def _columns(kind: type[Row]) -> tuple[tuple[str, ...], frozenset[str], frozenset[str]]:
    """A kind's required columns, those that hold lists and those that hold text."""
    fields = msgspec.structs.fields(kind)
    required = tuple(field.name for field in fields if field.required)
    listed = frozenset(field.name for field in fields if "tuple" in str(field.type))
    text = frozenset(
        field.name for field in fields if field.name not in listed and (field.required or field.default == "")
    )
    return required, listed, text


def read(kind: type[R], lines: Iterable[str]) -> Iterator[R | Problem]:
    """The rows of a form, and a Problem for each line that is not a row of its kind."""
    required, _, _ = _columns(kind)
    for record in records(lines, required):
        if isinstance(record, Problem):
            yield record
            continue
        try:
            yield msgspec.convert(_cells(kind, record.fields), kind, strict=False)
        except msgspec.ValidationError as error:
            yield _problem(record.line, record.fields, str(error))


def _cells(kind: type[Row], fields: dict[str, str]) -> dict[str, Any]:
    """What the cells say: an empty one is an empty text or list, or nothing at all."""
    _, listed, text = _columns(kind)
    cells: dict[str, Any] = {}
    for name, cell in fields.items():
        if name in listed:
            cells[name] = tuple(part.strip() for part in cell.split(";") if part.strip())
        elif cell or name in text:
            cells[name] = cell
    return cells


def _problem(line: int, fields: dict[str, str], message: str) -> Problem:
    """The validation message with the column it is about, as msgspec names it at the end: `… - at `$.share``."""
    found = re.search(r"^(.*?)(?: - at `\$\.?(\w*).*`)?$", message, re.DOTALL)
    expected, column = (found.group(1), found.group(2) or "") if found else (message, "")
    return Problem(line, column, fields.get(column, "")[:80], expected)
