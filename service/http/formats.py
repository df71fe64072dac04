"""Lists as JSON, CSV or NDJSON, a page at a time."""

from __future__ import annotations

import base64
import csv
import io
from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Protocol, TypeVar, get_args

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import QueryParameter, SkipValidation

from schemas.common import Page
from service.formulas import marked
from service.http.openapi import ListOperation
from service.http.problems import Refusal, fault_in, responses
from service.http.reads import View, headers, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from litestar.handlers import HTTPRouteHandler

T = TypeVar("T")

Format = Literal["json", "csv", "ndjson"]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; header=present",
    "ndjson": "application/x-ndjson",
}
_BY_ACCEPT: dict[str, Format] = {
    "application/json": "json",
    "application/*": "json",
    "*/*": "json",
    "text/csv": "csv",
    "text/*": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
}

LimitParameter = Annotated[
    int, QueryParameter(ge=1, le=1000, description="How many items a page has.", examples=[Example(value=500)])
]
CursorParameter = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[A-Za-z0-9_-]{1,200}$",
        description="The `next` of the page before; keep the other parameters as they were.",
    ),
]
FormatParameter = Annotated[
    Format | None, QueryParameter(description="Goes before `Accept`.", examples=[Example(value="json")])
]


class NotAcceptable(Refusal):
    """An Accept header that excludes every format there is."""

    status, type, title = 406, "not-acceptable", "None of the formats asked for is available"


class UnknownCursor(Refusal):
    """A cursor that no page of this list gave out."""

    status, type, title = 404, "unknown-cursor", "The cursor belongs to no page of this list"


class Listed(Protocol):
    """What is listed page by page."""

    @property
    def items(self) -> Sequence[Any]:
        """The page's entries."""


class Paging(msgspec.Struct, Generic[T], frozen=True):
    """Which page of a list is asked for, in which format, and the Struct its items are."""

    limit: int
    cursor: str | None
    format: Format
    kind: type[msgspec.Struct]


PagingDependency = NamedDependency[SkipValidation[Paging[Any]]]
"""The page and format a list route is asked for."""


def read_list(path: str, operation_id: str, **more: Any) -> Callable[[Any], HTTPRouteHandler]:
    """A read that answers with a page of a list, in any of the formats."""
    return read(path, operation_id, operation_class=ListOperation, responses=responses(406), **more)


def provide_paging(
    request: Request[Any, Any, Any],
    limit: LimitParameter = 500,
    cursor: CursorParameter = None,
    format: FormatParameter = None,  # noqa: A002 - the parameter's public name
) -> Paging[Any]:
    """The page and format a request asks for. Raises NotAcceptable."""
    (listed,) = request.route_handler.parsed_fn_signature.return_type.inner_types
    accept = ", ".join(request.headers.getall("accept", []))
    return Paging(limit, cursor, format or negotiate(accept), _listed_kind(listed.annotation))


@cache
def _listed_kind(page_of: type[Page[Any]]) -> type[msgspec.Struct]:
    """What a kind of page lists."""
    info: Any = msgspec.inspect.type_info(page_of)
    kind: type[msgspec.Struct] = next(field.type.item_type.cls for field in info.fields if field.name == "items")
    return kind


def negotiate(accept: str) -> Format:
    """The format an Accept header prefers. Raises NotAcceptable when it takes none of them."""
    if not accept:
        return "json"
    wanted: list[tuple[float, Format]] = []
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        if media.lower() in _BY_ACCEPT and weight > 0:
            wanted.append((weight, _BY_ACCEPT[media.lower()]))
    if not wanted:
        detail = "lists come as application/json, text/csv or application/x-ndjson"
        raise NotAcceptable(detail, fault_in("Accept", detail))
    return max(wanted, key=lambda pair: pair[0])[1]


