"""No key, password or secret is ever told: not in answers, headers or metrics, not in what the program prints."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record

from service.discretion import DiscreetFormatter, discreet
from service.settings import Secret
from service.store import keys

PASSWORD = f"pw-{secrets.token_hex(16)}"
SECRET = f"secret-{secrets.token_hex(24)}"
PATIENCE = 30
"""Seconds the program may take for what is waited for."""


class Watched:
    """A running program, all it has said so far, and what it must never say."""

    def __init__(self, address: str, output: Path, dsn: str, issued: dict[str, str]) -> None:
        self.client = httpx.Client(base_url=address, trust_env=False, timeout=PATIENCE)
        self.issued = issued
        self.dsn = dsn
        self._output = output
        self._heard: list[str] = []

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Asks, and keeps all of the answer."""
        answer = self.client.request(method, path, **more)
        self._heard.append(f"{answer.status_code} {answer.headers.raw} {answer.text}")
        return answer

    def said(self) -> str:
        """All that was answered and printed."""
        return "\n".join([*self._heard, self._output.read_text()])

    def until(self, status: int, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer once it has that status."""
        deadline = time.monotonic() + PATIENCE
        while (answer := self.ask(method, path, **more)).status_code != status:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.1)
        return answer


@contextmanager
def program(dsn: str, output: Path) -> Iterator[str]:
    """The program on a database, printing into a file all there is to print."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "CHOKEPOINT_DATABASE_URL": dsn,
        "CHOKEPOINT_SECRET": SECRET,
        "CHOKEPOINT_PORT": str(port),
        "CHOKEPOINT_READS": "keyed",
        "CHOKEPOINT_LOG_LEVEL": "debug",
    }
    with output.open("w") as file:
        command = [sys.executable, "-m", "service", "serve"]
        with subprocess.Popen(command, env=os.environ | settings, stdout=file, stderr=subprocess.STDOUT) as server:
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                server.terminate()


