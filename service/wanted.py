"""What a column, a parameter or a field of a body takes, in words for the person who gave something else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from msgspec import inspect, json

from schemas.text import ALPHA_2, BUYER, CLAIM, CODE, CURRENCY, HS6, NAME, PARTIAL_DATE, PARTY, SLUG, STORABLE
from service.discretion import discreet

_FORMS = {
    SLUG: "an id in small letters, such as natural-graphite",
    CODE: "a country's code, such as CHN",
    PARTY: "a country's code or a bloc's id, such as CHN or EU",
    BUYER: "a country's code, a bloc's id or several of them, such as CHN, EU or CAN,USA",
    PARTIAL_DATE: "a date: 2026-02-04, 2026-02 or 2026",
    CLAIM: "a letter and two to four digits, such as K01",
    ALPHA_2: "two capital letters, such as PE",
    CURRENCY: "a currency's code, such as USD, or nothing",
    NAME: "a name in small letters, such as eol_rir",
    HS6: "six digits",
    STORABLE: "text without the character NUL",
}
"""The forms that text has, as a person knows them."""

MOST_SHOWN = 60
"""Characters of a value that are said again."""


@cache
def wanted(kind: Any) -> str:
    """What a value of this type is. That it may be left out is not said."""
    return _described(inspect.type_info(kind))


@cache
def may_be_missing(kind: Any) -> bool:
    """Whether a value of this type may be left out."""
    info = inspect.type_info(kind)
    return isinstance(info, inspect.UnionType) and any(isinstance(each, inspect.NoneType) for each in info.types)


def fault(info: inspect.Type, value: Any) -> str:
    """What is wrong with a value that is not of this type."""
    info, about = bare(info)
    shown = _shown(value)
    if isinstance(value, str) and isinstance(info, inspect.StrType):
        if info.max_length and len(value) > info.max_length:
            return f"{shown} has more than {info.max_length} characters"
        if info.min_length and not value:
            return "is empty"
        if about and info.pattern not in {None, *_FORMS}:
            return f"{shown} is not {about}"
    return f"{shown} is not {_described(info)}"


def _shown(value: Any) -> str:
    match value:
        case str():
            text = discreet(value)
            return repr(text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…")
        case dict():
            return "an object"
        case list():
            return f"a list of {len(value)}"
        case _:
            return json.encode(value).decode()


def bare(info: inspect.Type) -> tuple[inspect.Type, str]:
    """A type without its null and without what is said about it, and that, after an example."""
    about = ""
    while isinstance(info, inspect.Metadata | inspect.UnionType):
        if isinstance(info, inspect.UnionType):
            filled = _filled(info)
            if len(filled) > 1:
                break
            (info,) = filled
        else:
            told = info.extra_json_schema or {}
            example = [f", such as {getattr(each, 'value', each)}" for each in told.get("examples", ())[:1]]
            about = f"what is asked for{''.join(example)}: {told.get('description', '')}"
            info = info.type
    return info, about


def _filled(info: inspect.UnionType) -> list[inspect.Type]:
    return [each for each in info.types if not isinstance(each, inspect.NoneType)]


def _described(info: inspect.Type) -> str:
    info, _ = bare(info)
    describe = _DESCRIBED.get(type(info))
    return describe(info) if describe else "another value"


def _one_of(values: Iterable[Any]) -> str:
    return f"one of {', '.join(repr(value) if value == '' else str(value) for value in values)}"


def _range(info: Any) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:g} to {info.le:g}"
    if info.ge is not None:
        return f" of {info.ge:g} or more"
    bounds = {"above": info.gt, "of at most": info.le, "below": info.lt}
    told = [f"{bound} {value:g}" for bound, value in bounds.items() if value is not None]
    return f" {' and '.join(told)}" if told else ""


def _size(info: inspect.ListType) -> str:
    if info.max_length is None:
        return " of something" if info.min_length else ""
    return f" of {info.min_length or 0} to {info.max_length}"


def _text(info: inspect.StrType) -> str:
    longest = f" of at most {info.max_length} characters" if info.max_length else ""
    return _FORMS.get(info.pattern or "", f"text{longest}{f' like {info.pattern}' if info.pattern else ''}")


_DESCRIBED: dict[type, Callable[[Any], str]] = {
    inspect.UnionType: lambda union: ", or ".join(dict.fromkeys(_described(each) for each in _filled(union))),
    inspect.LiteralType: lambda literal: _one_of(literal.values),
    inspect.EnumType: lambda enum: _one_of(each.value for each in enum.cls),
    inspect.IntType: lambda number: "a whole number" + _range(number),
    inspect.FloatType: lambda number: "a number" + _range(number),
    inspect.BoolType: lambda _: "true or false",
    inspect.DateType: lambda _: "a date such as 2026-02-04",
    inspect.VarTupleType: lambda listed: f"a list joined by `;`, each {_described(listed.item_type)}",
    inspect.ListType: lambda listed: "a list" + _size(listed),
    inspect.StructType: lambda _: "an object",
    inspect.DictType: lambda _: "an object",
    inspect.StrType: _text,
}
