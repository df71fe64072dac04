"""Whatever writes is killed at a random moment: it is wholly there or wholly absent, and the same again succeeds.

CHOKEPOINT_FAULT_ROUNDS is how often each kind of write is killed, alone and together with its Postgres. Imports by the
command line have test_import_kill.py besides. Effects and dry runs write nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import psutil
import pytest

from service.embedded import embedded
from service.migrate import MIGRATIONS, migrate
from service.store import keys
from service.store.ledger import revise
from tests.evidence import source
from tests.faults.checked import ROUNDS, Answer, Connection, Server, serving
from tests.faults.killing import fill, kill_all, served, settled, state, write
from tests.faults.test_workers import workers

KEY = "aaaaaaaa"
PATIENCE = 60.0
"""Seconds in which a program has to end, a server to come back and a write to be taken again."""


class Postgres:
    """A server of these tests' own, that can be killed and comes back by itself."""

    def __init__(self, home: Path, dsn: str) -> None:
        self._home = home
        self._dsn = dsn
        self._names = (f"killed_{number}" for number in range(10**6))

    def process(self) -> psutil.Process:
        return psutil.Process(int((self._home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0]))

    async def database(self, template: str = "template1") -> str:
        """The URL of a new database, a copy of one that nobody is connected to."""
        name = next(self._names)
        connection = await self._connected()
        await connection.execute(f"create database {name} template {template}")
        await connection.close()
        return self._dsn.replace("/postgres?", f"/{name}?")

    async def await_writer(self, dsn: str) -> None:
        """Returns when somebody is at a database, or was and has come to its end."""
        connection = await self._connected()
        at_it = "select count(*) from pg_stat_activity where datname = $1 and application_name <> 'chokepoint-follow'"
        deadline = time.monotonic() + PATIENCE
        while not await connection.fetchval(at_it, name_of(dsn)) and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        await connection.close()

    async def _connected(self) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return await asyncpg.connect(self._dsn)
            except (OSError, asyncpg.PostgresError):  # killed, and not back yet
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)

    async def back(self) -> None:
        """Returns when the server answers."""
        await (await self._connected()).close()


def name_of(dsn: str) -> str:
    return dsn.rpartition("/")[2] if "?" not in dsn else dsn.split("?")[0].rpartition("/")[2]


@pytest.fixture(scope="module")
def own(lasting_home: Path) -> Iterator[Postgres]:
    with embedded(lasting_home) as dsn:
        yield Postgres(lasting_home, dsn)


SCHEMA = """
select md5(coalesce(string_agg(line, ';' order by line), '')) from (
    select format('%s.%s %s', table_name, column_name, data_type) as line
      from information_schema.columns where table_schema = 'public' and table_name <> 'schema_migration'
    union all select format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
      where connamespace = 'public'::regnamespace and conrelid::regclass::text <> 'schema_migration'
    union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'schema_migration'
    union all select proname from pg_proc where pronamespace = 'public'::regnamespace
) described"""


