"""Arrays of numbers: their types, the check that refuses what is not a number, and sums by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Indexes = NDArray[np.signedinteger[Any]]
"""Places in a table, in integers of any width."""
Real = TypeVar("Real", np.float32, np.float64)
"""Point values are computed in double precision, draws in single."""
Number = TypeVar("Number", np.float64, np.int64, np.bool_)


def numbers(name: str, values: ArrayLike, low: float, high: float) -> Floats:
    """`values` as floats, each within `low`..`high`; ValueError names what is not a finite number or out of range."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite numbers, got {_first(array, ~np.isfinite(array))}")
    outside = (array < low) | (array > high)
    if outside.any():
        raise ValueError(f"{name} must lie within {low:g}..{high:g}, got {_first(array, outside)}")
    return array


def number(name: str, value: float, low: float, high: float) -> float:
    """One `value` checked as `numbers` checks many."""
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite numbers, got {value:g}")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie within {low:g}..{high:g}, got {value:g}")
    return float(value)


def indexes(name: str, places: Indexes, of: int) -> Indexes:
    """`places` in a table of so many; ValueError where one is outside."""
    if places.size and (places.min() < 0 or places.max() >= of):
        raise ValueError(f"{name} must lie within 0..{of - 1}")
    return places


def _first(array: Floats, where: Bools) -> str:
    return f"{array[where].flat[0]:g}"


def joined(arrays: Sequence[NDArray[Any]], kind: type[Number]) -> NDArray[Number]:
    """Arrays laid end to end; an empty one of `kind` where there are none."""
    return np.concatenate(arrays).astype(kind, copy=False) if arrays else np.zeros(0, dtype=kind)


@dataclass(frozen=True, eq=False)
class Groups:
    """Which group (0..`count` − 1) each row belongs to, so that many groups are summed at once.

    A group may have no rows. One list of numbers on its own is a batch of one group: `Groups.one`.
    """

    index: Ints
    count: int

    def __post_init__(self) -> None:
        if self.index.ndim != 1 or self.count < 0:
            raise ValueError("groups need a flat index and a count of zero or more")
        if self.index.size and (self.index.min() < 0 or self.index.max() >= self.count):
            raise ValueError(f"group indexes must lie within 0..{self.count - 1}")

    @classmethod
    def one(cls, rows: int) -> Groups:
        """A single group of `rows` rows."""
        return cls(np.zeros(rows, dtype=np.int64), 1)

    @classmethod
    def of_sizes(cls, sizes: Sequence[int]) -> Groups:
        """Rows laid group after group: `sizes[0]` rows of group 0, then `sizes[1]` of group 1, …"""
        return cls(np.repeat(np.arange(len(sizes), dtype=np.int64), sizes), len(sizes))

    @cached_property
    def sizes(self) -> Ints:
        """How many rows each group has."""
        return np.bincount(self.index, minlength=self.count).astype(np.int64)

    @cached_property
    def slices(self) -> list[slice]:
        """Where the rows of each group stand; the groups must be consecutive."""
        ends = np.cumsum(self.sizes).tolist()
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]

    @cached_property
    def consecutive(self) -> bool:
        """Whether the rows of each group stand together, in the order of the groups."""
        return bool((np.diff(self.index) >= 0).all())

    @cached_property
    def single(self) -> bool:
        """Whether every group has a single row."""
        return bool((self.sizes == 1).all())

    def rows(self, groups: range) -> slice:
        """Where the rows of neighbouring groups stand; the groups must be consecutive."""
        if not groups:
            return slice(0, 0)
        return slice(self.slices[groups.start].start, self.slices[groups.stop - 1].stop)

    def only(self, groups: range) -> Groups:
        """Some neighbouring groups, numbered from 0; the groups must be consecutive."""
        return Groups(self.index[self.rows(groups)] - groups.start, len(groups))

    def sum(self, values: Floats) -> Floats:
        """The sum of `values` in each group, 0 for a group without rows."""
        return np.bincount(self.index, weights=values, minlength=self.count).astype(np.float64, copy=False)

    def largest(self, values: Floats) -> Floats:
        """The largest of `values` in each group, −inf for a group without rows."""
        return self._fold(np.maximum, values, -np.inf)

    def smallest(self, values: Floats) -> Floats:
        """The smallest of `values` in each group, +inf for a group without rows."""
        return self._fold(np.minimum, values, np.inf)

    def any(self, values: Bools) -> Bools:
        """Whether any row of each group holds."""
        return np.bincount(self.index[values], minlength=self.count) > 0

    def _fold(self, function: np.ufunc, values: Floats, empty: float) -> Floats:
        folded = np.full(self.count, empty)
        function.at(folded, self.index, values)
        return folded
