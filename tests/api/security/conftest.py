"""A service that asks for keys and one that does not, over one ledger, and keys of each scope."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection, Record
from httpx import AsyncClient

from service.app import create_app
from service.settings import RateLimit, Secret, Settings
from service.store import keys
from tests.serving import asking

SECRET = Secret(b"a secret that only these tests know of")
UNTIL_READ = 10
"""Seconds the keys may take to be read."""


class House:
    """The two services, the ledger under them, and the keys they know."""

    def __init__(self, keyed: AsyncClient, open_: AsyncClient, dsn: str, issued: dict[keys.Scope, str]) -> None:
        self.keyed = keyed
        self.open = open_
        self.dsn = dsn
        self.issued = issued

    def key(self, scope: keys.Scope) -> dict[str, str]:
        """The header that presents a key."""
        return {"Authorization": f"Bearer {self.issued[scope]}"}

    async def content(self) -> dict[str, str]:
        """A hash of the content of each table."""
        connection = await asyncpg.connect(self.dsn)
        try:
            tables = [
                row[0] for row in await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
            ]
            hashed = "select md5(coalesce(string_agg(t::text, chr(10) order by t::text), '')) from {} t"
            return {table: await connection.fetchval(hashed.format(table)) for table in sorted(tables)}
        finally:
            await connection.close()


@asynccontextmanager
async def running(dsn: str, reads: Any) -> AsyncIterator[AsyncClient]:
    """The application, once it has read the keys."""
    app = create_app(Settings(database_url=dsn, secret=SECRET, reads=reads, rate_limit=RateLimit(100_000, 1)))
    async with asking(app) as client:
        async with asyncio.timeout(UNTIL_READ):
            while app.gate._keyring._keys is None:  # type: ignore[attr-defined]
                await asyncio.sleep(0.01)
        yield client


@pytest.fixture(scope="module")
async def house(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[House]:
    """Two services over shipped evidence of the module's own."""
    name = f"house_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {seeded}")
    dsn = postgres.database(name)
    connection = await asyncpg.connect(dsn)
    issued = {scope: (await keys.create(connection, SECRET, f"who may {scope}", scope))[1] for scope in keys.SCOPES}
    await connection.close()
    async with running(dsn, "keyed") as keyed, running(dsn, "open") as open_:
        yield House(keyed, open_, dsn, issued)
    await administrator.execute(f"drop database {name} with (force)")
