"""The application over the shipped evidence, asked in the test's own event loop; and the reads its contract documents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, NamedTuple

import asyncpg
import pytest
from asyncpg import Connection, Record
from httpx import ASGITransport, AsyncClient
from litestar import Litestar

from service.app import create_app, openapi
from service.seeding import seed
from service.settings import Settings
from service.store.ledger import Revision, revise
from service.world.rows import Row


class Read(NamedTuple):
    """A GET the contract documents: its path and the parameters it needs filled with their examples."""

    id: str
    path: str
    needed: dict[str, str]
    optional: dict[str, str]
    responses: dict[str, Any]


@cache
def documented_reads() -> list[Read]:
    return [_read(path, item["get"]) for path, item in openapi()["paths"].items() if "get" in item]


def _read(path: str, operation: dict[str, Any]) -> Read:
    needed, optional = {}, {}
    for parameter in operation.get("parameters", ()):
        examples = [str(example["value"]) for example in parameter.get("examples", {}).values()]
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", examples[0])
        elif parameter["required"]:
            needed[parameter["name"]] = examples[0]
        elif examples:
            optional[parameter["name"]] = examples[0]
    return Read(operation["operationId"], path, needed, optional, operation["responses"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Asks a test once for each read: every one, those with an ETag, or those that are lists."""
    choices: dict[str, Callable[[Read], bool]] = {
        "read": lambda read: True,
        "cached_read": lambda read: "304" in read.responses,
        "list_read": lambda read: "text/csv" in read.responses["200"]["content"],
    }
    for name, wanted in choices.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, [pytest.param(r, id=r.id) for r in documented_reads() if wanted(r)])


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
        connection = await asyncpg.connect(self.dsn)
        async with revise(connection, author="test", reason="a test") as draft:
            await draft.observe(rows)
            await draft.retract(retract)
        await connection.close()
        assert draft.revision is not None
        async with asyncio.timeout(5):
            while (await self.get("/health/live"))["known_at"] < draft.revision.id:
                await asyncio.sleep(0.01)
        return draft.revision


@pytest.fixture(scope="session")
async def seeded(postgres: Any, administrator: Connection[Record], migrated: str) -> str:
    """The name of a database with the shipped evidence as revision 1, which nobody is connected to."""
    await administrator.execute(f"create database seeded template {migrated}")
    await seed(postgres.database("seeded"))
    return "seeded"


@pytest.fixture(scope="session")
async def seeded_dsn(postgres: Any, administrator: Connection[Record], seeded: str) -> str:
    """The URL of a database with the shipped evidence, for tests that only read."""
    await administrator.execute(f"create database seeded_to_read template {seeded}")
    return str(postgres.database("seeded_to_read"))


@pytest.fixture(scope="session")
async def app(seeded_dsn: str) -> Litestar:
    """The application over the shipped evidence; `client` runs it."""
    return create_app(Settings(database_url=seeded_dsn))


@pytest.fixture(scope="session")
async def client(app: Litestar) -> AsyncIterator[AsyncClient]:
    """A client of the application over the shipped evidence."""
    async with asking(app) as asked:
        yield asked


@pytest.fixture
async def service(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[Service]:
    """The application over shipped evidence of the test's own, which it may add to."""
    name = f"service_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {seeded}")
    app = create_app(Settings(database_url=postgres.database(name)))
    async with asking(app) as asked:
        yield Service(app, asked, postgres.database(name))
    await administrator.execute(f"drop database {name} with (force)")


@pytest.fixture
async def bare(dsn: str) -> AsyncIterator[Service]:
    """The application over an empty ledger of the test's own."""
    app = create_app(Settings(database_url=dsn))
    async with asking(app) as asked:
        yield Service(app, asked, dsn)
