"""`chokepoint` under logins that may do only what they are for: what its processes can get at, and how it is told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from asyncpg import Connection, Record

from service.embedded import shared
from service.logins import READER, WRITER
from service.settings import Access
from tests.logins import QUOTED, by, restricted

PROGRAM = [sys.executable, "-m", "service"]
SECRET = "thirty-two characters or some more"  # noqa: S105


def urls(access: Access) -> dict[str, str]:
    """The settings that name the logins of a ledger."""
    return {
        "CHOKEPOINT_DATABASE_URL": access.write,
        "CHOKEPOINT_READ_URL": access.read,
        "CHOKEPOINT_MIGRATE_URL": access.own,
    }


def run(access: Access, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The program, run to its end with the logins of a ledger."""
    env = {**os.environ, "CHOKEPOINT_SECRET": SECRET, "CHOKEPOINT_PORT": str(free_port()), **urls(access), **env}
    return subprocess.run([*PROGRAM, *arguments], env=env, capture_output=True, text=True, check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
async def ledger(postgres: Any, administrator: Connection[Record], migrated: str) -> AsyncIterator[Access]:
    """An empty ledger with logins of its own."""
    number = next(postgres.numbers)
    await administrator.execute(f"create database roles_{number} template {migrated}")
    async with restricted(administrator, postgres.database(f"roles_{number}"), number) as access:
        try:
            yield access
        finally:
            await administrator.execute(f"drop database roles_{number} with (force)")


@contextmanager
def serving(env: dict[str, str]) -> Iterator[list[dict[str, str]]]:
    """A service that answers, with the settings `env`; the value is the environment of each of its workers."""
    env = {**os.environ, "CHOKEPOINT_PORT": str(free_port()), **env}
    with subprocess.Popen([*PROGRAM, "serve"], env=env, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            assert "answers" in service.stdout.readline()
            children = [each for each in psutil.Process(service.pid).children() if each.name() != "postgres"]
            told = [each.environ() for each in children]
            yield [each for each in told if "PROMETHEUS_MULTIPROC_DIR" in each]
        finally:
            service.terminate()


async def logins_of_sessions(owners: str) -> set[str]:
    """Who is connected to a database beside its owner who asks."""
    connection = await asyncpg.connect(owners)
    sessions = await connection.fetch(
        "select usename from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    )
    await connection.close()
    return {session["usename"] for session in sessions}


async def test_workers_get_at_the_embedded_ledger_as_one_who_reads_or_adds(lasting_home: Path) -> None:
    """It is their parent's: they are connected by other logins, and are not told of the owner's."""
    with serving({"CHOKEPOINT_HOME": str(lasting_home)}) as workers, shared(lasting_home) as owners:
        assert await logins_of_sessions(owners) == {READER}
        assert workers
        for env in workers:
            assert f"//{READER}@" in env["CHOKEPOINT_READ_URL"]
            assert f"//{WRITER}@" in env["CHOKEPOINT_DATABASE_URL"]
            assert not [name for name, value in env.items() if "postgres@" in value]


async def test_workers_are_not_told_who_may_migrate(ledger: Access) -> None:
    """Where the service migrates by a login of its owner's, that stays with the process that starts them."""
    with serving(urls(ledger)) as workers:
        assert {name.split("_")[0] for name in await logins_of_sessions(ledger.own)} == {"reads"}
        assert workers
        for env in workers:
            assert env["CHOKEPOINT_READ_URL"] == ledger.read
            assert ledger.own not in env.values()


async def test_commands_work_with_a_login_for_each_thing_they_do(ledger: Access) -> None:
    """Writing by the writer, reading by the reader, keys by the owner; each refusal below is of one who may not."""
    for command in (
        ["migrate"],
        ["seed"],
        ["score", "cobalt", "--buyer", "USA"],
        ["key", "create", "x", "--scope", "read"],
    ):
        done = run(ledger, *command)
        assert (command, done.returncode) == (command, 0), done.stderr


@pytest.mark.parametrize(
    ("command", "mistaken"),
    [
        (["seed"], {"CHOKEPOINT_DATABASE_URL": "read"}),
        (["key", "create", "x", "--scope", "read"], {"CHOKEPOINT_MIGRATE_URL": "write"}),
        (["migrate", "--logins"], {"CHOKEPOINT_MIGRATE_URL": "write"}),
        (["serve"], {"CHOKEPOINT_READ_URL": "stranger"}),
        (["serve"], {"CHOKEPOINT_READ_URL": "nobody"}),
    ],
)
async def test_a_login_that_may_not_is_told_of_in_one_line_without_its_password(
    ledger: Access, administrator: Connection[Record], command: list[str], mistaken: dict[str, str]
) -> None:
    """With exit code 2, as for every mistake of the operator's."""
    [(variable, who)] = mistaken.items()
    url = by(ledger.own, who) if who in ("stranger", "nobody") else getattr(ledger, who)
    await administrator.execute("create role stranger login")
    try:
        done = run(ledger, *command, **{variable: url})
    finally:
        await administrator.execute("drop role stranger")
    assert done.returncode == 2
    assert done.stderr.startswith("chokepoint: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert QUOTED not in done.stderr
