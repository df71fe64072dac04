"""The clock is set while the service runs: today follows it, and nothing else does that must not.

Today's day, the expiry of keys and the moment of a revision are the wall clock's. Deadlines, rate limits and looks at
the ledger run by the monotonic clock, and the order of revisions by their numbers.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest
import time_machine
from httpx import AsyncClient

from service.app import create_app
from service.settings import RateLimit, Secret, Settings
from service.store import keys
from service.store.ledger import revise
from tests.evidence import source
from tests.faults.checked import Load, Server, serving
from tests.faults.test_workers import asked_once, until
from tests.serving import asking

QUESTION = "/v1/minerals/cobalt/score?buyer=USA"
SECRET = Secret(b"a secret of these tests, long enough")
MOVED = Path(__file__).parent / "moved"


def test_today_is_what_the_clock_says_whenever_it_is_set(
    served: str, reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By days and by years, forth and back: an answer of the day before is never given again, and no other is wrong."""
    clock, draft = tmp_path / "clock", tmp_path / "draft"
    clock.write_text("0")
    monkeypatch.setenv("MOVED_CLOCK", str(clock))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(MOVED), os.environ.get("PYTHONPATH", "")]))
    with serving(served, workers=1) as server, Load(server) as load:
        for days in (1, -1, 3652, -400, 0):
            with load.fault():
                draft.write_text(str(days * 86_400))
                draft.replace(clock)
                until(partial(speaks_of_today, server, days))
                assert all(speaks_of_today(server, days) for _ in range(20))
    report = load.verified(served, reference)
    print(report)
    assert report.sound(), report


def speaks_of_today(server: Server, days: float) -> bool:
    """Whether an answer without a day speaks of the day it is for a clock that is so many days ahead."""

    def today() -> str:
        return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()

    morning, told = today(), json.loads(asked_once(server, QUESTION).body)["as_of"]
    return told in (morning, today())


async def ask(client: AsyncClient, key: str) -> int:
    return (await client.get("/v1/minerals/cobalt", headers={"Authorization": f"Bearer {key}"})).status_code


async def test_a_key_expires_by_the_wall_clock(served: str) -> None:
    """Also one that has just been found good; set back, the clock brings it back, for the clock is all there is."""
    connection = await asyncpg.connect(served)
    expires = datetime.now(UTC) + timedelta(hours=1)
    _, key = await keys.create(connection, SECRET, "short", "read", expires)
    await connection.close()
    async with asking(create_app(Settings(database_url=served, secret=SECRET, reads="keyed"))) as client:
        await until_known(client, key)
        with time_machine.travel(expires + timedelta(seconds=1)):
            assert await ask(client, key) == 401
        assert await ask(client, key) == 200


async def test_a_rate_limit_does_not_hear_of_the_wall_clock(served: str) -> None:
    """Set forth it admits no more, and set back it shuts nobody out."""
    connection = await asyncpg.connect(served)
    _, key = await keys.create(connection, SECRET, "eager", "read", None)
    await connection.close()
    settings = Settings(database_url=served, secret=SECRET, reads="keyed", rate_limit=RateLimit(50, 3600))
    async with asking(create_app(settings)) as client:
        await until_known(client, key)
        with time_machine.travel(datetime.now(UTC) - timedelta(days=365)):
            assert await ask(client, key) == 200
        while await ask(client, key) == 200:
            pass
        with time_machine.travel(datetime.now(UTC) + timedelta(days=365)):
            assert await ask(client, key) == 429


async def until_known(client: AsyncClient, key: str) -> None:
    """Asks until the keys have been read."""
    async with asyncio.timeout(10):
        while await ask(client, key) == 503:
            await asyncio.sleep(0.02)


async def test_revisions_keep_their_order_when_the_databases_clock_was_ahead(served: str) -> None:
    """None is dated before the one it follows, so what was known at a moment stays one revision for ever."""
    connection = await asyncpg.connect(served)
    before = datetime.now(UTC)
    ahead: datetime = await connection.fetchval(
        "insert into revision (id, committed_at, author, reason, rows, digests, data_version) "
        "select id + 1, clock_timestamp() + interval '10 years', author, 'ahead', '{}', digests, data_version "
        "from revision order by id desc limit 1 returning committed_at"
    )
    async with asking(create_app(Settings(database_url=served))) as client:
        told = await known(client, before, ahead)
        for number in (3, 4):  # the clock is right again
            async with revise(connection, author="test", reason="a test") as draft:
                await draft.observe([source(f"source-{number}")])
            assert draft.revision is not None
            assert (draft.revision.id, draft.revision.committed_at) == (number, ahead)
        await until_served(client, lambda newest: newest == 4)
        assert await known(client, before, ahead - timedelta(microseconds=1)) == [told[0], told[0]]
        assert await known(client, ahead, ahead + timedelta(days=1)) == [4, 4]
    await connection.close()


async def known(client: AsyncClient, *moments: datetime) -> list[int]:
    """The revisions that were the newest at some moments."""
    found = []
    for moment in moments:
        question = {"buyer": "USA", "as_of": "2026-02-05", "known_at": moment.isoformat()}
        answer = await client.get("/v1/minerals/cobalt/score", params=question)
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["known_at"])
    return found


async def until_served(client: AsyncClient, true: Callable[[int], bool]) -> None:
    """Returns when the newest revision served is the one looked for."""
    async with asyncio.timeout(10):
        while not true((await client.get("/health/live")).json()["known_at"]):
            await asyncio.sleep(0.02)
