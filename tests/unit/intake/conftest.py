"""What the shipped ledger knows by name, and databases that know it without any figure."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection, Record

from service.intake.names import Names
from service.seeding import read_seeds
from service.store.ledger import revise
from service.world.rows import Agreement, Bloc, Country, Mineral, Row, Source

REFERENCE = Path(os.environ.get("CHOKEPOINT_REFERENCE_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
CATALOG = (Source, Country, Mineral, Bloc, Agreement)


def published(*names: str) -> Path:
    """A file as its publisher has it, or a skipped test where it is not at hand."""
    path = REFERENCE.joinpath(*names)
    if not path.exists():
        pytest.skip("the published file is not at hand")
    return path


@pytest.fixture(scope="session")
def shipped() -> list[Row]:
    """Every row the project ships."""
    return list(read_seeds())


@pytest.fixture(scope="session")
def names(shipped: list[Row]) -> Names:
    """The countries and minerals the project ships."""
    return Names(
        [row for row in shipped if isinstance(row, Country)], [row for row in shipped if isinstance(row, Mineral)]
    )


@pytest.fixture(scope="session")
async def catalogued(postgres: Any, administrator: Connection[Record], migrated: str, shipped: list[Row]) -> str:
    """The name of a database whose revision 1 has names and no figures, and which nobody is connected to."""
    await administrator.execute(f"create database catalogued template {migrated}")
    connection = await asyncpg.connect(postgres.database("catalogued"))
    async with revise(connection, author="test", reason="names") as draft:
        await draft.observe(row for row in shipped if isinstance(row, CATALOG))
    await connection.close()
    return "catalogued"


@pytest.fixture
async def ledger_dsn(postgres: Any, administrator: Connection[Record], catalogued: str) -> AsyncIterator[str]:
    """The URL of a database of the test's own that knows the shipped names and no figure."""
    name = f"intake_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {catalogued}")
    yield postgres.database(name)
    await administrator.execute(f"drop database {name} with (force)")


@pytest.fixture
async def ledger(ledger_dsn: str) -> AsyncIterator[Connection[Record]]:
    """A connection to a ledger of the test's own that knows the shipped names and no figure."""
    connection = await asyncpg.connect(ledger_dsn)
    yield connection
    await connection.close()
