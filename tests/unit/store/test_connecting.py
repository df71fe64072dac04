"""Connecting where a URL lists several servers: to the one that is asked for, whatever state the others are in."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from service.migrate import DatabaseError, connected
from service.store.connecting import Lost, connect, replays

PATIENCE = 4.0
Listed = Callable[..., str]


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
async def listed(dsn: str) -> AsyncIterator[Listed]:
    """Makes URLs of the test's database that list servers, `…` standing for the real one."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    account, _, place = parts.netloc.rpartition("@")
    host, _, port = place.rpartition(":")

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "host" in query:  # the embedded server has no port of its own
            answers, asks = await asyncio.open_unix_connection(f"{query['host']}/.s.PGSQL.{query['port']}")
        else:
            answers, asks = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pass_on(reader, asks), _pass_on(answers, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    real = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def among(*servers: str, wanted: str = "read-write") -> str:
        places = ",".join(real if server == "…" else server for server in servers)
        return f"postgresql://{account}@{places}{parts.path}?target_session_attrs={wanted}&sslmode=disable"

    yield among
    server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.mark.parametrize("wanted", ["any", "read-write", "primary", "prefer-standby"])
async def test_the_server_that_answers_is_found_behind_those_that_do_not(
    listed: Listed, silent: str, closed: str, wanted: str
) -> None:
    """One that refuses and one that keeps silent, before it and behind it."""
    begun = time.monotonic()
    for order in ((closed, silent, "…"), ("…", silent), (silent, "…", closed)):
        connection = await connect(listed(*order, wanted=wanted), PATIENCE)
        assert await connection.fetchval("select true")
        assert not replays(connection)
        await connection.close()
    assert time.monotonic() - begun < 3 * PATIENCE


async def test_no_longer_is_waited_than_was_said(silent: str) -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        await connect(f"postgresql://me@{silent},{silent},{silent}/risk", 0.6)
    assert 0.5 < time.monotonic() - begun < 10


@pytest.mark.parametrize("wanted", ["standby", "read-only"])
async def test_a_server_that_is_not_what_is_asked_for_is_not_taken(listed: Listed, wanted: str) -> None:
    """Which ends as a database that is away does, and for an operator in one line."""
    url = listed("…", "…", wanted=wanted)
    with pytest.raises(Lost):
        await connect(url, PATIENCE)
    with pytest.raises(DatabaseError, match="cannot connect"):
        async with connected(url):
            raise AssertionError


async def test_what_a_session_is_given_reaches_the_server(listed: Listed) -> None:
    connection: Any = await connect(listed("…", "…"), PATIENCE, application_name="a-test")
    assert await connection.fetchval("show application_name") == "a-test"
    await connection.close()
