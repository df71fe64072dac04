"""What the tests that kill writers share: a ledger looked at as a whole, processes that die with all they started."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import signal
from itertools import product
from pathlib import Path
from typing import NamedTuple

import asyncpg
import psutil

from service.app import create_app
from service.seeding import read_seeds
from service.settings import Settings
from service.store import reading
from service.store.evidence import TABLES
from service.store.ledger import data_version, revise
from service.world.rows import Bloc, Country, Mineral, Share, Source
from tests.serving import asking

CATALOG = (Source, Country, Mineral, Bloc)
SOURCE = "usgs-mcs-2026"
COLUMNS = ("source", "mineral", "stage", "period_start", "period_end", "country", "share", "printed")


def write(path: Path, edition: int) -> None:
    """A table of 7,680 shares. Each edition speaks of the same, and prints its number in every row."""
    rows = list(read_seeds())
    minerals = [row.id for row in rows if isinstance(row, Mineral)]
    countries = [row.code for row in rows if isinstance(row, Country)][:20]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for mineral, stage, year, country in product(minerals, ("extraction", "processing"), (2023, 2024), countries):
            table.writerow((SOURCE, mineral, stage, year, year, country, 0.04, f"edition {edition}"))


async def fill(dsn: str) -> None:
    """A ledger that has the names the tables use."""
    connection = await asyncpg.connect(dsn)
    async with revise(connection, author="test", reason="names") as draft:
        await draft.observe(row for row in read_seeds() if isinstance(row, CATALOG))
    await connection.close()


class State(NamedTuple):
    """A ledger after a kill: its newest revision, what its content hashes to, and the editions whose rows stand."""

    revision: int
    data_version: str
    editions: set[str]


async def settled(dsn: str) -> None:
    """Returns when nobody else is at the database any more, but for those who follow it."""
    others = """select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
                and backend_type = 'client backend' and application_name <> 'chokepoint-follow'"""
    connection = await asyncpg.connect(dsn)
    async with asyncio.timeout(60):
        while await connection.fetchval(others):
            await asyncio.sleep(0.01)
    await connection.close()


async def state(dsn: str) -> State:
    """What the ledger holds, once nobody else is at it, with all it says of itself found to be true."""
    await settled(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        head = await reading.head(connection)
        newest = head.id if head else 0
        assert newest == await connection.fetchval("select count(*) from revision")
        for kind, table in TABLES.items():
            beyond = await connection.fetchval(f"select count(*) from {table.quoted} where revision > $1", newest)
            assert not beyond, f"rows of {kind} without their revision"
        for revision in await reading.revisions(connection, 1, newest):
            for kind, count in revision.rows.items():
                statement = f"select count(*) from {TABLES[kind].quoted} where revision = $1"
                assert await connection.fetchval(statement, revision.id) == count
        digests = {kind: await connection.fetchval(table.digest) for kind, table in TABLES.items()}
        assert head is None or data_version(digests) == head.data_version
        shares = await reading.standing(connection, Share, newest)
        return State(newest, head.data_version if head else "", {row.printed for row in shares})
    finally:
        await connection.close()


async def served(dsn: str) -> int:
    """The revision that a service started now serves."""
    async with asking(create_app(Settings(database_url=dsn))) as client:
        health = (await client.get("/health/ready")).json()
        assert health["status"] == "ready"
        return int(health["known_at"])


def kill_all(process: psutil.Process) -> None:
    """Kills a process and all it has started, its Postgres too, as a machine that loses its power does."""
    processes = [process, *process.children(recursive=True)]
    for each in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.send_signal(signal.SIGKILL)
