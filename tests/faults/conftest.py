"""What tests of faults share: a ledger that nothing happens to, to compare answers with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asyncpg import Connection, Record

from service.seeding import seed


@pytest.fixture(scope="session")
async def shipped(postgres: Any, administrator: Connection[Record], migrated: str) -> str:
    """The name of a database with the shipped evidence that nobody is connected to, to make copies of."""
    await administrator.execute(f"create database shipped template {migrated}")
    await seed(postgres.database("shipped"))
    return "shipped"


@pytest.fixture
async def reference(postgres: Any, administrator: Connection[Record], shipped: str) -> AsyncIterator[str]:
    """The URL of a ledger with the shipped evidence, on a server that no test takes away."""
    name = f"reference_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {shipped}")
    yield postgres.database(name)
    await administrator.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
async def lasting_reference(postgres: Any, administrator: Connection[Record], shipped: str) -> AsyncIterator[str]:
    """Such a ledger for one load that lasts as long as the tests of a module."""
    name = f"reference_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {shipped}")
    yield postgres.database(name)
    await administrator.execute(f"drop database {name} with (force)")


@pytest.fixture
async def served(postgres: Any, administrator: Connection[Record], shipped: str) -> AsyncIterator[str]:
    """The URL of another such ledger, for a service."""
    name = f"served_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {shipped}")
    yield postgres.database(name)
    await administrator.execute(f"drop database {name} with (force)")
