"""What every answer shares: where it was read from, pages, and the smaller types."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta, Struct

from schemas.text import PARTIAL_DATE

Stage = Literal["extraction", "processing"]
Band = Literal["low", "moderate", "high", "severe", "extreme"]
Tie = Literal["home", "single_market", "binding", "binding_signed", "programme", "memorandum", "forum", "none"]
Fraction = Annotated[float, Meta(ge=0, le=1)]
PartialDate = Annotated[
    str,
    Meta(
        pattern=PARTIAL_DATE,
        description="A date as precisely as its source gives it: `2026-02-04`, `2025-02` or `2009`.",
        examples=["2026-02-04"],
    ),
]


class Answer(Struct, frozen=True, kw_only=True):
    """An answer and the ledger it was read from: the same three values give the same answer for ever."""

    as_of: date
    """The day the answer speaks of."""
    known_at: int
    """The ledger revision it was read at."""
    data_version: str
    """A hash of the ledger's content at that revision; databases with the same evidence agree on it."""


T = TypeVar("T")


class Page(Answer, Generic[T], frozen=True, kw_only=True):
    """One page of a list."""

    total: int
    """How many items the whole list has."""
    items: list[T]
    next: str | None
    """Give it back as `cursor` for the next page; null on the last one."""


class SourceRef(Struct, frozen=True, kw_only=True):
    """Where something was read."""

    source: str
    """The source's id, see `/v1/sources`."""
    locator: str
    """Where in the source: a table, a line, a page or an address."""
    note: str


class Health(Struct, frozen=True, kw_only=True):
    """Whether the service answers, and from which revision."""

    status: Literal["live", "ready", "degraded"]
    """`degraded`: reads are answered from memory while the database is away; writes are refused."""
    known_at: int
    database: Literal["up", "down"]
    detail: str = ""
