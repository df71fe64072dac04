"""Migrations: each file once, wholly or not at all, and never another file than before."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from service.migrate import (
    MIGRATIONS,
    DatabaseError,
    Limits,
    MigrationError,
    connected,
    migrate,
    read_folder,
    status,
)

FIRST = "create table mineral (id text primary key);"
SECOND = "insert into mineral values ('cobalt'), ('gallium');"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into a folder of migrations, given as name=text, and returns the folder."""

    def write(**files: str) -> Path:
        for name, sql in files.items():
            (tmp_path / f"{name.removeprefix('m')}.sql").write_text(sql)
        return tmp_path

    return write


async def minerals(dsn: str) -> list[str] | None:
    """The minerals in the database; None where there is no such table."""
    async with connected(dsn) as connection:
        if await connection.fetchval("select to_regclass('mineral')") is None:
            return None
        return [row["id"] for row in await connection.fetch("select id from mineral order by id")]


@pytest.mark.containers
async def test_the_shipped_migrations_apply_to_an_empty_database_and_then_there_is_nothing_to_do(
    empty_dsn: str,
) -> None:
    names = [migration.name for migration in read_folder(MIGRATIONS)]
    assert [applied.name for applied in await migrate(empty_dsn)] == names
    assert await migrate(empty_dsn) == []
    assert [(each.name, each.state) for each in await status(empty_dsn)] == [(name, "applied") for name in names]


@pytest.mark.containers
async def test_files_are_applied_in_order_and_a_new_one_alone_later(empty_dsn: str, write: Write) -> None:
    folder = write(m0001_minerals=FIRST)
    assert [applied.name for applied in await migrate(empty_dsn, folder)] == ["0001_minerals"]
    write(m0002_two_of_them=SECOND)
    assert [applied.name for applied in await migrate(empty_dsn, folder)] == ["0002_two_of_them"]
    assert await minerals(empty_dsn) == ["cobalt", "gallium"]


async def test_the_status_of_an_untouched_database_is_all_pending_and_leaves_it_untouched(
    empty_dsn: str, write: Write
) -> None:
    folder = write(m0001_minerals=FIRST)
    assert [(each.name, each.state) for each in await status(empty_dsn, folder)] == [("0001_minerals", "pending")]
    async with connected(empty_dsn) as connection:
        assert await connection.fetchval("select to_regclass('schema_migration')") is None


@pytest.mark.containers
async def test_four_that_start_together_apply_each_file_once(empty_dsn: str, write: Write) -> None:
    folder = write(m0001_minerals=FIRST + "select pg_sleep(0.1);", m0002_two_of_them=SECOND)
    shares = await asyncio.gather(*(migrate(empty_dsn, folder) for _ in range(4)))
    assert sorted(applied.name for share in shares for applied in share) == ["0001_minerals", "0002_two_of_them"]


async def test_one_that_waits_too_long_for_its_turn_says_so(empty_dsn: str, write: Write) -> None:
    slow = asyncio.create_task(migrate(empty_dsn, write(m0001_minerals=FIRST + "select pg_sleep(0.5);")))
    await asyncio.sleep(0.2)
    with pytest.raises(MigrationError, match="another migration of this database is still running after 50ms"):
        await migrate(empty_dsn, write(), Limits(turn="50ms"))
    await slow


async def test_an_edited_applied_file_is_refused_by_name(empty_dsn: str, write: Write) -> None:
    folder = write(m0001_minerals=FIRST, m0002_two_of_them=SECOND)
    await migrate(empty_dsn, folder)
    write(m0001_minerals=FIRST + "-- a harmless remark")
    with pytest.raises(MigrationError, match=r"^0001_minerals\.sql was edited after it was applied"):
        await migrate(empty_dsn, folder)
    assert [each.state for each in await status(empty_dsn, folder)] == ["edited", "applied"]


async def test_line_ends_are_not_part_of_what_a_file_says(empty_dsn: str, write: Write) -> None:
    folder = write(m0001_minerals="select 1;\nselect 2;\n")
    await migrate(empty_dsn, folder)
    (folder / "0001_minerals.sql").write_bytes(b"select 1;\r\nselect 2;\r\n")
    assert await migrate(empty_dsn, folder) == []


