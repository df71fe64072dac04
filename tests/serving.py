"""The application as tests ask it: in their own event loop without a server in between, or as the program."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import psutil
from httpx import ASGITransport, AsyncClient
from litestar import Litestar

from service.store.ledger import Revision, revise
from service.world.rows import Row


@contextmanager
def program(dsn: str, *options: str, **settings: str) -> Iterator[tuple[str, psutil.Process]]:
    """The program serving the ledger at `dsn`, as an operator runs it: its base URL and its parent process.

    It has a session of its own, as everything has that a terminal or a supervisor starts: Linux shares processors out
    among sessions first, so that in one with its clients it would have to make do with what these leave.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {f"CHOKEPOINT_{name.upper()}": value for name, value in settings.items()}
    env |= {"CHOKEPOINT_DATABASE_URL": dsn, "CHOKEPOINT_PORT": str(port)}
    command = [sys.executable, "-m", "service", "serve", *options]
    with subprocess.Popen(
        command, env=os.environ | env, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == f"Chokepoint answers at http://127.0.0.1:{port}\n"
            yield f"http://127.0.0.1:{port}", psutil.Process(server.pid)
        finally:
            server.terminate()


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
