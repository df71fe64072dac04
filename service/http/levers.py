"""What moves a score, and how it moved: levers and history of one mineral."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from schemas.history import HistoryPage, HistoryPoint
from schemas.levers import Levers
from service.answers.history import Moment, year_ends
from service.answers.levers import levers_of
from service.answers.score import METHOD, Account
from service.http.formats import PagingDependency, page, read_list, span
from service.http.names import Buyer, MineralName, find_buyer, find_mineral
from service.http.reads import View, ViewDependency, WorldsDependency, answer, read
from service.http.scores import Level
from service.risk.levers import Others
from service.store.inputs import revisions_of_score

if TYPE_CHECKING:
    from datetime import date

    from service.http.worlds import Worlds

MOST_REVISIONS = 5
"""Points over revisions that one page holds: each needs an older World, which may have to be built."""

MOST_YEARS = 50
"""Points over years that one page holds: each scores all minerals on another day."""

OthersDo = Annotated[
    Others,
    QueryParameter(
        description="What the other suppliers' shares do while one moves: `held` leaves them as they are, even where"
        " the sum passes 1; `proportional` lets them and the unreported remainder give way in proportion.",
        examples=[Example(value="proportional")],
    ),
]
By = Annotated[
    Literal["year", "revision"],
    QueryParameter(
        description="`year`: the last day of each year, and `as_of`, at one revision. `revision`: the one day `as_of`,"
        " at each revision that wrote what the score can rest on.",
        examples=[Example(value="revision")],
    ),
]
First = Annotated[
    int | None,
    QueryParameter(
        name="from",
        ge=1,
        le=10**18,
        description="The first year, or revision; if left out, that of the mineral's first figures.",
        examples=[Example(value=2020)],
    ),
]
Last = Annotated[
    int | None,
    QueryParameter(
        name="to",
        ge=1,
        le=10**18,
        description="The last year, or revision; if left out, that of `as_of`, or `known_at`.",
        examples=[Example(value=2026)],
    ),
]


class LeverController(Controller):
    """What a mineral's score hangs on."""

    path = "/v1/minerals/{mineral:str}/score"
    tags = ["scores"]  # noqa: RUF012 - the framework reads a list

    @read("/levers", "get_levers", summary="What moves this score most?")
    async def levers(
        self,
        view: ViewDependency,
        mineral: MineralName,
        buyer: Buyer,
        others: OthersDo = "held",
        level: Level = 0.9,
    ) -> Response[Levers]:
        """Every supplier's share and partner factor, every country's governance, every agreement and restriction.

        The largest effect comes first, signed, in points of the score: of a figure per 0.01 of it, by the derivative;
        of an agreement or restriction the score with it minus the score without it. With each figure stands how far it
        would have to move for the band to change, and for another stage to bind. Figures of a stage that does not bind
        have no effect; `stage_effect` says what they do to their own stage.
        """
        mineral, buyer = find_mineral(view.world, mineral), find_buyer(view.world, buyer)
        account = Account.of(view.world, buyer, view.as_of, level=level)
        parts = (METHOD.id, METHOD.version, "levers", mineral, buyer, others, level)
        return answer(view, levers_of(account, mineral, others), *parts)

    @read_list("/history", "list_history", summary="How did this score come about?")
    async def history(
        self,
        worlds: WorldsDependency,
        view: ViewDependency,
        paging: PagingDependency,
        mineral: MineralName,
        buyer: Buyer,
        by: By = "year",
        first: First = None,
        last: Last = None,
        level: Level = 0.9,
    ) -> Response[HistoryPage]:
        """The mineral's score for the buyer, year by year or revision by revision, oldest first, and what changed.

        Over years the ledger is read at one revision: what is known now about the days then. Over revisions the day
        stays, and the ledger is read as it was: what was known then about the day. A page over years has at most 50
        points, one over revisions at most five, and some of these may have changed nothing for this buyer.
        """
        mineral, buyer = find_mineral(view.world, mineral), find_buyer(view.world, buyer)
        keys: list[tuple[date, int]]
        most = MOST_YEARS if by == "year" else MOST_REVISIONS
        paging = msgspec.structs.replace(paging, limit=min(paging.limit, most))
        if by == "year":
            days = year_ends(view.world, mineral, first, last, view.as_of)
            keys = [(day, view.world.revision) for day in days]
        else:
            keys = [(view.as_of, number) for number in await _revisions(worlds, view, mineral, first, last)]
        begin, end = span(view, paging, len(keys))
        points: dict[tuple[date, int], HistoryPoint] = {}
        before: Moment | None = None
        for day, revision in keys[max(0, begin - 1) : end]:
            world = view.world if revision == view.world.revision else await worlds.at(revision)
            moment = Moment(world, mineral, buyer, day, level)
            points[day, revision] = moment.point(before)
            before = moment
            await asyncio.sleep(0)  # others get their turn between two costly points
        parts = (METHOD.id, METHOD.version, "history", mineral, buyer, by, first, last, level)
        return page(view, paging, keys, points.__getitem__, *parts)


async def _revisions(worlds: Worlds, view: View, mineral: str, first: int | None, last: int | None) -> list[int]:
    newest = view.world.revision
    minerals = view.world.minerals
    related = view.world.touched(mineral) | {group.id for group in minerals.values() if mineral in group.members}
    async with worlds.database() as connection:
        return await revisions_of_score(connection, mineral, related, first or 1, min(last or newest, newest))
