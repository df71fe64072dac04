"""Who may do what in the database: only the owner changes it, a writer adds to it, a reader reads."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest
from asyncpg import Connection, Record

from service.logins import READER, WRITER, LoginError, check_logins, make_logins
from service.migrate import MIGRATIONS, DatabaseError, MigrationError, connected, migrate
from service.settings import Access
from service.store.evidence import TABLES
from tests.logins import PASSWORD, QUOTED, by

pytestmark = pytest.mark.containers

READING = ["select from {table} limit 1"]
ADDING = ["insert into {table} select * from {table} where false"]
CHANGING = [
    "update {table} set {column} = {column} where false",
    "delete from {table} where false",
    "truncate {table}",
    "select from {table} for update",
    "lock table {table} in access exclusive mode",
    "alter table {table} add column own text",
    "alter table {table} disable trigger user",
    "alter table {table} disable row level security",
    "alter table {table} rename to other",
    "alter table {table} owner to current_user",
    "create trigger own before insert on {table} for each row execute function refuse_change()",
    "create rule own as on insert to {table} do instead nothing",
    "create index own on {table} ({column})",
    "comment on table {table} is 'own'",
    "drop table {table} cascade",
]
"""What may be asked of a table; as its owner none of it is a matter of privileges."""

OWNERS_OWN = {"api_key", "api_key_revocation", "schema_migration"}
"""What only the owner adds to: who may come in, and which migrations have been applied."""

BEYOND = [
    "copy (select 1) to program 'true'",
    "copy revision from program 'true'",
    "copy (select 1) to '/tmp/own'",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('/')",
    "select lo_import('/etc/passwd')",
    "select * from pg_authid",
    "set role {owner}",
    "set role {other}",
    "set session authorization {owner}",
    "set session_replication_role = replica",
    "alter role {owner} password 'own'",
    "alter role {other} password 'own'",
    "alter role current_user superuser",
    "alter role current_user createrole",
    "grant {other} to current_user",
    "grant pg_read_server_files to current_user",
    "create role own",
    "alter role current_user createdb",
    "create schema own",
    "create table own (id int)",
    "create function own() returns int language sql as 'select 1'",
    "create function refuse_change(int) returns int language sql as 'select 1'",
    "create or replace function refuse_change() returns trigger language plpgsql as 'begin return null; end'",
    "create or replace function renew_statistics(kind regclass) returns void language sql as 'select'",
    "drop function renew_statistics(regclass)",
    "alter function refuse_change() owner to current_user",
    "create extension {extension}",
    "create event trigger own on ddl_command_start execute function refuse_change()",
    "alter default privileges for role {owner} grant all on tables to public",
    "alter schema public rename to own",
    "drop schema public cascade",
    "select pg_reload_conf()",
    "select pg_terminate_backend({backend})",
]
"""What nobody who serves may do, whatever the table."""


class Ledger(NamedTuple):
    """A migrated database with a login for each role, and the owner's, who is no superuser."""

    access: Access
    by_superuser: Access
    owner: str


@asynccontextmanager
async def database_of(postgres: Any, administrator: Connection[Record], attributes: str = "") -> AsyncIterator[Ledger]:
    """An empty database and its owner, an ordinary login with some attributes."""
    number = next(postgres.numbers)
    owner, name = f"owner_{number}", f"owned_{number}"
    await administrator.execute(f"create role {owner} login password '{PASSWORD}' {attributes}")
    await administrator.execute(f"create database {name} owner {owner}")
    dsn = postgres.database(name)
    logins = [by(dsn, f"{word}_{number}") for word in ("reads", "writes")]
    try:
        yield Ledger(Access(*logins, by(dsn, owner)), Access(*logins, dsn), owner)
    finally:
        await administrator.execute(f"drop database {name} with (force)")
        for role in (f"reads_{number}", f"writes_{number}"):
            await administrator.execute(f"drop role if exists {role}")
        await administrator.execute(f"drop owned by {owner}")
        await administrator.execute(f"drop role {owner}")


@pytest.fixture(scope="module")
async def ledger(postgres: Any, administrator: Connection[Record], migrated: str) -> AsyncIterator[Ledger]:
    """A database migrated by an ordinary login, for whom the roles were there, with logins made for its service."""
    async with database_of(postgres, administrator) as made:
        await migrate(made.access.own)
        await make_logins(made.by_superuser)
        yield made


