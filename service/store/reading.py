"""Reading the ledger at a revision. What is committed never changes, so no transaction has to hold it still."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from service.store.evidence import SHARE_SETS, TABLES
from service.store.follow import PATIENCE
from service.store.ledger import SQL, File, Revision
from service.world import packed
from service.world.evidence import LISTED, Evidence, in_order, merged
from service.world.rows import KINDS, Row, Share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
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


async def revisions(connection: Connection, first: int, last: int) -> list[Revision]:
    """The revisions `first` to `last`, oldest first."""
    return [_revision(record) for record in await connection.fetch(SQL["revisions"], first, last)]


async def revision_at(connection: Connection, moment: datetime) -> int | None:
    """The number of the revision that was newest at a moment; None before the first."""
    number: int | None = await connection.fetchval(SQL["revision_at"], moment)
    return number


async def evidence(connection: Connection, at: Revision, base: Evidence | None = None) -> Evidence:
    """All rows that stand at a revision.

    With `base`, what an earlier revision of this very ledger knew, only what was written since is read.
    """
    since = base.revision if base else at.id
    written = {record["kind"]: record["rows"] for record in await connection.fetch(SQL["written"], since, at.id)}
    fetched = {kind: await _fetch(connection, kind, at.id, base, written) for kind in KINDS}
    return await asyncio.to_thread(_evidence, at, base, fetched)


class _Fetched(NamedTuple):
    """Records of one kind: all that stand, or if not `whole` those written since the base."""

    records: list[asyncpg.Record]
    whole: bool


async def _fetch(
    connection: Connection, kind: type[Row], number: int, base: Evidence | None, written: dict[str, int]
) -> _Fetched | None:
    """What there is to know of a kind; None where it is what it was in the base."""
    if base is not None and kind.kind not in written:
        return None
    table = TABLES[kind.kind]
    if base is not None and written[kind.kind] <= MOST_MERGED:
        return _Fetched(await connection.fetch(table.written, base.revision, number), whole=False)
    if kind is Share:
        await connection.execute(EXACT_NUMBERS)
    return _Fetched(await connection.fetch(SHARE_SETS if kind is Share else table.at, number), whole=True)


def _evidence(at: Revision, base: Evidence | None, fetched: dict[type[Row], _Fetched | None]) -> Evidence:
    return Evidence(
        revision=at.id,
        committed_at=at.committed_at,
        data_version=at.data_version,
        rows={kind.kind: _listed(kind, base, fetched[kind]) for kind in LISTED},
        shares=_shares(base, fetched[Share]),
    )


def _listed(kind: type[R], base: Evidence | None, fetched: _Fetched | None) -> Sequence[R]:
    if fetched is None or (base and not fetched.whole):
        assert base is not None
        known = base.of(kind)
        return known if fetched is None else merged(kind, known, _changes(kind, fetched.records))
    return in_order(kind, map(_reader(kind), fetched.records))


def _shares(base: Evidence | None, fetched: _Fetched | None) -> PackedSets:
    if fetched is None or (base and not fetched.whole):
        assert base is not None
        return base.shares if fetched is None else packed.merged(base.shares, _changes(Share, fetched.records))
    return packed.by_place(packed.packed(values, count, lines) for *values, count, lines in fetched.records)


def _changes(kind: type[R], records: Iterable[asyncpg.Record]) -> Iterator[tuple[R, bool]]:
    read = _reader(kind)
    return ((read(record), record[-1]) for record in records)


async def standing(connection: Connection, kind: type[R], number: int) -> list[R]:
    """The rows of one kind that stand at a revision, in key order."""
    return in_order(kind, map(_reader(kind), await connection.fetch(TABLES[kind.kind].at, number)))


def _reader(kind: type[R]) -> Callable[[asyncpg.Record], R]:
    """Makes a row of a record that begins with the columns of its kind."""
    names = kind.__struct_fields__
    listed = [place for place, field in enumerate(msgspec.structs.fields(kind)) if "tuple" in str(field.type)]

    def read(record: asyncpg.Record) -> R:
        values = dict(zip(names, record, strict=False))
        for place in listed:
            values[names[place]] = tuple(record[place])
        return kind(**values)

    return read