async def test_an_applied_file_that_is_gone_is_refused_by_name(empty_dsn: str, write: Write) -> None:
    folder = write(m0001_minerals=FIRST, m0002_two_of_them=SECOND)
    await migrate(empty_dsn, folder)
    (folder / "0002_two_of_them.sql").unlink()
    with pytest.raises(
        MigrationError, match=r"^0002_two_of_them\.sql was applied to this database, but the file is not"
    ):
        await migrate(empty_dsn, folder)
    assert [each.state for each in await status(empty_dsn, folder)] == ["applied", "missing"]


@pytest.mark.parametrize(
    "names", [["m0002_late"], ["m0001_a", "m0003_c"], ["m0001_a", "m0001_b"], ["m1_a"], ["mx"], []]
)
def test_a_folder_numbered_otherwise_than_from_0001_without_gaps_is_refused(names: list[str], write: Write) -> None:
    with pytest.raises(MigrationError):
        read_folder(write(**dict.fromkeys(names, "select 1")))


async def test_a_file_slipped_in_before_an_applied_one_is_refused(empty_dsn: str, write: Write) -> None:
    folder = write(m0001_minerals=FIRST, m0002_two_of_them=SECOND)
    await migrate(empty_dsn, folder)
    async with connected(empty_dsn) as connection:
        await connection.execute("delete from schema_migration where name like '0001%'")
    with pytest.raises(
        MigrationError, match=r"^0002_two_of_them\.sql was applied, but 0001_minerals\.sql before it was"
    ):
        await migrate(empty_dsn, folder)


@pytest.mark.containers
async def test_a_failing_file_leaves_nothing_and_what_came_before_it_stays(empty_dsn: str, write: Write) -> None:
    folder = write(
        m0001_minerals=FIRST, m0002_fails=SECOND + "create table extra ();\n\n  insert into nowhere values (1);"
    )
    with pytest.raises(MigrationError, match=r'^0002_fails\.sql, line 3, column 15: relation "nowhere" does not exist'):
        await migrate(empty_dsn, folder)
    assert await minerals(empty_dsn) == []
    assert [each.state for each in await status(empty_dsn, folder)] == ["applied", "pending"]


async def test_an_error_without_a_place_in_the_file_gives_what_postgres_tells(empty_dsn: str, write: Write) -> None:
    folder = write(m0001_fails=FIRST + SECOND + SECOND)
    with pytest.raises(
        MigrationError, match=r"^0001_fails\.sql: duplicate key .*; Key \(id\)=\(cobalt\) already exists"
    ):
        await migrate(empty_dsn, folder)
    assert await minerals(empty_dsn) is None


async def test_a_file_that_ends_its_transaction_is_refused(empty_dsn: str, write: Write) -> None:
    with pytest.raises(MigrationError, match=r"^0001_minerals\.sql ends the transaction it is run in"):
        await migrate(empty_dsn, write(m0001_minerals=f"{FIRST} commit; begin; {SECOND}"))
    assert [each.state for each in await status(empty_dsn, write())] == ["pending"]


@pytest.mark.parametrize("limits", [Limits(statement="50ms"), Limits(lock="50ms")])
async def test_a_file_that_takes_too_long_fails(empty_dsn: str, write: Write, limits: Limits) -> None:
    folder = write(m0001_minerals=FIRST)
    await migrate(empty_dsn, folder)
    write(m0002_blocked="lock table mineral; select pg_sleep(1);")
    async with connected(empty_dsn) as other, other.transaction():
        if limits.lock == "50ms":
            await other.execute("lock table mineral")
        with pytest.raises(
            MigrationError, match=r"^0002_blocked\.sql: canceling statement due to (lock|statement) timeout"
        ):
            await migrate(empty_dsn, folder, limits)


async def test_a_database_that_cannot_be_had_is_named_without_its_password() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
    for url in (
        f"postgresql://me:secret@127.0.0.1:{port}/risk",
        "postgresql://me:secret@no-such-host.invalid/risk",
        "postgresql://me:secret@127.0.0.1/risk?port=secret",
    ):
        with pytest.raises(DatabaseError, match=r"postgresql://me:\*\*\*@") as refused:
            await status(url)
        assert "secret@" not in str(refused.value)
        assert "'secret'" not in str(refused.value)


async def test_what_the_server_refuses_is_passed_on(empty_dsn: str) -> None:
    with pytest.raises(DatabaseError, match='database "nowhere" does not exist'):
        await status(empty_dsn.replace("/test_", "/nowhere?application_name=test_").replace("?host", "&host"))
