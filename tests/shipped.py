"""How tests speak of shipped rows and of the texts they quote."""

from __future__ import annotations

import re
from pathlib import Path

from service.intake import forms
from service.intake.problems import Problem
from service.intake.tables import decode
from service.world.rows import Row

ROOT = Path(__file__).resolve().parent.parent

Rows = dict[str, dict[str, Row]]


def seeds(kind: type[forms.R]) -> list[forms.R]:
    """The rows of a seed file."""
    with (ROOT / "seeds" / f"{kind.kind}.csv").open("rb") as file:
        items = list(forms.read(kind, decode(file, "utf-8")))
    assert not [item for item in items if isinstance(item, Problem)]
    return [item for item in items if isinstance(item, kind)]


def key_of(row: Row) -> str:
    """A row's key as a claim writes it: its parts joined by `/`, `-` for one it does not have."""
    parts = (getattr(row, name) for name in row.key)
    return "/".join("-" if part in (None, "") else str(part) for part in parts)


def plain(text: str) -> str:
    """A text without marks of emphasis and with single blanks."""
    return re.sub(r"\s+", " ", re.sub(r"[*\\]", "", text)).strip()
