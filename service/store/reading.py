"""Reading the ledger at a revision. What is committed never changes, so no transaction has to hold it still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from service.store.evidence import TABLES
from service.store.follow import PATIENCE
from service.store.ledger import SQL, File, Revision
from service.world.rows import KINDS, Row
from service.world.world import Evidence

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from service.store.ledger import Connection

R = TypeVar("R", bound=Row)

CHANNEL = "chokepoint_revision"
"""Where the ledger tells of each new revision."""


def _revision(record: asyncpg.Record) -> Revision:
    return Revision(
        id=record["id"],
        committed_at=record["committed_at"],
        author=record["author"],
        reason=record["reason"],
        rows=msgspec.json.decode(record["rows"], type=dict[str, int]),
        data_version=record["data_version"],
        file=None if record["file"] is None else File(record["file"], record["file_sha256"]),
        retracts=record["retracts"],
    )


async def head(connection: Connection) -> Revision | None:
    """The newest revision, None in an empty ledger."""
    record = await connection.fetchrow(SQL["head"], timeout=PATIENCE)
    return None if record is None else _revision(record)


async def head_id(connection: Connection) -> int:
    """The number of the newest revision, 0 in an empty ledger."""
    number: int = await connection.fetchval(SQL["head_id"], timeout=PATIENCE)
    return number


async def revision(connection: Connection, number: int) -> Revision | None:
    """A revision by its number."""
    record = await connection.fetchrow(SQL["revision"], number)
    return None if record is None else _revision(record)


async def revisions(connection: Connection, first: int, last: int) -> list[Revision]:
    """The revisions `first` to `last`, oldest first."""
    return [_revision(record) for record in await connection.fetch(SQL["revisions"], first, last)]


async def revision_at(connection: Connection, moment: datetime) -> int | None:
    """The number of the revision that was newest at a moment; None before the first."""
    number: int | None = await connection.fetchval(SQL["revision_at"], moment)
    return number


async def evidence(connection: Connection, at: Revision) -> Evidence:
    """All rows that stand at a revision."""
    rows = {kind.kind: await standing(connection, kind, at.id) for kind in KINDS}
    return Evidence(at.id, at.committed_at, at.data_version, rows)


async def standing(connection: Connection, kind: type[R], number: int) -> list[R]:
    """The rows of one kind that stand at a revision, in key order."""
    listed = [place for place, field in enumerate(msgspec.structs.fields(kind)) if "tuple" in str(field.type)]
    rows = []
    for record in await connection.fetch(TABLES[kind.kind].at, number):
        values = list(record)
        for place in listed:
            values[place] = tuple(values[place])
        rows.append(kind(**dict(zip(kind.__struct_fields__, values, strict=True))))
    rows.sort(key=_in_key_order)  # the database sorts by its own locale
    return rows


def _in_key_order(row: Row) -> list[tuple[bool, Any]]:
    """Code point by code point, what is missing last: the same in every database."""
    return [(value is None, value) for value in (getattr(row, name) for name in row.key)]
