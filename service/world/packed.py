"""Share sets as the ledger hands them over: many, seldom looked into, so their lines stay packed until somebody asks.

A million shares take about 150 MB this way and a gigabyte as a Struct each. Older evidence and newer share every set
that stands in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from sys import intern
from typing import Any

import msgspec

from service.world.rows import Share, Stage

Place = tuple[str, Stage]
"""A mineral and a stage."""

SET = ("source", "mineral", "stage", "period_start", "period_end")
"""What the shares of one set have in common."""

LINE = tuple(name for name in Share.__struct_fields__ if name not in SET)
"""What each line of a set says, in this order."""

_NUMBERS = ("share", "quantity", "total")
_COUNTRY, _SHARE = LINE.index("country"), LINE.index("share")
_LINES: Any = list[tuple[tuple(float | None if name in _NUMBERS else str for name in LINE)]]  # type: ignore[misc]
_GLANCED = {"country": str, "share": float | None}
_GLANCE: Any = list[tuple[tuple(_GLANCED.get(name, msgspec.Raw) for name in LINE)]]  # type: ignore[misc]
_glance = msgspec.json.Decoder(_GLANCE)
_unpack = msgspec.json.Decoder(_LINES)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """One source's shares of one mineral at one stage in one period: `lines` is a JSON array with an array per row."""

    source: str
    mineral: str
    stage: Stage
    period: tuple[int, int] | None
    count: int
    lines: bytes

    @property
    def rows(self) -> list[Share]:
        """The shares, made anew each time."""
        start, end = self.period or (None, None)
        return [
            Share(
                source=self.source,
                mineral=self.mineral,
                stage=self.stage,
                period_start=start,
                period_end=end,
                **dict(zip(LINE, line, strict=True)),
            )
            for line in _unpack.decode(self.lines)
        ]

    @property
    def shares(self) -> dict[str, float | None]:
        """The share of each country, made anew each time, for a fraction of what the rows take to make."""
        return {line[_COUNTRY]: line[_SHARE] for line in _glance.decode(self.lines)}

    @property
    def order(self) -> tuple[str, bool, tuple[int, int] | None]:
        """By source and period, those without a period last: the order of the sets of a place."""
        return self.source, self.period is None, self.period


PackedSets = Mapping[Place, tuple[Packed, ...]]
"""Share sets by what they are of, those of one place in their order."""


def packed(values: Iterable[Any], count: int, lines: bytes) -> Packed:
    """A set from the values of the columns of SET, the number of its lines, and these."""
    source, mineral, stage, start, end = values
    period = None if start is None else (start, end)
    return Packed(intern(source), intern(mineral), intern(stage), period, count, lines)  # type: ignore[arg-type]


def by_place(sets: Iterable[Packed]) -> PackedSets:
    """Sets laid beside each other."""
    places: dict[Place, list[Packed]] = defaultdict(list)
    for each in sets:
        places[each.mineral, each.stage].append(each)
    return {place: tuple(sorted(found, key=lambda each: each.order)) for place, found in places.items()}


def pack(rows: Iterable[Share]) -> PackedSets:
    """Packs shares that come in key order."""
    return by_place(_packed(values, list(found)) for values, found in groupby(rows, _set_of))


def merged(sets: PackedSets, written: Iterable[tuple[Share, bool]]) -> PackedSets:
    """Sets with shares written since: each replaces the one it has the key of, or where it says True withdraws it."""
    lines: dict[tuple[Any, ...], list[tuple[Share, bool]]] = defaultdict(list)
    for row, withdrawn in written:
        lines[_set_of(row)].append((row, withdrawn))
    places: dict[Place, dict[tuple[Any, ...], list[tuple[Share, bool]]]] = defaultdict(dict)
    for values, found in lines.items():
        places[values[1], values[2]][values] = found
    renewed = {place: _renewed(sets.get(place, ()), found) for place, found in places.items()}
    return {place: found for place, found in {**sets, **renewed}.items() if found}


def _renewed(
    sets: tuple[Packed, ...], written: Mapping[tuple[Any, ...], list[tuple[Share, bool]]]
) -> tuple[Packed, ...]:
    standing = {_values(each): each for each in sets}
    for values, found in written.items():
        old = standing.pop(values, None)
        rows = {row.country: row for row in old.rows} if old else {}
        for row, withdrawn in found:
            rows.pop(row.country, None)
            if not withdrawn:
                rows[row.country] = row
        if rows:
            standing[values] = _packed(values, [rows[country] for country in sorted(rows)])
    return tuple(sorted(standing.values(), key=lambda each: each.order))


def _set_of(row: Share) -> tuple[Any, ...]:
    return row.source, row.mineral, row.stage, row.period_start, row.period_end


def _values(each: Packed) -> tuple[Any, ...]:
    return each.source, each.mineral, each.stage, *(each.period or (None, None))


def _packed(values: tuple[Any, ...], rows: list[Share]) -> Packed:
    lines = [[getattr(row, name) for name in LINE] for row in rows]
    return packed(values, len(rows), msgspec.json.encode(lines))
