"""The shipped evidence: its rows, the World they make, and the publications they come from where those are at hand."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.seeding import read_seeds
from service.world.rows import Row
from service.world.world import World
from tests.evidence import world_of
from tests.shipped import Rows, key_of, plain


class Seeds:
    """The shipped rows, by kind."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def of(self, kind: type[Any]) -> list[Any]:
        return [row for row in self.rows if isinstance(row, kind)]


@pytest.fixture(scope="session")
def seeds() -> Seeds:
    """Every shipped row; reading them refuses any that is not well-formed."""
    return Seeds(list(read_seeds()))


@pytest.fixture(scope="session")
def rows(seeds: Seeds) -> Rows:
    """Every shipped row, by kind and key."""
    found: Rows = defaultdict(dict)
    for row in seeds.rows:
        found[row.kind][key_of(row)] = row
    return found


@pytest.fixture(scope="session")
def shipped(rows: Rows) -> World:
    """The World of the shipped evidence."""
    return world_of(*(kind.values() for kind in rows.values()))


@pytest.fixture(scope="session")
def published(publications: Path) -> Callable[..., list[dict[str, str]]]:
    """Reads a published table by its path."""

    def read(name: str, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
        with (publications / name).open(encoding=encoding, newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="session")
def texts(publications: Path) -> dict[str, str]:
    """Official texts by their address."""
    found = {}
    for path in (publications / "agreements" / "texts").glob("*.md"):
        _, head, body = path.read_text(encoding="utf-8").split("---", 2)
        address = re.search(r"^source_url: (\S+)", head, re.MULTILINE)
        assert address is not None
        found[address.group(1)] = plain(body)
    return found