def write_cursor(revision: int, place: int) -> str:
    """The cursor of a place in a list at a revision."""
    return base64.urlsafe_b64encode(f"{revision}.{place}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, int]:
    """The revision and place of a cursor. Raises UnknownCursor."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        revision, place = (int(part) for part in text.split("."))
    except ValueError:
        raise foreign_cursor() from None
    return revision, place


def foreign_cursor() -> UnknownCursor:
    """The refusal of a cursor that no page of the list gave out."""
    return UnknownCursor("it was not given out by this list", fault_in("cursor", "is not one of this list's"))


def _decode(cursor: str, revision: int, total: int) -> int:
    of_revision, place = read_cursor(cursor)
    if not 0 <= place <= total:
        raise foreign_cursor()
    if of_revision != revision:
        raise UnknownCursor(
            f"the list has moved on from revision {of_revision} to {revision}; begin again, or ask with"
            f" known_at={of_revision}",
            fault_in("cursor", f"belongs to revision {of_revision}"),
        )
    return place


def span(view: View, paging: Paging[Any], total: int) -> tuple[int, int]:
    """Where the asked-for page of a list of `total` begins and ends. Raises UnknownCursor."""
    start = _decode(paging.cursor, view.world.revision, total) if paging.cursor else 0
    return start, start + paging.limit


def page(view: View, paging: Paging[Any], keys: Sequence[T], item: Callable[[T], Any], *parts: object) -> Response[Any]:
    """The asked-for page of a list, in the asked-for format; `item` makes one entry from one of `keys`."""
    start, end = span(view, paging, len(keys))
    after = write_cursor(view.world.revision, end) if end < len(keys) else None
    content = Page[Any](**view.stamp, total=len(keys), items=[item(key) for key in keys[start:end]], next=after)
    return Response(
        render(content, paging.format, paging.kind),
        media_type=MEDIA_TYPES[paging.format],
        headers=headers(view, paging.format, paging.limit, start, *parts)
        | ({"X-Next-Cursor": after} if after and paging.format != "json" else {}),
    )


def render(content: Listed, form: Format, kind: type[msgspec.Struct]) -> bytes:
    """A page of items of a Struct as bytes. CSV and NDJSON hold the items alone."""
    if form == "json":
        return msgspec.json.encode(content)
    if form == "ndjson":
        return b"".join(msgspec.json.encode(entry) + b"\n" for entry in content.items)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns(kind))
    writer.writerows([_cell(value) for value in _values(kind, entry)] for entry in content.items)
    return text.getvalue().encode()


def columns(kind: type[msgspec.Struct], prefix: str = "") -> list[str]:
    """The columns of a Struct, whatever the rows hold: its fields, those of an inner Struct as `outer.inner`."""
    names = []
    for field in msgspec.structs.fields(kind):
        inner = _inner(field.type)
        names += columns(inner, f"{prefix}{field.name}.") if inner else [prefix + field.name]
    return names


def _values(kind: type[msgspec.Struct], entry: msgspec.Struct | None) -> list[Any]:
    """An entry's values in the order of its columns."""
    values: list[Any] = []
    for field in msgspec.structs.fields(kind):
        inner, value = _inner(field.type), getattr(entry, field.name, None)
        values += _values(inner, value) if inner else [value]
    return values


def _inner(kind: Any) -> type[msgspec.Struct] | None:
    """The Struct a field holds, if it holds one; `X | None` holds X."""
    held = [each for each in (get_args(kind) if isinstance(kind, UnionType) else (kind,)) if each is not NoneType]
    return held[0] if len(held) == 1 and isinstance(held[0], type) and issubclass(held[0], msgspec.Struct) else None


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: a list's parts joined by `;`, whatever else has parts as JSON."""
    if isinstance(value, list):
        return ";".join(marked(part) if isinstance(part, str) else _json(part) for part in value)
    if isinstance(value, dict | msgspec.Struct):
        return _json(value)
    if isinstance(value, date):
        return msgspec.to_builtins(value)
    if isinstance(value, str):
        return marked(value)
    return "" if value is None else value


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
