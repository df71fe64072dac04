"""Evidence: what the ledger knows at a revision, as a World is built from it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from service.world.rows import KINDS, Row, Share

if TYPE_CHECKING:
    from datetime import datetime

    from service.world.packed import PackedSets

R = TypeVar("R", bound=Row)

LISTED: tuple[type[Row], ...] = tuple(kind for kind in KINDS if kind is not Share)
"""The kinds that are kept row by row; shares are too many for that."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The rows that stand at a revision: the shares packed, the others by kind, each kind in key order.

    A kind whose rows are those of an older Evidence is the same object in both.
    """

    revision: int
    committed_at: datetime
    data_version: str
    rows: Mapping[str, Sequence[Row]]
    shares: PackedSets

    def of(self, kind: type[R]) -> Sequence[R]:
        """The rows of one kind other than shares."""
        return cast("Sequence[R]", self.rows.get(kind.kind, ()))

    def same(self, kind: type[Row], other: Evidence) -> bool:
        """Whether a kind was taken over from another Evidence as it was."""
        return self.shares is other.shares if kind is Share else self.of(kind) is other.of(kind)


@cache
def key_order(kind: type[Row]) -> Callable[[Row], Any]:
    """What the rows of a kind are sorted by: its key, code point by code point, what is missing last.

    The same in every database, each of which sorts by its own locale. Rows of equal value have the same key.
    """
    key = kind.key
    if not {field.name for field in msgspec.structs.fields(kind) if field.default is None}.intersection(key):
        return attrgetter(*key)
    return lambda row: tuple((value is None, value) for value in (getattr(row, name) for name in key))


def in_order(kind: type[R], rows: Iterable[R]) -> list[R]:
    """Rows of a kind in key order."""
    return sorted(rows, key=key_order(kind))


def merged(kind: type[R], rows: Sequence[R], written: Iterable[tuple[R, bool]]) -> list[R]:
    """Rows with others written since: each replaces the one it has the key of, or where it says True withdraws it."""
    key = key_order(kind)
    found: list[R] = []
    start = 0
    for row, withdrawn in sorted(written, key=lambda each: key(each[0])):
        place = bisect_left(rows, key(row), lo=start, key=key)
        found += rows[start:place]
        found += [] if withdrawn else [row]
        start = place + (place < len(rows) and key(rows[place]) == key(row))
    return found + list(rows[start:])
