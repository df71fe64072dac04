"""The database goes away under a serving application: nobody who reads notices, and it is followed when it is back."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient, Response

from service.app import create_app
from service.embedded import embedded
from service.migrate import migrate
from service.seeding import seed
from service.settings import Settings
from service.store.ledger import revise
from tests.evidence import source
from tests.serving import asking

NUMBERS = itertools.count(1)


class Database:
    """A Postgres of these tests' own that can be taken away."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.life = ExitStack()
        self.dsn = ""

    def start(self) -> None:
        self.dsn = self.life.enter_context(embedded(self.home, {"fsync": "off"}))

    def stop(self) -> None:
        self.life.close()

    def kill(self) -> None:
        """Ends the server as a crash does; whoever runs it starts it again."""
        os.kill(self.process(), signal.SIGKILL)

    def process(self) -> int:
        return int((self.home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])

    async def run(self, statement: str) -> Any:
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def write(self) -> int:
        """Writes the next revision; the value is its number."""
        connection = await asyncpg.connect(self.dsn)
        try:
            async with revise(connection, author="test", reason="a test") as draft:
                await draft.observe([source(f"source-{next(NUMBERS)}")])
        finally:
            await connection.close()
        assert draft.revision is not None
        return draft.revision.id


@pytest.fixture(scope="module")
async def database(lasting_home: Path) -> AsyncIterator[Database]:
    database = Database(lasting_home)
    database.start()
    await migrate(database.dsn)
    await seed(database.dsn)
    yield database
    database.stop()


@pytest.fixture(scope="module")
async def client(database: Database) -> AsyncIterator[AsyncClient]:
    """A client of one application, which is never started again."""
    async with asking(create_app(Settings(database_url=database.dsn))) as client:
        yield client


async def readiness(client: AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get("/health/ready")).json()
    return answer


async def until(true: Callable[[dict[str, Any]], bool], client: AsyncClient, seconds: float = 10) -> float:
    """Waits until readiness says something; the value is how long that took."""
    begun = time.monotonic()
    while not true(await readiness(client)):
        assert time.monotonic() - begun < seconds, await readiness(client)
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


def questions() -> Iterator[str]:
    """Reads that differ, so that none is answered from what was asked before."""
    for number in itertools.count():
        day = f"{2024 + number % 3}-{1 + number // 3 % 12:02}-{1 + number // 36 % 28:02}"
        yield f"/v1/minerals/cobalt/score?buyer=USA&as_of={day}"
        yield f"/v1/scores?buyer=CHN&as_of={day}&limit=5"
        yield f"/v1/agreements?party=DEU&as_of={day}"
        yield f"/v1/restrictions?as_of={day}&known_at=1"
        yield "/v1/minerals/lithium"


@asynccontextmanager
async def steady_reads(client: AsyncClient) -> AsyncIterator[list[Response]]:
    """Readers that ask without pause as long as the block, and what they were answered."""
    answers: list[Response] = []

    async def read(asked: Iterator[str]) -> None:
        for question in asked:
            answers.append(await client.get(question))
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read(questions())) for _ in range(4)]
    yield answers
    for reader in readers:
        reader.cancel()
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes


async def test_no_read_fails_when_postgres_is_killed(database: Database, client: AsyncClient) -> None:
    """It is killed under load, comes back by itself, and the next revision is served without a restart."""
    await client.get("/v1/restrictions?known_at=1")
    before = database.process()
    async with steady_reads(client) as answers:
        await asyncio.sleep(0.2)
        asked_before = len(answers)
        database.kill()
        await until(lambda told: told["status"] == "degraded", client)
        asked_while_away = len(answers)
        await until(lambda told: told["status"] == "ready", client)
        number = await database.write()
        await until(lambda told: told["known_at"] == number, client)
        await asyncio.sleep(0.1)
    assert database.process() != before
    assert 0 < asked_before < asked_while_away < len(answers)
    assert {answer.status_code for answer in answers} == {200}


async def test_while_it_is_away_readiness_says_so_and_memory_answers(database: Database, client: AsyncClient) -> None:
    """An orderly stop is no different. What was read before is still there; what was not is 503 and says when to come
    back; the process does not ask to be restarted."""
    older, newer = await database.write(), await database.write()
    await until(lambda told: told["known_at"] == newer, client)
    await asyncio.to_thread(database.stop)
    try:
        await until(lambda told: told["status"] == "degraded", client)
        told = await client.get("/health/ready")
        assert (told.status_code, told.json()["database"], told.json()["known_at"]) == (200, "down", newer)
        assert (await client.get("/health/live")).status_code == 200
        assert "chokepoint_database_up 0.0" in (await client.get("/metrics")).text
        for known_at in ("", f"&known_at={newer}", "&known_at=2100-01-01T00:00:00Z"):
            answer = await client.get(f"/v1/minerals/cobalt/score?buyer=JPN{known_at}")
            assert (answer.status_code, answer.json()["known_at"]) == (200, newer)
        unread = await client.get(f"/v1/minerals/cobalt?known_at={older}")
        assert (unread.status_code, unread.json()["type"]) == (503, "/problems/unavailable")
        assert unread.headers["content-type"] == "application/problem+json"
        assert int(unread.headers["retry-after"]) > 0
    finally:
        await asyncio.to_thread(database.start)
    await until(lambda told: told["status"] == "ready", client)
    again = await client.get(f"/v1/minerals/cobalt?known_at={older}")
    assert (again.status_code, again.json()["known_at"]) == (200, older)


async def test_what_was_written_while_a_reader_was_cut_off_is_found(database: Database, client: AsyncClient) -> None:
    """The listening connection is ended from the server's side, over and over, with a revision each time."""
    for _ in range(2):
        ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like $$%follow$$"
        assert await database.run(ended) == 1
        number = await database.write()
        await until(lambda told, wanted=number: told["known_at"] == wanted, client)  # type: ignore[misc]


async def test_a_lost_notification_is_made_up_for(database: Database, client: AsyncClient) -> None:
    """The head is looked at every two seconds, whether or not anybody has called."""
    await database.run("alter table revision disable trigger announce")
    try:
        number = await database.write()
        assert await until(lambda told: told["known_at"] == number, client) < 4
    finally:
        await database.run("alter table revision enable trigger announce")


async def test_a_notification_is_followed_at_once(database: Database, client: AsyncClient) -> None:
    """Long before the next look would be due."""
    waits = []
    for _ in range(3):
        number = await database.write()
        waits.append(await until(lambda told, wanted=number: told["known_at"] == wanted, client))  # type: ignore[misc]
    assert min(waits) < 1
