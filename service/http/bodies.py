"""What a request may have in its body: JSON of one exact form, every fault told with a pointer to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request

from schemas.problem import Fault
from service.http.problems import InvalidRequest, Refusal
from service.http.reads import refuse_unknown_parameters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_JSON = re.compile(r"^application/json\s*(;.*)?$", re.IGNORECASE)
_FAULT = re.compile(r"^(?P<detail>.*?)(?: - at `(?P<place>(?:key in )?\$.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"Object (?:contains unknown|missing required) field `(.+)`")


class UnsupportedMediaType(Refusal):
    """A body that is not declared as JSON."""

    status, type, title = 415, "unsupported-media-type", "The body is not JSON"


class Unprocessable(Refusal):
    """A body of the right form that asks for what cannot be done."""

    status, type, title = 422, "unprocessable", "What the body asks for cannot be done"


def pointer_to(place: str) -> str:
    """A JSON pointer to a place as msgspec writes it: `$.changes[0].share` is `/changes/0/share`.

    Where it does not say which entry of an object is meant, the pointer ends at the object.
    """
    steps = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", place.removeprefix("key in ").split("[...]")[0])
    return "".join("/" + (name or number).replace("~", "~0").replace("/", "~1") for name, number in steps)


def fault_of(error: msgspec.DecodeError) -> Fault:
    """What is wrong with a body, and where."""
    found = _FAULT.match(str(error))
    if found is None or not isinstance(error, msgspec.ValidationError):
        return Fault(detail=str(error), pointer="")
    pointer = pointer_to(found["place"] or "")
    if field := _FIELD.match(found["detail"]):
        pointer += f"/{field[1]}"
    return Fault(detail=found["detail"], pointer=pointer)


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
        try:
            msgspec.convert(_whole(msgspec.json.decode(await request.body())), kind)
        except msgspec.DecodeError as error:
            fault = fault_of(error)
            raise InvalidRequest(f"{fault.pointer or 'the body'}: {fault.detail}", fault) from error
        except UnicodeDecodeError as error:
            raise InvalidRequest("the body is not UTF-8", Fault(detail="is not UTF-8", pointer="")) from error
        except RecursionError as error:
            fault = Fault(detail="is nested too deeply", pointer="")
            raise InvalidRequest("the body is nested too deeply", fault) from error

    return check
