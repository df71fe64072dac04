"""How many bytes a World takes: measured on a sample of its rows and on the arrays of what was worked out from it."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from service.world.rows import Row
from service.world.shares import ShareSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.world.evidence import Evidence
    from service.world.world import World

SAMPLED = 256
"""Rows of a kind, and share sets, that are measured; the rest is taken to be like them."""


def bytes_of_rows(evidence: Evidence) -> int:
    """What the rows take, the shares packed and with the sets the World makes of them.

    Sets that somebody looks into are unpacked beside it, `shares.LAID_OUT` of them at most in the whole process.
    """
    sets = [each for found in evidence.shares.values() for each in found]
    return sum(map(_bytes_of, evidence.rows.values())) + _bytes_of(sets) + len(sets) * _BESIDE_SET


_BESIDE_SET = ShareSet.__basicsize__ + 32
"""The World's view of a packed set, what the garbage collector keeps with it, and its places in two tuples."""


def _bytes_of(rows: Sequence[Any]) -> int:
    if not rows:
        return 0
    every = max(1, len(rows) // SAMPLED)
    sample = rows[::every]
    seen: set[int] = set()  # equal texts that are one object are counted once here, and so once in the whole
    return sum(_deep(row, seen) for row in sample) * len(rows) // len(sample)


def _deep(thing: Any, seen: set[int]) -> int:
    if id(thing) in seen or isinstance(thing, type):
        return 0
    seen.add(id(thing))
    return sys.getsizeof(thing) + sum(_deep(each, seen) for each in gc.get_referents(thing))


def bytes_worked_out(world: World) -> int:
    """What the arrays take that were worked out from a World so far: sheets, draws, positions, scores."""
    seen: set[int] = {id(world)}
    waiting: list[Any] = list(world.memo)
    total = 0
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, _LEAVES):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            total += thing.nbytes if thing.base is None else 0
        waiting.extend(gc.get_referents(thing))
    return total


_LEAVES = (Row, type, type(sys), type(_deep), str, int, float, bytes)
"""Where the search for arrays ends: what holds none, and the rows, which are counted on their own."""
