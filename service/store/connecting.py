"""Connecting to the Postgres a URL names: one server, or a list of them of which one is the primary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

if TYPE_CHECKING:
    from service.store.ledger import Connection

LONGEST_STATEMENT = 30.0
"""Seconds a statement may take before its connection counts as dead: what bounds a server that went without a word."""

SESSION = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "10s",
}
"""What every session asks of the server. One whose client went without a word ends within half a minute, or a minute
where something between them keeps the connection up, and with it the turn of a writer; and nobody waits long for a lock
of somebody else's."""

Lost = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the library's state where a server ends the session between two statements
    asyncpg.TargetServerAttributeNotMatched,
    TimeoutError,
)
"""What a database that is away, or is not what its URL asks for, ends in."""

Refused = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidAuthorizationSpecificationError)
"""What a login ends in that may not connect or not read; others than the operator can do nothing about it."""


async def connect(dsn: str, patience: float, statement: float = LONGEST_STATEMENT, **settings: str) -> Connection:
    """A connection to the first server of `dsn` that answers and is what its `target_session_attrs` asks for.

    Each server has its share of `patience` (seconds): the library has one limit for all of them together, so that one
    which keeps silent would hide those after it. `statement` bounds each statement (seconds), `settings` are the
    session's beside SESSION. Raises one of Lost.
    """

    async def attempt(server: str, wanted: Any) -> Connection:
        return await asyncpg.connect(
            server,
            timeout=share,
            command_timeout=statement,
            target_session_attrs=wanted,
            server_settings=SESSION | settings,
        )

    *first, last = _attempts(dsn)
    share = patience / (len(first) + 1)
    for server in first:
        try:
            return await attempt(*server)
        except Lost:
            continue
    return await attempt(*last)


def _attempts(dsn: str) -> list[tuple[str, Any]]:
    """The servers of a URL one by one, each as a URL of its own, and what is asked of it if that is not the URL's."""
    parts = urlsplit(dsn)
    account, at, listed = parts.netloc.rpartition("@")
    if "," not in listed:
        return [(dsn, None)]
    servers = [parts._replace(netloc=f"{account}{at}{server}").geturl() for server in listed.split(",")]
    if parse_qs(parts.query).get("target_session_attrs") == ["prefer-standby"]:
        return [(server, wanted) for wanted in ("standby", "any") for server in servers]
    return [(server, None) for server in servers]


def replays(connection: Connection) -> bool:
    """Whether the server is a standby, which replays what a primary writes until it is promoted itself.

    Nothing is asked: a server tells of its promotion by itself, together with its next answer.
    """
    return bool(connection.get_settings().in_hot_standby == "on")
