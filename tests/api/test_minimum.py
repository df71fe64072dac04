"""Several machines, one ledger: what a client has seen anywhere it is never answered from before, by anybody.

A replica that lags is one that follows a copy of the ledger which stays as it is, while the ledger itself grows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection, Record
from httpx import AsyncClient, Response
from litestar import Litestar

from service.app import create_app
from service.http import worlds as module
from service.http.minimum import HEADER
from service.settings import Secret, Settings
from service.store import keys
from tests.evidence import source
from tests.serving import Service, asking, commit

SECRET = Secret(b"a secret for these tests, long enough")
COBALT = "/v1/minerals/cobalt"


class Lagging(Service):
    """A replica, the ledger, and the copy of it that the replica reads."""

    def __init__(self, app: Litestar, client: AsyncClient, dsn: str, copy: str) -> None:
        super().__init__(app, client, dsn)
        self.copy = copy


@pytest.fixture
async def lagging(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[Lagging]:
    """A replica at revision 1 that follows a copy of the ledger; what it writes does not reach the copy."""
    names = [f"{kind}_{next(postgres.numbers)}" for kind in ("primary", "standby")]
    for name in names:
        await administrator.execute(f"create database {name} template {seeded}")
    primary, standby = map(postgres.database, names)
    app = create_app(Settings(database_url=primary, read_url=standby, secret=SECRET))
    async with asking(app) as asked:
        yield Lagging(app, asked, primary, standby)
    for name in names:
        await administrator.execute(f"drop database {name} with (force)")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a revision that is not there."""
    monkeypatch.setattr(module, "REACHED_WITHIN", 0.0)


def least(number: object) -> dict[str, str]:
    return {HEADER: str(number)}


def is_behind(answer: Response) -> bool:
    """Whether an answer is a clear refusal that says when to ask again."""
    told = (answer.status_code, answer.headers["content-type"], answer.headers.get("retry-after"))
    assert answer.headers["cache-control"] == "no-store"
    return told == (503, "application/problem+json", "1") and (
        not answer.content or answer.json()["type"] == "/problems/behind"
    )


async def test_a_demand_that_is_met_changes_nothing(client: Any, cached_read: Any) -> None:
    """Neither the first answer nor one that is ready; the header is no part of what is asked."""
    first = await client.get(cached_read.path, params=cached_read.needed, headers=least(1))
    plain = await client.get(cached_read.path, params=cached_read.needed)
    again = await client.get(cached_read.path, params=cached_read.needed, headers=least(1))
    assert first.status_code == 200
    assert first.content == plain.content == again.content
    assert first.headers.get("etag") == plain.headers.get("etag") == again.headers.get("etag")
    tag = {"if-none-match": plain.headers["etag"]}
    assert (await client.get(cached_read.path, params=cached_read.needed, headers=least(1) | tag)).status_code == 304


@pytest.mark.usefixtures("impatient")
async def test_a_demand_that_is_not_met_is_refused_by_every_read(client: Any, cached_read: Any) -> None:
    """Also where an older answer stands ready, and where the client has it already."""
    ready = await client.get(cached_read.path, params=cached_read.needed)
    for condition in ({}, {"if-none-match": ready.headers["etag"]}, {"if-none-match": "*"}):
        for method in ("GET", "HEAD"):
            headers = least(2) | condition
            assert is_behind(await client.request(method, cached_read.path, params=cached_read.needed, headers=headers))


async def test_a_revision_that_comes_within_a_moment_is_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that who has just written need not ask twice."""
    monkeypatch.setattr(module, "REACHED_WITHIN", 30.0)  # however busy the machine
    await service.get(COBALT)
    asked = asyncio.create_task(service.client.get(COBALT, headers=least(2)))
    await asyncio.sleep(0.05)
    assert not asked.done()
    await service.write([source("later")])
    answer = await asked
    assert (answer.status_code, answer.json()["known_at"]) == (200, 2)


async def test_one_that_does_not_come_is_waited_for_no_longer_than_a_second(client: Any) -> None:
    async with asyncio.timeout(module.REACHED_WITHIN + 5):
        assert is_behind(await client.get(COBALT, headers=least(2)))


async def test_only_so_many_wait(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever demands what will never be there holds up nobody else."""
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    waiting = [asyncio.create_task(client.get(COBALT, headers=least(10**9))) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert is_behind(await client.get(COBALT, headers=least(10**9)))
    assert not any(task.done() for task in waiting)
    assert all(is_behind(answer) for answer in await asyncio.gather(*waiting))


@pytest.mark.parametrize("text", ["0", "-1", "01", "one", "1.0", "", "1, 1", "٣", "1" * 19])
async def test_what_is_no_revision_is_refused_by_name(client: Any, text: str) -> None:
    """Also where an answer stands ready."""
    await client.get(COBALT)
    answer = await client.get(COBALT, headers=[(HEADER, text.encode())])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == HEADER


async def test_two_demands_are_refused(client: Any) -> None:
    await client.get(COBALT)
    answer = await client.get(COBALT, headers=[(HEADER, "1"), (HEADER, "1")])
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, HEADER)


