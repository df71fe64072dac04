"""What a request may have in its body: JSON of one exact form, every fault told with a pointer to it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request
from msgspec import inspect

from schemas.problem import Fault
from service.http.problems import InvalidRequest, Refusal
from service.http.reads import refuse_unknown_parameters
from service.wanted import bare, fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_JSON = re.compile(r"^application/json\s*(;.*)?$", re.IGNORECASE)
_FAULT = re.compile(r"^(?P<detail>.*?)(?: - at `(?P<place>(?:key in )?\$.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"Object (contains unknown|missing required) field `(.+)`")


class UnsupportedMediaType(Refusal):
    """A body that is not declared as JSON."""

    status, type, title = 415, "unsupported-media-type", "The body is not JSON"


class Unprocessable(Refusal):
    """A body of the right form that asks for what cannot be done."""

    status, type, title = 422, "unprocessable", "What the body asks for cannot be done"


@cache
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def steps_to(place: str) -> list[str]:
    """The steps to a place as msgspec writes it: `$.changes[0].share` is `changes`, `0`, `share`.

    Where it does not say which entry of an object is meant, they end at the object.
    """
    return re.findall(r"[^.\[\]]+", place.removeprefix("key in ").removeprefix("$").split("[...]")[0])


def fault_of(error: msgspec.DecodeError, kind: Any, body: Any) -> Fault:
    """What is wrong with a body that should be of a kind, and where."""
    found = _FAULT.match(str(error))
    if found is None or not isinstance(error, msgspec.ValidationError):
        return Fault(detail=str(error), pointer="")
    info, value, place = _info(kind), body, found["place"] or ""
    for step in (steps := steps_to(place)):
        info, value = _within(info, value, step)
    if "[...]" in place or place.startswith("key in "):
        detail = f"has an entry that is wrong: {found['detail']}"
    elif field := _FIELD.match(found["detail"]):
        steps.append(field[2])
        detail = "is required" if field[1].startswith("missing") else f"is not one of {', '.join(_fields(info, value))}"
    else:
        detail = fault(info, value)
    return Fault(detail=detail, pointer="".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps))


def _within(whole: inspect.Type, value: Any, step: str) -> tuple[inspect.Type, Any]:
    """The type and the value of what is one step further into a body."""
    info: Any = _meant(whole, value)
    if isinstance(info, inspect.ListType):
        return info.item_type, value[int(step)]
    if isinstance(info, inspect.UnionType):  # the step is the tag, and it is none of those there are
        return inspect.LiteralType(tuple(each.tag for each in _objects(info))), value[step]
    types = {field.encode_name: field.type for field in info.fields}
    return types[step], value[step]


def _meant(info: inspect.Type, value: Any) -> inspect.Type:
    """The one of several types that an object says it is of; all of them where it does not say."""
    info, _ = bare(info)
    if isinstance(info, inspect.UnionType) and isinstance(value, dict):
        fits = (each for each in _objects(info) if each.tag_field is None or value.get(each.tag_field) == each.tag)
        return next(fits, info)
    return info


def _objects(info: inspect.UnionType) -> list[inspect.StructType]:
    return [each for each in info.types if isinstance(each, inspect.StructType)]


def _fields(info: inspect.Type, value: Any) -> list[str]:
    meant: Any = _meant(info, value)
    return [*filter(None, [meant.tag_field]), *(field.encode_name for field in meant.fields)]


_EXACT = 2.0**53
"""Up to here every whole number is a float of its own."""


def _whole(value: Any) -> Any:
    """A decoded body with whole numbers as such: to JSON 12.0 is an integer, to msgspec it is none."""
    if isinstance(value, dict):
        return {name: _whole(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def body_of(kind: type[Any]) -> Callable[[Request[Any, Any, Any]], Awaitable[None]]:
    """A check before a route with such a body; the framework's own takes text for numbers and any media type."""

    async def check(request: Request[Any, Any, Any]) -> None:
        await refuse_unknown_parameters(request)
        if not _JSON.match(request.headers.get("content-type", "")):
            raise UnsupportedMediaType("send the body as application/json")
        if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise UnsupportedMediaType("send the body as it is, without a Content-Encoding")
        body = None
        try:
            body = _whole(msgspec.json.decode(await request.body()))
            msgspec.convert(body, kind)
        except msgspec.DecodeError as error:
            wrong = fault_of(error, kind, body)
            raise InvalidRequest(f"{wrong.pointer or 'the body'}: {wrong.detail}", wrong) from error
        except UnicodeDecodeError as error:
            raise InvalidRequest("the body is not UTF-8", Fault(detail="is not UTF-8", pointer="")) from error
        except RecursionError as error:
            wrong = Fault(detail="is nested too deeply", pointer="")
            raise InvalidRequest("the body is nested too deeply", wrong) from error

    return check