async def refused(connection: Connection[Record], statement: str) -> bool:
    """Whether a statement is refused for want of a privilege; whatever else comes of it is undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    except asyncpg.PostgresSyntaxError:
        raise
    except asyncpg.PostgresError:
        return False
    finally:
        await transaction.rollback()
    return False


async def tables_of(connection: Connection[Record]) -> dict[str, str]:
    """Every table of the schema, and a column of each."""
    rows = await connection.fetch(
        "select relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid and attnum = 1"
        " where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace = 'public'::regnamespace"
    )
    tables = {row["relname"]: f'"{row["attname"]}"' for row in rows}
    assert TABLES.keys() | OWNERS_OWN | {"revision", "scenario"} <= tables.keys()
    return tables


async def let_through(connection: Connection[Record], statements: list[str]) -> dict[str, set[str]]:
    """Of each table, those of some statements that no privilege is wanting for."""
    return {
        table: {
            each for each in statements if not await refused(connection, each.format(table=f'"{table}"', column=column))
        }
        for table, column in (await tables_of(connection)).items()
    }


async def test_a_reader_may_read_every_table_and_do_nothing_else_to_any(ledger: Ledger) -> None:
    async with connected(ledger.access.read) as reader:
        for table, may in (await let_through(reader, READING + ADDING + CHANGING)).items():
            assert (table, may) == (table, {*READING})


async def test_a_writer_may_add_to_the_ledger_but_neither_change_nor_take_away(ledger: Ledger) -> None:
    """And not let anybody in: keys are the owner's to give."""
    async with connected(ledger.access.write) as writer:
        for table, may in (await let_through(writer, READING + ADDING + CHANGING)).items():
            adding = ADDING if table not in OWNERS_OWN else []
            assert (table, may) == (table, {*READING, *adding})


async def test_for_the_owner_none_of_it_is_a_matter_of_privileges(ledger: Ledger) -> None:
    """So what the others are refused, they are refused for who they are, not for how it was asked."""
    statements = READING + ADDING + CHANGING
    async with connected(ledger.access.own) as owner:
        for table, may in (await let_through(owner, statements)).items():
            assert (table, may) == (table, {*statements})


@pytest.mark.parametrize("role", [READER, WRITER])
async def test_nobody_who_serves_gets_at_the_server_its_files_its_programs_or_another_login(
    ledger: Ledger, role: str
) -> None:
    async with connected(ledger.by_superuser.own) as backend:
        found = {
            "owner": ledger.owner,
            "other": {READER: WRITER, WRITER: READER}[role],
            "backend": backend.get_server_pid(),
            "extension": await backend.fetchval(
                "select format('%I', name) from pg_available_extensions where installed_version is null limit 1"
            ),
        }
        async with connected(ledger.access.read if role == READER else ledger.access.write) as connection:
            for statement in BEYOND:
                assert await refused(connection, statement.format(**found)), statement
            for statement in ("create database own", "alter system set fsync = off"):  # not for transactions
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
            assert await refused(connection, "create temporary table own (id int)") == (role == READER)
            assert await refused(connection, "select renew_statistics('share')") == (role == READER)


@pytest.mark.parametrize("role", [READER, WRITER])
async def test_what_a_role_may_do_it_cannot_pass_on(ledger: Ledger, role: str) -> None:
    """Postgres warns instead of refusing, so it is the privileges that have to be the same afterwards."""
    privileges = "select array_agg(relacl::text order by oid) from pg_class where relnamespace = 'public'::regnamespace"
    async with connected(ledger.access.read if role == READER else ledger.access.write) as connection:
        before = await connection.fetchval(privileges)
        await connection.execute("grant all on all tables in schema public to public")
        assert await connection.fetchval(privileges) == before


async def test_a_writer_renews_statistics_of_the_ledger_and_of_nothing_else(ledger: Ledger) -> None:
    """It runs as the owner, so it must not run whatever a writer has laid out."""
    async with connected(ledger.access.own) as owner, connected(ledger.access.write) as writer:
        await owner.execute("create table if not exists elsewhere (id int)")
        try:
            analyzed = "select count(*) from pg_stats where tablename = 'elsewhere'"
            await owner.execute("insert into elsewhere values (1)")
            await writer.execute("select renew_statistics('elsewhere')")
            assert await owner.fetchval(analyzed) == 0
            await owner.execute("create trigger only_grows before update on elsewhere execute function refuse_change()")
            await writer.execute("select renew_statistics('elsewhere')")
            assert await owner.fetchval(analyzed) == 1
        finally:
            await owner.execute("drop table elsewhere")


async def test_a_table_made_by_a_later_migration_is_covered(ledger: Ledger) -> None:
    """Readers read it, writers add to it, and neither changes it."""
    async with connected(ledger.access.own) as owner:
        await owner.execute("create table later (id int)")
        try:
            for url, may in ((ledger.access.read, {*READING}), (ledger.access.write, {*READING, *ADDING})):
                async with connected(url) as connection:
                    assert (await let_through(connection, READING + ADDING + CHANGING))["later"] == may
        finally:
            await owner.execute("drop table later")


@asynccontextmanager
async def no_roles(administrator: Connection[Record]) -> AsyncIterator[None]:
    """A server that has not seen the roles yet; those made meanwhile are gone afterwards, with their databases."""
    roles = (READER, WRITER)
    for role in roles:
        await administrator.execute(f"alter role {role} rename to hidden_{role}")
    try:
        yield
    finally:
        for role in roles:
            await administrator.execute(f"drop role if exists {role}")
            await administrator.execute(f"alter role hidden_{role} rename to {role}")


