"""Scores: one mineral in full, or all of them in a list."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from schemas.common import Band, Page
from schemas.score import Score, ScoreRow
from service.answers.score import Account
from service.http.formats import PagingDependency, page, read_list
from service.http.names import Buyer, MineralName, find_buyer, find_mineral
from service.http.problems import NotFound, fault_in
from service.http.reads import View, ViewDependency, answer, read
from service.risk.methods import METHODS
from service.world.dates import holds

Method = Annotated[
    Literal["partner-adjusted"],
    QueryParameter(description="The scoring method, see `/v1/methods`.", examples=[Example(value="partner-adjusted")]),
]
ListName = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=80,
        description="Only minerals on this official list on the day, see the `lists` of `/v1/minerals`.",
        examples=[Example(value="us-2025")],
    ),
]
BandName = Annotated[
    Band | None, QueryParameter(description="Only scores in this band.", examples=[Example(value="severe")])
]
Sort = Annotated[
    Literal["score", "-score", "mineral", "-mineral"],
    QueryParameter(
        description="`-` sorts downward; minerals without a score come last.", examples=[Example(value="-score")]
    ),
]


Level = Annotated[
    float,
    QueryParameter(
        ge=0.5, le=0.99, description="The probability the intervals are to hold.", examples=[Example(value=0.9)]
    ),
]


class ScoreController(Controller):
    """Scores of minerals for a buyer."""

    path = "/v1"
    tags = ["scores"]  # noqa: RUF012 - the framework reads a list

    @read(
        "/minerals/{mineral:str}/score",
        "get_score",
        summary="How risky is it for this buyer to depend on this mineral?",
    )
    async def score(
        self,
        view: ViewDependency,
        mineral: MineralName,
        buyer: Buyer,
        method: Method = "partner-adjusted",
        level: Level = 0.9,
    ) -> Response[Score]:
        """The mineral's score for the buyer, stage by stage and supplier by supplier.

        Each stage's score is 100 · min(1, √H), H = Σ share² · governance · partner_factor over the suppliers printed,
        and the mineral's score is the highest of them. Where no stage has enough data, `status` is
        `insufficient_data` with `reasons`, and `score` is null.
        """
        mineral = find_mineral(view.world, mineral)
        account = Account.of(view.world, find_buyer(view.world, buyer), view.as_of, level=level)
        return answer(view, account.score(mineral), method, METHODS[method].version, "score", mineral, buyer, level)

    @read_list("/scores", "list_scores", summary="All minerals for a buyer")
    async def scores(
        self,
        view: ViewDependency,
        paging: PagingDependency,
        buyer: Buyer,
        method: Method = "partner-adjusted",
        level: Level = 0.9,
        list: ListName = None,  # noqa: A002 - the parameter's public name
        band: BandName = None,
        sort: Sort = "-score",
    ) -> Response[Page[ScoreRow]]:
        """Every mineral's score for the buyer, highest first; as JSON, CSV or NDJSON.

        Minerals without a score are in the list, last, with their `status`.
        """
        account = Account.of(view.world, find_buyer(view.world, buyer), view.as_of, level=level)
        listed = None if list is None else on_list(view, list)
        rows = [account.row(mineral) for mineral in view.world.minerals if listed is None or mineral in listed]
        rows = _sorted([row for row in rows if band is None or row.band == band], sort)
        return page(
            view, paging, rows, lambda row: row, method, METHODS[method].version, buyer, level, list, band, sort
        )


def on_list(view: View, name: str) -> set[str]:
    """The minerals on an official list on the day. Raises NotFound for a list nobody knows."""
    known = {row.list for row in view.world.listings}
    if name not in known:
        detail = f"no official list is called {name!r}; there are {', '.join(sorted(known))}"
        raise NotFound(detail, fault_in("list", detail))
    return {
        row.mineral
        for row in view.world.listings
        if row.list == name and holds(row.valid_from, row.valid_to, view.as_of)
    }


def _sorted(rows: list[ScoreRow], sort: str) -> list[ScoreRow]:
    down = sort.startswith("-")
    if sort.lstrip("-") == "mineral":
        return sorted(rows, key=lambda row: row.mineral, reverse=down)
    scored = sorted((row for row in rows if row.score is not None), key=lambda row: row.mineral)
    scored.sort(key=lambda row: row.score or 0.0, reverse=down)
    return scored + sorted((row for row in rows if row.score is None), key=lambda row: row.mineral)
