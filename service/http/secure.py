"""Header fields that keep browsers and caches from making more of an answer than it is.

Strict-Transport-Security is left to whoever ends TLS: the service itself speaks plain HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litestar.types import Message, Scope

_POLICY = b"content-security-policy"

FIELDS = [
    (b"x-content-type-options", b"nosniff"),
    (_POLICY, b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""What every answer has. Data loads nothing, is in no frame, and is not to be had from another site's page."""

NAMES = frozenset(name for name, _ in FIELDS)

_PAGE = (
    _POLICY,
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    b" connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
"""The policy of a page instead: files and answers of this service alone, no script within the page."""

_FIELDS_OF_A_PAGE = [_PAGE if name == _POLICY else (name, value) for name, value in FIELDS]


def add_fields(message: Message, _: Scope) -> None:
    """Adds the fields to what the app sends."""
    if message["type"] != "http.response.start":
        return
    is_page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
    message["headers"] = [*message["headers"], *(_FIELDS_OF_A_PAGE if is_page else FIELDS)]
