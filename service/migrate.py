"""Brings a database to the schema in `migrations/`: plain SQL files, numbered without gaps, applied in order.

Each file is one transaction together with the row that records it, so it counts wholly or not at all, and none is ever
undone. Programs that start at the same time take turns at an advisory lock on a connection of its own. A file that was
applied is settled: its checksum is kept, and a database whose files were edited or are missing is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import asyncpg
from asyncpg import Connection, Record
from msgspec import Struct

from service.settings import OperatorError, redacted
from service.store.connecting import connect

MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations"
OLDEST_POSTGRES: Final = 15
CONNECT_TIMEOUT: Final = 10.0
"""Seconds a server gets to accept a connection."""

TURN_KEY: Final = 0x43484F4B45
"""The advisory lock held while migrating ("CHOKE"): everybody who migrates a Chokepoint database takes it."""

WHO_MAY: Final = "CHOKEPOINT_MIGRATE_URL names the login that may change the schema"

LEDGER: Final = """
create table if not exists schema_migration (
    name       text        primary key,
    checksum   text        not null,
    applied_at timestamptz not null default now()
)"""


class DatabaseError(OperatorError):
    """A database that cannot be reached or cannot be used."""


class Away(DatabaseError):
    """A database that does not answer, or none among those listed that is what is asked for."""


class MigrationError(OperatorError):
    """A migration that must not or cannot be applied."""


class Limits(Struct, frozen=True):
    """How long a migration may wait and run, as Postgres writes durations; beyond that it fails and changes nothing."""

    turn: str = "5min"
    """For the others that are migrating the same database."""

    lock: str = "10s"
    """For one lock on a table."""

    statement: str = "5min"
    """For one statement."""


class Migration(Struct, frozen=True):
    """One file: its name without `.sql`, its text, and the SHA-256 of the text with line ends as LF."""

    name: str
    sql: str
    checksum: str


class Applied(Struct, frozen=True):
    """One migration as a database has recorded it."""

    name: str
    checksum: str
    applied_at: datetime


class Standing(Struct, frozen=True):
    """Where one migration stands: `edited` and `missing` were applied, but the file is another one now or is gone."""

    name: str
    state: Literal["applied", "pending", "edited", "missing"]
    applied_at: datetime | None = None


async def migrate(dsn: str, folder: Path = MIGRATIONS, limits: Limits | None = None) -> list[Applied]:
    """Apply the files of `folder` that the database at `dsn` has not seen; the value is what this call applied.

    Where nothing is to be applied, the login at `dsn` need not be one that may change the schema. Raises MigrationError
    naming the file where one is edited, missing, out of order or fails, and DatabaseError.
    """
    limits = limits or Limits()
    migrations = read_folder(folder)
    async with connected(dsn) as connection:
        if not _pending(_compare(migrations, await _recorded(connection))):
            return []
        async with connected(dsn) as turn:
            await _wait_for_turn(turn, limits)
            return await _catch_up(connection, migrations, limits)


async def _catch_up(connection: Connection[Record], migrations: list[Migration], limits: Limits) -> list[Applied]:
    try:
        await connection.execute(LEDGER)
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(f"the schema is not up to date: {error}; {WHO_MAY}") from error
    pending = _pending(_compare(migrations, await _recorded(connection)))
    return [await _apply(connection, migration, limits) for migration in migrations if migration.name in pending]


async def status(dsn: str, folder: Path = MIGRATIONS) -> list[Standing]:
    """Where every migration stands in the database at `dsn`, in order; changes nothing."""
    migrations = read_folder(folder)
    async with connected(dsn) as connection:
        return _compare(migrations, await _recorded(connection))


def read_folder(folder: Path) -> list[Migration]:
    """The migrations in `folder`, in order. Raises MigrationError where a number is missing or a file is unreadable."""
    migrations = [_read_file(path) for path in sorted(folder.glob("*.sql"))]
    if not migrations:
        raise MigrationError(f"there are no migrations in {folder}")
    for number, migration in enumerate(migrations, start=1):
        if not re.fullmatch(rf"{number:04}_[a-z0-9_]+", migration.name):
            raise MigrationError(
                f"{migration.name}.sql stands where {number:04}_name.sql is expected: "
                "migrations are numbered from 0001 without gaps"
            )
    return migrations


def _read_file(path: Path) -> Migration:
    try:
        sql = path.read_text(encoding="utf-8")  # reads CRLF as LF: a checkout that turned line ends is the same file
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{path.name} cannot be read: {error}") from error
    return Migration(path.stem, sql, hashlib.sha256(sql.encode()).hexdigest())


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Connection[Record]]:
    """A connection to the database at `dsn`. Raises DatabaseError, which never shows a password."""
    try:
        connection = await connect(dsn, CONNECT_TIMEOUT)
    except TimeoutError:
        raise Away(f"{redacted(dsn)} does not answer within {CONNECT_TIMEOUT:g} seconds") from None
    except (OSError, asyncpg.TargetServerAttributeNotMatched, asyncpg.CannotConnectNowError) as error:
        raise Away(f"cannot connect to {redacted(dsn)}: {error}") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseError(f"cannot connect to {redacted(dsn)}: {error}") from error
    except ValueError:  # its text may quote any part of the URL
        raise DatabaseError(f"{redacted(dsn)} is not a connection URL Postgres understands") from None
    try:
        major = connection.get_server_version().major
        if major < OLDEST_POSTGRES:
            raise DatabaseError(f"{redacted(dsn)} is Postgres {major}; {OLDEST_POSTGRES} or newer is needed")
        yield connection
    except asyncpg.InsufficientPrivilegeError as error:
        told = f"the login of {redacted(dsn)} may not do this: {error}; docs/database.md says whose may"
        raise DatabaseError(told) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseError(f"{redacted(dsn)} refuses: {error}") from error
    finally:
        await connection.close()


async def _wait_for_turn(connection: Connection[Record], limits: Limits) -> None:
    await connection.execute(f"set lock_timeout = '{limits.turn}'")
    try:
        await connection.execute(f"select pg_advisory_lock({TURN_KEY})")
    except asyncpg.LockNotAvailableError:
        raise MigrationError(f"another migration of this database is still running after {limits.turn}") from None


async def _recorded(connection: Connection[Record]) -> dict[str, Applied]:
    if not await connection.fetchval("select to_regclass('schema_migration') is not null"):
        return {}
    rows = await connection.fetch("select name, checksum, applied_at from schema_migration")
    return {row["name"]: Applied(**row) for row in rows}


def _compare(migrations: list[Migration], applied: Mapping[str, Applied]) -> list[Standing]:
    checksums = {migration.name: migration.checksum for migration in migrations}
    standings = []
    for name in sorted(checksums.keys() | applied.keys()):
        if name not in applied:
            standings.append(Standing(name, "pending"))
        elif name not in checksums:
            standings.append(Standing(name, "missing", applied[name].applied_at))
        else:
            same = applied[name].checksum == checksums[name]
            standings.append(Standing(name, "applied" if same else "edited", applied[name].applied_at))
    return standings


def _pending(standings: list[Standing]) -> set[str]:
    """The names still to be applied, where nothing speaks against applying them."""
    pending: set[str] = set()
    for standing in standings:
        match standing.state:
            case "edited":
                raise MigrationError(f"{standing.name}.sql was edited after it was applied; a change is a new file")
            case "missing":
                raise MigrationError(f"{standing.name}.sql was applied to this database, but the file is not here")
            case "applied" if pending:
                raise MigrationError(f"{standing.name}.sql was applied, but {min(pending)}.sql before it was not")
            case "pending":
                pending.add(standing.name)
    return pending


async def _apply(connection: Connection[Record], migration: Migration, limits: Limits) -> Applied:
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = '{limits.lock}'")
        await connection.execute(f"set local statement_timeout = '{limits.statement}'")
        transaction = await connection.fetchval("select pg_current_xact_id()::text")
        try:
            await connection.execute(migration.sql)
        except asyncpg.PostgresError as error:
            raise MigrationError(_failure(migration, error)) from error
        if transaction != await connection.fetchval("select pg_current_xact_id()::text"):
            raise MigrationError(f"{migration.name}.sql ends the transaction it is run in; leave begin and commit out")
        row = await connection.fetchrow(
            "insert into schema_migration (name, checksum) values ($1, $2) returning name, checksum, applied_at",
            migration.name,
            migration.checksum,
        )
        assert row is not None
        return Applied(**row)


def _failure(migration: Migration, error: asyncpg.PostgresError) -> str:
    """What went wrong and where: Postgres tells the place in the file when it is the text it objects to."""
    place = f"{migration.name}.sql"
    if position := error.as_dict().get("position"):
        before = migration.sql[: int(position) - 1]
        place += f", line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
    refused = isinstance(error, asyncpg.InsufficientPrivilegeError)
    more = (error.detail, error.hint or (WHO_MAY if refused else None), error.context)
    return "; ".join([f"{place}: {error.args[0]}", *(text for text in more if text)])