@pytest.fixture
async def watched(
    postgres: Any, administrator: Connection[Record], seeded: str, tmp_path: Path
) -> AsyncIterator[Watched]:
    """The program on shipped evidence of the test's own, whose account has a password."""
    name = f"watched_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {seeded}")
    await administrator.execute(f"create role {name} login superuser password '{PASSWORD}'")
    plain = postgres.database(name)
    parts = urlsplit(plain)
    place = parts.netloc.rpartition("@")[2]
    dsn = parts._replace(netloc=f"{name}:{PASSWORD}@{place}").geturl()
    connection = await asyncpg.connect(plain)
    issued = {}
    for scope in keys.SCOPES:
        _, issued[scope] = await keys.create(connection, Secret(SECRET.encode()), f"a {scope}er", scope)
    key, issued["revoked"] = await keys.create(connection, Secret(SECRET.encode()), "gone", "admin")
    await keys.revoke(connection, key.id, "left the team")
    # a kept scenario that cannot be read: whoever asks for it meets an error of the service
    spoiled = f'{{"changes": "{dsn}", "buyers": ["{issued["write"]}"]}}'
    await connection.execute(
        "insert into scenario (id, request, known_at, as_of, author) values ($1, $2, 1, '2026-02-05', 'test')",
        "0" * 24,
        spoiled,
    )
    await connection.close()
    with program(dsn, tmp_path / "output") as address:
        found = Watched(address, tmp_path / "output", plain, issued)
        deadline = time.monotonic() + PATIENCE
        while "answers at" not in found.said():
            assert time.monotonic() < deadline, found.said()
            time.sleep(0.1)
        yield found
        found.client.close()
    await administrator.execute(f"drop database {name} with (force)")
    await administrator.execute(f"drop role {name}")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_nothing_secret_is_told_whatever_fails(watched: Watched, administrator: Connection[Record]) -> None:
    """Keys that work, are revoked, mistyped or in the wrong place; errors of the service; the database taken away."""
    score, issued = "/v1/minerals/cobalt/score?buyer=USA", watched.issued
    watched.until(200, "GET", score, headers=bearer(issued["read"]))
    mistyped = issued["write"][:-1] + ("1" if issued["write"][-1] != "1" else "2")
    for key in (issued["revoked"], mistyped, issued["read"].upper(), SECRET, PASSWORD):
        assert watched.ask("GET", score, headers=bearer(key)).status_code == 401
    for path in (
        f"{score}&api_key={issued['read']}",
        f"{score}&{issued['read']}=1",
        f"{score}&as_of={issued['read']}",
        f"/v1/minerals/{issued['read']}",
        f"/{issued['read']}",
    ):
        assert watched.ask("GET", path, headers=bearer(issued["read"])).status_code in (400, 404)
    writing = bearer(issued["write"])
    key = issued["write"]
    for body in ({"changes": [], "buyers": [key]}, {"changes": [], "buyers": ["USA"], "attribution": key}):
        assert watched.ask("POST", "/v1/scenarios", json=body, headers=writing).status_code == 400
    assert watched.ask("POST", "/v1/scenarios", content=key, headers=writing).status_code == 415
    csv = writing | {"Content-Type": "text/csv"}
    for wanted in ("form:share", "usgs-mcs", "baci"):
        told = watched.ask("POST", f"/v1/imports?format={wanted}", content=f"a,b\n{key},2\n".encode(), headers=csv)
        assert told.status_code in (400, 422)
    assert watched.ask("POST", "/v1/imports?format=form:share", headers=bearer(issued["read"])).status_code == 403
    failed = watched.ask("GET", f"/v1/scenarios/{'0' * 24}", headers=bearer(issued["read"]))
    assert (failed.status_code, failed.json()["type"]) == (500, "/problems/internal-error")
    name = urlsplit(watched.dsn).path[1:]
    await administrator.execute(f"alter role {name} nologin")
    await administrator.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
    deadline = time.monotonic() + PATIENCE
    while watched.ask("GET", "/health/ready").json()["status"] != "degraded":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert watched.ask("GET", score, headers=bearer(issued["read"])).status_code == 200
    away = watched.ask("POST", "/v1/imports?format=form:share", content=b"a,b\n1,2\n", headers=csv)
    assert away.status_code == 503
    time.sleep(0.5)  # for what is counted and printed a moment later
    assert 'status="500"' in watched.ask("GET", "/metrics").text
    said = watched.said()
    assert "unhandled error" in said  # so it was looked for where there is something to find
    hashed = {f"digest of {who}": keys.digest(Secret(SECRET.encode()), key).hex() for who, key in issued.items()}
    hidden = {"password": PASSWORD, "secret": SECRET, "mistyped": mistyped, **issued, **hashed}
    for what, text in hidden.items():
        assert text not in said, what
        assert hashlib.blake2b(text.encode(), digest_size=16).hexdigest() not in said, what
    assert not any(key.split("_")[2][:16] in said for key in issued.values())


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["key", "list"], ["score", "cobalt", "--buyer", "USA"]])
def test_a_command_that_cannot_reach_its_database_does_not_tell_how_it_tried(command: list[str]) -> None:
    url = f"postgresql://somebody:{PASSWORD}@127.0.0.1:1/none"
    env = os.environ | {"CHOKEPOINT_DATABASE_URL": url, "CHOKEPOINT_SECRET": SECRET, "CHOKEPOINT_LOG_LEVEL": "debug"}
    done = subprocess.run([sys.executable, "-m", "service", *command], env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key cpk_abcdefgh_" + "a" * 40 + " presented", "key cpk_abcdefgh_*** presented"),
        ("postgresql://me:s3cret@host/db", "postgresql://me:***@host/db"),
        ("no connection to postgres://me:a:b%40@h:5/db?x=1", "no connection to postgres://me:***@h:5/db?x=1"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("see http://127.0.0.1:8000/docs", "see http://127.0.0.1:8000/docs"),
    ],
)
def test_a_message_keeps_its_sense_without_what_is_secret(text: str, told: str) -> None:
    """Also within a traceback."""
    assert discreet(text) == told
    try:
        raise RuntimeError(text)
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    assert DiscreetFormatter().format(record).endswith(f"RuntimeError: {told}")
