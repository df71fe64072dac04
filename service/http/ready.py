"""Ready answers: a dictionary of finished responses wrapped around the app, and conditional requests (RFC 9110 §13).

An answer is a function of revision, day and request, so a finished 200 with a strong ETag may be given again until the
World is swapped or the day turns. The key is everything of a request that can change the bytes: path, query and Accept.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from service.http import metrics, minimum

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

    from service.http.worlds import Worlds
    from service.world.world import World

MOST_ENTRIES = 20_000
MOST_BYTES = 128 * 1024 * 1024
LARGEST = 2 * 1024 * 1024
"""Bounds of the memory one worker gives to ready answers; an answer above LARGEST is not kept."""

_DAY = 86_400
_NO_BODY: Any = {"type": "http.response.body", "body": b""}
_KEPT_WITH_304 = frozenset((b"etag", b"cache-control", b"vary", b"x-content-type-options"))


class Entry(NamedTuple):
    """A finished answer: its ETag, its start with body and for a 304, the body, and the route it belongs to."""

    etag: bytes
    start: Message
    not_modified: Message
    body: Message
    size: int
    route: str


class Ready:
    """Answers GET and HEAD from finished answers, and keeps those the app finishes."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._entries: dict[tuple[str, bytes, bytes], Entry] = {}
        self._bytes = 0
        self._world: World | None = None
        self._day = 0

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send, app: ASGIApp) -> None:
        """Answers a GET or HEAD request, by the app if it has to be."""
        accept = condition = demanded = b""
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = accept + b", " + value if accept else value
            elif name == b"if-none-match":
                condition = condition + b", " + value if condition else value
            elif name == minimum.FIELD:
                demanded = demanded + b", " + value if demanded else value or b"?"
        self._refresh()
        key = (scope["path"], scope["query_string"], accept)
        entry = None if demanded and not minimum.met(demanded, self._world) else self._entries.get(key)
        entry = entry or await self._ask(scope, receive, send, app, key)
        if entry is None:
            return
        if condition and matches(condition, entry.etag):
            metrics.answered(entry.route, 304)
            await send(entry.not_modified)
            await send(_NO_BODY)
        else:
            metrics.answered(entry.route, 200)
            await send(entry.start)
            await send(_NO_BODY if scope["method"] == "HEAD" else entry.body)

    def _refresh(self) -> None:
        """Forgets everything when the World has been swapped or the day has turned."""
        day = int(time.time()) // _DAY
        world = self._worlds.newest
        if world is not self._world or day != self._day:
            self._entries.clear()
            self._bytes = 0
            self._world, self._day = world, day

    async def _ask(
        self, scope: HTTPScope, receive: Receive, send: Send, app: ASGIApp, key: tuple[str, bytes, bytes]
    ) -> Entry | None:
        """Lets the app answer. A finished 200 with an ETag comes back as an entry; anything else has been sent."""
        world, started = self._world, time.perf_counter()
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        # a HEAD is worked out as the GET it stands for, so that the answer can be kept
        asked: Any = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await app(asked, receive, collect)
        route = str(asked.get("path_template") or "(none)")
        first: Any = messages[0]
        status: int = first["status"]
        metrics.computed(route, time.perf_counter() - started)
        entry = _entry(messages, route) if status == 200 else None
        if entry is None:
            metrics.answered(route, status)
            for message in messages:
                if scope["method"] == "HEAD" and message["type"] == "http.response.body":
                    message["body"] = b""
                await send(message)
            return None
        if world is self._worlds.newest and entry.size <= LARGEST:
            self._keep(key, entry)
        return entry

    def _keep(self, key: tuple[str, bytes, bytes], entry: Entry) -> None:
        if (replaced := self._entries.pop(key, None)) is not None:  # asked for twice before either was finished
            self._bytes -= replaced.size
        self._entries[key] = entry
        self._bytes += entry.size
        while len(self._entries) > MOST_ENTRIES or self._bytes > MOST_BYTES:
            oldest = self._entries.pop(next(iter(self._entries)))
            self._bytes -= oldest.size


def _entry(messages: list[Message], route: str) -> Entry | None:
    start: Any = messages[0]
    headers: list[tuple[bytes, bytes]] = [(bytes(name).lower(), bytes(value)) for name, value in start["headers"]]
    etag = next((value for name, value in headers if name == b"etag"), None)
    if etag is None:
        return None
    not_modified: Any = {
        "type": "http.response.start",
        "status": 304,
        "headers": [(name, value) for name, value in headers if name in _KEPT_WITH_304],
    }
    body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
    told: Any = {"type": "http.response.body", "body": body}
    return Entry(etag, start, not_modified, told, len(body), route)


def matches(condition: bytes, etag: bytes) -> bool:
    """Whether an If-None-Match header names an ETag, by the weak comparison of RFC 9110 §13.1.2."""
    return condition.strip() == b"*" or any(part.strip().removeprefix(b"W/") == etag for part in condition.split(b","))
