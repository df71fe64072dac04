"""`chokepoint` under logins that may do only what they are for: what its processes can get at, and how it is told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
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


def run(access: Access, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The program, run to its end with the three URLs of a ledger."""
    urls = {
        "CHOKEPOINT_DATABASE_URL": access.write,
        "CHOKEPOINT_READ_URL": access.read,
        "CHOKEPOINT_MIGRATE_URL": access.own,
    }
    env = {**os.environ, **urls, "CHOKEPOINT_SECRET": SECRET, "CHOKEPOINT_PORT": str(free_port()), **env}
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


async def test_what_answers_requests_knows_no_login_but_those_that_read_and_add(lasting_home: Path) -> None:
    """The embedded Postgres is its parent's: workers connect by other logins, and are not told of the owner's."""
    port = free_port()
    env = {**os.environ, "CHOKEPOINT_HOME": str(lasting_home), "CHOKEPOINT_PORT": str(port)}
    with subprocess.Popen([*PROGRAM, "serve"], env=env, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            assert "answers" in service.stdout.readline()
            with shared(lasting_home) as owners:
                connection = await asyncpg.connect(owners)
                sessions = await connection.fetch(
                    "select usename from pg_stat_activity where backend_type = 'client backend' and pid <> $1",
                    connection.get_server_pid(),
                )
                members = await connection.fetchval("select count(*) from pg_auth_members where member > 16383")
                await connection.close()
            assert {session["usename"] for session in sessions} == {READER}
            assert members == 0
            workers = [each for each in psutil.Process(service.pid).children() if each.name() != "postgres"]
            told = [each.environ() for each in workers if "CHOKEPOINT_READ_URL" in each.environ()]
            assert told
            for env in told:
                assert f"//{READER}@" in env["CHOKEPOINT_READ_URL"]
                assert f"//{WRITER}@" in env["CHOKEPOINT_DATABASE_URL"]
                assert not [name for name, value in env.items() if "postgres@" in value or name.endswith("MIGRATE_URL")]
        finally:
            service.terminate()


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
