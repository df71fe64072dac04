"""How tests speak of shipped rows and of the texts they quote."""

from __future__ import annotations

import re

from service.world.rows import Row

Rows = dict[str, dict[str, Row]]


def key_of(row: Row) -> str:
    """A row's key as a claim writes it: its parts joined by `/`, `-` for one it does not have."""
    parts = (getattr(row, name) for name in row.key)
    return "/".join("-" if part in (None, "") else str(part) for part in parts)


def plain(text: str) -> str:
    """A text without marks of emphasis and with single blanks."""
    return re.sub(r"\s+", " ", re.sub(r"[*\\]", "", text)).strip()
