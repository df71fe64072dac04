"""Scores: one mineral in full, or all of them in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from schemas.common import Band
from schemas.score import Score, ScorePage, ScoreRow
from schemas.text import SLUG
from service.answers.methods import method_rows, method_score
from service.answers.score import Account, MixName
from service.http.formats import PagingDependency, page, read_list
from service.http.lens import AttributionName, LadderText, read_ladder
from service.http.names import Buyer, MineralName, find_buyer, find_mineral
from service.http.problems import NotFound, fault_in
from service.http.reads import View, ViewDependency, answer, read
from service.methods import run
from service.risk.methods import METHODS
from service.risk.methods.partner_adjusted import ID as DEFAULT
from service.world.dates import holds

if TYPE_CHECKING:
    from service.world.attribution import Attribution

Method = Annotated[
    Literal["partner-adjusted", "eu-crm", "geopolrisk", "hhi", "n-1", "available-to-market"],
    QueryParameter(
        description="The scoring method, see `/v1/methods`. Others than the default answer with `value` in their own"
        " `unit` instead of `score`, `band` and `interval`.",
        examples=[Example(value="partner-adjusted")],
    ),
]
Mix = Annotated[
    MixName,
    QueryParameter(
        description="Whose supply counts: the world's alone (`world`), or the buyer's own beside it where the ledger"
        " knows its sources and import reliance (`sourcing`). `partner-adjusted` only.",
        examples=[Example(value="world")],
    ),
]
ListName = Annotated[
    str | None,
    QueryParameter(
        pattern=SLUG,
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


PATH = "/v1/minerals/{mineral:str}/score"
"""Where one mineral's score is asked for."""


class ScoreController(Controller):
    """Scores of minerals for a buyer."""

    path = "/v1"
    tags = ["scores"]  # noqa: RUF012 - the framework reads a list

    @read(
        PATH.removeprefix("/v1"),
        "get_score",
        summary="How risky is it for this buyer to depend on this mineral?",
    )
    async def score(
        self,
        view: ViewDependency,
        mineral: MineralName,
        buyer: Buyer,
        method: Method = "partner-adjusted",
        mix: Mix = "world",
        level: Level = 0.9,
        attribution: AttributionName = "territory",
        ladder: LadderText = None,
    ) -> Response[Score]:
        """The mineral's score for the buyer, stage by stage and supplier by supplier.

        Each stage's score is 100 · min(1, √H), H = Σ share² · governance · partner_factor over the suppliers printed,
        and the mineral's score is the highest of them. Where no stage has enough data, `status` is
        `insufficient_data` with `reasons`, and `score` is null. Other methods give `value` in `unit`, and every number
        and supplier it is made of in `terms` and `mixes`.
        """
        mineral, buyer = find_mineral(view.world, mineral), find_buyer(view.world, buyer)
        if method == DEFAULT:
            refuse_both(mix, attribution)
            return answer(view, *default_score(view, mineral, buyer, mix, level, attribution, ladder))
        refuse_default_only(
            method, mix=mix != "world", attribution=attribution != "territory", ladder=ladder is not None
        )
        told = method_score(view.world, method, mineral, buyer, view.as_of)
        parts = ("score", mineral, buyer, mix, level, attribution, ladder)
        return answer(view, told, method, METHODS[method].version, *parts)

    @read_list("/scores", "list_scores", summary="All minerals for a buyer")
    async def scores(
        self,
        view: ViewDependency,
        paging: PagingDependency,
        buyer: Buyer,
        method: Method = "partner-adjusted",
        mix: Mix = "world",
        level: Level = 0.9,
        attribution: AttributionName = "territory",
        list: ListName = None,  # noqa: A002 - the parameter's public name
        band: BandName = None,
        sort: Sort = "-score",
    ) -> Response[ScorePage]:
        """Every mineral's score for the buyer, highest first; as JSON, CSV or NDJSON.

        Minerals without a score are in the list, last, with their `status`.
        """
        buyer = find_buyer(view.world, buyer)
        minerals = [*view.world.minerals] if list is None else sorted(on_list(view, list))
        if method == DEFAULT:
            refuse_both(mix, attribution)
            account = Account.of(view.world, buyer, view.as_of, level=level, mix=mix, attribution=attribution)
            rows = [account.row(mineral) for mineral in minerals]
        else:
            refuse_default_only(
                method, mix=mix != "world", band=band is not None, attribution=attribution != "territory"
            )
            values = run(view.world, method, buyer, view.as_of)
            rows = method_rows(view.world, method, minerals, values)
        rows = _sorted([row for row in rows if band is None or row.band == band], sort)
        parts = (buyer, mix, level, attribution, list, band, sort)
        return page(view, paging, rows, lambda row: row, method, METHODS[method].version, *parts)


def default_score(
    view: View,
    mineral: str,
    buyer: str,
    mix: MixName = "world",
    level: float = 0.9,
    attribution: Attribution = "territory",
    ladder: str | None = None,
) -> tuple[Any, ...]:
    """The score by the default method of a mineral and a buyer that are known, and behind it what shaped it."""
    account = Account.of(view.world, buyer, view.as_of, read_ladder(ladder), level, mix, attribution)
    parts = ("score", mineral, buyer, mix, level, attribution, ladder)
    return account.sent(mineral), DEFAULT, METHODS[DEFAULT].version, *parts


def refuse_both(mix: str, attribution: str) -> None:
    """Refuses to mix lenses: what a buyer sources is known by territory alone."""
    if mix != "world" and attribution != "territory":
        detail = "the buyer's own supply is known by territory alone"
        raise NotFound(f"attribution: {detail}", fault_in("attribution", detail))


def refuse_default_only(method: str, **asked: bool) -> None:
    """Refuses what only the default method has, by the names of the parameters that asked for it."""
    faults = [fault_in(name, f"{method} has none: only {DEFAULT} does") for name, wanted in asked.items() if wanted]
    if faults:
        raise NotFound("; ".join(f"{fault.parameter}: {fault.detail}" for fault in faults), *faults)


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
    scored = sorted((row for row in rows if row.value is not None), key=lambda row: row.mineral)
    scored.sort(key=lambda row: (row.value if row.score is None else row.score) or 0.0, reverse=down)
    return scored + sorted((row for row in rows if row.value is None), key=lambda row: row.mineral)
