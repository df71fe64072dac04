"""Writing the ledger: one transaction, one revision, all or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import msgspec

from service.settings import OperatorError
from service.store.connecting import Lost
from service.store.evidence import LINE, TABLES, Table
from service.store.queries import load
from service.world.rows import KINDS, Row

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

SQL = load("ledger")
MOST_PLACES = 1000
"""Places that a Contradiction names."""

MANY = 10_000
"""Rows of a kind from which on its statistics are renewed at once, for what is still to be asked of it."""

PATIENCE_WITH_ROLLBACK = 5.0
"""Seconds to wait for the server to discard what was not to be, which it does anyhow once the connection ends."""

WHOLES = {"share": "country", "sourcing": "country", "control": "controller"}
"""Kinds whose shares are parts of a whole, and the column of the key that tells the parts apart."""

FULLEST = 1.05
"""What the shares of one whole may add up to: printed shares are rounded, the worst published set adds up to 1.021."""

_REFERS = {kind.kind: kind.refers for kind in KINDS}
_LISTED = {kind.kind: {f.name for f in msgspec.structs.fields(kind) if "tuple" in str(f.type)} for kind in KINDS}


class LedgerError(OperatorError):
    """What was to be written contradicts itself or the ledger; nothing was written."""


class Place(NamedTuple):
    """The key of a row that was to be written, and the lines it was read from, if it was read from a file."""

    key: dict[str, Any]
    lines: list[int]


class Contradiction(LedgerError):
    """Rows that cannot stand, by themselves or with each other: `rule` says why, `places` where, up to MOST_PLACES."""

    def __init__(self, rule: str, records: Sequence[asyncpg.Record]) -> None:
        self.rule = rule
        self.places = [
            Place(
                {column: value for column, value in record.items() if column != "lines"},
                [line for line in record["lines"] if line is not None],
            )
            for record in records
        ]
        super().__init__(f"{rule} {self.places[0].key if self.places else ''}")


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
    """A revision being written.

    `revision` is set when the transaction has succeeded, and None if nothing changed. `number` is the revision's number
    from the first write on, 0 before: until then other writers are not held up.
    """

    def __init__(self, connection: Connection) -> None:
        self.revision: Revision | None = None
        self.number = 0
        self.rows: dict[str, int] = defaultdict(int)
        self.retracts: int | None = None
        self._connection = connection
        self._staged: set[str] = set()
        self._withdrew = False

    async def observe(self, rows: Iterable[Row]) -> None:
        """Adds rows of any kinds; those equal to what stands add nothing. Raises LedgerError."""
        for kind, records in _by_kind(rows).items():
            await self.stage(kind, records)
        await self.observe_staged()

    async def stage(
        self, kind: str, records: Iterable[tuple[Any, ...]] | AsyncIterable[tuple[Any, ...]], *, lined: bool = False
    ) -> None:
        """Copies rows of one kind next to the ledger for `observe_staged`, beside those that are there already.

        Records are tuples in the order of the kind's columns; with `lined` the number of the line each was read from
        comes last.
        """
        table = TABLES[kind]
        if kind not in self._staged:
            await self._connection.execute(table.stage)
            self._staged.add(kind)
        columns = (*table.columns, LINE) if lined else table.columns
        await self._connection.copy_records_to_table(table.staging, records=records, columns=columns)

    async def refuse_overfull(self) -> None:
        """Raises Contradiction where the staged shares of one whole add up to clearly more than it."""
        for kind in self._staged & WHOLES.keys():
            found = await self._connection.fetch(TABLES[kind].overfull(WHOLES[kind]), FULLEST, MOST_PLACES)
            if found:
                raise Contradiction(f"shares of one whole that add up to more than {FULLEST:.0%}", found)

    async def observe_staged(self) -> None:
        """Adds the staged rows; those equal to what stands add nothing. Raises LedgerError."""
        await self._begin()
        for kind in (name for name in TABLES if name in self._staged):
            await self._observe(TABLES[kind])
            await self._connection.execute(TABLES[kind].unstage)
            if self.rows.get(kind, 0) >= MANY:
                await self._connection.execute(SQL["renew_statistics"], TABLES[kind].quoted)
        self._staged.clear()

    async def retract(self, rows: Iterable[Row]) -> None:
        """Withdraws the standing rows that have the keys of the given ones."""
        await self._begin()
        for kind, records in _by_kind(rows).items():
            await self.stage(kind, records)
            await self._apply(kind, TABLES[kind].retract, self.number)
            await self._connection.execute(TABLES[kind].unstage)
            self._staged.discard(kind)
            self._withdrew = True

    async def retract_revision(self, number: int) -> None:
        """Undoes what revision `number` wrote, wherever nothing newer has replaced it."""
        await self._begin()
        for kind, table in TABLES.items():
            await self._apply(kind, table.retract_revision, self.number, number)
        self.retracts = number
        self._withdrew = True

    async def replaced(self) -> dict[str, int]:
        """How many of the rows written, by kind, took the place of rows that stood."""
        return {kind: await self._connection.fetchval(TABLES[kind].replaced, self.number) for kind in self.rows}

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

    async def complete(self, author: str, reason: str, file: File | None) -> Revision | None:
        """Writes the revision's own row, last, when its digests are known. None if no row was written."""
        if not self.rows:
            return None
        await self.check_references()
        digests = msgspec.json.decode(self._begun["digests"], type=dict[str, str])
        for kind in TABLES:
            if kind in self.rows or kind not in digests:
                digests[kind] = await self._connection.fetchval(TABLES[kind].digest)
        revision = Revision(
            self.number,
            self._begun["committed_at"],
            author,
            reason,
            dict(self.rows),
            data_version(digests),
            file,
            self.retracts,
        )
        await self._connection.execute(
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
            self.retracts,
        )
        return revision

    async def _begin(self) -> None:
        """Queues behind other writers, and takes the next number when it is this one's turn."""
        if self.number:
            return
        await self._connection.execute(SQL["lock"])
        begun = await self._connection.fetchrow(SQL["begin"])
        assert begun is not None
        self._begun, self.number = begun, begun["id"]

    async def _observe(self, table: Table) -> None:
        try:
            async with self._connection.transaction():
                await self._apply(table.name, table.observe, self.number)
        except asyncpg.UniqueViolationError:
            found = await self._connection.fetch(table.repeated, MOST_PLACES)
            raise Contradiction(f"two different rows of {table.name} for the same key", found) from None
        except asyncpg.CheckViolationError as error:
            condition = await self._connection.fetchval(SQL["condition"], error.constraint_name, table.quoted)
            found = await self._connection.fetch(table.breaking(condition), MOST_PLACES)
            raise Contradiction(f"a row of {table.name} that breaks the rule {error.constraint_name}", found) from None

    async def _apply(self, kind: str, statement: str, *arguments: int) -> None:
        count = int((await self._connection.execute(statement, *arguments)).rsplit(" ", 1)[1])
        if count:
            self.rows[kind] += count


def _by_kind(rows: Iterable[Row]) -> dict[str, list[tuple[Any, ...]]]:
    by_kind: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(msgspec.structs.astuple(row))
    return by_kind


@asynccontextmanager
async def revise(
    connection: Connection, *, author: str, reason: str, file: File | None = None, dry: bool = False
) -> AsyncIterator[Draft]:
    """Opens the next revision; it is committed when the block ends, and discarded if it raises or changed nothing.

    `author` says who writes, `reason` why and `file` from what; they are kept with the revision. A `dry` one is
    discarded in any case, and what it would have been is told all the same. Raises LedgerError when the rows contradict
    each other or name something the ledger does not hold.
    """
    transaction = connection.transaction(isolation="read_committed")  # sees what others wrote while it queued
    await transaction.start()
    try:
        draft = Draft(connection)
        yield draft
        revision = await draft.complete(author, reason, file)
    except BaseException:
        with contextlib.suppress(*Lost):  # a connection that is lost takes its transaction with it
            async with asyncio.timeout(PATIENCE_WITH_ROLLBACK):
                await transaction.rollback()
        raise
    if revision is None or dry:
        await transaction.rollback()
    else:
        await transaction.commit()
    draft.revision = revision
