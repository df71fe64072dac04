"""The mapping file: what the names mean that a file prints and the ledger lacks."""

from __future__ import annotations

import csv
from pathlib import Path

COLUMNS = ["printed", "meant"]


def corrections(path: Path) -> dict[str, str]:
    """Printed names and the country codes or mineral ids they mean. Raises ValueError for another file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, strict=True)
        try:
            if rows.fieldnames != COLUMNS:
                raise ValueError(f"expected the columns {','.join(COLUMNS)}")
            return {row["printed"]: (row["meant"] or "").strip() for row in rows}
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"expected CSV text in UTF-8: {error}") from error