async def test_databases_of_a_new_server_may_be_migrated_at_the_same_time(
    postgres: Any, administrator: Connection[Record], migrated: str
) -> None:
    """Each makes the roles, which are the server's, unless the other was quicker."""
    async with (
        no_roles(administrator),
        database_of(postgres, administrator, "createrole") as one,
        database_of(postgres, administrator, "createrole") as other,
    ):
        applied = await asyncio.gather(migrate(one.access.own), migrate(other.access.own))
        assert [len(each) for each in applied] == [len(applied[0])] * 2


async def test_an_owner_who_may_make_roles_makes_the_logins_too(
    postgres: Any, administrator: Connection[Record], migrated: str
) -> None:
    """Once more with other passwords, these are what they have."""
    async with no_roles(administrator), database_of(postgres, administrator, "createrole") as made:
        await migrate(made.access.own)
        for _ in range(2):
            assert len(await make_logins(made.access)) == 2
            assert await check_logins(made.access) == []


async def test_an_owner_who_may_make_no_roles_is_told_in_one_line_what_to_have_run(
    postgres: Any, administrator: Connection[Record], migrated: str
) -> None:
    """With the roles there, the same owner migrates; logins are then made by somebody else."""
    async with database_of(postgres, administrator) as made:
        async with no_roles(administrator):
            with pytest.raises(MigrationError, match=r"^0006_roles\.sql: the login \w+ may not create .+create role"):
                await migrate(made.access.own)
        assert "0006_roles" in [each.name for each in await migrate(made.access.own)]
        with pytest.raises(DatabaseError, match="may not do this: permission denied to create role"):
            await make_logins(made.access)


async def test_logins_are_let_into_their_own_database(
    ledger: Ledger, postgres: Any, administrator: Connection[Record]
) -> None:
    """Where an operator lets in nobody else, which the roles, shared by all ledgers of a server, do not undo."""
    async with database_of(postgres, administrator) as other:
        await migrate(other.access.own)
        await make_logins(other.by_superuser)
        async with connected(other.access.own) as owner:
            await owner.execute(f"revoke connect on database {other.owner.replace('owner', 'owned')} from public")
        assert await check_logins(other.access) == []
        strangers = by(other.access.own, urlsplit(ledger.access.read).username or "")
        with pytest.raises(DatabaseError, match="permission denied for database"):
            async with connected(strangers):
                pass


async def test_a_login_that_may_not_migrate_may_start_where_nothing_is_to_be_applied(
    ledger: Ledger, tmp_path: Path
) -> None:
    """And is told who may where something is."""
    assert await migrate(ledger.access.write) == []
    for path in MIGRATIONS.glob("*.sql"):
        shutil.copy(path, tmp_path)
    newest = max(int(path.name[:4]) for path in tmp_path.iterdir())
    (tmp_path / f"{newest + 1:04}_more.sql").write_text("create table more (id int)")
    with pytest.raises(MigrationError, match=r"permission denied .+; CHOKEPOINT_MIGRATE_URL names the login that may"):
        await migrate(ledger.access.write, tmp_path)


async def test_the_owner_is_not_made_a_login_for_serving(ledger: Ledger) -> None:
    """Its password would be changed, and what it may do would not."""
    for name in ("read", "write"):
        mistaken = msgspec.structs.replace(ledger.by_superuser, **{name: ledger.access.own})
        with pytest.raises(LoginError, match=f"^{ledger.owner} owns the ledger"):
            await make_logins(mistaken)


async def test_logins_that_may_do_more_or_less_than_they_should_are_told_of(ledger: Ledger) -> None:
    """Reading is needed to serve at all; the rest is the operator's choice. No password is shown."""
    own, write, read = ledger.access.own, ledger.access.write, ledger.access.read
    assert await check_logins(ledger.access) == []
    [only_reads] = await check_logins(Access(read, read, own))
    assert "may not add to the ledger" in only_reads
    [all_in_one] = await check_logins(Access(own, own, own))
    assert "may change the ledger" in all_in_one
    [reads_too_much, _] = await check_logins(Access(write, own, own))
    assert "may do more than read" in reads_too_much
    assert QUOTED not in only_reads + all_in_one + reads_too_much


async def test_a_login_that_may_not_read_is_named_with_what_it_may_not_read(ledger: Ledger) -> None:
    async with connected(ledger.access.own) as owner:
        await owner.execute(f"revoke select on share, trade from {READER}")
        try:
            with pytest.raises(
                LoginError, match=r"may not read share, trade; a member of chokepoint_reader may$"
            ) as told:
                await check_logins(ledger.access)
            assert QUOTED not in str(told.value)
        finally:
            await owner.execute(f"grant select on share, trade to {READER}")
