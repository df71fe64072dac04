"""Databases for the tests: every test gets one of its own, on an embedded server or on one in a container.

`--postgres=auto`, the default, runs everything on the embedded server, and the tests marked `containers` a second time
on CHOKEPOINT_TEST_POSTGRES_IMAGE (postgres:17) wherever a Docker engine answers. `--postgres=embedded` and
`--postgres=container` run everything on that one. CHOKEPOINT_REQUIRE_CONTAINERS=1 makes a container that cannot be had
a failure.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from asyncpg import Connection, Record
from docker.errors import DockerException
from testcontainers.community.postgres import PostgresContainer

from service.embedded import embedded
from service.migrate import migrate
from tests.engine import give_up, told

UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Nothing in these servers has to survive a power cut."""


class Server:
    """A Postgres server that the tests may do with as they like; `dsn` is the URL of its maintenance database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.numbers = itertools.count(1)

    def database(self, name: str) -> str:
        """The URL of the server's database `name`."""
        return urlsplit(self.dsn)._replace(path=f"/{name}").geturl()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres", choices=("auto", "embedded", "container"), default="auto", help="where databases live"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "postgres" in metafunc.fixturenames:
        where = [metafunc.config.getoption("--postgres")]
        if where == ["auto"]:
            marked = metafunc.definition.get_closest_marker("containers")
            where = ["embedded", "container"] if marked else ["embedded"]
        metafunc.parametrize("postgres", where, indirect=True, scope="session")


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A new folder that also the account root's Postgres runs as can enter."""
    folder = Path(tempfile.mkdtemp(prefix="chokepoint-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def container() -> Iterator[str]:
    """A Postgres in a container; the value is its URL."""
    image = os.environ.get("CHOKEPOINT_TEST_POSTGRES_IMAGE", "postgres:17")
    lacking = f"no container of {image}"
    told(lambda engine: engine.ping(), lacking)
    try:
        server = PostgresContainer(image, driver=None).with_command(
            ["postgres", *(word for name, value in UNSAFE_BUT_FAST.items() for word in ("-c", f"{name}={value}"))]
        )
        server.start()
    except DockerException as error:
        give_up(f"{lacking}: {error}")
    try:
        yield server.get_connection_url()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def publications() -> Path:
    """The folder of published tables and texts; a test that needs it is skipped where there is none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CHOKEPOINT_REFERENCE_DATA") or beside)
    if not folder.is_dir():
        pytest.skip("no publications here: set CHOKEPOINT_REFERENCE_DATA to their folder")
    return folder


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder for an embedded Postgres of the test's own."""
    with reachable_folder() as folder:
        yield folder / "home"


@pytest.fixture(scope="module")
def lasting_home() -> Iterator[Path]:
    """A home folder that the tests of one module share, so that only the first has to fill a ledger."""
    with reachable_folder() as folder:
        yield folder / "home"


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server the session's databases live on."""
    if request.param == "container":
        with container() as dsn:
            yield Server(dsn)
    else:
        with reachable_folder() as folder, embedded(folder / "home", UNSAFE_BUT_FAST) as dsn:
            yield Server(dsn)


@pytest.fixture(scope="session")
async def administrator(postgres: Server) -> AsyncIterator[Connection[Record]]:
    """A connection to the server's maintenance database."""
    connection = await asyncpg.connect(postgres.dsn)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def migrated(postgres: Server, administrator: Connection[Record]) -> str:
    """The name of a database with the newest schema that nobody is connected to, to make copies of."""
    await administrator.execute("create database migrated")
    await migrate(postgres.database("migrated"))
    return "migrated"


@pytest.fixture
async def dsn(postgres: Server, administrator: Connection[Record], migrated: str) -> AsyncIterator[str]:
    """The URL of a fresh database with the newest schema and nothing in it."""
    async for url in fresh_database(postgres, administrator, migrated):
        yield url


@pytest.fixture
async def empty_dsn(postgres: Server, administrator: Connection[Record]) -> AsyncIterator[str]:
    """The URL of a fresh database without any schema."""
    async for url in fresh_database(postgres, administrator, "template1"):
        yield url


async def fresh_database(server: Server, administrator: Connection[Record], template: str) -> AsyncIterator[str]:
    """A copy of the database `template`, there as long as the test."""
    name = f"test_{next(server.numbers)}"
    await administrator.execute(f"create database {name} template {template}")
    yield server.database(name)
    await administrator.execute(f"drop database {name} with (force)")
