"""Orders of minerals by a value, and how alike two of them are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from service.risk.numbers import Floats, numbers

FEWEST = 3
"""Fewer values than this have no rank correlation worth a number."""


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """1 for the highest value, equal values sharing the better rank."""
    ordered = sorted(values.values(), reverse=True)
    first: dict[float, int] = {}
    for place, value in enumerate(ordered, start=1):
        first.setdefault(value, place)
    return {name: first[value] for name, value in values.items()}


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation: that of the ranks, equal values at the mean of theirs.

    None for fewer than three pairs or where one side does not vary.
    """
    a, b = _mean_ranks(one), _mean_ranks(other)
    if a.shape != b.shape:
        raise ValueError("a rank correlation needs pairs of values")
    if len(a) < FEWEST or not a.std() or not b.std():
        return None
    return float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))


def _mean_ranks(values: ArrayLike) -> Floats:
    array = numbers("a value", values, -np.inf, np.inf)
    distinct, place, counts = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: Floats = last - (counts - 1) / 2
    return means[place] if len(distinct) else array
