"""The application under a login that only reads and one that only adds: what should work does, the rest is refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
import pytest
from asyncpg import Connection, Record
from httpx import AsyncClient, Response

from service.app import create_app
from service.http.scenarios import EXAMPLE
from service.logins import READER
from service.settings import Access, Secret, Settings
from service.store import keys
from service.store.evidence import TABLES
from service.store.ledger import revise
from tests.api.conftest import documented_reads
from tests.evidence import source
from tests.logins import QUOTED, restricted
from tests.serving import asking

SECRET = Secret(b"a secret that only these tests know of")
FORM = {"format": "form:share", "source": "usgs-mcs-2026"}
SHARES = """\
mineral,stage,period_start,period_end,country,share,printed
gallium,processing,2025,2025,CHN,{share},{share}
"""


class Restricted:
    """An application over shipped evidence under restricted logins, and a key that may write."""

    def __init__(self, client: AsyncClient, access: Access, key: str) -> None:
        self.client = client
        self.access = access
        self.key = {"Authorization": f"Bearer {key}"}

    async def send(self, share: float) -> Response:
        """Imports a share of gallium."""
        headers = {**self.key, "Content-Type": "text/csv"}
        return await self.client.post("/v1/imports", params=FORM, content=SHARES.format(share=share), headers=headers)

    async def own(self, statement: str) -> None:
        """Runs a statement as the ledger's owner."""
        connection = await asyncpg.connect(self.access.own)
        await connection.execute(statement)
        await connection.close()

    async def until(self, **told: Any) -> None:
        """Waits until the service's health says so."""
        async with asyncio.timeout(30):
            while not told.items() <= (await self.client.get("/health/ready")).json().items():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(access: Access, key: str) -> AsyncIterator[Restricted]:
    """The application under the logins for reading and writing alone."""
    settings = Settings(database_url=access.write, read_url=access.read, secret=SECRET)
    async with asking(create_app(settings)) as client:
        made = Restricted(client, access, key)
        async with asyncio.timeout(5):
            while (await client.post("/v1/imports", headers=made.key)).status_code == 503:  # the keys are being read
                await asyncio.sleep(0.01)
        yield made


@pytest.fixture(scope="module")
async def ledger(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[tuple[Access, str]]:
    """Shipped evidence with logins of its own, and a key that may write."""
    name = f"restricted_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {seeded}")
    dsn = postgres.database(name)
    connection = await asyncpg.connect(dsn)
    _, key = await keys.create(connection, SECRET, "the intake", "write")
    await connection.close()
    async with restricted(administrator, dsn, next(postgres.numbers)) as access:
        try:
            yield access, key
        finally:
            await administrator.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
async def service(ledger: tuple[Access, str]) -> AsyncIterator[Restricted]:
    """The application over that evidence; what a test writes, those after it find."""
    async with running(*ledger) as made:
        yield made


async def test_every_read_gives_what_it_gives_under_the_owner(service: Restricted, client: AsyncClient) -> None:
    """To the byte, for all reads the contract documents but those about the process itself."""
    reads = [read for read in documented_reads() if read.path.startswith("/v1/")]
    assert len(reads) > 20
    for read in reads:
        here, there = [await each.get(read.path, params=read.needed) for each in (service.client, client)]
        assert (read.id, here.status_code, here.content) == (read.id, 200, there.content)


async def test_a_file_is_imported_served_and_taken_back(service: Restricted) -> None:
    """And what was served before is read again from the database when it is asked for."""
    before = (await service.client.get("/v1/minerals/gallium?known_at=1")).content
    written = await service.send(0.91)
    assert written.status_code == 201, written.text
    await service.until(status="ready", known_at=2)
    taken_back = await service.client.post("/v1/revisions/2/retraction", json={"reason": "a test"}, headers=service.key)
    assert taken_back.status_code == 201, taken_back.text
    await service.until(status="ready", known_at=3)
    assert (await service.client.get("/v1/minerals/gallium?known_at=1")).content == before
    changes = await service.client.get("/v1/changes", params={"since": 1, "buyer": "USA"})
    assert {entry["revision"] for entry in changes.json()["items"] if "revision" in entry} == {2, 3}


async def test_a_scenario_is_kept_and_found(service: Restricted) -> None:
    asked = EXAMPLE | {"buyers": ["JPN"], "store": True}
    kept = await service.client.post("/v1/scenarios", json=asked, headers=service.key)
    assert kept.status_code == 201, kept.text
    assert (await service.client.get(kept.headers["location"])).content == kept.content