@pytest.mark.usefixtures("impatient")
async def test_a_writer_is_told_what_to_demand(lagging: Lagging) -> None:
    """The revision in the answer to a write, sent along, is answered from or refused; without it the past is told."""
    number = (await commit(lagging.dsn, [source("later")])).id
    assert (await lagging.get(COBALT))["known_at"] == 1
    assert is_behind(await lagging.client.get(COBALT, headers=least(number)))
    body = {"changes": [{"change": "set_governance", "country": "CHN", "governance": 0.5}], "buyers": ["USA"]}
    assert is_behind(await lagging.client.post("/v1/scenarios", json=body, headers=least(number)))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "path",
    [
        f"{COBALT}?known_at={{}}",
        f"{COBALT}/score?buyer=USA&known_at={{}}",
        "/v1/scores?buyer=USA&known_at={}",
        "/v1/revisions/{}",
        "/v1/changes?since={}",
    ],
)
async def test_a_revision_that_others_have_is_never_told_not_to_exist(lagging: Lagging, path: str) -> None:
    """A replica that lags says so; only the ledger itself says that there is none."""
    await commit(lagging.dsn, [source("later")])
    assert is_behind(await lagging.client.get(path.format(2)))
    nowhere = await lagging.client.get(path.format(3))
    assert (nowhere.status_code, nowhere.json()["type"]) == (404, "/problems/not-found")


async def test_a_revision_beyond_the_one_a_request_fixes_is_not_there(service: Service) -> None:
    """What was known at 1 does not tell of 2, and waiting for it would not help."""
    await service.write([source("later")])
    assert (await service.client.get("/v1/revisions/2?known_at=1")).status_code == 404
    assert (await service.client.get("/v1/changes?since=2&known_at=1")).status_code == 404


@pytest.mark.usefixtures("impatient")
async def test_writes_go_to_the_ledger_where_reads_do_not(lagging: Lagging) -> None:
    """The answer to a write names the revision on the primary, which this replica does not have yet."""
    connection = await asyncpg.connect(lagging.copy)
    _, key = await keys.create(connection, SECRET, "a writer", "write")
    await connection.close()
    headers = {"authorization": f"Bearer {key}", "content-type": "text/csv"}
    table = b"mineral,stage,country,share,period_start,period_end,printed\ncobalt,extraction,COD,0.5,2026,2026,50\n"
    asked = "/v1/imports?format=form:share&source=usgs-mcs-2026&reason=a%20test"
    async with asyncio.timeout(10):
        while (written := await lagging.client.post(asked, content=table, headers=headers)).status_code == 401:
            await asyncio.sleep(0.01)  # the replica has yet to hear of the key
    assert written.status_code == 201, written.text
    assert written.json()["revision"]["revision"] == 2
    assert is_behind(await lagging.client.get(COBALT, headers=least(2)))


async def test_another_ledger_in_the_place_of_the_first_is_taken_up(bare: Service) -> None:
    """As when a standby takes over that lacked the newest revision: another one of the same number is another ledger,
    and nothing is answered from the lost one, not even where it was asked for by its number."""
    await bare.write([source()])
    await bare.write([source("lost")])
    await bare.write([source("lost-too")])
    lost = [(await bare.get("/v1/sources", known_at=number))["data_version"] for number in (2, 3)]
    connection = await asyncpg.connect(bare.dsn)
    await connection.execute("set session_replication_role = replica")  # the ledger itself refuses to lose anything
    await connection.execute("delete from source where revision > 1")
    await connection.execute("delete from revision where id > 1")
    await connection.close()
    for name in ("other", "other-too"):
        await commit(bare.dsn, [source(name)])
    async with asyncio.timeout(5):
        while (await bare.get("/v1/sources"))["data_version"] == lost[1]:
            await asyncio.sleep(0.01)
    now = [(await bare.get("/v1/sources", known_at=number))["data_version"] for number in (2, 3)]
    assert not set(now) & set(lost)
    assert [(await bare.get(f"/v1/revisions/{number}"))["revision"]["data_version"] for number in (2, 3)] == now
