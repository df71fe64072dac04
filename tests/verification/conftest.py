"""The World of the shipped evidence, and a ledger to fill with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asyncpg import Connection, Record

from service.seeding import read_seeds
from service.world.world import World
from tests.evidence import world_of


@pytest.fixture(scope="session")
def shipped() -> World:
    """The shipped evidence as a ledger would hand it over."""
    return world_of(read_seeds())


@pytest.fixture(scope="module")
async def ledger(postgres: Any, administrator: Connection[Record], migrated: str) -> AsyncIterator[str]:
    """The URL of a ledger that the tests of one module share, empty at first."""
    name = f"verified_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {migrated}")
    yield postgres.database(name)
    await administrator.execute(f"drop database {name} with (force)")
