"""Reading the ledger at a revision. What is committed never changes, so no transaction has to hold it still."""

from __future__ import annotations

import asyncio
from collections import Counter
from sys import intern
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from service.store.evidence import SHARE_SETS, TABLES
from service.store.follow import PATIENCE
from service.store.ledger import SQL, File, Revision
from service.world import packed
from service.world.evidence import LISTED, Evidence, in_order, merged
from service.world.rows import KINDS, Row, Share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from service.store.ledger import Connection
    from service.world.packed import PackedSets

R = TypeVar("R", bound=Row)

CHANNEL = "chokepoint_revision"
"""Where the ledger tells of each new revision."""

MOST_MERGED = 50_000
"""Rows of a kind written since, above which all that stand are read instead of merging these."""

EXACT_NUMBERS = "set extra_float_digits = 1"
"""Has Postgres write numbers as text with every digit they need; its default, but any role may have another."""


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


async def revisions(connection: Connection, first: int, last: int | None = None) -> list[Revision]:
    """The revisions `first` to `last`, or to the newest, oldest first."""
    records = await connection.fetch(SQL["revisions"], first, last, timeout=PATIENCE)
    return [_revision(record) for record in records]


async def revision_at(connection: Connection, moment: datetime) -> int | None:
    """The number of the revision that was newest at a moment; None before the first."""
    number: int | None = await connection.fetchval(SQL["revision_at"], moment)
    return number


async def evidence(connection: Connection, at: Revision) -> Evidence:
    """All rows that stand at a revision."""
    records = {kind: _Records(await _standing(connection, kind, at.id), whole=True) for kind in KINDS}
    return await asyncio.to_thread(_evidence, at, None, records)


async def since(connection: Connection, base: Evidence, revisions: Sequence[Revision]) -> Callable[[], Evidence]:
    """Reads what the revisions that followed on `base` wrote; the value makes the evidence at the last of them.

    That takes the processor and not the database, so it is left to the caller when and where.
    """
    at = revisions[-1]
    written: Counter[str] = Counter()
    for each in revisions:
        written.update(each.rows)
    records: dict[type[Row], _Records] = {}
    for kind in (kind for kind in KINDS if kind.kind in written):
        whole = written[kind.kind] > MOST_MERGED
        news = TABLES[kind.kind].written
        found = await (_standing(connection, kind, at.id) if whole else connection.fetch(news, base.revision, at.id))
        records[kind] = _Records(found, whole)
    return lambda: _evidence(at, base, records)


async def _standing(connection: Connection, kind: type[Row], number: int) -> list[asyncpg.Record]:
    if kind is not Share:
        return await connection.fetch(TABLES[kind.kind].at, number)
    await connection.execute(EXACT_NUMBERS)
    return await connection.fetch(SHARE_SETS, number)


class _Records(NamedTuple):
    """What was read of one kind: all that stands, or if not `whole` what was written since the base."""

    found: list[asyncpg.Record]
    whole: bool


def _evidence(at: Revision, base: Evidence | None, records: Mapping[type[Row], _Records]) -> Evidence:
    return Evidence(
        revision=at.id,
        committed_at=at.committed_at,
        data_version=at.data_version,
        rows={kind.kind: _listed(kind, base, records.get(kind)) for kind in LISTED},
        shares=_shares(base, records.get(Share)),
    )


def _listed(kind: type[R], base: Evidence | None, records: _Records | None) -> Sequence[R]:
    if records is not None and records.whole:
        return in_order(kind, map(_reader(kind), records.found))
    assert base is not None
    return merged(kind, base.of(kind), _changes(kind, records.found)) if records else base.of(kind)


def _shares(base: Evidence | None, records: _Records | None) -> PackedSets:
    if records is not None and records.whole:
        return packed.by_place(packed.packed(values, count, lines) for *values, count, lines in records.found)
    assert base is not None
    return packed.merged(base.shares, _changes(Share, records.found)) if records else base.shares


def _changes(kind: type[R], records: Iterable[asyncpg.Record]) -> Iterator[tuple[R, bool]]:
    read = _reader(kind)
    return ((read(record), record[-1]) for record in records)


async def standing(connection: Connection, kind: type[R], number: int) -> list[R]:
    """The rows of one kind that stand at a revision, in key order."""
    return in_order(kind, map(_reader(kind), await connection.fetch(TABLES[kind.kind].at, number)))


def _reader(kind: type[R]) -> Callable[[asyncpg.Record], R]:
    """Makes a row of a record that begins with the columns of its kind; a name many rows refer to is one object."""
    names = kind.__struct_fields__
    listed = {field.name for field in msgspec.structs.fields(kind) if "tuple" in str(field.type)}
    referring = [name for name in kind.refers if name not in listed]

    def read(record: asyncpg.Record) -> R:
        values = dict(zip(names, record, strict=False))
        for name in listed:
            values[name] = tuple(values[name])
        for name in referring:
            if (referred := values[name]) is not None:
                values[name] = intern(referred)
        return kind(**values)

    return read
