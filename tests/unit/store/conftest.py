"""A ledger of the test's own, and short words for what is done with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection, Record

from service.store import reading
from service.store.ledger import Revision, revise
from service.world.rows import Row


class Ledger:
    """A ledger by one connection."""

    def __init__(self, connection: Connection[Record]) -> None:
        self.connection = connection

    async def write(self, *rows: Row | Iterable[Row]) -> Revision | None:
        """Writes rows as one revision."""
        async with revise(self.connection, author="somebody", reason="a reason") as draft:
            for entry in rows:
                await draft.observe([entry] if isinstance(entry, Row) else entry)
        return draft.revision

    async def retract(self, *rows: Row) -> Revision | None:
        async with revise(self.connection, author="somebody", reason="a reason") as draft:
            await draft.retract(rows)
        return draft.revision

    async def undo(self, number: int) -> Revision | None:
        async with revise(self.connection, author="somebody", reason="a reason") as draft:
            await draft.retract_revision(number)
        return draft.revision

    async def head(self) -> int:
        return await reading.head_id(self.connection)

    async def standing(self, kind: type[Any], at: int | None = None) -> list[Any]:
        """The rows of a kind that stand at a revision, the newest if none is named."""
        return await reading.standing(self.connection, kind, await self.head() if at is None else at)


@pytest.fixture
async def ledger(dsn: str) -> AsyncIterator[Ledger]:
    connection = await asyncpg.connect(dsn)
    yield Ledger(connection)
    await connection.close()


@pytest.fixture
async def second(dsn: str) -> AsyncIterator[Ledger]:
    """The same ledger by another connection."""
    connection = await asyncpg.connect(dsn)
    yield Ledger(connection)
    await connection.close()
