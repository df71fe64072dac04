"""What a revision wrote, row by row: what stood before, what stands since, and why it is there.

The ledger only grows, so all of it can be told from the rows themselves at any later time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from service.store.evidence import TABLES, Table
from service.world.change import Change
from service.world.rows import KINDS, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from schemas.revisions import RowCause
    from service.store.ledger import Connection, Revision

_KINDS = {kind.kind: kind for kind in KINDS}
_OF_KIND: dict[str, RowCause] = {
    "agreement": "agreement",
    "provision": "agreement",
    "restriction": "restriction",
    "governance": "governance",
    "membership": "membership",
    "bloc": "membership",
    "listing": "listing",
    "source": "catalog",
    "country": "catalog",
    "mineral": "catalog",
}
"""Kinds whose changes have one cause, whether a row is new or replaces an older one."""


def _listed(columns: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{column}"' for column in columns)


@cache
def _changes(table: Table) -> str:
    """What revision $1 wrote, in key order from place $2 and $3 rows at most, beside what stood before it.

    The columns are `withdrawn`, then the Struct's, then `stood` and the Struct's again, of the older row.
    """
    # + 0 keeps Postgres from looking for an older row by its revision, which most rows share, instead of by its key
    older = ", ".join(f'older."{column}" as "older_{column}"' for column in table.columns)
    return (
        f"select now.retracted as withdrawn, {_listed(table.columns, 'now.')},"
        f" not coalesce(older.retracted, true) as stood, {older}"
        f" from (select * from {table.quoted} where revision = $1 order by {_listed(table.key)} offset $2 limit $3) now"
        f" left join lateral (select * from {table.quoted} before where {table.same_key('before', 'now')}"
        f" and before.revision + 0 < $1 order by before.revision desc limit 1) older on true"
        f" order by {_listed(table.key, 'now.')}"
    )


def _subject(table: Table) -> tuple[str, ...]:
    """The columns that say what a figure is of, whichever year it describes and whoever printed it."""
    return tuple(column for column in ("mineral", "stage") if column in table.columns)


def _year(table: Table) -> str | None:
    """The column with the year a row describes, None where rows describe none."""
    return next((column for column in ("period_end", "year") if column in table.columns), None)


@cache
def _known_before(table: Table) -> str:
    """By subject: the newest year that rows older than revision $1 describe, and the sources they cite."""
    subject = _listed(_subject(table))
    return (
        f"select {subject + ',' if subject else ''} max({_year(table) or 'null::integer'}) as newest,"
        f" array_agg(distinct source) as sources from {table.quoted} where revision < $1"
        f" {'group by ' + subject if subject else ''}"
    )


async def changes(connection: Connection, revision: Revision, start: int, limit: int) -> list[Change]:
    """The changes of a revision from place `start` (the first is 1), `limit` at most: kind by kind, in key order."""
    found: list[Change] = []
    first = 1
    for kind in (name for name in TABLES if name in revision.rows):
        offset = max(0, start - first)
        if offset < revision.rows[kind] and len(found) < limit:
            wanted = limit - len(found)
            records = await connection.fetch(_changes(TABLES[kind]), revision.id, offset, wanted)
            told = _Told(kind, revision, await _known(connection, kind, revision))
            found += [told.change(first + offset + place, record) for place, record in enumerate(records)]
        first += revision.rows[kind]
    return found


async def _known(connection: Connection, kind: str, revision: Revision) -> dict[tuple[Any, ...], asyncpg.Record]:
    """What rows of a kind said of each subject before a revision; empty where it has no say in a cause."""
    if kind in _OF_KIND or revision.retracts is not None:
        return {}
    records = await connection.fetch(_known_before(TABLES[kind]), revision.id)
    subject = _subject(TABLES[kind])
    return {tuple(record[column] for column in subject): record for record in records}


class _Told:
    """Tells the changes of one kind in one revision from the rows the database gives."""

    def __init__(self, kind: str, revision: Revision, known: dict[tuple[Any, ...], asyncpg.Record]) -> None:
        self._table: Table = TABLES[kind]
        self._struct = _KINDS[kind]
        self._revision = revision
        self._known = known

    def change(self, place: int, record: asyncpg.Record) -> Change:
        """One record of `_changes` as a change."""
        width = len(self._table.columns)
        withdrawn, stood = record["withdrawn"], record["stood"]
        now, older = tuple(record)[1 : 1 + width], tuple(record)[2 + width :]
        before = self._row(older) if stood else None
        row = self._row(now)
        return Change(
            revision=self._revision.id,
            place=place,
            before=before,
            after=None if withdrawn else row,
            cause=self._cause(row, before, withdrawn=withdrawn),
        )

    def _row(self, values: tuple[Any, ...]) -> Row:
        settled = (tuple(value) if isinstance(value, list) else value for value in values)
        return self._struct(**dict(zip(self._table.columns, settled, strict=True)))

    def _cause(self, row: Row, before: Row | None, *, withdrawn: bool) -> RowCause:
        if withdrawn or self._revision.retracts is not None:
            return "retraction"
        if self._table.name in _OF_KIND:
            return _OF_KIND[self._table.name]
        if before is not None:
            return "correction"
        known = self._known.get(tuple(getattr(row, column) for column in _subject(self._table)))
        newest, year = known and known["newest"], getattr(row, _year(self._table) or "", None)
        if newest is not None and year is not None and year > newest:
            return "new_year"
        cited = getattr(row, "source", None)
        return "addition" if known is not None and cited in known["sources"] else "new_source"
