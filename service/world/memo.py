"""Memories of what was worked out: bounded, and gone with the World they belong to."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from service.risk.partners import Ladder
    from service.world.world import World

T = TypeVar("T")

OWN = 8
"""So many times less is kept of what follows from ladders of somebody's own."""

_MISSING: Final = object()


class Memo:
    """A bounded memory of what was computed, the least recently used dropped first. Threads may share one."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()
        self.parts: dict[str, Memo] = {}
        """Memories within this one that have a bound of their own, by what they keep."""

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value kept under `key`, computed now if there is none."""
        with self._lock:
            kept: Any = self._kept.get(key, _MISSING)
            if kept is not _MISSING:
                self._kept.move_to_end(key)
                return kept  # type: ignore[no-any-return]
        value = compute()
        with self._lock:
            value = self._kept.setdefault(key, value)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return value

    def __len__(self) -> int:
        """How much is kept, what is kept in memories of this one included."""
        return sum(len(each) if isinstance(each, Memo) else 1 for each in self)

    def __iter__(self) -> Iterator[Any]:
        """What is kept, the memories within this one included."""
        return iter((*self._kept.values(), *self.parts.values()))

    def put(self, key: Hashable, value: Any) -> None:
        """Keeps what has been worked out elsewhere."""
        self.get(key, lambda: value)

    def items(self) -> tuple[tuple[Any, Any], ...]:
        """What is kept, by its keys."""
        with self._lock:
            return tuple(self._kept.items())

    def renamed(self, name: Callable[[Any], Hashable | None]) -> Memo:
        """Another memory as large, of what is kept here and has a name there."""
        other = Memo(self._size)
        other._kept.update((named, value) for key, value in self.items() if (named := name(key)) is not None)
        return other

    def clear(self) -> None:
        """Forgets everything; memories within this one that others share keep what they have."""
        with self._lock:
            self._kept.clear()
            self.parts.clear()


def kept(world: World, what: str, size: int) -> Memo:
    """The memory of a World for one kind of thing, of which it keeps `size`."""
    parts = world.memo.parts
    found = parts.get(what)
    return parts.setdefault(what, Memo(size)) if found is None else found


def kept_by(ladder: Ladder, world: World, what: str, size: int) -> Memo:
    """The same for what follows from a ladder, where those of somebody's own have a smaller memory of their own.

    Hardly anybody else asks for these, and they must not push out what all others ask for.
    """
    return kept(world, f"{what} by own ladders", size // OWN) if ladder.changed else kept(world, what, size)
