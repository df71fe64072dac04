"""Ready answers: a dictionary of finished responses wrapped around the app, and conditional requests (RFC 9110 §13).

An answer is a function of revision, day and request, so a finished 200 with a strong ETag may be given again until the
World is swapped or the day turns. The key is everything of a request that can change the bytes: path, query and Accept.
Whoever asks for what is just being worked out waits for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from service.http import metrics, secure
from service.http.fields import by_name
from service.http.minimum import FIELD, met
from service.http.plain import TEMPLATE

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

    from service.http.fields import Fields
    from service.http.metrics import Tally
    from service.http.worlds import Worlds
    from service.world.world import World

MOST_ENTRIES = 20_000
MOST_BYTES = 128 * 1024 * 1024
LARGEST = 2 * 1024 * 1024
"""Bounds of the memory one worker gives to ready answers; an answer above LARGEST is not kept."""

MOST_ALIKE = 4096
"""Header fields that entries share, at most, before it is begun anew to share them."""

OVERHEAD = 2048
"""Bytes an entry takes beside its body and what was asked: its objects, its header fields and its place."""

_DAY = 86_400
_NO_BODY: Any = {"type": "http.response.body", "body": b""}
_KEPT_WITH_304 = frozenset((b"etag", b"cache-control", b"vary")) | secure.NAMES

AtOnce = Callable[["HTTPScope"], tuple[Any, Any] | None]
"""Finds the start and the body of an answer without waiting for anything, None where it cannot."""

Key = tuple[str, bytes, bytes]
"""What is asked: path, query and Accept."""


@dataclass(slots=True)
class Entry:
    """A finished answer: its ETag, its start and body, and where it is counted, as given and as unchanged.

    What only few ask for is made when they do: most answers are never asked for again.
    """

    etag: bytes
    start: Any
    body: Any
    given: Tally
    unchanged: Tally
    size: int
    start_of_304: Any = None

    def not_modified(self) -> Any:
        """The start of a 304."""
        if self.start_of_304 is None:
            self.start_of_304 = _start(304, [field for field in self.start["headers"] if field[0] in _KEPT_WITH_304])
        return self.start_of_304

    def without_body(self) -> Any:
        """The start for a HEAD; of a body that is sent the server tells the length itself."""
        return _with(self.start, ((b"content-length", str(len(self.body["body"])).encode()),))


class Ready:
    """Answers GET and HEAD from finished answers, and keeps those the app finishes."""

    def __init__(self, worlds: Worlds, plain: AtOnce, app: ASGIApp) -> None:
        """What is `plain` is answered at once, everything else by the app."""
        self._worlds = worlds
        self._plain = plain
        self._app = app
        self._renew()

    def _renew(self) -> None:
        """Forgets everything, for the World that is now the newest and the day that it is now."""
        self._world: World | None = self._worlds.newest
        self._morning = time() // _DAY * _DAY
        self._midnight = self._morning + _DAY
        self._entries: OrderedDict[Key, Entry] = OrderedDict()  # a plain one looks for its first in vain for long
        self._bytes = 0
        self._awaited: dict[Key, asyncio.Future[Entry | None]] = {}
        self._alike: dict[Any, Any] = {}

    # each step costs more than it seems to: what it touches has left the cache since the last request
    async def answer(self, scope: HTTPScope, receive: Receive, send: Send, told: Fields = ()) -> None:
        """Answers a GET or HEAD request, by the app if it has to be. `told` are header fields of this answer alone."""
        asked = by_name(scope)
        if self._worlds.newest is not self._world or not self._morning <= time() < self._midnight:
            self._renew()
        key = (scope["path"], scope["query_string"], asked.get(b"accept", b""))
        entry = self._entries.get(key)
        if FIELD in asked and not met(asked[FIELD], self._world):
            entry = await self._alone(scope, receive, send, told, key)
        elif entry is None:
            entry = self._at_once(scope, key) or await self._shared(scope, receive, send, told, key)
        if entry is None:
            return
        if b"if-none-match" in asked and matches(asked[b"if-none-match"], entry.etag):
            entry.unchanged.count += 1
            start, body = entry.start_of_304 or entry.not_modified(), _NO_BODY
        else:
            entry.given.count += 1
            start, body = entry.start, entry.body
            if scope["method"] == "HEAD":
                start, body = entry.without_body(), _NO_BODY
        await send(_with(start, told) if told else start)
        await send(body)

    def _at_once(self, scope: HTTPScope, key: Key) -> Entry | None:
        """The answer to a plain question; None to any other."""
        started = perf_counter()
        if (told := self._plain(scope)) is None:
            return None
        metrics.computed(TEMPLATE, perf_counter() - started)
        start, body = told
        entry = self._entry(start["headers"], body["body"], TEMPLATE, key)
        if entry is not None and entry.size <= LARGEST:
            self._keep(key, entry)
        return entry

    async def _shared(self, scope: HTTPScope, receive: Receive, send: Send, told: Fields, key: Key) -> Entry | None:
        """The answer, by whoever asked for it first; None where it is not to be shared and has been sent."""
        awaited = self._awaited
        if (first := awaited.get(key)) is not None and (found := await asyncio.shield(first)) is not None:
            return found
        finished = awaited[key] = asyncio.get_running_loop().create_future()
        entry: Entry | None = None
        messages: list[Any] = []
        try:
            entry, messages = await self._ask(scope, receive, key)
        finally:  # before anything is sent, which takes as long as the client likes
            finished.set_result(entry)
            if awaited.get(key) is finished:
                del awaited[key]
        if entry is None:
            await _pass_on(messages, scope, send, told)
        return entry

    async def _alone(self, scope: HTTPScope, receive: Receive, send: Send, told: Fields, key: Key) -> Entry | None:
        """The answer to who waits for a newer World, and whom nobody else waits for; None where it has been sent."""
        entry, messages = await self._ask(scope, receive, key)
        if entry is None:
            await _pass_on(messages, scope, send, told)
        return entry

    async def _ask(self, scope: HTTPScope, receive: Receive, key: Key) -> tuple[Entry | None, list[Any]]:
        """What the app answers, as messages, and as an entry where it is a finished 200 with an ETag."""
        world, entries, started = self._world, self._entries, perf_counter()
        messages: list[Any] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        # a HEAD is worked out as the GET it stands for, so that the answer can be kept
        asked: Any = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await self._app(asked, receive, collect)
        route = str(asked.get("path_template") or "(none)")
        status: int = messages[0]["status"]
        metrics.computed(route, perf_counter() - started)
        entry = None
        if status == 200:
            headers = [(bytes(name).lower(), bytes(value)) for name, value in messages[0]["headers"]]
            body = b"".join(message.get("body", b"") for message in messages[1:])
            entry = self._entry(headers, body, route, key)
        if entry is None:
            metrics.answered(route, status)
        # what was begun before a World was swapped or the day turned is no answer to later requests
        elif world is self._worlds.newest and entries is self._entries and entry.size <= LARGEST:
            self._keep(key, entry)
        return entry, messages

    def _entry(self, headers: Fields, body: bytes, route: str, key: Key) -> Entry | None:
        etag = next((value for name, value in headers if name == b"etag"), None)
        if etag is None:
            return None
        # most fields are the same in many answers: shared, they stay in the processor's cache
        if len(self._alike) > MOST_ALIKE:
            self._alike.clear()
        told = (field for field in headers if field[0] != b"content-length")
        shared = [field if field[0] == b"etag" else self._alike.setdefault(field, field) for field in told]
        return Entry(
            etag,
            _start(200, shared),
            {"type": "http.response.body", "body": body, "more_body": False},
            metrics.tally(route, 200),
            metrics.tally(route, 304),
            len(body) + sum(map(len, key)) + OVERHEAD,
        )

    def _keep(self, key: Key, entry: Entry) -> None:
        if (replaced := self._entries.pop(key, None)) is not None:
            self._bytes -= replaced.size
        self._entries[key] = entry
        self._bytes += entry.size
        while len(self._entries) > MOST_ENTRIES or self._bytes > MOST_BYTES:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= oldest.size


def _start(status: int, fields: Fields) -> Any:
    return {"type": "http.response.start", "status": status, "headers": fields}


async def _pass_on(messages: list[Any], scope: HTTPScope, send: Send, told: Fields) -> None:
    for message in messages:
        if message["type"] == "http.response.start":
            message = _with(message, told)
        elif scope["method"] == "HEAD":
            message = {**message, "body": b""}
        await send(message)


def _with(start: Any, told: Fields) -> Any:
    return {**start, "headers": [*start["headers"], *told]}


def matches(condition: bytes, etag: bytes) -> bool:
    """Whether an If-None-Match header names an ETag, by the weak comparison of RFC 9110 §13.1.2."""
    if condition == etag:
        return True
    return condition.strip() == b"*" or any(part.strip().removeprefix(b"W/") == etag for part in condition.split(b","))
