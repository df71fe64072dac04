"""The ledger's history: every commit with who, when, why, from which file and how much."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import tracemalloc
from datetime import date
from typing import Any

import asyncpg
from asyncpg import Connection, Record

from service.answers.score import Account
from service.http import worlds as module
from service.http.older import OlderWorlds
from service.http.worlds import Worlds
from service.store import reading
from service.store.ledger import File, Revision, revise
from service.world.rows import Row
from service.world.shares import columns_kept
from service.world.size import bytes_of_rows, bytes_worked_out
from service.world.world import build
from tests.evidence import country, mineral, share, source
from tests.serving import Service

BEGINNING: list[Row] = [source(), country("CHN"), country("PER"), mineral("tin"), share("tin", "CHN", 0.5)]


async def commit(dsn: str, rows: list[Row], **told: Any) -> Revision:
    connection = await asyncpg.connect(dsn)
    async with revise(connection, **({"author": "ana", "reason": "because"} | told)) as draft:
        await draft.observe(rows)
    await connection.close()
    assert draft.revision is not None
    return draft.revision


async def test_a_revision_says_who_when_why_and_from_which_file(bare: Service) -> None:
    file = File("shares.csv", hashlib.sha256(b"shares").hexdigest())
    written = await commit(bare.dsn, BEGINNING, author="import job (key abcd2345)", reason="shares of 2024", file=file)
    await bare.write([share("tin", "PER", 0.2)])
    told = (await bare.get("/v1/revisions/1"))["revision"]
    assert told == {
        "revision": 1,
        "committed_at": written.committed_at.isoformat().replace("+00:00", "Z"),
        "author": "import job (key abcd2345)",
        "reason": "shares of 2024",
        "file": {"name": "shares.csv", "sha256": file.sha256},
        "retracts": None,
        "rows": {"source": 1, "country": 2, "mineral": 1, "share": 1},
        "data_version": written.data_version,
    }
    assert (await bare.get("/v1/revisions/2"))["revision"]["file"] is None


async def test_revisions_come_newest_first_page_by_page(bare: Service) -> None:
    await bare.write(BEGINNING)
    for place in range(4):
        await bare.write([share("tin", "PER", place / 10)])
    first = await bare.get("/v1/revisions", limit=2)
    second = await bare.get("/v1/revisions", limit=2, cursor=first["next"])
    third = await bare.get("/v1/revisions", limit=2, cursor=second["next"])
    pages = [[item["revision"] for item in page["items"]] for page in (first, second, third)]
    assert (pages, third["next"], first["total"]) == ([[5, 4], [3, 2], [1]], None, 5)


async def test_what_was_known_before_does_not_tell_of_later_revisions(bare: Service) -> None:
    await bare.write(BEGINNING)
    await bare.write([share("tin", "PER", 0.2)])
    assert (await bare.get("/v1/revisions", known_at=1))["total"] == 1
    assert (await bare.client.get("/v1/revisions/2?known_at=1")).status_code == 404
    assert (await bare.client.get("/v1/revisions/3")).json()[
        "detail"
    ] == "the ledger has no revision 3; the newest is 2"


async def test_a_retraction_names_the_revision_it_takes_back(bare: Service) -> None:
    await bare.write(BEGINNING)
    await bare.write([share("tin", "PER", 0.2)])
    connection = await asyncpg.connect(bare.dsn)
    async with revise(connection, author="ana", reason="a slip") as draft:
        await draft.retract_revision(2)
    await connection.close()
    assert draft.revision is not None
    assert draft.revision.retracts == 2
    await bare.write([country("JPN")])
    assert (await bare.get("/v1/revisions/3"))["revision"]["retracts"] == 2


async def test_recent_revisions_are_told_while_the_database_is_away(
    bare: Service, administrator: Connection[Record]
) -> None:
    await bare.write(BEGINNING)
    await bare.write([share("tin", "PER", 0.2)])
    name = bare.dsn.split("/")[3].split("?")[0]
    await administrator.execute(f"alter database {name} allow_connections false")
    await administrator.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
    assert [item["revision"] for item in (await bare.get("/v1/revisions"))["items"]] == [2, 1]


async def test_older_revisions_than_are_remembered_are_read_from_the_database(dsn: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    await commit(dsn, BEGINNING)
    for place in range(3):
        await commit(dsn, [share("tin", "PER", place / 10)])
    worlds = Worlds(dsn, dsn)
    async with worlds.running():
        assert [revision.id for revision in await worlds.revisions(3, 4)] == [3, 4]
        assert [revision.id for revision in await worlds.revisions(1, 4)] == [1, 2, 3, 4]


async def test_an_older_world_that_several_ask_for_at_once_is_built_once(dsn: str) -> None:
    await commit(dsn, BEGINNING)
    await commit(dsn, [share("tin", "PER", 0.2)])
    worlds = Worlds(dsn, dsn)
    async with worlds.running():
        found = await asyncio.gather(*(worlds.at(1) for _ in range(8)))
    assert len({id(world) for world in found}) == 1


async def test_older_worlds_stay_within_their_memory(dsn: str) -> None:
    """The least recently asked for go first, by number and by bytes; the last one asked for stays."""
    await commit(dsn, BEGINNING)
    for place in range(5):
        await commit(dsn, [share("tin", "PER", place / 10)])
    worlds = Worlds(dsn, dsn)
    async with worlds.running():
        built = [await worlds.at(number) for number in range(1, 6)]
    by_number = OlderWorlds(most_worlds=3)
    for world in built:
        by_number.keep(world, 1000)
    assert [by_number.get(number) is not None for number in range(1, 6)] == [False, False, True, True, True]
    by_bytes = OlderWorlds(most_bytes=2500)
    for world in built:
        by_bytes.keep(world, 1000)
    assert (len(by_bytes), by_bytes.bytes) == (2, 2000)
    too_large = OlderWorlds(most_bytes=10)
    too_large.keep(built[0], 1000)
    assert too_large.get(1) is built[0]


async def test_the_size_of_a_world_is_told_about_right(seeded_dsn: str) -> None:
    """Compared with what the interpreter allocates while it is read, built and asked."""
    connection = await asyncpg.connect(seeded_dsn)
    head = await reading.head(connection)
    assert head is not None
    gc.collect()
    tracemalloc.start()
    evidence = await reading.evidence(connection, head)
    world = build(evidence)
    rows = bytes_of_rows(evidence)
    for buyer in ("USA", "EU", "JPN"):
        Account.of(world, buyer, date(2026, 2, 5)).score("cobalt")
    columns_kept.clear()  # what the process keeps of sets that were looked into has a bound of its own
    gc.collect()
    allocated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    await connection.close()
    assert 0.7 * allocated < rows + bytes_worked_out(world) < 1.5 * allocated
