"""Connecting to the Postgres a URL names: one server, or a list of them of which one is the primary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

if TYPE_CHECKING:
    from service.store.ledger import Connection

Lost = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.TargetServerAttributeNotMatched, TimeoutError)
"""What a database that is away, or is not what its URL asks for, ends in."""

Refused = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidAuthorizationSpecificationError)
"""What a login ends in that may not connect or not read; others than the operator can do nothing about it."""


async def connect(dsn: str, patience: float, **settings: str) -> Connection:
    """A connection to the first server of `dsn` that answers and is what its `target_session_attrs` asks for.

    Each server has its share of `patience` (seconds): the library has one limit for all of them together, so that one
    which keeps silent would hide those after it. `settings` are the session's. Raises one of Lost.
    """
    *first, last = _attempts(dsn)
    share = patience / (len(first) + 1)
    for server, wanted in first:
        try:
            return await asyncpg.connect(server, timeout=share, target_session_attrs=wanted, server_settings=settings)
        except Lost:
            continue
    server, wanted = last
    return await asyncpg.connect(server, timeout=share, target_session_attrs=wanted, server_settings=settings)


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
