"""Scenarios that are kept: the request alone, with its day and revision fixed, for it replays to the byte."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from schemas.scenario import Scenario
from service.store.queries import load

if TYPE_CHECKING:
    from service.store.ledger import Connection

SQL = load("scenarios")


def text_of(request: Scenario) -> str:
    """A request as it is kept: the same request is always the same text."""
    return msgspec.json.encode(msgspec.structs.replace(request, store=False), order="deterministic").decode()


def name_of(request: Scenario) -> str:
    """The id of a request whose day and revision are fixed: a hash of what it asks."""
    return hashlib.blake2b(text_of(request).encode(), digest_size=12).hexdigest()


async def add(connection: Connection, request: Scenario, known_at: int, as_of: date, author: str) -> str:
    """Keeps a request whose day and revision are fixed and returns its id; `author` is who first asked for that."""
    name = name_of(request)
    await connection.execute(SQL["add"], name, text_of(request), known_at, as_of, author)
    return name


async def find(connection: Connection, name: str) -> Scenario | None:
    """The request kept under an id, None without one."""
    text = await connection.fetchval(SQL["one"], name)
    return None if text is None else msgspec.json.decode(text, type=Scenario)
