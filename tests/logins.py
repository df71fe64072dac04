"""Logins of the tests' own on a server of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit

from asyncpg import Connection, Record

from service.logins import make_logins
from service.settings import Access

PASSWORD = "only:for/these@tests?"  # noqa: S105 - of logins that are gone with the tests
QUOTED = quote(PASSWORD, safe="")


def by(dsn: str, name: str) -> str:
    """The URL of a database for one of these logins."""
    parts = urlsplit(dsn)
    return parts._replace(netloc=f"{name}:{QUOTED}@{parts.netloc.rpartition('@')[2]}").geturl()


@asynccontextmanager
async def restricted(administrator: Connection[Record], dsn: str, number: int) -> AsyncIterator[Access]:
    """A migrated database with a login that only reads and one that only adds, there as long as the block."""
    names = (f"reads_{number}", f"writes_{number}")
    access = Access(*(by(dsn, name) for name in names), own=dsn)
    try:
        await make_logins(access)
        yield access
    finally:
        for name in names:
            await administrator.execute(f"drop role {name}")
