"""API keys: named and scoped, shown once, kept as keyed hashes; one that is taken back stays on record.

A key reads `cpk_ID_SECRET`: the id names it in lists and logs, the secret is 160 random bits followed by the CRC-32 of
all that stands before it. So a scanner of source code can tell a real key, and a mistyped one is refused unhashed.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, get_args

import asyncpg
from msgspec import Struct

from service.store.follow import PATIENCE
from service.store.queries import load

if TYPE_CHECKING:
    from service.settings import Secret
    from service.store.ledger import Connection

SQL = load("keys")
CHANNEL: Final = "chokepoint_key"

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a key may do: each scope includes those before it."""

SHAPE: Final = re.compile(r"cpk_(?P<id>[a-z2-7]{8})_[a-z2-7]{32}(?P<check>[0-9a-f]{8})", re.ASCII)


class Key(Struct, frozen=True):
    """A key as the ledger keeps it. It works from its creation until it expires or is revoked."""

    id: str
    name: str
    scope: Scope
    digest: bytes
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def digest(secret: Secret, presented: str) -> bytes:
    """The keyed hash a key is kept as."""
    return hmac.digest(secret.value, presented.encode(), "sha256")


def key_id(presented: str) -> str | None:
    """The id in a presented key; None for what cannot be a key."""
    found = SHAPE.fullmatch(presented)
    return found["id"] if found and found["check"] == _check(presented[: -len(found["check"])]) else None


def _check(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def _random(octets: int) -> str:
    return base64.b32encode(secrets.token_bytes(octets)).decode().lower()


async def create(
    connection: Connection, secret: Secret, name: str, scope: Scope, expires_at: datetime | None = None
) -> tuple[Key, str]:
    """Makes a key. The text beside it is the key itself, which nobody can find out again."""
    given_id = _random(5)
    body = f"cpk_{given_id}_{_random(20)}"
    presented = body + _check(body)
    row = await connection.fetchrow(SQL["add"], given_id, name, scope, digest(secret, presented), expires_at)
    assert row is not None
    return Key(**row), presented


async def all_keys(connection: Connection) -> list[Key]:
    """Every key there ever was, oldest first."""
    return [Key(**row) for row in await connection.fetch(SQL["all"])]


async def state(connection: Connection) -> tuple[int, int]:
    """A value that changes with every change of the keys."""
    row = await connection.fetchrow(SQL["state"], timeout=PATIENCE)
    assert row is not None
    return row["keys"], row["revocations"]


async def revoke(connection: Connection, name: str, reason: str) -> bool:
    """Takes back the key of that id; False if it was before. Raises LookupError where there is no such key."""
    try:
        return await connection.execute(SQL["revoke"], name, reason) == "INSERT 0 1"
    except asyncpg.ForeignKeyViolationError:
        raise LookupError(f"no key has the id {name!r}") from None
