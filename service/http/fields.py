"""The header fields of a request, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Message, Scope

    Finish = Callable[[Message, Scope], None]
    """Adds to a message what every answer has, before it is sent."""

Fields = Sequence[tuple[bytes, bytes]]
"""Header fields as ASGI has them: names in lower case."""


def by_name(scope: HTTPScope) -> dict[bytes, bytes]:
    """The request's header fields; one that stands on several lines is one list (RFC 9110 §5.3)."""
    lines = scope["headers"]
    found = dict(lines)
    if len(found) == len(lines):  # type: ignore[arg-type]  # a list, as servers give it
        return found
    found = {}
    for name, value in lines:
        found[name] = found[name] + b", " + value if name in found else value
    return found
