"""What a column of a form takes, in words for the person whose file has something else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import inspect

from service.intake.names import UnknownName

if TYPE_CHECKING:
    from service.intake.names import Names

_PATTERNS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "an id in small letters, such as natural-graphite",
    r"^[A-Z]{3}$": "a country's code, such as CHN",
    r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$": "a country's code or a bloc's id, such as CHN or EU",
    r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$": "a date: 2026-02-04, 2026-02 or 2026",
    r"^\d{6}$": "six digits",
}
"""The patterns of the kinds' columns (service/world/rows/base.py) as a person knows them."""


@cache
def wanted(column_type: Any) -> str:
    """What a column of this type takes."""
    return _described(inspect.type_info(column_type))


def _described(info: Any) -> str:
    match info:
        case inspect.UnionType():
            filled = next(each for each in info.types if not isinstance(each, inspect.NoneType))
            return f"{_described(filled)}, or nothing"
        case inspect.LiteralType():
            return f"one of {', '.join(repr(value) if value == '' else str(value) for value in info.values)}"
        case inspect.IntType() | inspect.FloatType():
            return ("a whole number" if isinstance(info, inspect.IntType) else "a number") + _range(info)
        case inspect.VarTupleType():
            return f"a list joined by `;`, each {_described(info.item_type)}"
        case inspect.StrType():
            pattern = info.pattern or ""
            longest = f" of at most {info.max_length} characters" if info.max_length else ""
            return _PATTERNS.get(pattern, f"text{longest}{f' like {pattern}' if pattern else ''}")
        case _:
            return "another value"


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:g} to {info.le:g}"
    return f" of {info.ge:g} or more" if info.ge is not None else ""


def wanted_name(kinds: tuple[str, ...], cell: str, names: Names) -> str | None:
    """What a column that names a country or a mineral takes in place of `cell`; None for one that names others."""
    told = []
    for kind, find in (("country", names.country), ("mineral", names.mineral)):
        if kind in kinds:
            try:
                return f"the {'code' if kind == 'country' else 'id'} {find(cell)}"
            except UnknownName as unknown:
                told.append(str(unknown))
    return told[0] if told else None