async def fetched(dsn: str, statement: str) -> Any:
    """The first value a statement finds, once nobody else is at the database."""
    await settled(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def schema(dsn: str) -> tuple[int, str]:
    """How many migrations a database has recorded, and a hash of the schema it has."""
    recorded = await fetched(dsn, "select to_regclass('schema_migration') is not null")
    count = await fetched(dsn, "select count(*) from schema_migration") if recorded else 0
    return count, await fetched(dsn, SCHEMA)


async def keys_made(dsn: str) -> Any:
    """How many keys a database has."""
    return await fetched(dsn, "select count(*) from api_key")


async def keys_revoked(dsn: str) -> Any:
    """How many keys of a database have been taken back."""
    return await fetched(dsn, "select count(*) from api_key_revocation")


async def with_evidence(dsn: str) -> None:
    """A ledger of two revisions, the second of which can be retracted, and a key that can be revoked."""
    await migrate(dsn)
    await fill(dsn)
    connection = await asyncpg.connect(dsn)
    async with revise(connection, author="test", reason="a mistake") as draft:
        await draft.observe(source(f"source-{number}") for number in range(5000))
    await connection.execute(keys.SQL["add"], KEY, "a key", "write", bytes(32), None)
    await connection.close()


async def nothing(_: str) -> None:
    """A database without a schema."""


async def empty(dsn: str) -> None:
    """A schema with nothing in it."""
    await migrate(dsn)


class Kind(NamedTuple):
    """One kind of write: its command, what has to be there before, and how a database tells how far it has come.

    `once` is whether the command leaves alone what it has done before.
    """

    name: str
    command: tuple[str, ...]
    before: Callable[[str], Awaitable[None]]
    look: Callable[[str], Awaitable[Any]]
    once: bool = True


KINDS = [
    Kind("seed", ("seed",), empty, state),
    Kind("migrate", ("migrate",), nothing, schema),
    Kind("retract", ("retract", "2", "--reason", "a mistake"), with_evidence, state),
    Kind("key create", ("key", "create", "me", "--scope", "write"), empty, keys_made, once=False),
    Kind("key revoke", ("key", "revoke", KEY), with_evidence, keys_revoked),
]


def begun(kind: Kind, dsn: str) -> subprocess.Popen[str]:
    """The program, beginning a kind of write."""
    settings = {"CHOKEPOINT_SECRET": "a secret of these tests, long enough", "CHOKEPOINT_DATABASE_URL": dsn}
    return subprocess.Popen(
        [sys.executable, "-m", "service", *kind.command],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


async def done(kind: Kind, dsn: str, own: Postgres) -> float:
    """Runs a write to its end; the seconds it takes from when it is at the database."""
    with begun(kind, dsn) as program:
        await own.await_writer(dsn)
        since = time.monotonic()
        assert program.wait(PATIENCE) == 0
        return time.monotonic() - since


async def steps(kind: Kind, dsn: str, folder: Path) -> list[Any]:
    """What is found before a write and after each part of it that may stand alone; only migrations have several."""
    found = [await kind.look(dsn)]
    for file in sorted(MIGRATIONS.glob("*.sql")) if kind.look is schema else ():
        shutil.copy(file, folder)
        await migrate(dsn, folder)
        found.append(await kind.look(dsn))
    return found


@pytest.mark.parametrize("with_postgres", [False, True], ids=["alone", "with its Postgres"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_killed_write_is_wholly_there_or_wholly_absent(
    kind: Kind, with_postgres: bool, own: Postgres, tmp_path: Path
) -> None:
    """What it said it had done is there, the same again succeeds, and a service that starts then serves it."""
    template = await own.database()
    await kind.before(template)
    copy = name_of(template)
    whole = await own.database(copy)
    seconds = await done(kind, whole, own)
    after = await kind.look(whole)
    allowed = await steps(kind, await own.database(copy), tmp_path)
    allowed = [*[each for each in allowed if each != after], after]
    chance, found = random.Random(f"{kind.name} {with_postgres}"), []  # noqa: S311
    for _ in range(ROUNDS):
        dsn = await own.database(copy)
        with begun(kind, dsn) as program:
            await own.await_writer(dsn)
            await asyncio.sleep(chance.uniform(0, seconds * 1.2))
            if with_postgres:
                kill_all(own.process())
            program.kill()
            assert program.stdout is not None
            said = program.stdout.read()
        await own.back()
        now = await kind.look(dsn)
        assert now in allowed, f"{now} is none of {allowed}"
        assert now == after or program.returncode != 0
        assert now == after or kind.look is not keys_made or not said, "a key was told that is not there"
        found.append(allowed.index(now))
        await done(kind, dsn, own)
        assert await kind.look(dsn) == (after if kind.once else after + now)
        if kind.look is state:
            assert await served(dsn) == after.revision
    print(
        f"{ROUNDS} killed in the middle of {kind.name}: steps there {found} of {len(allowed) - 1}, in {seconds:.1f} s"
    )


class Posted(NamedTuple):
    """A write over HTTP, and the statement that finds whether it is there."""

    path: str
    body: bytes
    media_type: str
    there: str


def edition(number: int, folder: Path) -> Posted:
    """An import of 7,680 rows."""
    path = folder / f"{number}.csv"
    write(path, number)
    query = f"/v1/imports?format=form:share&reason=edition-{number}"
    return Posted(
        query, path.read_bytes(), "text/csv", f"select count(*) from revision where reason = 'edition-{number}'"
    )


def scenario(number: int, _: Path) -> Posted:
    """A scenario that is kept."""
    changes = [{"change": "lose_supplier", "country": "CHN", "minerals": ["cobalt"], "stage": "extraction"}]
    asked = {
        "changes": changes,
        "buyers": ["USA"],
        "as_of": f"2026-02-{1 + number % 28:02}",
        "known_at": 1,
        "store": True,
    }
    there = f"select count(*) from scenario where as_of = '{asked['as_of']}'"
    return Posted("/v1/scenarios", json.dumps(asked).encode(), "application/json", there)


def retraction(number: int, _: Path) -> Posted:
    """A retraction of a revision."""
    body = json.dumps({"reason": "a mistake"}).encode()
    there = f"select count(*) from revision where retracts = {number}"
    return Posted(f"/v1/revisions/{number}/retraction", body, "application/json", there)


def ask(server: Server, posted: Posted) -> Answer | None:
    """The answer to a write, None where the connection broke."""
    headers = {"Authorization": f"Bearer {server.key}", "Content_Type": posted.media_type}
    with contextlib.closing(Connection(server)) as connection:
        try:
            return connection.ask(posted.path, "POST", posted.body, **headers)
        except (OSError, http.client.HTTPException):
            return None


async def until_answered(server: Server, posted: Posted) -> None:
    """Makes a write again until there is a worker that answers it, which has to be that it is there."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask(server, posted)) or answer.status == 503:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert answer.status in (200, 201), answer.body


def killed(server: Server, posted: Posted, after: float) -> Answer | None:
    """What a write is answered whose worker is killed so many seconds after it was begun."""
    answers: list[Answer | None] = []
    client = threading.Thread(target=lambda: answers.append(ask(server, posted)))
    client.start()
    time.sleep(after)
    for worker in workers(server):
        worker.kill()
    client.join()
    return answers[0]


@pytest.mark.parametrize("kind", [edition, scenario, retraction], ids=lambda kind: kind.__name__)
async def test_a_write_whose_worker_is_killed_is_wholly_there_or_wholly_absent(
    kind: Callable[[int, Path], Posted], own: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was answered is there; the same again is answered by the next worker and is there once."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    dsn = await own.database()
    await with_evidence(dsn)
    chance, there, acknowledged = random.Random(kind.__name__), 0, 0  # noqa: S311
    with serving(dsn, workers=1) as server:
        since = time.monotonic()
        assert (first := ask(server, kind(2, tmp_path)))
        assert first.status == 201, first.body
        seconds = time.monotonic() - since
        for number in range(3, 3 + ROUNDS):
            posted = kind(number, tmp_path)
            answer = killed(server, posted, chance.uniform(0, seconds * 1.2))
            count = await fetched(dsn, posted.there)
            await state(dsn)
            assert count == 1 if answer else count in (0, 1)
            there, acknowledged = there + count, acknowledged + (answer is not None)
            await until_answered(server, posted)
            assert await fetched(dsn, posted.there) == 1
        await state(dsn)
        [folder] = tmp_path.glob("chokepoint-run-*")
        assert {each.name for each in folder.iterdir() if each.is_dir()} == {str(each.pid) for each in workers(server)}
    print(f"{ROUNDS} workers killed at {kind.__name__}: {there} there, {acknowledged} of them acknowledged")
