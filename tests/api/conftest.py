"""The application over the shipped evidence, asked in the tests' own event loop, and the reads it documents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest
from asyncpg import Connection, Record
from httpx import AsyncClient
from litestar import Litestar

from schemas.scenario import Scenario
from service.app import create_app, openapi
from service.http.scenarios import EXAMPLE
from service.seeding import seed
from service.settings import Settings
from service.store import scenarios
from tests.serving import Service, asking, program


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
        elif examples and parameter["in"] == "query":
            optional[parameter["name"]] = examples[0]
    return Read(operation["operationId"], path, needed, optional, operation["responses"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Asks a test once for each read: every one, those with an ETag, or those that are paged lists."""
    choices: dict[str, Callable[[Read], bool]] = {
        "read": lambda read: True,
        "cached_read": lambda read: "304" in read.responses,
        "list_read": lambda read: 'Page"' in json.dumps(read.responses["200"]["content"]),
    }
    for name, wanted in choices.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, [pytest.param(r, id=r.id) for r in documented_reads() if wanted(r)])


@pytest.fixture(scope="session")
async def seeded(postgres: Any, administrator: Connection[Record], migrated: str) -> str:
    """The name of a database with the shipped evidence as revision 1 and the documented scenario, free to be copied."""
    await administrator.execute(f"create database seeded template {migrated}")
    await seed(postgres.database("seeded"))
    connection = await asyncpg.connect(postgres.database("seeded"))
    example = msgspec.convert(EXAMPLE, Scenario)
    assert example.as_of is not None
    await scenarios.add(connection, example, 1, example.as_of, "test")
    await connection.close()
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


@pytest.fixture(scope="session")
async def served_dsn(postgres: Any, administrator: Connection[Record], seeded: str) -> str:
    """The URL of a database with the shipped evidence, for the program itself."""
    await administrator.execute(f"create database served template {seeded}")
    return str(postgres.database("served"))


@pytest.fixture(scope="session")
def address(served_dsn: str) -> Iterator[str]:
    """Where the program serves the shipped evidence, as an operator runs it."""
    with program(served_dsn) as (base, _):
        yield base
