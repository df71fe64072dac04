"""The World every request reads: the newest one, followed as the ledger grows, and older ones on demand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import asyncpg

from service.http import metrics
from service.http.building import beside, build_warm, draw, promptly
from service.http.older import OlderWorlds
from service.http.problems import Behind, OutOfSpace, Unavailable
from service.store import reading
from service.store.connecting import Lost, Refused, connect, replays
from service.store.follow import PATIENCE, following
from service.world.size import bytes_of_rows
from service.world.world import World, build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from service.store.ledger import Connection, Revision

log = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Of so many of the newest revisions it is remembered who wrote them, when and why."""

REACHED_WITHIN = 1.0
"""Seconds that a request waits for a revision that is not served yet."""

MOST_WAITING = 100
"""Requests of one worker that wait for one at a time; a further one is refused at once."""

LONGEST_READ = 20.0
"""Seconds that a read may take which memory cannot answer, after it has waited as long for others at
most, and without the building of its World."""
LONGEST_WRITE, LONGEST_WRITE_STATEMENT = 600.0, 60.0
"""Seconds that a write, and each statement of it, may take; what takes longer is discarded."""


class Worlds:
    """Holds the current World and swaps it whole for each newer revision; `database_up` tells the database's state."""

    def __init__(self, read_url: str, write_url: str) -> None:
        self._read_url = read_url
        self._write_url = write_url
        self.newest: World | None = None
        self._older = OlderWorlds()
        self._revisions: deque[Revision] = deque(maxlen=REMEMBERED)
        self._building = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._swapped = asyncio.Event()
        self._served: deque[World] = deque()
        """The newest World, behind those before it that may still be drawn from."""
        self._waiting = 0
        self.database_up = False

    @property
    def current(self) -> World:
        """The newest World. Raises Unavailable before the first one is built."""
        if self.newest is None:
            raise Unavailable("the ledger has not been read yet")
        return self.newest

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows the ledger while the block runs; the first World is built before it starts if the database is up."""
        first = asyncio.Event()

        async def look(connection: Connection) -> None:
            await self._look(connection)
            first.set()

        def connected(up: bool) -> None:
            self.database_up = up
            first.set()

        drawing = asyncio.create_task(self._draw())
        try:
            async with following(self._read_url, reading.CHANNEL, look, connected):
                await first.wait()
                yield
        finally:
            drawing.cancel()

    async def _look(self, connection: Connection) -> None:
        """Takes up what is new in the ledger. Where nothing is, this is one small query."""
        current = self.newest
        since = await reading.revisions(connection, current.revision) if current else []
        if current is None or not since or since[0].committed_at != current.committed_at:
            await self._start_over(connection)
        elif len(since) > 1:
            read = await reading.since(connection, current.evidence, since[1:])
            world = await promptly(lambda: build_warm(read(), current))
            self._swap(world, since[1:])

    async def _draw(self) -> None:
        """Draws for lists what is new in each World, beside answers and beside what is committed meanwhile."""
        drawn: World | None = None
        while True:
            await self._swapped.wait()
            while (world := self.newest) is not None and world is not drawn:
                if drawn is not None:
                    await beside(partial(_draw, world, drawn))
                while self._served[0] is not world:
                    self._served.popleft().memo.clear()  # which refers to it: so it goes with the last who reads it
                drawn = world

    async def _start_over(self, connection: Connection) -> None:
        """Reads everything, in the beginning or from another ledger than so far: one that was restored, or lost its end
        when a standby took over that had not been waited for. Its revisions of the same numbers are others.

        A standby that just lags behind what is served is let be.
        """
        head = await reading.head(connection)
        if head is None or (self.newest and head.id < self.newest.revision and replays(connection)):
            return
        revisions = await reading.revisions(connection, max(1, head.id + 1 - REMEMBERED), head.id)
        evidence = await reading.evidence(connection, head)
        world = await beside(lambda: build_warm(evidence, None))
        self._revisions.clear()
        self._older = OlderWorlds()
        self._swap(world, revisions)

    def _swap(self, world: World, revisions: Iterable[Revision]) -> None:
        """Serves a World; `revisions` have been added to those known so far."""
        self._revisions.extend(revisions)
        self.newest = world
        self._served.append(world)
        self._swapped.set()
        self._swapped = asyncio.Event()
        metrics.REVISION.set(world.revision)
        metrics.SWAPS.inc()
        log.info("serving revision %d", world.revision)

    async def at(self, known_at: int | datetime) -> World:
        """The World of a revision's number or of a moment, which has a time zone.

        Raises LookupError where no such revision exists, Unavailable when it would have to be read while the database
        is away, Behind when it exists and is not here yet.
        """
        current = self.current
        if isinstance(known_at, int) and known_at > current.revision:
            await self.refuse_unwritten(known_at)
            await self.reach(known_at)
            return await self.at(known_at)
        if known_at == current.revision or (isinstance(known_at, datetime) and known_at >= current.committed_at):
            return current
        if isinstance(known_at, int) and (kept := self._older.get(known_at)):
            return kept
        try:
            async with asyncio.timeout(LONGEST_READ):
                await self._building.acquire()  # who asks for the same one meanwhile finds it built
        except TimeoutError:
            raise Unavailable("others wait for older revisions, too many of them") from None
        try:
            return await self._read(known_at)
        finally:
            self._building.release()

    async def reach(self, number: int) -> None:
        """Returns once revision `number` or a newer one is served. Raises Behind where that takes too long."""
        if number <= self.current.revision:
            return
        if self._waiting >= MOST_WAITING:
            raise Behind(number, self.current.revision)
        self._waiting += 1
        try:
            async with asyncio.timeout(REACHED_WITHIN):
                while number > self.current.revision:
                    await self._swapped.wait()
        except TimeoutError:
            raise Behind(number, self.current.revision) from None
        finally:
            self._waiting -= 1

    async def refuse_unwritten(self, number: int) -> None:
        """Raises LookupError where the ledger has no revision of that number, Unavailable while nobody can tell.

        Its primary is asked, since a standby may lag behind; one question at a time, so that who makes numbers up
        cannot use up its connections.
        """
        away = f"whether there is a revision {number} cannot be told while the database is away"
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._asking,
                _connected(self._write_url, PATIENCE, PATIENCE, away) as connection,
            ):
                newest = await reading.head_id(connection)
        except TimeoutError:
            raise Unavailable(away) from None
        if number > newest:
            raise LookupError(f"the ledger has no revision {number}; the newest is {newest}")

    async def _read(self, known_at: int | datetime) -> World:
        older = self._older
        async with self.database() as connection:
            number = known_at if isinstance(known_at, int) else await reading.revision_at(connection, known_at)
            if number is not None and (kept := older.get(number)):
                return kept
            revision = None if number is None else await reading.revision(connection, number)
            if revision is None:
                missing = f"has no revision {known_at}" if number else f"was empty at {known_at}"
                raise LookupError(f"the ledger {missing}")
            if revision.id == self.current.revision:
                return self.current
            evidence = await reading.evidence(connection, revision)
        world, size = await beside(lambda: (build(evidence), bytes_of_rows(evidence)))
        return older.keep(world, size)

    async def revisions(self, first: int, last: int) -> list[Revision]:
        """The revisions `first` to `last`, oldest first. Raises Unavailable for old ones while the database is away."""
        known = self._revisions
        if first > last or (known and known[0].id <= first and last <= known[-1].id):
            return [revision for revision in known if first <= revision.id <= last]
        async with self.database() as connection:
            return await reading.revisions(connection, first, last)

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[Connection]:
        """A connection for a read that memory cannot answer. Raises Unavailable while the database is away."""
        detail = "this cannot be read from memory, and {}"
        async with _connected(self._read_url, LONGEST_READ, LONGEST_READ, detail) as connection:
            if replays(connection) and await reading.head_id(connection) < self.current.revision:
                raise Unavailable("this cannot be read from memory, and the standby asked for it lags behind")
            yield connection

    def writing(self) -> contextlib.AbstractAsyncContextManager[Connection]:
        """A connection for adding to the ledger. Raises Unavailable while the database is away, and OutOfSpace."""
        again = "{}; ask again, for nothing is written twice"
        return _connected(self._write_url, LONGEST_WRITE, LONGEST_WRITE_STATEMENT, again)


def _draw(world: World, base: World) -> None:
    try:
        draw(world, base)
    except Exception:  # lists then draw for themselves
        log.exception("what is new in revision %d could not be drawn ahead", world.revision)


@contextlib.asynccontextmanager
async def _connected(dsn: str, longest: float, statement: float, detail: str) -> AsyncIterator[Connection]:
    try:
        async with asyncio.timeout(longest):
            connection = await connect(dsn, PATIENCE, statement)
            try:
                yield connection
            finally:
                connection.terminate()
    except Refused as error:
        log.error("the database refuses: %s", error)
        raise Unavailable("the database refuses this to the service, whose operator has to see to it") from error
    except asyncpg.DiskFullError as error:
        raise OutOfSpace("the database has no space left; nothing was written") from error
    except Lost as error:
        raise Unavailable(detail.format(_why(error))) from error


def _why(error: BaseException) -> str:
    return next((told for kind, told in _TOLD.items() if isinstance(error, kind)), "the database is away")


_TOLD: dict[type[BaseException], str] = {
    asyncpg.TooManyConnectionsError: "the database takes no more connections",
    asyncpg.CannotConnectNowError: "the database is starting or stopping",
    asyncpg.LockNotAvailableError: "somebody else has kept the ledger locked for too long",
    asyncpg.QueryCanceledError: "the database has ended what took too long",
    asyncpg.ReadOnlySQLTransactionError: "the database takes no writes",
    asyncpg.TargetServerAttributeNotMatched: "no server of the database is the primary",
    TimeoutError: "the database does not answer in time",
}
