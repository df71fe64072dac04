"""Named SQL statements from the .sql file beside a module: `-- name: x`, a line of description, the statement."""

from __future__ import annotations

import re
from importlib import resources


def load(name: str) -> dict[str, str]:
    """The statements of `name`.sql by their names."""
    text = (resources.files("service.store") / f"{name}.sql").read_text(encoding="utf-8")
    _, *parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], (part.strip().rstrip(";") for part in parts[1::2]), strict=True))
