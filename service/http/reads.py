"""What every read shares: GET and HEAD, strict parameters, the view it reads, strong ETags and cache headers."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec
from litestar import HttpMethod, Request, Response, route
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import QueryParameter, SkipValidation
from litestar.routes import HTTPRoute

from schemas import __version__
from service.answers.stamp import stamp
from service.http.openapi import CachedOperation
from service.http.problems import Behind, InvalidRequest, NotFound, UnknownParameter, fault_in, responses
from service.http.worlds import Worlds
from service.world.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litestar.handlers import HTTPRouteHandler
    from litestar.openapi.spec import Operation
    from litestar.types import Receive, Scope, Send

AsOf = Annotated[
    date | None,
    QueryParameter(
        description="The day the answer is to speak of; today (UTC) if left out.",
        examples=[Example(value="2026-02-05")],
    ),
]
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_MOMENT = rf"\d{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T{_CLOCK}:[0-5]\d(\.\d{{1,6}})?(Z|[+-]{_CLOCK})"
KnownAt = Annotated[
    str | None,
    QueryParameter(
        pattern=rf"^([1-9]\d{{0,17}}|{_MOMENT})$",
        description="What the ledger knew: a revision's number, or a moment (RFC 3339); the newest one if left out.",
        examples=[Example(value="1")],
    ),
]


WorldsDependency = NamedDependency[SkipValidation[Worlds]]


class View(NamedTuple):
    """What a read looks at: a World and a day. `pinned` when the request itself fixed both."""

    world: World
    as_of: date
    pinned: bool

    @property
    def stamp(self) -> dict[str, Any]:
        """The three values every answer carries."""
        return stamp(self.world, self.as_of)


async def provide_view(worlds: WorldsDependency, as_of: AsOf = None, known_at: KnownAt = None) -> View:
    """The World and day a request asks for. Raises NotFound for a revision that does not exist."""
    world = worlds.current
    settled = False
    if known_at is not None:
        when = _revision_or_moment(known_at)
        # what was known at a moment after the newest commit may still change
        settled = isinstance(when, int) or when < world.committed_at
        try:
            world = await worlds.at(when)
        except LookupError as error:
            raise NotFound(str(error), fault_in("known_at", str(error))) from error
    return View(world, as_of or datetime.now(UTC).date(), as_of is not None and settled)


async def know_revision(worlds: Worlds, view: View, number: int, parameter: str) -> None:
    """Refuses the number of a revision that a view does not know. Raises NotFound where there is none, else Behind."""
    if number <= view.world.revision:
        return
    detail = f"the ledger has no revision {number}; the newest is {view.world.revision}"
    if view.world is worlds.current:
        try:
            await worlds.refuse_unwritten(number)
        except LookupError as error:
            detail = str(error)
        else:
            raise Behind(number, view.world.revision)
    raise NotFound(detail, fault_in(parameter, detail))


def _revision_or_moment(known_at: str) -> int | datetime:
    if known_at.isdecimal():
        return int(known_at)
    try:
        return datetime.fromisoformat(known_at).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        detail = f"no calendar has the moment {known_at}"
        raise NotFound(detail, fault_in("known_at", detail)) from error


ViewDependency = NamedDependency[SkipValidation[View]]
"""The view a route reads, worked out from its as_of and known_at."""


def read(
    path: str, operation_id: str, operation_class: type[Operation] = CachedOperation, **more: Any
) -> Callable[[Any], HTTPRouteHandler]:
    """A route that answers GET and HEAD and documents the problems a read can meet."""
    documented = {**responses(400, 401, 404, 405, 429, 503), **more.pop("responses", {})}

    def operation(_: HTTPRouteHandler, method: Any, __: Any) -> str:
        return operation_id if method == HttpMethod.GET else f"{operation_id}_head"

    return route(
        path,
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        operation_id=operation,
        operation_class=operation_class,
        responses=documented,
        **more,
    )


_known: WeakKeyDictionary[Any, dict[int, frozenset[str]]] = WeakKeyDictionary()
"""The parameters of each handler of an application, for as long as there is one."""


def _parameters(handler: HTTPRouteHandler, app: Any) -> frozenset[str]:
    known = _known.setdefault(app, {})
    if id(handler) not in known:
        known[id(handler)] = _parameters_of(handler, app)
    return known[id(handler)]


def _parameters_of(handler: HTTPRouteHandler, app: Any) -> frozenset[str]:
    for candidate in app.routes:
        if isinstance(candidate, HTTPRoute):
            for registered, model in candidate.route_handler_map.values():
                if registered is handler:
                    return frozenset(p.field_alias for p in model.expected_query_params)
    return frozenset()


async def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuses a query parameter the resource does not have, one that is given twice and one that is null, by name."""
    if request.method == "OPTIONS":  # it asks about the path, whatever is asked of it
        return
    given = [*request.query_params.multi_items()]
    known = _parameters(request.route_handler, request.app)
    names = {name for name, _ in given}
    if len(names) < len(given) or not names <= known or any(value.casefold() == "null" for _, value in given):
        _refuse(sorted(given), known)


