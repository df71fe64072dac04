"""The World every request reads: the newest one, followed as the ledger grows, and older ones on demand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg

from service.http import metrics
from service.http.problems import Unavailable
from service.store import reading
from service.store.follow import Lost, follow
from service.world.sheet import sheet_on
from service.world.world import Evidence, World, build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.store.ledger import Connection

log = logging.getLogger(__name__)

KEPT = 8
"""Older Worlds kept in memory, the least recently asked for dropped first."""


class Worlds:
    """Holds the current World and swaps it whole for each newer revision; `database_up` tells the database's state."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._current: World | None = None
        self._older: OrderedDict[int, World] = OrderedDict()
        self._building = asyncio.Lock()
        self.database_up = False

    @property
    def current(self) -> World:
        """The newest World. Raises Unavailable before the first one is built."""
        if self._current is None:
            raise Unavailable("the ledger has not been read yet")
        return self._current

    @property
    def newest(self) -> World | None:
        """The newest World, None before the first one is built."""
        return self._current

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows the ledger while the block runs; the first World is built before it starts if the database is up."""
        first = asyncio.Event()

        async def look(connection: Connection) -> None:
            number = await reading.head_id(connection)
            if number and (self._current is None or number != self._current.revision):
                await self._advance(connection, number)
            first.set()

        def connected(up: bool) -> None:
            self.database_up = up
            first.set()

        task = asyncio.create_task(follow(self._dsn, reading.CHANNEL, look, connected))
        await first.wait()
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _advance(self, connection: Connection, number: int) -> None:
        revision = await reading.revision(connection, number)
        if revision is None:
            return
        evidence = await reading.evidence(connection, revision)
        self._current = await asyncio.to_thread(_build_warm, evidence)
        metrics.REVISION.set(number)
        metrics.SWAPS.inc()
        log.info("serving revision %d", number)

    async def at(self, known_at: int | datetime) -> World:
        """The World of a revision's number or of a moment, which has a time zone.

        Raises LookupError where no such revision exists, Unavailable when it would have to be read while the database
        is away.
        """
        current = self.current
        if known_at == current.revision or (isinstance(known_at, datetime) and known_at >= current.committed_at):
            return current
        if isinstance(known_at, int) and known_at in self._older:
            return self._keep(self._older[known_at])
        async with self._building:
            try:
                connection = await asyncpg.connect(self._dsn, timeout=5)
                try:
                    return await self._read(connection, known_at)
                finally:
                    connection.terminate()
            except Lost as error:
                raise Unavailable("an older revision cannot be read while the database is away") from error

    async def _read(self, connection: Connection, known_at: int | datetime) -> World:
        number = known_at if isinstance(known_at, int) else await reading.revision_at(connection, known_at)
        if number is not None and number in self._older:
            return self._keep(self._older[number])
        revision = None if number is None else await reading.revision(connection, number)
        if revision is None:
            missing = f"has no revision {known_at}" if number else f"was empty at {known_at}"
            raise LookupError(f"the ledger {missing}")
        if revision.id == self.current.revision:
            return self.current
        evidence = await reading.evidence(connection, revision)
        return self._keep(await asyncio.to_thread(build, evidence))

    def _keep(self, world: World) -> World:
        self._older[world.revision] = world
        self._older.move_to_end(world.revision)
        while len(self._older) > KEPT:
            self._older.popitem(last=False)
        return world


def _build_warm(evidence: Evidence) -> World:
    """A World whose sheet of today is laid out and sampled, so that the first request does not wait for it."""
    world = build(evidence)
    _ = sheet_on(world, datetime.now(UTC).date()).sample
    return world
