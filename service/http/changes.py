"""The feed of changes since a revision, paged: what was written, and which scores of a buyer it moved."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from schemas.revisions import ChangeEntry, Changes
from schemas.text import BUYER
from service.answers.changes import Step, moves_scores, row_change
from service.answers.score import METHOD, Account
from service.http.formats import (
    MEDIA_TYPES,
    PagingDependency,
    foreign_cursor,
    read_cursor,
    read_list,
    render,
    write_cursor,
)
from service.http.names import find_buyer
from service.http.reads import View, ViewDependency, WorldsDependency, headers, know_revision
from service.store import history
from service.world.scoring import is_buyer

if TYPE_CHECKING:
    from schemas.revisions import Cause
    from service.http.worlds import Worlds
    from service.store.ledger import Revision
    from service.world.world import World

STEPS = 4
"""Revisions that can move scores which one page looks at: each needs an older World, which may have to be built."""

MOST_REVISIONS = 50
"""Revisions that one page looks at: each is asked of the database on its own, kind by kind."""

Since = Annotated[
    int,
    QueryParameter(
        ge=0,
        le=10**18,
        description="The revision whose successors are asked for; 0 for everything there ever was.",
        examples=[Example(value=0)],
    ),
]
ScoresOf = Annotated[
    str | None,
    QueryParameter(
        pattern=BUYER,
        max_length=400,
        description="The buyer whose scores are told of too, as for `/v1/scores`; none if left out.",
        examples=[Example(value="USA")],
    ),
]
SinceDay = Annotated[
    date | None,
    QueryParameter(
        description="The `as_of` of the scores you hold, if it is not this request's: what the days between moved comes"
        " first, as entries of the revision `since` with the cause `day`.",
    ),
]
SinceVersion = Annotated[
    int | None,
    QueryParameter(
        ge=1,
        le=1000,
        description="The version of the method your scores were worked out with. If it is not the current one, every"
        " score comes first, as an entry of the revision `since` with the cause `method`.",
    ),
]


class ChangeController(Controller):
    """What changed."""

    path = "/v1/changes"
    tags = ["history"]  # noqa: RUF012 - the framework reads a list

    @read_list("/", "list_changes", summary="What changed since a revision, and which scores that moved")
    async def changes(
        self,
        worlds: WorldsDependency,
        view: ViewDependency,
        paging: PagingDependency,
        since: Since,
        buyer: ScoresOf = None,
        since_day: SinceDay = None,
        since_version: SinceVersion = None,
    ) -> Response[Changes[ChangeEntry]]:
        """Every row written after revision `since`, in order, with what stood before it, what stands since and why.

        With `buyer` also every line of `/v1/scores` that became another by it, on the day `as_of`. What you held at
        `since` and these entries, applied in order, give exactly what a full pull at `known_at` gives.
        """
        await know_revision(worlds, view, since, "since")
        if buyer is not None:
            buyer = find_buyer(view.world, buyer)
        revision, place = read_cursor(paging.cursor) if paging.cursor else (since, 1)
        if not since <= revision <= view.world.revision or place < 1:
            raise foreign_cursor()
        feed = Feed(worlds, view, since, buyer, since_day, since_version, paging.limit)
        await feed.fill(revision, place)
        after = write_cursor(*feed.next) if feed.next else None
        content = Changes[ChangeEntry](**view.stamp, since=since, items=feed.items, next=after)
        parts = (paging.format, paging.limit, paging.cursor, "changes", since, buyer, since_day, since_version)
        answered: Response[Any] = Response(
            render(content, paging.format, paging.kind),
            media_type=MEDIA_TYPES[paging.format],
            headers=headers(view, *parts) | ({"X-Next-Cursor": after} if after and paging.format != "json" else {}),
        )
        return answered


@dataclass
class Feed:
    """One page of changes, gathered revision by revision: its items, and where the next page begins if there is one.

    A page ends when it is full, or when it has looked at MOST_REVISIONS revisions, or at STEPS that can move scores.
    That depends on the ledger alone and not on what happens to be in memory, so the same request gives the same page.
    """

    worlds: Worlds
    view: View
    since: int
    buyer: str | None
    since_day: date | None
    since_version: int | None
    limit: int
    items: list[ChangeEntry] = field(default_factory=list)
    next: tuple[int, int] | None = None
    steps: int = 0

    @property
    def room(self) -> int:
        """How many more items the page takes."""
        return self.limit - len(self.items)

    async def fill(self, revision: int, place: int) -> None:
        """Gathers the page that begins at a place of a revision; `next` is None where it reaches the head."""
        head = self.view.world.revision
        if revision == self.since and not await self._rebased(place):
            return
        if revision > self.since:
            first, skip = revision, place
        else:
            first, skip = self.since + 1, 1
        looked_at = 0
        while first <= head:
            for written in await self.worlds.revisions(first, min(head, first + self.limit)):
                if looked_at == MOST_REVISIONS or not await self._told(written, skip):
                    return
                first, skip, looked_at = written.id + 1, 1, looked_at + 1
        self.next = None

    async def _rebased(self, place: int) -> bool:
        """Adds what moved at `since` itself, by another day or version of the method. False if the page ends."""
        step = await self._rebase() if self.buyer else None
        if step is None:
            return True
        self.steps += 1
        return self._add(step, self.since, 1, place)

    async def _rebase(self) -> Step | None:
        world = await self._world(self.since)
        if self.since_version not in (None, METHOD.version):
            return Step(None, self._account(world, self.view.as_of), "method")
        if self.since_day in (None, self.view.as_of):
            return None
        assert self.since_day is not None
        return Step(self._account(world, self.since_day), self._account(world, self.view.as_of), "day")

    async def _told(self, written: Revision, place: int) -> bool:
        """Adds what a revision did from a place on. False if the page ends."""
        rows = sum(written.rows.values())
        place += await self._rows(written, place) if place <= rows else 0
        self.next = (written.id, place)
        if place <= rows:
            return False
        if self.buyer is None or not moves_scores(written):
            return True
        if self.steps == STEPS or not self.room:
            return False
        self.steps += 1
        before, after = await self._world(written.id - 1), await self._world(written.id)
        cause: Cause | None = "retraction" if written.retracts else None
        step = Step(self._account(before, self.view.as_of), self._account(after, self.view.as_of), cause)
        await asyncio.sleep(0)  # others get their turn between two costly steps
        return self._add(step, written.id, rows + 1, place)

    async def _rows(self, written: Revision, place: int) -> int:
        """Adds rows of a revision from a place on; the value is how many."""
        if not self.room:
            return 0
        async with self.worlds.database() as connection:
            found = await history.changes(connection, written, place, self.room)
        self.items += [row_change(change) for change in found]
        return len(found)

    def _add(self, step: Step, revision: int, first: int, place: int) -> bool:
        """Adds a step's entries, which begin at the place `first`, from `place` on. False if the page ends."""
        assert self.buyer is not None
        entries = step.changes(revision, first, self.buyer)[place - first :]
        taken = entries[: self.room]
        self.items += taken
        self.next = (revision, place + len(taken))
        return len(taken) == len(entries)

    async def _world(self, revision: int) -> World | None:
        return await self.worlds.at(revision) if revision else None

    def _account(self, world: World | None, day: date) -> Account | None:
        if world is None or self.buyer is None or not all(is_buyer(world, part) for part in self.buyer.split(",")):
            return None
        return Account.of(world, self.buyer, day)
