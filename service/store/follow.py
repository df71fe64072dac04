"""Following what grows in the database: one connection that listens, a look on every sign and every few seconds.

A standby refuses LISTEN, so there it is looked at often instead, until it is promoted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from service.store.connecting import Lost, Refused, connect, replays

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from service.store.ledger import Connection

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between looks without a sign: bounds the delay when a notification is lost."""
LOOK_AT_STANDBY_EVERY = 0.1
"""Seconds between looks at a standby: what following it adds, at most, to the delay of its replay."""
RETRY_FIRST, RETRY_MOST = 0.1, 2.0
"""Seconds before the first and between later attempts to connect again."""
PATIENCE = 5.0
"""Seconds a connection, or a look, may take before it counts as dead."""


@contextlib.asynccontextmanager
async def following(
    dsn: str,
    channel: str,
    look: Callable[[Connection], Awaitable[None]],
    connected: Callable[[bool], None],
) -> AsyncIterator[None]:
    """Follows as `follow` does while the block runs."""
    task = asyncio.create_task(follow(dsn, channel, look, connected))
    try:
        yield
    finally:
        while not task.done():  # a library below may swallow a cancellation that comes at a bad moment
            task.cancel()
            await asyncio.wait([task], timeout=0.1)


async def follow(
    dsn: str,
    channel: str,
    look: Callable[[Connection], Awaitable[None]],
    connected: Callable[[bool], None],
) -> None:
    """Calls `look` on every notification in the channel, for ever; `connected` hears when the database comes and goes.

    A lost connection is taken up again by itself; whatever was committed meanwhile is found by the first look.
    """
    delay = RETRY_FIRST
    while True:
        try:
            async with _connection(dsn) as connection:
                delay = RETRY_FIRST
                await _watch(connection, channel, look, connected)
        except Refused as error:
            connected(False)
            log.error("the database refuses: %s", error)
        except Lost as error:
            connected(False)
            log.warning("the database is away: %s", type(error).__name__)
        except Exception:  # whatever a look met, the service goes on with what it has, and looks again
            connected(False)
            log.exception("what is new in the database cannot be taken up")
        await asyncio.sleep(delay)
        delay = min(delay * 2, RETRY_MOST)


async def _watch(
    connection: Connection,
    channel: str,
    look: Callable[[Connection], Awaitable[None]],
    connected: Callable[[bool], None],
) -> None:
    sign = asyncio.Event()
    connection.add_termination_listener(lambda _: sign.set())
    listening = False
    while True:
        if not listening and not replays(connection):
            async with asyncio.timeout(PATIENCE):
                await connection.add_listener(channel, lambda *_: sign.set())
            listening = True
        sign.clear()
        await look(connection)
        connected(True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY if listening else LOOK_AT_STANDBY_EVERY):
                await sign.wait()


@contextlib.asynccontextmanager
async def _connection(dsn: str):  # type: ignore[no-untyped-def]
    connection = await connect(dsn, PATIENCE, application_name="chokepoint-follow")
    try:
        yield connection
    finally:
        connection.terminate()
