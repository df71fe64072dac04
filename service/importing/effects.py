"""What evidence that has not been committed yet would do to the scores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from service.importing.model import Moved
from service.store import reading
from service.store.ledger import Revision
from service.world.scoring import score_all
from service.world.world import World, build

if TYPE_CHECKING:
    from service.store.ledger import Connection, Draft

SEEN = 1e-9
"""The difference of two scores from which on they are two: far below what is printed, far above what adding up does."""


async def moved_by(connection: Connection, draft: Draft, buyers: Sequence[str]) -> list[Moved]:
    """The scores that a draft moves today, while its transaction is still open; none in a ledger that was empty."""
    head = await reading.revision(connection, draft.number - 1)
    if head is None:
        return []
    after = Revision(draft.number, head.committed_at, "", "", {}, "")
    worlds = [await asyncio.to_thread(build, await reading.evidence(connection, each)) for each in (head, after)]
    return await asyncio.to_thread(lambda: list(_moved(worlds[0], worlds[1], buyers, datetime.now(UTC).date())))


def _moved(before: World, after: World, buyers: Sequence[str], as_of: date) -> Iterator[Moved]:
    for buyer in buyers:
        old, new = _scores(before, buyer, as_of), _scores(after, buyer, as_of)
        for mineral in sorted(old.keys() | new.keys()):
            was, is_now = old.get(mineral), new.get(mineral)
            if (was is None) != (is_now is None) or abs((was or 0.0) - (is_now or 0.0)) > SEEN:
                yield Moved(mineral, buyer, was, is_now)


def _scores(world: World, buyer: str, as_of: date) -> dict[str, float | None]:
    """Every mineral's score for a buyer; none at all where the buyer does not exist yet."""
    if buyer not in world.countries and buyer not in world.blocs:
        return {}
    scores = score_all(world, buyer, as_of).scores
    return {
        mineral: float(scores.score[place]) if scores.sufficient[place] else None
        for mineral, place in world.mineral_index.items()
    }
