"""The application as tests ask it: in their own event loop, without a server in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from httpx import ASGITransport, AsyncClient
from litestar import Litestar

from service.store.ledger import Revision, revise
from service.world.rows import Row


@asynccontextmanager
async def asking(app: Litestar) -> AsyncIterator[AsyncClient]:
    """A client of an application that runs as long as the block, its whole life in one task as under a server."""
    started, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        try:
            async with app.lifespan():
                started.set()
                await over.wait()
        finally:
            started.set()

    life = asyncio.create_task(live())
    await started.wait()
    try:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as client:
            yield client
    finally:
        over.set()
        await life


class Service:
    """A running application and the ledger under it."""

    def __init__(self, app: Litestar, client: AsyncClient, dsn: str) -> None:
        self.app = app
        self.client = client
        self.dsn = dsn

    async def get(self, path: str, **parameters: Any) -> Any:
        """The JSON a read answers with."""
        answer = await self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def write(self, rows: Iterable[Row] = (), retract: Iterable[Row] = ()) -> Revision:
        """Writes a revision and waits until it is served."""
        written = await commit(self.dsn, rows, retract)
        async with asyncio.timeout(5):
            while (await self.get("/health/live"))["known_at"] < written.id:
                await asyncio.sleep(0.01)
        return written


async def commit(dsn: str, rows: Iterable[Row] = (), retract: Iterable[Row] = ()) -> Revision:
    """Writes a revision into the ledger at `dsn`."""
    connection = await asyncpg.connect(dsn)
    async with revise(connection, author="test", reason="a test") as draft:
        await draft.observe(rows)
        await draft.retract(retract)
    await connection.close()
    assert draft.revision is not None
    return draft.revision
