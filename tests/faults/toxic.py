"""A toxic proxy: stands between two programs and does to their connections what bad networks do.

It is written here because no well-kept library for Python has one, and Toxiproxy, the known one, is a program in Go
that a checkout of this project does not bring along. What it can do has Toxiproxy's names where that has one:

* `latency`: seconds that every piece waits, in each direction.
* `bandwidth`: bytes a second, in each direction.
* `slicer`: bytes that a piece has at most, each sent on its own.
* `hole`: nothing passes, nothing is closed and new connections get no answer, as when a cable is pulled or the other
  machine is gone without a word (`timeout` in Toxiproxy). What was sent meanwhile passes when it ends.
* `vanish`: the far side of every connection is gone, and nobody tells the near one: a half-open connection.
* `refuse`: new connections are closed at once, as where nobody listens any more (`down`).
* `cut` and `reset`: all connections end now, in an orderly way, or with RST (`reset_peer`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

PIECE = 64 * 1024
"""Bytes taken over at once."""


class Toxic:
    """A proxy on a port of its own, run in a thread; its toxics are attributes that may be set at any time."""

    def __init__(self, target: str) -> None:
        """`target` is a Unix socket's path, or HOST:PORT."""
        self.target = target
        self.port = 0
        self.latency = 0.0
        self.bandwidth: float | None = None
        self.slicer: int | None = None
        self.refuse = False
        self.accepted = 0
        """Connections taken so far."""
        self._open: set[asyncio.StreamWriter] = set()
        self._ways: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._passing = asyncio.Event()
        self._passing.set()

    def __enter__(self) -> Toxic:
        self._thread.start()
        self._server: asyncio.Server = self._do(asyncio.start_server(self._take, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def between(self, dsn: str) -> str:
        """The URL of a Postgres by way of the proxy."""
        parts = urlsplit(dsn)
        account = parts.netloc.rpartition("@")[0]
        return f"postgresql://{account}@127.0.0.1:{self.port}{parts.path}?sslmode=disable"

    def cut(self) -> None:
        """Ends all connections."""
        self._do(self._close(abruptly=False))

    def reset(self) -> None:
        """Ends all connections with RST."""
        self._do(self._close(abruptly=True))

    def vanish(self) -> None:
        """Leaves all connections half open, for ever."""
        self._do(self._vanish())

    @contextlib.contextmanager
    def hole(self) -> Iterator[None]:
        """Lets nothing pass while the block runs."""
        self._loop.call_soon_threadsafe(self._passing.clear)
        yield
        self._loop.call_soon_threadsafe(self._passing.set)

    @contextlib.contextmanager
    def toxics(self, **toxics: Any) -> Iterator[None]:
        """Sets toxics while the block runs."""
        before = {name: getattr(self, name) for name in toxics}
        for name, value in toxics.items():
            setattr(self, name, value)
        yield
        for name, value in before.items():
            setattr(self, name, value)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _end(self) -> None:
        self._server.close()
        self._passing.set()
        await self._close(abruptly=False)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            await asyncio.wait([task])

    async def _close(self, *, abruptly: bool) -> None:
        for writer in list(self._open):
            if abruptly and (connection := writer.get_extra_info("socket")).family == socket.AF_INET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort() if abruptly else writer.close()

    async def _vanish(self) -> None:
        for way in list(self._ways):
            way.cancel()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            try:
                await self._passing.wait()
                if not self.refuse:
                    await self._connect(reader, writer)
            finally:
                self._open.discard(writer)
                writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, colon, port = self.target.rpartition(":")
        if colon and port.isdecimal():
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
        else:
            far_reader, far_writer = await asyncio.open_unix_connection(self.target)
        self._open.add(far_writer)
        try:
            ways = {asyncio.create_task(self._pass(*way)) for way in ((reader, far_writer), (far_reader, writer))}
            self._ways |= ways
            over, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            self._ways -= ways
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
        finally:
            self._open.discard(far_writer)
            far_writer.close()
        if any(way.cancelled() for way in over):  # vanished: the near side is told nothing
            await asyncio.Event().wait()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await self._next(reader):
            size = min(self.slicer or PIECE, int(self.bandwidth / 10) + 1 if self.bandwidth else PIECE)
            for start in range(0, len(piece), size):
                part = piece[start : start + size]
                await asyncio.sleep(self.latency + (len(part) / self.bandwidth if self.bandwidth else 0))
                await self._passing.wait()
                writer.write(part)
                await writer.drain()

    @staticmethod
    async def _next(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.read(PIECE)
        except OSError:
            return b""


def place_of(dsn: str) -> str:
    """Where the Postgres of a URL listens, as a proxy takes it."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    if "host" in query:
        return f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
    return f"{parts.hostname}:{parts.port or 5432}"
