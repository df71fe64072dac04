"""The World every request reads: the newest one, followed as the ledger grows, and older ones on demand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg

from service.http import metrics
from service.http.older import OlderWorlds
from service.http.problems import Unavailable
from service.store import reading
from service.store.follow import Lost, following
from service.world.sheet import sheet_on
from service.world.size import bytes_of_rows
from service.world.world import Evidence, World, build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.store.ledger import Connection, Revision

log = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Of so many of the newest revisions it is remembered who wrote them, when and why."""


class Worlds:
    """Holds the current World and swaps it whole for each newer revision; `database_up` tells the database's state."""

    def __init__(self, read_url: str, write_url: str) -> None:
        self._read_url = read_url
        self._write_url = write_url
        self._current: World | None = None
        self._older = OlderWorlds()
        self._revisions: deque[Revision] = deque(maxlen=REMEMBERED)
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

        async with following(self._read_url, reading.CHANNEL, look, connected):
            await first.wait()
            yield

    async def _advance(self, connection: Connection, number: int) -> None:
        revision = await reading.revision(connection, number)
        if revision is None:
            return
        await self._remember(connection, number)
        evidence = await reading.evidence(connection, revision)
        self._current = await asyncio.to_thread(_build_warm, evidence)
        metrics.REVISION.set(number)
        metrics.SWAPS.inc()
        log.info("serving revision %d", number)

    async def _remember(self, connection: Connection, number: int) -> None:
        if self._revisions and self._revisions[-1].id >= number:  # another ledger: the database was restored
            self._revisions.clear()
        last = self._revisions[-1].id if self._revisions else max(0, number - REMEMBERED)
        self._revisions.extend(await reading.revisions(connection, last + 1, number))

    async def at(self, known_at: int | datetime) -> World:
        """The World of a revision's number or of a moment, which has a time zone.

        Raises LookupError where no such revision exists, Unavailable when it would have to be read while the database
        is away.
        """
        current = self.current
        if known_at == current.revision or (isinstance(known_at, datetime) and known_at >= current.committed_at):
            return current
        if isinstance(known_at, int) and (kept := self._older.get(known_at)):
            return kept
        async with self._building:  # who asks for the same one meanwhile finds it built
            return await self._read(known_at)

    async def _read(self, known_at: int | datetime) -> World:
        async with self.database() as connection:
            number = known_at if isinstance(known_at, int) else await reading.revision_at(connection, known_at)
            if number is not None and (kept := self._older.get(number)):
                return kept
            revision = None if number is None else await reading.revision(connection, number)
            if revision is None:
                missing = f"has no revision {known_at}" if number else f"was empty at {known_at}"
                raise LookupError(f"the ledger {missing}")
            if revision.id == self.current.revision:
                return self.current
            evidence = await reading.evidence(connection, revision)
        world, size = await asyncio.to_thread(lambda: (build(evidence), bytes_of_rows(evidence)))
        return self._older.keep(world, size)

    async def revisions(self, first: int, last: int) -> list[Revision]:
        """The revisions `first` to `last`, oldest first. Raises Unavailable for old ones while the database is away."""
        known = self._revisions
        if first > last or (known and known[0].id <= first and last <= known[-1].id):
            return [revision for revision in known if first <= revision.id <= last]
        async with self.database() as connection:
            return await reading.revisions(connection, first, last)

    def database(self) -> contextlib.AbstractAsyncContextManager[Connection]:
        """A connection for a read that memory cannot answer. Raises Unavailable while the database is away."""
        return _connected(self._read_url, "this cannot be read from memory, and the database is away")

    def writing(self) -> contextlib.AbstractAsyncContextManager[Connection]:
        """A connection for adding to the ledger. Raises Unavailable while the database is away."""
        return _connected(self._write_url, "the database is away; ask again, for nothing is written twice")


@contextlib.asynccontextmanager
async def _connected(dsn: str, away: str) -> AsyncIterator[Connection]:
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            yield connection
        finally:
            connection.terminate()
    except Lost as error:
        raise Unavailable(away) from error


def _build_warm(evidence: Evidence) -> World:
    """A World whose sheet of today is laid out and sampled, so that the first request does not wait for it."""
    world = build(evidence)
    _ = sheet_on(world, datetime.now(UTC).date()).sample
    return world