def _refuse(given: list[tuple[str, str]], known: frozenset[str]) -> None:
    choice = f"is not one of {', '.join(sorted(known))}" if known else "is too many: no parameter is taken here"
    counts = Counter(name for name, _ in given)
    wrong = [
        fault_in(name, "is given more than once" if name in known else choice)
        for name, count in counts.items()
        if name not in known or count > 1
    ]
    if wrong:
        raise UnknownParameter("; ".join(f"{fault.parameter}: {fault.detail}" for fault in wrong), *wrong)
    # the framework reads the text `null` as no value at all, which would silently drop a filter
    nulls = [fault_in(name, "is left out, not null") for name, value in given if value.casefold() == "null"]
    if nulls:
        raise InvalidRequest("; ".join(f"{fault.parameter}: {fault.detail}" for fault in nulls), *nulls)


def etag(view: View, *parts: object) -> str:
    """A strong ETag: the revision's content, the program's version and everything else that can change the bytes."""
    text = "\x1f".join(map(str, (__version__, view.world.revision, view.world.data_version, view.as_of, *parts)))
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


def headers(view: View, *parts: object) -> dict[str, str]:
    """The headers of a cacheable answer: one that fixes day and revision never changes, others are revalidated."""
    lasting = "public, max-age=31536000, immutable" if view.pinned else "public, no-cache"
    return {"ETag": etag(view, *parts), "Cache-Control": lasting, "Vary": "Accept"}


class Told(Response[Any]):
    """A finished JSON answer, sent as it is: the framework's own way to bytes costs as much as all the rest of it."""

    def to_asgi_response(self, app: Any, request: Any, **_: Any) -> Any:
        """The application that sends it."""
        told = messages(self.content, self.headers, self.status_code or 200)

        async def send_all(_: Scope, __: Receive, send: Send) -> None:
            for message in told:
                await send(message)

        return send_all


def messages(content: Any, told: Mapping[str, str], status: int = 200) -> tuple[Any, Any]:
    """A JSON answer as a server sends it: its start, and its body; `told` are its header fields."""
    body = content if isinstance(content, bytes) else _ENCODER.encode(content)
    fields = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    fields += [(name.lower().encode(), value.encode()) for name, value in told.items()]
    start = {"type": "http.response.start", "status": status, "headers": fields}
    return start, {"type": "http.response.body", "body": body, "more_body": False}


_ENCODER = msgspec.json.Encoder()


def answer(view: View, content: Any, *parts: object) -> Response[Any]:
    """A JSON answer with its ETag; `parts` are the parameters that shaped it."""
    return Told(content, headers=headers(view, *parts))


def constant(content: Any, *parts: object) -> Response[Any]:
    """An answer that only a new version of the program changes."""
    text = "\x1f".join(map(str, (__version__, *parts)))
    tag = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
    return Response(content, headers={"ETag": f'"{tag}"', "Cache-Control": "public, max-age=300"})
