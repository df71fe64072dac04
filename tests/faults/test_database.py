"""What becomes of the database and of the way to it, while a service is read and written through it all.

One service with two workers, never started again, behind a proxy that can be made toxic; one steady load that checks
every answer (`tests.faults.checked`). CHOKEPOINT_FAULT_ROUNDS (1) is how often each fault is injected; from 10 on those
that last are drawn out as well.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from service.embedded import embedded
from service.http.worlds import LONGEST_READ
from service.migrate import migrate
from service.seeding import seed
from service.store.follow import LOOK_EVERY, PATIENCE
from tests.faults.checked import ROUNDS, Answer, Connection, Load, in_a_loop, serving
from tests.faults.toxic import Toxic, place_of

DRAWN_OUT = ROUNDS >= 10
MARGIN = 10.0
"""Seconds that a busy machine may add to a bound that is stated."""
SOME = 2.0
"""Seconds that a fault lasts where nothing else ends it."""
MOST_CONNECTIONS = "20"

rounds = pytest.mark.parametrize("again", range(ROUNDS))


class Database:
    """A Postgres of these tests' own that can be taken away."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.life = ExitStack()
        self.dsn = ""

    def start(self) -> None:
        self.dsn = self.life.enter_context(embedded(self.home, {"fsync": "off", "max_connections": MOST_CONNECTIONS}))

    def stop(self) -> None:
        self.life.close()

    def kill(self) -> None:
        """Ends the server as a crash does; whoever runs it starts it again."""
        os.kill(self.process(), signal.SIGKILL)

    def process(self) -> int:
        """The number of the server's process, 0 while there is none."""
        try:
            return int((self.home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError):
            return 0

    def run(self, *statements: str) -> Any:
        """What the last statement tells."""

        async def run() -> Any:
            connection = await asyncpg.connect(self.dsn, server_settings={"statement_timeout": "0"})
            try:
                for statement in statements[:-1]:
                    await connection.execute(statement)
                return await connection.fetchval(statements[-1])
            finally:
                await connection.close()

        return in_a_loop(run())

    @contextmanager
    def holding(self, *statements: str, connections: int = 1) -> Iterator[int]:
        """Keeps connections open in which statements have been run in a transaction; how many of those it tried for
        it got."""
        loop = asyncio.new_event_loop()
        held: list[Any] = []
        try:
            for _ in range(connections):
                try:
                    held.append(loop.run_until_complete(asyncpg.connect(self.dsn)))
                except asyncpg.TooManyConnectionsError:
                    time.sleep(0.05)
                    continue
                for statement in ("begin", *statements):
                    loop.run_until_complete(held[-1].execute(statement))
            yield len(held)
        finally:
            for connection in held:
                connection.terminate()
            loop.run_until_complete(asyncio.sleep(0.1))  # in which the transports close
            loop.close()


class Running(NamedTuple):
    """A database, the way to it, and the load on the service that has it."""

    database: Database
    way: Toxic
    load: Load

    def ask(self, path: str) -> Answer:
        """What the service answers on a connection of its own."""
        connection = Connection(self.load.server)
        try:
            return connection.ask(path)
        finally:
            connection.close()

    def readiness(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.ask("/health/ready").body)
        return told

    def until(self, true: Callable[[], bool], seconds: float) -> float:
        """Waits until something is true, which has to be within some seconds; the value is how long that took."""
        begun = time.monotonic()
        while not true():
            assert time.monotonic() - begun < seconds + MARGIN
            time.sleep(0.02)
        return time.monotonic() - begun

    def is_degraded(self) -> bool:
        """Whether every worker says that the database is away; each new connection may be another's."""
        return all(self.readiness()["status"] == "degraded" for _ in range(16))

    def until_degraded(self, seconds: float) -> float:
        """Waits until every worker says so."""
        return self.until(self.is_degraded, seconds)

    def until_refused(self, seconds: float) -> float:
        """Waits until a write has been refused."""
        before = self.load.report.unanswered
        return self.until(lambda: self.load.report.unanswered > before, seconds)

    def unread(self) -> Answer:
        """What a question is answered that memory cannot answer."""
        return self.ask("/v1/scenarios/000000000000000000000000")


@pytest.fixture(scope="module")
def running(lasting_home: Path, lasting_reference: str) -> Iterator[Running]:
    """In the end every answer is compared, and everything acknowledged is looked for."""
    database = Database(lasting_home)
    database.start()
    in_a_loop(migrate(database.dsn))
    in_a_loop(seed(database.dsn))
    try:
        with Toxic(place_of(database.dsn)) as way:
            with serving(way.between(database.dsn), direct=database.dsn) as server, Load(server) as load:
                yield Running(database, way, load)
            report = load.verified(database.dsn, lasting_reference)
            print(f"\n{report}")
            assert report.sound(), report
    finally:
        database.stop()


def assert_refused(answer: Answer, why: str) -> None:
    """That an answer is a clear 503 which says why, and when to come back."""
    assert answer.status == 503, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in json.loads(answer.body)["detail"]
    assert int(answer.headers["retry-after"]) > 0


@rounds
def test_it_is_killed(running: Running, again: int) -> None:
    """It comes back by itself, and recovers what it has."""
    before = running.database.process()

    def is_back() -> bool:
        return running.database.process() not in (0, before)

    with running.load.fault("Postgres killed"):
        running.database.kill()
        # a busy machine may have it back before every worker has been asked
        running.until(lambda: is_back() or running.is_degraded(), PATIENCE)
        running.until(is_back, 30)


@rounds
def test_it_is_stopped_and_started(running: Running, again: int) -> None:
    """Readiness says so, and does not ask for a restart; what memory cannot answer is refused clearly."""
    with running.load.fault("Postgres stopped and started"):
        running.database.stop()
        try:
            running.until_degraded(PATIENCE)
            told = running.readiness()
            assert told["database"] == "down"
            assert told["known_at"] >= running.load.head - 1  # the last one may not have been heard of any more
            assert running.ask("/health/ready").status == 200
            assert running.ask("/health/live").status == 200
            assert b"chokepoint_database_up 0.0" in running.ask("/metrics").body
            assert_refused(running.unread(), "the database is away")
            running.load.run(SOME)
        finally:
            running.database.start()
    running.until(lambda: all(running.readiness()["status"] == "ready" for _ in range(16)), PATIENCE)
    assert running.unread().status == 404


@rounds
def test_its_notifications_are_lost(running: Running, again: int) -> None:
    """The head is looked at every two seconds, whether or not anybody has called."""
    with running.load.fault("NOTIFY lost"):
        running.database.run("alter table revision disable trigger announce")
        running.load.recovered()
        running.database.run("alter table revision enable trigger announce")


@rounds
@pytest.mark.parametrize("how", ["ended by the server", "cut", "reset"])
def test_its_connections_end(running: Running, how: str, again: int) -> None:
    """Whoever listens connects again, and finds what was written meanwhile."""
    others = "select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'client backend'"
    with running.load.fault(f"connections {how}"):
        match how:
            case "cut":
                running.way.cut()
            case "reset":
                running.way.reset()
            case _:
                assert running.database.run(f"{others} and pid <> pg_backend_pid()") > 0


@rounds
def test_it_is_out_of_connections(running: Running, again: int) -> None:
    """Whoever listened is cut off as well, and has to find room among those who hold it."""
    with running.load.fault("out of connections"):
        with running.database.holding(connections=2 * int(MOST_CONNECTIONS)):
            running.way.cut()
            with running.database.holding(connections=int(MOST_CONNECTIONS)):
                running.until_refused(30)
                assert_refused(running.unread(), "takes no more connections")
                running.load.run(SOME)


@rounds
def test_its_ledger_is_locked_by_a_stranger(running: Running, again: int) -> None:
    """A write is refused when it has waited for ten seconds, and so is a question that only the database answers."""
    with running.load.fault("ledger locked by a stranger"):
        with running.load.no_write:
            holding = running.database.holding("lock table revision, share, scenario in access exclusive mode")
            lock = holding.__enter__()
        try:
            assert lock == 1
            assert running.until_refused(30) >= 1
            assert_refused(running.unread(), "locked for too long")
        finally:
            holding.__exit__(None, None, None)


@rounds
def test_it_ends_every_statement(running: Running, again: int) -> None:
    """As a statement timeout does that somebody has set too short."""
    with running.load.fault("statement timeout of 1 ms"):
        running.database.run("alter database postgres set statement_timeout = 1", "select 1")
        running.way.cut()
        try:
            running.until_refused(30)
            running.load.run(SOME)
        finally:
            running.database.run(
                "set statement_timeout = 0", "alter database postgres reset statement_timeout", "select 1"
            )
            running.way.cut()


@rounds
@pytest.mark.parametrize(
    "toxics",
    [{"latency": 0.05}, {"bandwidth": 64_000.0, "slicer": 100}],
    ids=["50 ms away", "64 kB/s in pieces of 100 bytes"],
)
def test_the_way_to_it_is_slow(running: Running, toxics: dict[str, Any], again: int) -> None:
    """Reads of memory do not notice; the others are answered, or refused in time."""
    with running.load.fault("slow: " + ", ".join(f"{name} {value:g}" for name, value in toxics.items())):
        with running.way.toxics(**toxics):
            begun = time.monotonic()
            answer = running.unread()
            assert time.monotonic() - begun < LONGEST_READ + MARGIN
            assert answer.status in (404, 503)
            running.load.run(30 if DRAWN_OUT else SOME)


@rounds
def test_nothing_passes_for_a_while(running: Running, again: int) -> None:
    """Nobody is told that the other is gone. It is noticed in seven seconds, and reads of memory go on."""
    with running.load.fault("nothing passes"):
        with running.way.hole():
            running.until_degraded(LOOK_EVERY + PATIENCE)
            assert_refused(running.unread(), "does not answer in time")
            if DRAWN_OUT:
                running.load.run(30)


@rounds
def test_its_end_of_the_connections_vanishes(running: Running, again: int) -> None:
    """The connections stay half open for ever. New ones are made within seven seconds."""
    with running.load.fault("half-open connections"):
        with running.load.no_write:
            before = running.way.accepted
            running.way.vanish()
            running.until(lambda: running.way.accepted >= before + 2, LOOK_EVERY + PATIENCE)