async def test_a_key_the_owner_takes_back_stops_working(service: Restricted) -> None:
    """Keys are made and revoked by the owner alone, and followed by the reader."""
    connection = await asyncpg.connect(service.access.own)
    key, presented = await keys.create(connection, SECRET, "for a moment", "read")
    header = {"Authorization": f"Bearer {presented}"}

    async def answered(status: int) -> None:
        async with asyncio.timeout(5):
            while (await service.client.post("/v1/imports", headers=header)).status_code != status:
                await asyncio.sleep(0.01)

    await answered(403)
    await keys.revoke(connection, key.id, "a test")
    await connection.close()
    await answered(401)


OLDER = (
    "insert into {table} select (jsonb_populate_record(one, '{{\"revision\": {revision}}}')).* from {table} one limit 1"
)
"""A row of evidence once more, under another revision's number."""


async def test_nobody_adds_to_a_revision_that_is_closed(service: Restricted) -> None:
    """Whatever the kind: else what was true at a revision could become something else behind everybody's back."""
    writer = await asyncpg.connect(service.access.write)
    filled = [table for table in TABLES if await writer.fetchval(f'select exists (select from "{table}")')]
    assert len(filled) > 15
    for table in filled:
        with pytest.raises(asyncpg.RestrictViolationError, match="closed"):
            await writer.execute(OLDER.format(table=f'"{table}"', revision=0))
    guarded = "select count(distinct tgrelid) from pg_trigger where tgname = 'only_new_revisions'"
    assert await writer.fetchval(guarded) == len(TABLES)
    await writer.execute("create temporary table revision (id bigint)")  # is found before the ledger's, by the writer
    with pytest.raises(asyncpg.RestrictViolationError, match="closed"):
        await writer.execute(OLDER.format(table="share", revision=0))
    await writer.close()


async def test_a_row_that_waits_for_its_revision_to_be_closed_is_refused(service: Restricted) -> None:
    """Who writes waits for the others that do, and then finds the number taken."""
    honest, other = [await asyncpg.connect(service.access.write) for _ in range(2)]
    async with revise(honest, author="test", reason="a test") as draft:
        await draft.observe([source("in-turn")])
        late = asyncio.create_task(other.execute(OLDER.format(table="share", revision=draft.number)))
        async with asyncio.timeout(5):
            while not await honest.fetchval("select exists (select from pg_locks where not granted)"):
                await asyncio.sleep(0.01)
    with pytest.raises(asyncpg.RestrictViolationError, match=f"revision {draft.number} and those before it are closed"):
        await late
    await honest.close()
    await other.close()


async def test_revisions_are_numbered_one_after_the_other(service: Restricted) -> None:
    """Neither a gap nor a number that was given before."""
    writer = await asyncpg.connect(service.access.write)
    newest = await writer.fetchval("select max(id) from revision")
    for number in (1, newest + 2):
        with pytest.raises(asyncpg.RestrictViolationError, match=f"revision {newest + 1} is next: {number} is refused"):
            await writer.execute(OLDER.replace('"revision"', '"id"').format(table="revision", revision=number))
    await writer.close()


async def test_without_a_login_that_may_write_reads_are_answered_and_writes_refused(
    ledger: tuple[Access, str], caplog: pytest.LogCaptureFixture
) -> None:
    """503, for the request is right and the service is not; the operator is told why in one line."""
    access, key = ledger
    only_reads = msgspec.structs.replace(access, write=access.read)
    async with running(only_reads, key) as service:
        caplog.clear()
        refused = await service.send(0.5)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
        assert "operator" in refused.json()["detail"]
        assert "share" not in refused.text
        assert (await service.client.get("/v1/scores?buyer=USA")).status_code == 200
    [told] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "permission denied" in told.getMessage()
    assert told.exc_info is None
    assert QUOTED not in caplog.text


async def test_a_reader_that_is_shut_out_says_so_and_serves_what_it_has(
    service: Restricted, caplog: pytest.LogCaptureFixture
) -> None:
    """Degraded and told why, never wrong; once let in again it goes on by itself."""
    await service.own(f"revoke select on revision from {READER}")
    try:
        await service.until(status="degraded", database="down")
        assert (await service.client.get("/v1/scores?buyer=USA")).status_code == 200
        assert "the database refuses: permission denied for table revision" in caplog.text
        assert "Traceback" not in caplog.text
        assert QUOTED not in caplog.text
    finally:
        await service.own(f"grant select on revision to {READER}")
    await service.until(status="ready", database="up")
