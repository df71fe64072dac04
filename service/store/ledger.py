"""Writing the ledger: one transaction, one revision, all or nothing."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from service.store.evidence import TABLES, Table
from service.store.queries import load
from service.world.rows import KINDS, Row

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

SQL = load("ledger")
_REFERS = {kind.kind: kind.refers for kind in KINDS}
_LISTED = {kind.kind: {f.name for f in msgspec.structs.fields(kind) if "tuple" in str(f.type)} for kind in KINDS}


class LedgerError(Exception):
    """What was to be written contradicts itself or the ledger; nothing was written."""


class File(msgspec.Struct, frozen=True):
    """The file a revision's rows were read from: its name, and the SHA-256 of its bytes in hexadecimal."""

    name: str
    sha256: str


class Revision(msgspec.Struct, frozen=True):
    """One commit of the ledger: who, when, why, from which file, and how many rows of each kind it added.

    `retracts` is the older revision that this one takes back.
    """

    id: int
    committed_at: datetime
    author: str
    reason: str
    rows: dict[str, int]
    data_version: str
    file: File | None = None
    retracts: int | None = None


def data_version(digests: dict[str, str]) -> str:
    """The content hash of a ledger, from the digests of its kinds."""
    lines = "\n".join(f"{kind} {digest}" for kind, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:32]


class Draft:
    """A revision being written. `revision` is set when the transaction has succeeded, and None if nothing changed."""

    def __init__(self, connection: Connection, number: int) -> None:
        self.revision: Revision | None = None
        self.number = number
        self.rows: dict[str, int] = defaultdict(int)
        self.retracts: int | None = None
        self._connection = connection
        self._withdrew = False

    async def observe(self, rows: Iterable[Row]) -> None:
        """Adds rows of any kinds; those equal to what stands add nothing. Raises LedgerError."""
        by_kind: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:
            by_kind[row.kind].append(msgspec.structs.astuple(row))
        for kind in (name for name in TABLES if name in by_kind):
            await self.observe_records(kind, by_kind[kind])

    async def observe_records(
        self, kind: str, records: Iterable[tuple[Any, ...]] | AsyncIterable[tuple[Any, ...]]
    ) -> None:
        """Adds rows of one kind given as tuples in the order of its columns, streamed. Raises LedgerError."""
        table = TABLES[kind]
        await self._stage(table, records)
        if repeated := await self._connection.fetchrow(table.repeated):
            raise LedgerError(f"two different rows of {kind} for the same key {dict(repeated)}")
        await self._apply(kind, table.observe, self.number)
        await self._connection.execute(f"drop table {table.staging}")

    async def retract(self, rows: Iterable[Row]) -> None:
        """Withdraws the standing rows that have the keys of the given ones."""
        by_kind: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:
            by_kind[row.kind].append(msgspec.structs.astuple(row))
        for kind, records in by_kind.items():
            table = TABLES[kind]
            await self._stage(table, records)
            await self._apply(kind, table.retract, self.number)
            await self._connection.execute(f"drop table {table.staging}")
            self._withdrew = True

    async def retract_revision(self, number: int) -> None:
        """Undoes what revision `number` wrote, wherever nothing newer has replaced it."""
        for kind, table in TABLES.items():
            await self._apply(kind, table.retract_revision, self.number, number)
        self.retracts = number
        self._withdrew = True

    async def check_references(self) -> None:
        """Refuses the draft if a row it wrote, or one that lost its target, names something unknown."""
        for kind, refers in _REFERS.items():
            table = TABLES[kind]
            for column, targets in refers.items():
                if self._withdrew and any(target in self.rows for target in targets):
                    among = f"({table.standing()}) s"
                elif kind in self.rows:
                    among = f"{table.quoted} where revision = {self.number} and not retracted"
                else:
                    continue
                await self._refuse_strangers(kind, column, targets, among)

    async def _refuse_strangers(self, kind: str, column: str, targets: tuple[str, ...], among: str) -> None:
        statement = TABLES[kind].strangers(
            column, tuple(TABLES[target] for target in targets), listed=column in _LISTED[kind], among=among
        )
        if strangers := await self._connection.fetch(statement):
            names = ", ".join(repr(row["value"]) for row in strangers)
            raise LedgerError(f"{kind}.{column} names {names}, which no {' or '.join(targets)} in the ledger has")

    async def _stage(self, table: Table, records: Iterable[tuple[Any, ...]] | AsyncIterable[tuple[Any, ...]]) -> None:
        await self._connection.execute(table.stage)
        await self._connection.copy_records_to_table(table.staging, records=records, columns=table.columns)

    async def _apply(self, kind: str, statement: str, *arguments: int) -> None:
        count = int((await self._connection.execute(statement, *arguments)).rsplit(" ", 1)[1])
        if count:
            self.rows[kind] += count


@asynccontextmanager
async def revise(connection: Connection, *, author: str, reason: str, file: File | None = None) -> AsyncIterator[Draft]:
    """Opens the next revision; it is committed when the block ends, and discarded if it raises or changed nothing.

    `author` says who writes, `reason` why and `file` from what; they are kept with the revision. Raises LedgerError
    when the rows contradict each other or name something the ledger does not hold.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(SQL["lock"])
        begun = await connection.fetchrow(SQL["begin"])
        assert begun is not None
        draft = Draft(connection, begun["id"])
        yield draft
        if draft.rows:
            await draft.check_references()
            digests = msgspec.json.decode(begun["digests"], type=dict[str, str])
            for kind in TABLES:
                if kind in draft.rows or kind not in digests:
                    digests[kind] = await connection.fetchval(TABLES[kind].digest)
            revision = Revision(
                draft.number,
                begun["committed_at"],
                author,
                reason,
                dict(draft.rows),
                data_version(digests),
                file,
                draft.retracts,
            )
            await connection.execute(
                SQL["add_revision"],
                revision.id,
                revision.committed_at,
                author,
                reason,
                msgspec.json.encode(revision.rows).decode(),
                msgspec.json.encode(digests).decode(),
                revision.data_version,
                file and file.name,
                file and file.sha256,
                draft.retracts,
            )
    except BaseException:
        await transaction.rollback()
        raise
    if not draft.rows:
        await transaction.rollback()
        return
    await transaction.commit()
    draft.revision = revision
