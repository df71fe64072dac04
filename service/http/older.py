"""Older Worlds: built when somebody asks for them, kept within a stated bound of memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.world.size import bytes_worked_out

if TYPE_CHECKING:
    from service.world.world import World

MOST_WORLDS = 8
MOST_BYTES = 256 * 1024 * 1024
"""What one worker keeps of older Worlds, rows and what was worked out from them together. The one asked for last stays
even if it is larger on its own, without what was worked out from it."""


@dataclass
class _Kept:
    """A World and what it takes: its rows, measured once, and what was worked out, measured whenever that grew."""

    world: World
    rows: int
    entries: int = -1
    worked_out: int = 0

    @property
    def bytes(self) -> int:
        if self.entries != len(self.world.memo):
            self.entries = len(self.world.memo)
            self.worked_out = bytes_worked_out(self.world)
        return self.rows + self.worked_out


class OlderWorlds:
    """The older Worlds in memory by their revision, the least recently asked for dropped first."""

    def __init__(self, most_worlds: int = MOST_WORLDS, most_bytes: int = MOST_BYTES) -> None:
        self._most_worlds = most_worlds
        self._most_bytes = most_bytes
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    @property
    def bytes(self) -> int:
        """What the Worlds kept take."""
        return sum(kept.bytes for kept in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, revision: int) -> World | None:
        """The World of a revision, None if it is not kept."""
        kept = self._kept.get(revision)
        if kept is None:
            return None
        self._kept.move_to_end(revision)
        self._make_room()
        return kept.world

    def keep(self, world: World, rows: int) -> World:
        """Keeps a World whose rows take so many bytes."""
        self._kept[world.revision] = _Kept(world, rows)
        self._make_room()
        return world

    def _make_room(self) -> None:
        while len(self._kept) > 1 and (len(self._kept) > self._most_worlds or self.bytes > self._most_bytes):
            _, dropped = self._kept.popitem(last=False)
            dropped.world.memo.clear()  # which refers to it, so that it goes with the last who reads it
        if self.bytes > self._most_bytes:
            next(iter(self._kept.values())).world.memo.clear()
