"""Errors: RFC 9457 problem details."""

from __future__ import annotations

from msgspec import Struct


class Fault(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong with a request, and where."""

    detail: str
    parameter: str | None = None
    """The query, path or header parameter at fault."""
    pointer: str | None = None
    """A JSON pointer to the part of the body at fault."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error, as `application/problem+json` (RFC 9457)."""

    type: str
    """A stable identifier of the kind of error, relative to the service's address."""
    title: str
    """The kind of error in words; the same for every occurrence."""
    status: int
    detail: str
    """What went wrong this time."""
    errors: list[Fault] = []
